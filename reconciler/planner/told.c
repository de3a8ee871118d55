/*
 * Told: an image without listProxy never says who is in its pool, and a plan that knew nothing
 * would tell it everything each time. What it was told counts as its pool as long as there is no
 * doubt: it runs, does not fail, and is the machine that it was. Memory names those that joined and
 * have not been asked to leave; without memory all is told again.
 */
#include "reconciler/planner/told.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static bool is_silent(const struct tt_region *region, const char *machine)
{
    const struct tt_server *server = tt_region_find_server(region, machine);

    return server && server->state == TT_SERVER_RUNNING && server->health != TT_HEALTH_FAILING &&
           !tt_region_pool(region, machine);
}

static int by_machine(const void *a, const void *b)
{
    const struct tt_pool *one = a, *other = b;

    return strcmp(one->machine, other->machine);
}

/* The pools of REGION and, for the machines that COUNT members from TOLD on name, one each. */
static void complete_region(struct tt_arena *arena, struct tt_region *region,
                            const struct tt_told_member *told, size_t count)
{
    const struct tt_region before = *region;

    memset(&region->pools, 0, sizeof(region->pools));
    TT_EACH (pool, &before.pools)
        *TT_VEC_ADD(arena, &region->pools) = *pool;
    for (size_t i = 0; i < count; i++) {
        struct tt_pool *pool;

        if (!is_silent(&before, told[i].machine))
            continue;
        pool = region->pools.count ? &region->pools.items[region->pools.count - 1] : NULL;
        if (!pool || strcmp(pool->machine, told[i].machine) != 0) {
            pool = TT_VEC_ADD(arena, &region->pools);
            *pool = (struct tt_pool){.machine = told[i].machine};
        }
        *TT_VEC_ADD(arena, &pool->members) = (struct tt_pool_member){
            .service = told[i].service,
            .address = told[i].address,
            .port = told[i].port,
            .state = TT_MEMBER_IN_SERVICE,
        };
    }
    if (region->pools.count)
        qsort(region->pools.items, region->pools.count, sizeof(*region->pools.items), by_machine);
}

/* How many members from FIRST on are in its account and region; they are sorted by these. */
static size_t count_in_region(const struct tt_memory *memory, size_t first)
{
    const struct tt_told_member *items = memory->told.items;
    size_t end = first;

    while (end < memory->told.count && strcmp(items[end].account, items[first].account) == 0 &&
           strcmp(items[end].region, items[first].region) == 0)
        end++;
    return end - first;
}

static struct tt_region *region_of(const struct tt_world *world, const struct tt_told_member *told)
{
    TT_EACH (account, &world->accounts)
        if (strcmp(account->name, told->account) == 0)
            TT_EACH (region, &account->regions)
                if (strcmp(region->name, told->region) == 0)
                    return region;
    return NULL;
}

static struct tt_world *copy_of(struct tt_arena *arena, const struct tt_world *world)
{
    struct tt_world *copy = TT_NEW(arena, struct tt_world);

    copy->taken_at = world->taken_at;
    TT_EACH (account, &world->accounts) {
        struct tt_world_account *own = TT_VEC_ADD(arena, &copy->accounts);

        *own = *account;
        memset(&own->regions, 0, sizeof(own->regions));
        TT_EACH (region, &account->regions)
            *TT_VEC_ADD(arena, &own->regions) = *region;
    }
    return copy;
}

const struct tt_world *tt_told_world(struct tt_arena *arena, const struct tt_world *world,
                                     const struct tt_memory *memory)
{
    struct tt_world *copy;

    if (!memory || !memory->told.count)
        return world;
    copy = copy_of(arena, world);
    for (size_t i = 0, count; i < memory->told.count; i += count) {
        struct tt_region *region = region_of(copy, &memory->told.items[i]);

        count = count_in_region(memory, i);
        if (region && region->observed)
            complete_region(arena, region, &memory->told.items[i], count);
    }
    return copy;
}
