/*
 * World: lookups and the canonical order.
 */
#include "model/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

const struct tt_world_account *tt_world_account(const struct tt_world *world, const char *name)
{
    TT_EACH (account, &world->accounts)
        if (strcmp(account->name, name) == 0)
            return account;
    return NULL;
}

const struct tt_region *tt_world_region(const struct tt_world *world, const char *account,
                                        const char *region)
{
    const struct tt_world_account *found = tt_world_account(world, account);

    if (found)
        TT_EACH (item, &found->regions)
            if (strcmp(item->name, region) == 0)
                return item;
    return NULL;
}

const struct tt_zone *tt_region_zone(const struct tt_region *region, const char *name)
{
    TT_EACH (zone, &region->zones)
        if (strcmp(zone->name, name) == 0)
            return zone;
    return NULL;
}

const struct tt_server *tt_region_server(const struct tt_region *region, const char *id)
{
    TT_EACH (server, &region->servers)
        if (strcmp(server->id, id) == 0)
            return server;
    return NULL;
}

const struct tt_pool *tt_region_pool(const struct tt_region *region, const char *machine)
{
    TT_EACH (pool, &region->pools)
        if (strcmp(pool->machine, machine) == 0)
            return pool;
    return NULL;
}

const struct tt_cloud_balancer *tt_region_balancer(const struct tt_region *region,
                                                   const char *name_or_id)
{
    TT_EACH (balancer, &region->balancers)
        if (tt_streq(balancer->name, name_or_id))
            return balancer;
    TT_EACH (balancer, &region->balancers)
        if (tt_streq(balancer->id, name_or_id))
            return balancer;
    return NULL;
}

#define BY_NAME(function, type, field)                                                             \
    static int function(const void *a, const void *b)                                              \
    {                                                                                              \
        return tt_strcmp(((const type *)a)->field, ((const type *)b)->field);                      \
    }

BY_NAME(by_account, struct tt_world_account, name)
BY_NAME(by_region, struct tt_region, name)
BY_NAME(by_zone, struct tt_zone, name)
BY_NAME(by_server, struct tt_server, id)
BY_NAME(by_balancer, struct tt_cloud_balancer, id)
BY_NAME(by_member, struct tt_member, server)
BY_NAME(by_machine, struct tt_pool, machine)
BY_NAME(by_address, struct tt_elastic_address, address)

const struct tt_server *tt_region_find_server(const struct tt_region *region, const char *id)
{
    const struct tt_server key = {.id = id};

    if (!id || region->servers.count == 0)
        return NULL;
    return bsearch(&key, region->servers.items, region->servers.count,
                   sizeof(*region->servers.items), by_server);
}

static int by_pool_member(const void *a, const void *b)
{
    const struct tt_pool_member *one = a, *other = b;
    int order = tt_strcmp(one->service, other->service);

    if (!order)
        order = tt_strcmp(one->address, other->address);
    return order ? order : (one->port > other->port) - (one->port < other->port);
}

#define SORT(list, order)                                                                          \
    do {                                                                                           \
        if ((list)->count > 1)                                                                     \
            qsort((list)->items, (list)->count, sizeof(*(list)->items), order);                    \
    } while (0)

static void sort_region(struct tt_region *region)
{
    SORT(&region->zones, by_zone);
    SORT(&region->servers, by_server);
    SORT(&region->balancers, by_balancer);
    TT_EACH (balancer, &region->balancers)
        SORT(&balancer->members, by_member);
    SORT(&region->pools, by_machine);
    TT_EACH (pool, &region->pools)
        SORT(&pool->members, by_pool_member);
    SORT(&region->addresses, by_address);
}

void tt_world_sort(struct tt_world *world)
{
    SORT(&world->accounts, by_account);
    TT_EACH (account, &world->accounts) {
        SORT(&account->regions, by_region);
        TT_EACH (region, &account->regions)
            sort_region(region);
    }
}
