/*
 * Referee: holds what happens to the laws of the design (§7), by the cloud's own truth. Where
 * somebody else's deed since the observation may be the reason, nobody is blamed for a moment.
 */
#include <stdio.h>
#include <string.h>

#include "tests/simulate/truth.h"

#define HOUR (INT64_C(3600) * 1000)

static bool serves(const struct tt_server *server)
{
    return server && truth_is_live(server) && server->state == TT_SERVER_RUNNING &&
           server->health != TT_HEALTH_FAILING;
}

/* Members of SERVICE in service behind lb on machines that run and do not fail. */
static int count_behind_lb(const struct tt_world *world, const char *service)
{
    const struct tt_region *region = truth_region(world, "east");
    const struct tt_cloud_balancer *lb = truth_lb(world);
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
    const struct tt_region *region = truth_region(world, "east");
    const char *id = region && region->addresses.count ? region->addresses.items[0].server : NULL;
    const struct tt_server *machine = id ? tt_region_server(region, id) : NULL;
    int count = 0;

    if (!serves(machine))
        return 0;
    TT_EACH (pool, &region->pools)
        TT_EACH (member, &pool->members) {
            const struct tt_server *server = truth_find_by_address(world, member->address);

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
        TT_EACH (server, &truth_region(world, account->name)->servers)
            count += truth_is_live(server) && tt_streq(server->tags.service, service);
    return count;
}

void referee_start(struct process *p)
{
    const struct commit *c = &p->history->commit;

    TT_EACH (account, &p->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                p->owned += truth_is_live(server);
    for (int i = 0; i < 2; i++) {
        int live = count_live(p->world, truth_service_names[i]);
        int all = truth_placed(c, i, 0) + truth_placed(c, i, 1);

        p->most[i] = live > all + c->surge ? live : all + c->surge;
        for (int balancer = 0; balancer < 2; balancer++) {
            int now = count_serving(p->world, balancer, truth_service_names[i]);
            int least = (balancer ? all : truth_placed(c, i, 0)) - c->unavailable;

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
    const struct tt_region *seen = p->world ? truth_region(p->world, account) : NULL;

    if (call->member != TT_CALL_RUN && seen && !seen->observed)
        broke(p->history, "law 4: %s of %s in %s, which could not be seen",
              tt_call_member_words[call->member], call->object, account);
}

/* Law 5: memberships that are not ours stay. */
static void check_foreign(struct process *p, const char *account, const struct tt_call *call,
                          const struct tt_world *truth)
{
    const struct tt_server *server = truth_find(truth, account, call->server);

    if (server && !truth_is_live(server) && server->state != TT_SERVER_GONE && !disturbed(p))
        broke(p->history, "law 5: %s is not ours and %s is made of it", server->id,
              tt_call_member_words[call->member]);
}

/* Whom clients still reach is not deleted, and who does not serve yet is not enrolled. */
static void check_member(struct process *p, const char *account, const struct tt_call *call,
                         const struct tt_world *truth)
{
    bool leaves = call->member == TT_CALL_DELETE_SERVER;
    const struct tt_server *server =
        truth_find(truth, account, leaves ? call->object : call->server);

    if (!server || disturbed(p))
        return;
    if (call->member == TT_CALL_ENROLL && server->state != TT_SERVER_RUNNING)
        broke(p->history, "%s is enrolled though it does not run", server->id);
    if (!leaves || server->state != TT_SERVER_RUNNING || strcmp(account, "east") != 0)
        return;
    TT_EACH (member, &truth_lb(truth)->members) {
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
        int had = count_serving(before, balancer, truth_service_names[service]);
        int has = count_serving(truth, balancer, truth_service_names[service]);

        if (has < had && has < floor)
            broke(p->history, "law 6: after %s of %s %d of %s serve behind %s, and the floor is %d",
                  tt_call_member_words[call->member], call->object, has,
                  truth_service_names[service], balancer ? "edge" : "lb", floor);
    }
}

/* Law 8: a new machine of edge while a failed one is there. */
static void check_recovery(struct process *p, const struct tt_call *call,
                           const struct tt_world *before, const struct tt_world *truth)
{
    struct history *h = p->history;
    bool failed = false;
    int recent = 0;

    if (!call->create->tags.balancer || truth_find(before, "east", call->answer_id) ||
        !truth_find(truth, "east", call->answer_id))
        return;
    TT_EACH (server, &truth_region(p->world, "east")->servers)
        failed |=
            truth_is_live(server) && server->tags.balancer && server->state == TT_SERVER_FAILED;
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
    const struct tt_server *server = truth_find(before, account, call->object);

    /* deletions look for the mark themselves, a start trusts what was seen */
    if (call->member == TT_CALL_START_SERVER && disturbed(p))
        return;
    if (server && !tt_streq(server->tags.owner, "acme"))
        broke(p->history, "law 5: %s is not ours and %s was made of it", server->id,
              tt_call_member_words[call->member]);
}

/* True when ACCOUNT has more machines of SERVICE than it wants: a deletion replaces none. */
static bool has_too_many(const struct commit *c, const struct tt_world *world, const char *account,
                         int service)
{
    int count = 0;

    TT_EACH (server, &truth_region(world, account)->servers)
        count +=
            truth_is_live(server) && tt_streq(server->tags.service, truth_service_names[service]);
    return count > truth_wanted(c, service, strcmp(account, "east") != 0);
}

/* Law 9, where there can be no doubt: machines of today's template are deleted, none is made. */
static void check_guard(struct process *p, const char *account, const struct tt_call *call,
                        const struct tt_world *before)
{
    const struct commit *c = &p->history->commit;
    const struct tt_server *server = truth_find(before, account, call->object);

    if (!server || !truth_is_live(server) || server->state != TT_SERVER_RUNNING ||
        !server->tags.service)
        return;
    for (int i = 0; i < 2; i++) {
        char template[16];

        snprintf(template, sizeof(template), "v%d", c->version[i]);
        p->destroyed += tt_streq(server->tags.service, truth_service_names[i]) &&
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
    if (truth_find(before, account, call->answer_id) ||
        !truth_find(truth, account, call->answer_id))
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
    const struct tt_server *made = truth_find(truth, account, call->answer_id), *seen;

    if (!made || truth_find(before, account, call->answer_id) || p->history->store_was_lost ||
        p->history->clock_error || disturbed(p))
        return;
    TT_EACH (other, &truth_region(before, account)->servers)
        if (truth_is_live(other) && tt_streq(other->tags.owner, made->tags.owner) &&
            tt_streq(other->tags.service, made->tags.service) &&
            tt_streq(other->tags.balancer, made->tags.balancer) &&
            other->tags.slot == made->tags.slot && tt_streq(other->tags.spec, made->tags.spec) &&
            (!(seen = truth_find(p->world, account, other->id)) || !seen->tags.incarnation))
            broke(p->history, "law 7: %s is made though %s is on its way", made->id, other->id);
}

static bool saw_all(const struct tt_world *world)
{
    return truth_region(world, "east")->observed && truth_region(world, "west")->observed;
}

/* At any moment a service has at most max(now, count + maxSurge) live machines (§5). */
static void check_surge(struct process *p, const struct tt_call *call, const struct tt_world *truth)
{
    for (int i = 0; i < 2; i++) {
        int live = count_live(truth, truth_service_names[i]);

        if (tt_streq(call->create->tags.service, truth_service_names[i]) && live > p->most[i] &&
            saw_all(p->world) && !disturbed(p) && !p->history->late)
            broke(p->history, "the surge: %d machines of %s live, and %d may", live,
                  truth_service_names[i], p->most[i]);
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
