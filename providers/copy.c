/*
 * Copies: one function for each struct of the world, each copying what it points to.
 */
#include "providers/copy.h"

struct tt_strings *tt_copy_strings(struct tt_arena *arena, const struct tt_strings *list)
{
    struct tt_strings *copy;

    if (!list)
        return NULL;
    copy = TT_NEW(arena, struct tt_strings);
    TT_EACH (item, list)
        tt_strings_add(arena, copy, tt_strdup(arena, *item));
    return copy;
}

struct tt_listeners *tt_copy_listeners(struct tt_arena *arena, const struct tt_listeners *list)
{
    struct tt_listeners *copy;

    if (!list)
        return NULL;
    copy = TT_NEW(arena, struct tt_listeners);
    TT_EACH (item, list)
        *TT_VEC_ADD(arena, copy) = (struct tt_listener){
            .port = item->port,
            .protocol = item->protocol,
            .target_port = item->target_port,
            .algorithm = item->algorithm,
            .certificate = tt_strdup(arena, item->certificate),
            .key = tt_strdup(arena, item->key),
            .chain = tt_strdup(arena, item->chain),
        };
    return copy;
}

struct tt_health_check *tt_copy_health_check(struct tt_arena *arena,
                                             const struct tt_health_check *check)
{
    struct tt_health_check *copy;

    if (!check)
        return NULL;
    copy = TT_NEW(arena, struct tt_health_check);
    *copy = *check;
    copy->path = tt_strdup(arena, check->path);
    return copy;
}

struct tt_tags tt_copy_tags(struct tt_arena *arena, const struct tt_tags *tags)
{
    return (struct tt_tags){
        .owner = tt_strdup(arena, tags->owner),
        .deployment = tt_strdup(arena, tags->deployment),
        .service = tt_strdup(arena, tags->service),
        .balancer = tt_strdup(arena, tags->balancer),
        .slot = tags->slot,
        .incarnation = tt_strdup(arena, tags->incarnation),
        .spec = tt_strdup(arena, tags->spec),
        .host_key = tt_strdup(arena, tags->host_key),
    };
}

struct tt_server tt_copy_server(struct tt_arena *arena, const struct tt_server *server)
{
    return (struct tt_server){
        .id = tt_strdup(arena, server->id),
        .name = tt_strdup(arena, server->name),
        .zone = tt_strdup(arena, server->zone),
        .state = server->state,
        .health = server->health,
        .template = tt_strdup(arena, server->template),
        .size = tt_strdup(arena, server->size),
        .firewalls = tt_copy_strings(arena, server->firewalls),
        .key = tt_strdup(arena, server->key),
        .network = tt_strdup(arena, server->network),
        .private_address = tt_strdup(arena, server->private_address),
        .public_address = tt_strdup(arena, server->public_address),
        .created_at = server->created_at,
        .tags = tt_copy_tags(arena, &server->tags),
    };
}

struct tt_cloud_balancer tt_copy_balancer(struct tt_arena *arena,
                                          const struct tt_cloud_balancer *balancer)
{
    struct tt_cloud_balancer copy = {
        .id = tt_strdup(arena, balancer->id),
        .name = tt_strdup(arena, balancer->name),
        .zones = tt_copy_strings(arena, balancer->zones),
        .listeners = tt_copy_listeners(arena, balancer->listeners),
        .health = tt_copy_health_check(arena, balancer->health),
    };

    TT_EACH (member, &balancer->members)
        *TT_VEC_ADD(arena, &copy.members) =
            (struct tt_member){tt_strdup(arena, member->server), member->state};
    return copy;
}

struct tt_pool tt_copy_pool(struct tt_arena *arena, const struct tt_pool *pool)
{
    struct tt_pool copy = {
        .machine = tt_strdup(arena, pool->machine),
        .software = pool->software,
        .listeners = tt_copy_listeners(arena, pool->listeners),
    };

    TT_EACH (member, &pool->members)
        *TT_VEC_ADD(arena, &copy.members) = (struct tt_pool_member){
            .service = tt_strdup(arena, member->service),
            .address = tt_strdup(arena, member->address),
            .port = member->port,
            .state = member->state,
        };
    return copy;
}

struct tt_region tt_copy_region(struct tt_arena *arena, const struct tt_region *region)
{
    struct tt_region copy = {
        .name = tt_strdup(arena, region->name),
        .observed = region->observed,
        .error = tt_strdup(arena, region->error),
        .templates = tt_copy_strings(arena, region->templates),
    };

    TT_EACH (zone, &region->zones)
        *TT_VEC_ADD(arena, &copy.zones) =
            (struct tt_zone){tt_strdup(arena, zone->name), zone->state};
    TT_EACH (server, &region->servers)
        *TT_VEC_ADD(arena, &copy.servers) = tt_copy_server(arena, server);
    TT_EACH (balancer, &region->balancers)
        *TT_VEC_ADD(arena, &copy.balancers) = tt_copy_balancer(arena, balancer);
    TT_EACH (pool, &region->pools)
        *TT_VEC_ADD(arena, &copy.pools) = tt_copy_pool(arena, pool);
    TT_EACH (address, &region->addresses)
        *TT_VEC_ADD(arena, &copy.addresses) = (struct tt_elastic_address){
            tt_strdup(arena, address->address), tt_strdup(arena, address->server)};
    return copy;
}
