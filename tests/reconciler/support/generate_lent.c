/*
 * Generate lent: each pool of a vm-static machine is known in part to the memory; some have entries
 * of a service that is long gone, of which memory knows or not.
 */
#include "generate_lent.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "generate_more.h"

struct lent {
    struct tt_arena *arena;
    uint64_t seed;
    struct tt_world *world;
    struct tt_memory *memory;
};

static bool chance(const struct lent *l, const char *what, const char *name, unsigned percent)
{
    return tt_draw(l->seed, what, name, 100) < percent;
}

static struct tt_region *region_of(const struct lent *l, const struct tt_balancer *balancer)
{
    TT_EACH (account, &l->world->accounts)
        if (strcmp(account->name, balancer->account->name) == 0)
            TT_EACH (region, &account->regions)
                if (strcmp(region->name, balancer->region) == 0)
                    return region;
    return NULL;
}

static void know(const struct lent *l, const struct tt_balancer *balancer, const char *machine,
                 const struct tt_pool_member *entry)
{
    *TT_VEC_ADD(l->arena, &l->memory->lent) =
        (struct tt_lent_member){.balancer = balancer->name,
                                .member = {.account = balancer->account->name,
                                           .region = balancer->region,
                                           .machine = machine,
                                           .service = entry->service,
                                           .address = entry->address,
                                           .port = entry->port}};
}

static void remember(const struct lent *l, const struct tt_balancer *balancer, struct tt_pool *pool)
{
    const char *own = tt_printf(l->arena, "%s.", balancer->deployment->name);
    struct tt_pool_member old = {.service = tt_printf(l->arena, "%sold", own),
                                 .address = "10.66.0.1",
                                 .port = 8080,
                                 .state = TT_MEMBER_IN_SERVICE};

    TT_EACH (entry, &pool->members)
        if (tt_starts_with(entry->service, own) &&
            chance(l, "lent", tt_printf(l->arena, "%s%s", pool->machine, entry->address), 85))
            know(l, balancer, pool->machine, entry);
    if (chance(l, "old", pool->machine, 20))
        *TT_VEC_ADD(l->arena, &pool->members) = old;
    if (chance(l, "known old", pool->machine, 20))
        know(l, balancer, pool->machine, &old);
}

static void leave_git(struct tt_deployment *deployment, size_t index)
{
    const struct tt_balancer *balancer = deployment->balancers.items[index];

    TT_EACH (service, &deployment->services) {
        size_t count = 0;

        TT_EACH (item, &(*service)->balancers)
            if (*item != balancer)
                (*service)->balancers.items[count++] = *item;
        (*service)->balancers.count = count;
    }
    deployment->balancers.count--;
    for (; index < deployment->balancers.count; index++)
        deployment->balancers.items[index] = deployment->balancers.items[index + 1];
}

/* Another machine, which has no pool worth the name yet. */
static void move(const struct lent *l, struct tt_balancer *balancer, struct tt_region *region)
{
    const char *id = tt_printf(l->arena, "m%s-moved", balancer->name);

    *TT_VEC_ADD(l->arena, &region->servers) = (struct tt_server){
        .id = id,
        .name = id,
        .zone = "a",
        .state = TT_SERVER_RUNNING,
        .health = chance(l, "ill", id, 20) ? TT_HEALTH_FAILING : TT_HEALTH_PASSING,
        .private_address = "10.66.1.1",
        .created_at = l->world->taken_at - 1000,
        .tags = {.slot = -1}};
    *TT_VEC_ADD(l->arena, &region->pools) = (struct tt_pool){.machine = id};
    balancer->machine = id;
}

static int by_member(const void *a, const void *b)
{
    const struct tt_told_member *one = &((const struct tt_lent_member *)a)->member;
    const struct tt_told_member *other = &((const struct tt_lent_member *)b)->member;
    int order = strcmp(one->account, other->account);

    if (!order)
        order = strcmp(one->region, other->region);
    if (!order)
        order = strcmp(one->machine, other->machine);
    if (!order)
        order = strcmp(one->service, other->service);
    if (!order)
        order = strcmp(one->address, other->address);
    return order ? order : (one->port > other->port) - (one->port < other->port);
}

static void generate_deployment(const struct lent *l, struct tt_deployment *deployment)
{
    for (size_t i = deployment->balancers.count; i-- > 0;) {
        struct tt_balancer *balancer = deployment->balancers.items[i];
        struct tt_region *region = region_of(l, balancer);

        if (balancer->type != TT_BALANCER_VM_STATIC || !region || !region->observed)
            continue;
        TT_EACH (server, &region->servers)
            if (tt_streq(server->name, balancer->machine))
                TT_EACH (pool, &region->pools)
                    if (strcmp(pool->machine, server->id) == 0)
                        remember(l, balancer, pool);
        if (chance(l, "left", balancer->name, 40))
            leave_git(deployment, i);
        else if (chance(l, "moved", balancer->name, 25))
            move(l, balancer, region);
    }
}

void tt_generate_lent(struct tt_arena *arena, uint64_t seed, struct tt_case *what)
{
    struct lent l = {.arena = arena,
                     .seed = seed,
                     .world = (struct tt_world *)what->world,
                     .memory = TT_NEW(arena, struct tt_memory)};

    *l.memory = *what->memory;
    TT_EACH (deployment, &what->desired->deployments)
        generate_deployment(&l, *deployment);
    if (l.memory->lent.count)
        qsort(l.memory->lent.items, l.memory->lent.count, sizeof(*l.memory->lent.items), by_member);
    what->memory = l.memory;
    tt_world_sort(l.world);
}
