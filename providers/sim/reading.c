/*
 * Reading: how the cloud looks to an account that observes it, and what is true.
 */
#include "base/map.h"
#include "base/str.h"
#include "providers/copy.h"
#include "providers/sim/cloud.h"

/* As seen now: new marks may not have spread yet. */
static struct tt_server view_of(const struct sim_server *server, bool truth, tt_time now,
                                struct tt_arena *arena)
{
    struct tt_server view = tt_copy_server(arena, &server->is);

    if (!truth && server->tags_seen_at > now)
        view.tags = tt_copy_tags(arena, &server->tags_before);
    if (view.state != TT_SERVER_RUNNING)
        view.health = TT_HEALTH_UNKNOWN;
    return view;
}

static bool is_wanted(const struct tt_server *view, const struct tt_observe_request *request)
{
    return request->everything || (request->owner && tt_streq(view->tags.owner, request->owner)) ||
           tt_strings_has(&request->machines, view->id) ||
           (view->name && tt_strings_has(&request->machines, view->name));
}

static struct tt_cloud_balancer read_balancer(const struct tt_map *servers,
                                              const struct sim_balancer *balancer, tt_time now,
                                              struct tt_arena *arena)
{
    struct tt_cloud_balancer read = {
        .id = tt_strdup(arena, balancer->id),
        .name = tt_strdup(arena, balancer->name),
        .zones = tt_copy_strings(arena, balancer->zones),
        .listeners = tt_copy_listeners(arena, balancer->listeners),
        .health = tt_copy_health_check(arena, balancer->health),
    };

    TT_EACH (member, &balancer->members)
        *TT_VEC_ADD(arena, &read.members) = (struct tt_member){
            tt_strdup(arena, member->server),
            tt_sim_member_state(balancer, member, tt_map_get(servers, member->server), now)};
    return read;
}

static struct tt_pool read_pool(const struct tt_sim *sim, const struct sim_server *server,
                                struct tt_arena *arena)
{
    struct tt_pool read = tt_copy_pool(arena, &server->pool);

    TT_EACH (member, &read.members)
        member->state = tt_sim_pool_state(sim, member->address);
    return read;
}

struct tt_region tt_sim_read_region(const struct tt_sim *sim, const struct sim_region *region,
                                    const struct tt_observe_request *request, tt_time now,
                                    struct tt_arena *arena)
{
    struct tt_region read = {.name = tt_strdup(arena, region->name), .observed = true};
    struct tt_map servers;

    tt_map_init(&servers, arena);
    if (!request || request->everything)
        read.templates = tt_copy_strings(arena, region->templates);
    TT_EACH (zone, &region->zones)
        *TT_VEC_ADD(arena, &read.zones) =
            (struct tt_zone){tt_strdup(arena, zone->name), zone->state};
    TT_EACH (item, &region->servers) {
        const struct sim_server *server = *item;
        struct tt_server view = view_of(server, !request, now, arena);

        tt_map_put(&servers, server->is.id, *item);
        if (!request || (server->seen_at <= now && is_wanted(&view, request)))
            *TT_VEC_ADD(arena, &read.servers) = view;
        if (!request && server->balances)
            *TT_VEC_ADD(arena, &read.pools) = read_pool(sim, server, arena);
    }
    TT_EACH (balancer, &region->balancers)
        *TT_VEC_ADD(arena, &read.balancers) = read_balancer(&servers, *balancer, now, arena);
    TT_EACH (address, &region->addresses)
        *TT_VEC_ADD(arena, &read.addresses) = (struct tt_elastic_address){
            tt_strdup(arena, address->address), tt_strdup(arena, address->server)};
    return read;
}

struct tt_world *tt_sim_read_world(const struct tt_sim *sim, tt_time now, struct tt_arena *arena)
{
    struct tt_world *world = TT_NEW(arena, struct tt_world);

    world->taken_at = now;
    TT_EACH (account, &sim->accounts) {
        struct tt_world_account *read = TT_VEC_ADD(arena, &world->accounts);

        read->name = tt_strdup(arena, (*account)->name);
        read->provider = tt_provider_kind_words[TT_PROVIDER_SIM];
        read->features = tt_provider_kind_features(TT_PROVIDER_SIM);
        TT_EACH (region, &(*account)->regions)
            *TT_VEC_ADD(arena, &read->regions) = tt_sim_read_region(sim, *region, NULL, now, arena);
    }
    tt_world_sort(world);
    return world;
}

int tt_sim_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    struct tt_region region;
    struct sim_visit visit;

    if (tt_sim_enter(provider, TT_CALL_OBSERVE, false, request->region, &visit, err) < 0)
        return -1;
    region = tt_sim_read_region(visit.sim, visit.region, request, visit.now, arena);
    if (tt_sim_leave(&visit, 0, err) < 0)
        return -1;
    *ret_region = region;
    return 0;
}
