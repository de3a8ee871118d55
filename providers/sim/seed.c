/*
 * Seed: a cloud that begins as what a world snapshot shows.
 */
#include "base/str.h"
#include "providers/copy.h"
#include "providers/sim/cloud.h"

static void seed_server(struct tt_sim *sim, struct sim_region *region, const struct tt_server *from,
                        tt_time now)
{
    struct sim_server *server = TT_NEW(&sim->arena, struct sim_server);

    server->is = tt_copy_server(&sim->arena, from);
    server->running_at = now + sim->options.boot;
    server->vanishes_at = TT_TIME_UNKNOWN;
    server->seen_at = TT_TIME_UNKNOWN;
    server->tags_seen_at = TT_TIME_UNKNOWN;
    *TT_VEC_ADD(&sim->arena, &region->servers) = server;
}

static void seed_balancer(struct tt_sim *sim, struct sim_region *region,
                          const struct tt_cloud_balancer *from, tt_time now)
{
    struct sim_balancer *balancer;

    if (tt_sim_find_balancer(region, from->id))
        return;
    balancer = TT_NEW(&sim->arena, struct sim_balancer);
    balancer->id = tt_strdup(&sim->arena, from->id);
    balancer->name = tt_strdup(&sim->arena, from->name);
    balancer->zones = tt_copy_strings(&sim->arena, from->zones);
    balancer->listeners = tt_copy_listeners(&sim->arena, from->listeners);
    balancer->health = tt_copy_health_check(&sim->arena, from->health);
    TT_EACH (member, &from->members)
        *TT_VEC_ADD(&sim->arena, &balancer->members) = (struct sim_member){
            .server = tt_strdup(&sim->arena, member->server),
            .serves_at = member->state == TT_MEMBER_OUT_OF_SERVICE ? now + sim->options.into_service
                                                                   : TT_TIME_UNKNOWN,
            .leaves_at =
                member->state == TT_MEMBER_DRAINING ? now + sim->options.drain : TT_TIME_UNKNOWN,
        };
    *TT_VEC_ADD(&sim->arena, &region->balancers) = balancer;
}

static void seed_pool(struct tt_sim *sim, struct sim_region *region, const struct tt_pool *from)
{
    struct sim_server *machine = tt_sim_find_server(region, from->machine);

    if (!machine)
        return;
    machine->balances = true;
    machine->pool = tt_copy_pool(&sim->arena, from);
}

static void seed_region(struct tt_sim *sim, struct sim_account *account,
                        const struct tt_region *from, tt_time now)
{
    struct sim_region *region = tt_sim_make_region(sim, account->name, from->name);

    region->unreachable = !from->observed;
    if (from->templates)
        region->templates = tt_copy_strings(&sim->arena, from->templates);
    TT_EACH (zone, &from->zones) {
        tt_sim_make_zone(sim, region, zone->name);
        tt_sim_find_zone(region, zone->name)->state = zone->state;
    }
    TT_EACH (server, &from->servers)
        seed_server(sim, region, server, now);
    TT_EACH (balancer, &from->balancers)
        seed_balancer(sim, region, balancer, now);
    TT_EACH (pool, &from->pools)
        seed_pool(sim, region, pool);
    TT_EACH (address, &from->addresses)
        *TT_VEC_ADD(&sim->arena, &region->addresses) = (struct tt_elastic_address){
            tt_strdup(&sim->arena, address->address), tt_strdup(&sim->arena, address->server)};
}

void tt_sim_seed_account(struct tt_sim *sim, const struct tt_world_account *from, tt_time now)
{
    struct sim_account *account = tt_sim_make_account(sim, from->name);

    TT_EACH (region, &from->regions)
        seed_region(sim, account, region, now);
}
