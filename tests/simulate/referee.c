/*
 * Referee: holds what happens to the laws of the design (§7), by the cloud's own truth. Where
 * somebody else's deed since the observation may be the reason, nobody is blamed for a moment; for
 * the end there is no excuse.
 */
#include <stdio.h>
#include <string.h>

#include "tests/simulate/history.h"

#define HOUR (INT64_C(3600) * 1000)

static const char *const service_names[] = {"api", "web"};

static const struct tt_region *region_of(const struct tt_world *world, const char *account)
{
    return tt_world_region(world, account, "r");
}

static const struct tt_cloud_balancer *lb_of(const struct tt_world *world)
{
    const struct tt_region *region = region_of(world, "east");

    return region ? tt_region_balancer(region, "elb") : NULL;
}

static bool is_live(const struct tt_server *server)
{
    return tt_streq(server->tags.owner, "acme") && server->state != TT_SERVER_GONE;
}

static bool serves(const struct tt_server *server)
{
    return server && is_live(server) && server->state == TT_SERVER_RUNNING &&
           server->health != TT_HEALTH_FAILING;
}

static const struct tt_server *find_by_address(const struct tt_world *world, const char *address)
{
    TT_EACH (account, &world->accounts)
        TT_EACH (server, &region_of(world, account->name)->servers)
            if (tt_streq(server->private_address, address) ||
                tt_streq(server->public_address, address))
                return server;
    return NULL;
}

/* Members of SERVICE in service behind lb on machines that run and do not fail. */
static int count_behind_lb(const struct tt_world *world, const char *service)
{
    const struct tt_region *region = region_of(world, "east");
    const struct tt_cloud_balancer *lb = lb_of(world);
    int count = 0;

    if (!lb)
        return 0;
    TT_EACH (member, &lb->members) {
        const struct tt_server *server = tt_region_server(region, member->server);

        count += member->state == TT_MEMBER_IN_SERVICE && serves(server) &&
                 tt_streq(server->tags.service, service);
    }
    return count;
}

/* ... and behind the machine of edge that has the address. */
static int count_behind_edge(const struct tt_world *world, const char *service)
{
    const struct tt_region *region = region_of(world, "east");
    const char *id = region && region->addresses.count ? region->addresses.items[0].server : NULL;
    const struct tt_server *machine = id ? tt_region_server(region, id) : NULL;
    int count = 0;

    if (!serves(machine))
        return 0;
    TT_EACH (pool, &region->pools)
        TT_EACH (member, &pool->members) {
            const struct tt_server *server = find_by_address(world, member->address);

            count += tt_streq(pool->machine, id) && member->state == TT_MEMBER_IN_SERVICE &&
                     serves(server) && tt_streq(server->tags.service, service);
        }
    return count;
}

static int count_serving(const struct tt_world *world, int balancer, const char *service)
{
    return balancer ? count_behind_edge(world, service) : count_behind_lb(world, service);
}

/* Machines of SERVICE, failed ones too. */
static int count_live(const struct tt_world *world, const char *service)
{
    int count = 0;

    TT_EACH (account, &world->accounts)
        TT_EACH (server, &region_of(world, account->name)->servers)
            count += is_live(server) && tt_streq(server->tags.service, service);
    return count;
}

static int placed(const struct commit *c, int service, int account)
{
    return c->count[service][account] < 0 ? 0 : c->count[service][account];
}

