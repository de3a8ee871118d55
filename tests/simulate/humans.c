/*
 * Humans: what people and misfortune do to the cloud while nobody asked, and its mending in the
 * end. Whatever is chosen exists at that moment.
 */
#include "base/str.h"
#include "tests/simulate/history.h"

static const char *const account_names[] = {"east", "west"};
static const char *const zone_names[] = {"a", "b", "c"};

struct found {
    const char *account;
    const struct tt_server *server;
};

/* One of our machines that is not gone, by chance. */
static bool find_ours(struct history *h, struct tt_world *world, struct found *ret_found)
{
    struct found found[64];
    unsigned count = 0;

    TT_EACH (account, &world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                if (server->tags.owner && server->state != TT_SERVER_GONE && count < 64)
                    found[count++] = (struct found){account->name, server};
    if (!count)
        return false;
    *ret_found = found[roll(h, count)];
    return true;
}

static void harm(struct history *h, struct tt_world *world)
{
    struct tt_tags none = {.slot = -1};
    struct found found;

    if (!find_ours(h, world, &found))
        return;
    if (strikes(h, FAULT_DEATH, 350)) {
        bool stop = roll(h, 4) == 0;

        say(h, "misfortune: %s of %s %s", found.server->id, found.server->name,
            stop ? "is stopped" : "fails");
        tt_sim_set_server_state(h->sim, found.account, "r", found.server->id,
                                stop ? TT_SERVER_STOPPED : TT_SERVER_FAILED);
    } else if (strikes(h, FAULT_VANISH, 250)) {
        say(h, "human: terminates %s (%s)", found.server->id, found.server->name);
        tt_sim_set_server_state(h->sim, found.account, "r", found.server->id, TT_SERVER_GONE);
    } else if (strikes(h, FAULT_TAGS, 150)) {
        say(h, "human: takes the marks off %s (%s)", found.server->id, found.server->name);
        tt_strings_add(&h->arena, &h->foreign, tt_strdup(&h->arena, found.server->id));
        tt_sim_set_tags(h->sim, found.account, "r", found.server->id, &none);
    } else if (found.server->tags.balancer && strikes(h, FAULT_POOL, 500)) {
        say(h, "misfortune: %s forgets its pool", found.server->id);
        tt_sim_forget_pool(h->sim, found.account, "r", found.server->id);
    } else if (found.server->state == TT_SERVER_RUNNING && strikes(h, FAULT_HEALTH, 200)) {
        say(h, "misfortune: %s fails its health check", found.server->id);
        tt_sim_set_health(h->sim, found.account, "r", found.server->id, TT_HEALTH_FAILING);
    } else if (strikes(h, FAULT_COPY, 50)) {
        const char *id =
            tt_sim_add_machine(h->sim, found.account, "r", found.server->zone, found.server->name);

        say(h, "human: copies %s with its marks to %s", found.server->id, id);
        tt_sim_set_tags(h->sim, found.account, "r", id, &found.server->tags);
    }
}

static void meddle(struct history *h, struct tt_world *world)
{
    const struct tt_cloud_balancer *lb =
        tt_region_balancer(tt_world_region(world, "east", "r"), "elb");

    if (lb->members.count && strikes(h, FAULT_MEMBERS, 300)) {
        const char *server = lb->members.items[roll(h, (unsigned)lb->members.count)].server;

        say(h, "human: deregisters %s", server);
        tt_sim_remove_member(h->sim, "east", "r", "elb", server);
    } else if (strikes(h, FAULT_FOREIGN, 200)) {
        const char *id =
            tt_sim_add_machine(h->sim, "east", "r", zone_names[roll(h, 3)], "somebody-else");

        say(h, "human: adds the foreign machine %s to the balancer", id);
        tt_strings_add(&h->arena, &h->foreign, tt_strdup(&h->arena, id));
        tt_sim_add_member(h->sim, "east", "r", "elb", id);
    } else if (strikes(h, FAULT_ADDRESS, 100)) {
        say(h, "human: takes 203.0.113.9 from its machine");
        tt_sim_release_address(h->sim, "east", "r", "203.0.113.9");
    } else if (strikes(h, FAULT_LB_ZONES, 150)) {
        struct tt_strings zones = {0};
        struct tt_arena scratch = {0};

        for (unsigned i = 0, set = 1 + roll(h, 7); i < 3; i++)
            if (set & 1u << i)
                tt_strings_add(&scratch, &zones, zone_names[i]);
        say(h, "human: gives lb the zones %s", tt_strings_join(&scratch, &zones, ""));
        tt_sim_set_balancer_zones(h->sim, "east", "r", "elb", &zones);
        tt_arena_release(&scratch);
    }
}

static void upset(struct history *h)
{
    const char *account = account_names[roll(h, 2)], *zone = zone_names[roll(h, 3)];

    if (strikes(h, FAULT_ZONE, 250)) {
        bool bad = roll(h, 2);

        say(h, "cloud: zone %s of %s is %s", zone, account, bad ? "impaired" : "available");
        tt_sim_set_zone_state(h->sim, account, "r", zone,
                              bad ? TT_ZONE_IMPAIRED : TT_ZONE_AVAILABLE);
    } else if (strikes(h, FAULT_CAPACITY, 250)) {
        int limit = (int)roll(h, 4) - 1;

        say(h, "cloud: zone %s of %s has room for %d", zone, account, limit);
        tt_sim_set_capacity(h->sim, account, "r", zone, limit);
    } else if (strikes(h, FAULT_REGION, 250)) {
        bool reachable = roll(h, 2);

        say(h, "cloud: %s is %s", account, reachable ? "reachable" : "unreachable");
        tt_sim_set_reachable(h->sim, account, "r", reachable);
    }
}

void humans_set_clock(struct history *h)
{
    static const tt_time errors[] = {0, 300000, -300000, 7200000, -7200000, 90000000, -90000000};

    h->clock_error = errors[roll(h, sizeof(errors) / sizeof(errors[0]))];
    say(h, "the host's clock is set: it is wrong by %lld s", (long long)h->clock_error / 1000);
}

void humans_act(struct history *h)
{
    struct tt_arena scratch = {0};
    int before = h->faults;

    switch (roll(h, 3)) {
    case 0:
        harm(h, tt_sim_world(h->sim, &scratch));
        break;
    case 1:
        meddle(h, tt_sim_world(h->sim, &scratch));
        break;
    default:
        upset(h);
    }
    h->misfortunes += h->faults - before;
    tt_arena_release(&scratch);
}

void humans_mend(struct history *h)
{
    for (int i = 0; i < 2; i++) {
        tt_sim_set_reachable(h->sim, account_names[i], "r", true);
        for (int zone = 0; zone < 3; zone++) {
            tt_sim_set_zone_state(h->sim, account_names[i], "r", zone_names[zone],
                                  TT_ZONE_AVAILABLE);
            tt_sim_set_capacity(h->sim, account_names[i], "r", zone_names[zone], -1);
        }
    }
}
