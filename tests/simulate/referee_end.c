/*
 * The referee of the end: when the faults are over and nothing is left to do, the world is what Git
 * asks for. There is no excuse.
 */
#include <stdio.h>
#include <string.h>

#include "tests/simulate/truth.h"

static bool is_member(const struct tt_world *world, const char *id)
{
    TT_EACH (member, &truth_lb(world)->members)
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

    TT_EACH (server, &truth_region(world, account)->servers) {
        if (!truth_is_live(server))
            continue;
        if (server->tags.balancer) {
            edges++;
            if (!tt_streq(truth_region(world, "east")->addresses.items[0].server, server->id))
                broke(h, "the end: the address does not reach %s", server->id);
            continue;
        }
        for (int service = 0; service < 2; service++)
            if (tt_streq(server->tags.service, truth_service_names[service])) {
                counts[service]++;
                check_machine(h, world, account, server, service);
            }
    }
    for (int service = 0; service < 2; service++)
        if (counts[service] != truth_wanted(&h->commit, service, index))
            broke(h, "law 7: in the end %s has %d machines of %s and should have %d", account,
                  counts[service], truth_service_names[service],
                  truth_wanted(&h->commit, service, index));
    if (index == 0 && edges != (h->commit.running && h->commit.edge))
        broke(h, "law 7: in the end there are %d machines of edge", edges);
}

/* Where lb balances anything, it has the zones that the specs give it. */
static void check_zones(struct history *h, const struct tt_world *world)
{
    unsigned zones = 0;

    TT_EACH (zone, truth_lb(world)->zones)
        zones |= 1u << ((*zone)[0] - 'a');
    if (h->commit.zones && zones != h->commit.zones &&
        truth_wanted(&h->commit, 0, 0) + truth_wanted(&h->commit, 1, 0))
        broke(h, "the end: lb has the zones %u and should have %u", zones, h->commit.zones);
}

static void check_pool(struct history *h, const struct tt_world *world)
{
    const struct commit *c = &h->commit;
    int total = 0;

    for (int i = 0; i < 4; i++)
        total += truth_wanted(c, i / 2, i % 2);
    TT_EACH (pool, &truth_region(world, "east")->pools) {
        const struct tt_server *machine = truth_find(world, "east", pool->machine);
        int serving = 0;

        if (!machine || !truth_is_live(machine))
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
        total += truth_wanted(c, i / 2, i % 2);
    TT_EACH (pool, &truth_region(world, "east")->pools) {
        const struct tt_server *machine = truth_find(world, "east", pool->machine);
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
            const struct tt_server *server = truth_find(world, account->name, *id);

            found |= server && server->state != TT_SERVER_GONE;
        }
        if (!found)
            broke(h, "law 5: %s was not ours and is gone", *id);
    }
    tt_arena_release(&scratch);
}
