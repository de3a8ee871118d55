/*
 * Hunt: makes the case of a seed, checks it, and shrinks and prints one that fails.
 */
#include "hunt.h"

#include <stdio.h>

#include "base/str.h"
#include "generate.h"
#include "generate_halves.h"
#include "generate_lent.h"
#include "generate_more.h"
#include "reconciler/plan_text.h"

/* The case of SEED; of two the second one is harder, of four two have slots in halves, and of
 * three one has vm-static machines that were told by earlier runs. */
static void make_case(struct tt_arena *arena, uint64_t seed, const struct tt_shrink *shrink,
                      struct tt_case *ret_case)
{
    tt_generate(arena, seed, shrink, ret_case);
    if (seed % 2 == 0)
        tt_generate_more(arena, seed, ret_case);
    if (seed % 4 >= 2)
        tt_generate_halves(arena, seed, ret_case);
    if (seed % 3 == 0)
        tt_generate_lent(arena, seed, ret_case);
}

static bool holds(uint64_t seed, const struct tt_shrink *shrink, struct tt_error *err)
{
    struct tt_arena arena;
    struct tt_case what;
    bool result;

    tt_arena_init(&arena);
    make_case(&arena, seed, shrink, &what);
    result = tt_laws_check(&arena, &what, 2, seed, err) == 0;
    tt_arena_release(&arena);
    return result;
}

/* Leaves out whatever is not needed for the failure. */
static struct tt_shrink shrink_case(uint64_t seed)
{
    struct tt_shrink best = {0};
    struct tt_shrink tried = {.calm = true};

    if (!holds(seed, &tried, NULL))
        best = tried;
    for (int i = 0; i < TT_GENERATE_SERVERS; i++) {
        tried = best;
        tried.servers |= UINT64_C(1) << i;
        if (!holds(seed, &tried, NULL))
            best = tried;
    }
    for (unsigned i = 0; i < TT_GENERATE_BALANCERS; i++) {
        tried = best;
        tried.balancers |= 1u << i;
        if (!holds(seed, &tried, NULL))
            best = tried;
    }
    for (unsigned i = 0; i < TT_GENERATE_SERVICES; i++) {
        tried = best;
        tried.services |= 1u << i;
        if (!holds(seed, &tried, NULL))
            best = tried;
    }
    return best;
}

static void print_world(const struct tt_world *world)
{
    TT_EACH (account, &world->accounts)
        TT_EACH (region, &account->regions) {
            fprintf(stderr, "%s/%s %s zones", account->name, region->name,
                    region->observed ? "observed" : "unreachable");
            TT_EACH (zone, &region->zones)
                fprintf(stderr, " %s%s", zone->name,
                        zone->state == TT_ZONE_AVAILABLE ? "" : " (impaired)");
            fprintf(stderr, "\n");
            TT_EACH (server, &region->servers)
                fprintf(stderr, "  %s %s zone %s %s %s %s %s %s slot %d\n", server->id,
                        server->tags.owner ? server->tags.owner : "-", server->zone,
                        tt_server_state_words[server->state], tt_health_words[server->health],
                        server->template,
                        server->tags.service    ? server->tags.service
                        : server->tags.balancer ? server->tags.balancer
                                                : "-",
                        server->private_address, server->tags.slot);
            TT_EACH (balancer, &region->balancers)
                TT_EACH (member, &balancer->members)
                    fprintf(stderr, "  %s has %s %s\n", balancer->id, member->server,
                            tt_member_state_words[member->state]);
            TT_EACH (pool, &region->pools)
                TT_EACH (member, &pool->members)
                    fprintf(stderr, "  %s has %s %s:%d %s\n", pool->machine, member->service,
                            member->address, member->port, tt_member_state_words[member->state]);
            TT_EACH (address, &region->addresses)
                fprintf(stderr, "  %s at %s\n", address->address,
                        address->server ? address->server : "-");
        }
}

void tt_hunt_report(uint64_t seed)
{
    struct tt_shrink shrink = shrink_case(seed);
    struct tt_error err = {0};
    struct tt_arena arena;
    struct tt_case what;
    struct tt_plan *plan = NULL;

    tt_arena_init(&arena);
    make_case(&arena, seed, &shrink, &what);
    holds(seed, &shrink, &err);
    fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, err.message);
    TT_EACH (service,
             &what.desired->deployments.items[what.desired->deployments.count - 1]->services) {
        fprintf(stderr, "service %s surge %d%s unavailable %d:", (*service)->name,
                (*service)->max_surge.value, (*service)->max_surge.percent ? "%" : "",
                (*service)->max_unavailable.value);
        TT_EACH (placement, &(*service)->placements)
            fprintf(stderr, " %s/%s count %d zones %s;", placement->account->name,
                    placement->region, placement->count,
                    tt_strings_join(&arena, &placement->zones, "all"));
        TT_EACH (balancer, &(*service)->balancers)
            fprintf(stderr, " behind %s (%s %s %s/%s zones %s address %s)", (*balancer)->name,
                    tt_balancer_type_words[(*balancer)->type], tt_scope_words[(*balancer)->scope],
                    (*balancer)->account->name, (*balancer)->region,
                    tt_strings_join(&arena, &(*balancer)->zones, "-"),
                    (*balancer)->address ? (*balancer)->address : "-");
        fprintf(stderr, "\n");
    }
    print_world(what.world);
    if (tt_planner_plan(&arena, what.desired, what.world, what.memory, what.now, what.options,
                        &plan, NULL) == 0) {
        TT_BUF_AUTO text = {0};

        tt_plan_text(&text, plan, what.desired, false);
        fputs(tt_buf_text(&text), stderr);
    }
    tt_arena_release(&arena);
}

bool tt_hunt_holds(uint64_t seed)
{
    return holds(seed, &(struct tt_shrink){0}, NULL);
}
