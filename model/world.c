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
BY_NAME(by_balancer, struct tt_cloud_balancer, id)
BY_NAME(by_machine, struct tt_pool, machine)
BY_NAME(by_address, struct tt_elastic_address, address)

static int by_id(const void *a, const void *b)
{
    return tt_strcmp(((const struct tt_server *)a)->id, ((const struct tt_server *)b)->id);
}

/* Of two reports of one server the one with more life in it comes first. */
static int by_server(const void *a, const void *b)
{
    static const int life[] = {[TT_SERVER_RUNNING] = 0,
                               [TT_SERVER_PENDING] = 1,
                               [TT_SERVER_STOPPED] = 2,
                               [TT_SERVER_FAILED] = 3,
                               [TT_SERVER_GONE] = 4};
    const struct tt_server *one = a, *other = b;
    int order = by_id(a, b);

    if (!order)
        order = life[one->state] - life[other->state];
    if (!order)
        order = (int)one->health - (int)other->health;
    if (!order)
        order = tt_strcmp(one->zone, other->zone);
    if (!order)
        order = tt_strcmp(one->template, other->template);
    return order ? order : tt_strcmp(one->private_address, other->private_address);
}

static int by_member_server(const void *a, const void *b)
{
    return tt_strcmp(((const struct tt_member *)a)->server, ((const struct tt_member *)b)->server);
}

static int by_member(const void *a, const void *b)
{
    const struct tt_member *one = a, *other = b;
    int order = by_member_server(a, b);

    return order ? order : (int)one->state - (int)other->state;
}

const struct tt_server *tt_region_find_server(const struct tt_region *region, const char *id)
{
    const struct tt_server key = {.id = id};

    if (!id || region->servers.count == 0)
        return NULL;
    return bsearch(&key, region->servers.items, region->servers.count,
                   sizeof(*region->servers.items), by_id);
}

static int by_pool_entry(const void *a, const void *b)
{
    const struct tt_pool_member *one = a, *other = b;
    int order = tt_strcmp(one->service, other->service);

    if (!order)
        order = tt_strcmp(one->address, other->address);
    return order ? order : (one->port > other->port) - (one->port < other->port);
}

static int by_pool_member(const void *a, const void *b)
{
    const struct tt_pool_member *one = a, *other = b;
    int order = by_pool_entry(a, b);

    return order ? order : (int)one->state - (int)other->state;
}

#define SORT(list, order)                                                                          \
    do {                                                                                           \
        if ((list)->count > 1)                                                                     \
            qsort((list)->items, (list)->count, sizeof(*(list)->items), order);                    \
    } while (0)

/* What an API lists twice, as one does between two pages, is there once: the first in ORDER of
 * those that are the SAME stays. */
#define SORT_ONCE(list, order, same)                                                               \
    do {                                                                                           \
        size_t kept_ = 0;                                                                          \
        SORT(list, order);                                                                         \
        for (size_t i_ = 0; i_ < (list)->count; i_++)                                              \
            if (!kept_ || same(&(list)->items[kept_ - 1], &(list)->items[i_]) != 0)                \
                (list)->items[kept_++] = (list)->items[i_];                                        \
        (list)->count = kept_;                                                                     \
    } while (0)

static void sort_region(struct tt_region *region)
{
    SORT(&region->zones, by_zone);
    SORT_ONCE(&region->servers, by_server, by_id);
    SORT(&region->balancers, by_balancer);
    TT_EACH (balancer, &region->balancers)
        SORT_ONCE(&balancer->members, by_member, by_member_server);
    SORT(&region->pools, by_machine);
    TT_EACH (pool, &region->pools)
        SORT_ONCE(&pool->members, by_pool_member, by_pool_entry);
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