void referee_start(struct process *p)
{
    const struct commit *c = &p->history->commit;

    TT_EACH (account, &p->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                p->owned += is_live(server);
    for (int i = 0; i < 2; i++) {
        int live = count_live(p->world, service_names[i]);
        int all = placed(c, i, 0) + placed(c, i, 1);

        p->most[i] = live > all + c->surge ? live : all + c->surge;
        for (int balancer = 0; balancer < 2; balancer++) {
            int now = count_serving(p->world, balancer, service_names[i]);
            int least = (balancer ? all : placed(c, i, 0)) - c->unavailable;

            if (!c->running || (balancer && !c->edge))
                least = 0;
            p->floors[balancer][i] = now < least ? now : least;
        }
    }
}

static bool disturbed(const struct process *p)
{
    return p->history->misfortunes != p->misfortunes;
}

/* --- before a call --------------------------------------------------------------------------- */

/* Law 3: nothing is ever made outside the zones of its service. */
static void check_zone(struct process *p, const char *account, const struct tt_create_request *ask)
{
    TT_EACH (deployment, &p->desired->deployments)
        TT_EACH (balancer, &(*deployment)->balancers)
            if (ask->tags.service && tt_streq((*balancer)->account->name, account) &&
                (*balancer)->scope == TT_SCOPE_DATA_CENTER &&
                !tt_strings_has(&(*balancer)->zones, ask->zone))
                broke(p->history, "law 3: %s is made in zone %s", ask->name,
                      ask->zone ? ask->zone : "(any)");
}

/* Law 4: nothing is done where the plan could not look. */
static void check_seen(struct process *p, const char *account, const struct tt_call *call)
{
    const struct tt_region *seen = p->world ? region_of(p->world, account) : NULL;

    if (call->member != TT_CALL_RUN && seen && !seen->observed)
        broke(p->history, "law 4: %s of %s in %s, which could not be seen",
              tt_call_member_words[call->member], call->object, account);
}

static const struct tt_server *find(const struct tt_world *world, const char *account,
                                    const char *id)
{
    const struct tt_region *region = region_of(world, account);

    return region && id ? tt_region_server(region, id) : NULL;
}

/* Law 5: memberships that are not ours stay. */
static void check_foreign(struct process *p, const char *account, const struct tt_call *call,
                          const struct tt_world *truth)
{
    const struct tt_server *server = find(truth, account, call->server);

    if (server && !is_live(server) && server->state != TT_SERVER_GONE && !disturbed(p))
        broke(p->history, "law 5: %s is not ours and %s is made of it", server->id,
              tt_call_member_words[call->member]);
}

/* Whom clients still reach is not deleted, and who does not serve yet is not enrolled. */
static void check_member(struct process *p, const char *account, const struct tt_call *call,
                         const struct tt_world *truth)
{
    bool leaves = call->member == TT_CALL_DELETE_SERVER;
    const struct tt_server *server = find(truth, account, leaves ? call->object : call->server);

    if (!server || disturbed(p))
        return;
    if (call->member == TT_CALL_ENROLL && server->state != TT_SERVER_RUNNING)
        broke(p->history, "%s is enrolled though it does not run", server->id);
    if (!leaves || server->state != TT_SERVER_RUNNING || strcmp(account, "east") != 0)
        return;
    TT_EACH (member, &lb_of(truth)->members) {
        if (!tt_streq(member->server, server->id))
            continue;
        if (member->state == TT_MEMBER_IN_SERVICE)
            broke(p->history, "%s is deleted while it is in service", server->id);
        if (member->state == TT_MEMBER_DRAINING && serves(server))
            broke(p->history, "%s is deleted before its connections have ended", server->id);
    }
}

void referee_before(struct process *p, const char *account, const struct tt_call *call,
                    struct tt_world *truth)
{
    if (call->member == TT_CALL_CREATE_SERVER)
        check_zone(p, account, call->create);
    check_seen(p, account, call);
    if (call->member == TT_CALL_ENROLL || call->member == TT_CALL_WITHDRAW)
        check_foreign(p, account, call, truth);
    if (call->member == TT_CALL_ENROLL || call->member == TT_CALL_DELETE_SERVER)
        check_member(p, account, call, truth);
}

/* --- after it -------------------------------------------------------------------------------- */

/* Law 6. */
static void check_floor(struct process *p, const struct tt_call *call,
                        const struct tt_world *before, const struct tt_world *truth)
{
    for (int i = 0; i < 4 && !disturbed(p); i++) {
        int balancer = i / 2, service = i % 2, floor = p->floors[balancer][service];
        int had = count_serving(before, balancer, service_names[service]);
        int has = count_serving(truth, balancer, service_names[service]);

        if (has < had && has < floor)
            broke(p->history, "law 6: after %s of %s %d of %s serve behind %s, and the floor is %d",
                  tt_call_member_words[call->member], call->object, has, service_names[service],
                  balancer ? "edge" : "lb", floor);
    }
}

/* Law 8: a new machine of edge while a failed one is there. */
static void check_recovery(struct process *p, const struct tt_call *call,
                           const struct tt_world *before, const struct tt_world *truth)
{
    struct history *h = p->history;
    bool failed = false;
    int recent = 0;

    if (!call->create->tags.balancer || find(before, "east", call->answer_id) ||
        !find(truth, "east", call->answer_id))
        return;
    TT_EACH (server, &region_of(p->world, "east")->servers)
        failed |= is_live(server) && server->tags.balancer && server->state == TT_SERVER_FAILED;
    if (!failed || h->recovery_count == 64)
        return;
    h->recoveries[h->recovery_count++] = h->now;
    for (int i = 0; i < h->recovery_count; i++)
        recent += h->now - h->recoveries[i] < HOUR;
    if (recent > 2 && !h->store_was_lost)
        broke(h, "law 8: edge is replaced %d times in an hour", recent);
}

/* Law 5: what is not ours stays. */
static void check_owner(struct process *p, const char *account, const struct tt_call *call,
                        const struct tt_world *before)
{
    const struct tt_server *server = find(before, account, call->object);

    /* deletions look for the mark themselves, a start trusts what was seen */
    if (call->member == TT_CALL_START_SERVER && disturbed(p))
        return;
    if (server && !tt_streq(server->tags.owner, "acme"))
        broke(p->history, "law 5: %s is not ours and %s was made of it", server->id,
              tt_call_member_words[call->member]);
}

static int wanted(const struct commit *c, int service, int account)
{
    return c->running ? placed(c, service, account) : 0;
}

/* True when ACCOUNT has more machines of SERVICE than it wants: a deletion replaces none. */
static bool has_too_many(const struct commit *c, const struct tt_world *world, const char *account,
                         int service)
{
    int count = 0;

    TT_EACH (server, &region_of(world, account)->servers)
        count += is_live(server) && tt_streq(server->tags.service, service_names[service]);
    return count > wanted(c, service, strcmp(account, "east") != 0);
}

/* Law 9, where there can be no doubt: machines of today's template are deleted, none is made. */
static void check_guard(struct process *p, const char *account, const struct tt_call *call,
                        const struct tt_world *before)
{
    const struct commit *c = &p->history->commit;
    const struct tt_server *server = find(before, account, call->object);

    if (!server || !is_live(server) || server->state != TT_SERVER_RUNNING || !server->tags.service)
        return;
    for (int i = 0; i < 2; i++) {
        char template[16];

        snprintf(template, sizeof(template), "v%d", c->version[i]);
        p->destroyed += tt_streq(server->tags.service, service_names[i]) &&
                        tt_streq(server->template, template) && has_too_many(c, before, account, i);
    }
    if (c->running && !c->zones && !p->made && !p->history->calm && !disturbed(p) &&
        p->destroyed > 1 && p->destroyed * 100 > p->owned * c->max_destroy)
        broke(p->history, "law 9: %d of %d machines are deleted, the guard allows %d%%",
              p->destroyed, p->owned, c->max_destroy);
}

/* Law 7: a create whose outcome was unknown does not make a second machine. */
static void check_twice(struct process *p, const char *account, const struct tt_call *call,
                        const struct tt_world *before, const struct tt_world *truth)
{
    if (find(before, account, call->answer_id) || !find(truth, account, call->answer_id))
        return;
    for (int i = 0; i < p->name_count; i++)
        if (strcmp(p->names[i], call->create->name) == 0)
            broke(p->history, "law 7: one run makes %s twice", call->create->name);
    if (p->name_count < 64)
        snprintf(p->names[p->name_count++], sizeof(p->names[0]), "%s", call->create->name);
}

/* Nor does a run make what an earlier one has made, as long as the store remembers: a machine that
 * the run could not see yet is the one that it wants. */
static void check_again(struct process *p, const char *account, const struct tt_call *call,
                        const struct tt_world *before, const struct tt_world *truth)
{
    const struct tt_server *made = find(truth, account, call->answer_id), *seen;

    if (!made || find(before, account, call->answer_id) || p->history->store_was_lost ||
        p->history->clock_error || disturbed(p))
        return;
    TT_EACH (other, &region_of(before, account)->servers)
        if (is_live(other) && tt_streq(other->tags.owner, made->tags.owner) &&
            tt_streq(other->tags.service, made->tags.service) &&
            tt_streq(other->tags.balancer, made->tags.balancer) &&
            other->tags.slot == made->tags.slot && tt_streq(other->tags.spec, made->tags.spec) &&
            tt_streq(other->zone, made->zone) &&
            (!(seen = find(p->world, account, other->id)) || !seen->tags.incarnation))
            broke(p->history, "law 7: %s is made though %s is on its way", made->id, other->id);
}

static bool saw_all(const struct tt_world *world)
{
    return region_of(world, "east")->observed && region_of(world, "west")->observed;
}

/* At any moment a service has at most max(now, count + maxSurge) live machines (§5). */
static void check_surge(struct process *p, const struct tt_call *call, const struct tt_world *truth)
{
    for (int i = 0; i < 2; i++) {
        int live = count_live(truth, service_names[i]);

        if (tt_streq(call->create->tags.service, service_names[i]) && live > p->most[i] &&
            saw_all(p->world) && !disturbed(p) && !p->history->late)
            broke(p->history, "the surge: %d machines of %s live, and %d may", live,
                  service_names[i], p->most[i]);
    }
}

void referee_after(struct process *p, const char *account, const struct tt_call *call,
                   const struct tt_world *before, const struct tt_world *truth)
{
    if (call->member == TT_CALL_DELETE_SERVER || call->member == TT_CALL_FENCE ||
        call->member == TT_CALL_START_SERVER)
        check_owner(p, account, call, before);
    if (call->member == TT_CALL_DELETE_SERVER)
        check_guard(p, account, call, before);
    p->made |= call->member == TT_CALL_CREATE_SERVER;
    if (call->member == TT_CALL_CREATE_SERVER)
        check_recovery(p, call, before, truth);
    if (call->member == TT_CALL_CREATE_SERVER)
        check_twice(p, account, call, before, truth);
    if (call->member == TT_CALL_CREATE_SERVER)
        check_again(p, account, call, before, truth);
    if (call->member == TT_CALL_CREATE_SERVER)
        check_surge(p, call, truth);
    check_floor(p, call, before, truth);
}

/* --- the end --------------------------------------------------------------------------------- */

static bool is_member(const struct tt_world *world, const char *id)
{
    TT_EACH (member, &lb_of(world)->members)
        if (tt_streq(member->server, id))
            return member->state == TT_MEMBER_IN_SERVICE;
    return false;
}

static void check_machine(struct history *h, const struct tt_world *world, const char *account,
                          const struct tt_server *server, int service)
{
    const struct commit *c = &h->commit;
    char template[16];

    snprintf(template, sizeof(template), "v%d", c->version[service]);
    if (server->state != TT_SERVER_RUNNING || server->health == TT_HEALTH_FAILING)
        broke(h, "the end: %s does not run", server->id);
    if (server->template && !tt_streq(server->template, template)) /* a copy's is unknown */
        broke(h, "the end: %s is of %s, not %s", server->id, server->template, template);
    if (strcmp(account, "east") != 0)
        return;
    if (!is_member(world, server->id))
        broke(h, "the end: %s is not in service", server->id);
    if (c->zones && !(c->zones & 1u << (server->zone[0] - 'a')))
        broke(h, "the end: %s is in zone %s", server->id, server->zone);
}

static void check_account(struct history *h, const struct tt_world *world, int index)
{
    const char *account = index ? "west" : "east";
    int counts[2] = {0}, edges = 0;

    TT_EACH (server, &region_of(world, account)->servers) {
        if (!is_live(server))
            continue;
        if (server->tags.balancer) {
            edges++;
            if (!tt_streq(region_of(world, "east")->addresses.items[0].server, server->id))
                broke(h, "the end: the address does not reach %s", server->id);
            continue;
        }
        for (int service = 0; service < 2; service++)
            if (tt_streq(server->tags.service, service_names[service])) {
                counts[service]++;
                check_machine(h, world, account, server, service);
            }
    }
    for (int service = 0; service < 2; service++)
        if (counts[service] != wanted(&h->commit, service, index))
            broke(h, "law 7: in the end %s has %d machines of %s and should have %d", account,
                  counts[service], service_names[service], wanted(&h->commit, service, index));
    if (index == 0 && edges != (h->commit.running && h->commit.edge))
        broke(h, "law 7: in the end there are %d machines of edge", edges);
}

/* Where lb balances anything, it has the zones that the specs give it. */
static void check_zones(struct history *h, const struct tt_world *world)
{
    unsigned zones = 0;

    TT_EACH (zone, lb_of(world)->zones)
        zones |= 1u << ((*zone)[0] - 'a');
    if (h->commit.zones && zones != h->commit.zones &&
        wanted(&h->commit, 0, 0) + wanted(&h->commit, 1, 0))
        broke(h, "the end: lb has the zones %u and should have %u", zones, h->commit.zones);
}

static void check_pool(struct history *h, const struct tt_world *world)
{
    const struct commit *c = &h->commit;
    int total = 0;

    for (int i = 0; i < 4; i++)
        total += wanted(c, i / 2, i % 2);
    TT_EACH (pool, &region_of(world, "east")->pools) {
        const struct tt_server *machine = find(world, "east", pool->machine);
        int serving = 0;

        if (!machine || !is_live(machine))
            continue;
        TT_EACH (member, &pool->members)
            serving += member->state == TT_MEMBER_IN_SERVICE;
        if (serving < total)
            broke(h, "the end: %d of %d members serve behind edge", serving, total);
    }
}

/* What a machine that is not ours has of us: all that is wanted while Git names it, else nothing,
 * unless nobody could remember. */
static void check_lent(struct history *h, const struct tt_world *world)
{
    const struct commit *c = &h->commit;
    int total = 0;

    for (int i = 0; i < 4; i++)
        total += wanted(c, i / 2, i % 2);
    TT_EACH (pool, &region_of(world, "east")->pools) {
        const struct tt_server *machine = find(world, "east", pool->machine);
        char named[8];
        int ours = 0;

        if (!machine || machine->tags.owner || !tt_starts_with(machine->name, "old-"))
            continue;
        snprintf(named, sizeof(named), "old-%d", c->fixed);
        TT_EACH (member, &pool->members)
            ours += tt_starts_with(member->service, "shop.");
        if (tt_streq(machine->name, named) ? ours != total : ours && !h->store_was_lost)
            broke(h, "the end: %s has %d members, Git names old-%d and wants %d", machine->name,
                  ours, c->fixed, total);
    }
}

void referee_end(struct history *h)
{
    struct tt_arena scratch = {0};
    const struct tt_world *world = tt_sim_world(h->sim, &scratch);

    check_account(h, world, 0);
    check_account(h, world, 1);
    check_zones(h, world);
    check_pool(h, world);
    check_lent(h, world);
    TT_EACH (id, &h->foreign) {
        bool found = false;

        TT_EACH (account, &world->accounts) {
            const struct tt_server *server = find(world, account->name, *id);

            found |= server && server->state != TT_SERVER_GONE;
        }
        if (!found)
            broke(h, "law 5: %s was not ours and is gone", *id);
    }
    tt_arena_release(&scratch);
}
