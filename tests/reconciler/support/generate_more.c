/*
 * Generate more: the additions, each for itself.
 */
#include "generate_more.h"

#include <string.h>

#include "base/str.h"

unsigned tt_draw(uint64_t seed, const char *what, const char *name, unsigned sides)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ seed * UINT64_C(0x9e3779b97f4a7c15);

    for (const char *c = what; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (unsigned)((hash ^ hash >> 32) >> 8) % sides;
}

struct more {
    struct tt_arena *arena;
    uint64_t seed;
    struct tt_case *what;
    struct tt_world *world;
    struct tt_desired *desired;
};

static unsigned draw(const struct more *m, const char *what, const char *name, unsigned sides)
{
    return tt_draw(m->seed, what, name, sides);
}

static bool chance(const struct more *m, const char *what, const char *name, unsigned percent)
{
    return draw(m, what, name, 100) < percent;
}

/* --- addresses -------------------------------------------------------------------------------- */

static void readdress(struct tt_region *region, const char *old, const char *new)
{
    TT_EACH (pool, &region->pools)
        TT_EACH (member, &pool->members)
            if (strcmp(member->address, old) == 0)
                member->address = new;
}

/* Each region counts from 10.9.0.1 on; its own pools know its machines by these. */
static void repeat_addresses(const struct more *m, struct tt_region *region)
{
    int number = 0;

    TT_EACH (server, &region->servers) {
        const char *address = tt_printf(m->arena, "10.9.%d.%d", number / 200, number % 200 + 1);

        number++;
        readdress(region, server->private_address, address);
        server->private_address = address;
    }
}

/* A machine that is gone had the addresses that another one has now. */
static void reuse_addresses(const struct more *m, struct tt_region *region)
{
    TT_EACH (gone, &region->servers) {
        if (gone->state != TT_SERVER_GONE || !chance(m, "reuse", gone->id, 50))
            continue;
        TT_EACH (server, &region->servers)
            if (server->state == TT_SERVER_RUNNING) {
                gone->private_address = server->private_address;
                gone->public_address = server->public_address;
            }
    }
}

/* --- what servers are made from -----------------------------------------------------------------
 */

static struct tt_strings *list_of(const struct more *m, const char *one, const char *other)
{
    struct tt_strings *list = TT_NEW(m->arena, struct tt_strings);

    tt_strings_add(m->arena, list, one);
    if (other)
        tt_strings_add(m->arena, list, other);
    return list;
}

static const struct tt_health_check checks[] = {
    {.http = true,
     .path = "/up",
     .interval = 10000,
     .timeout = 2000,
     .unhealthy_after = 3,
     .grace = 60000},
    {.interval = 10000, .timeout = 2000, .unhealthy_after = 3},
};

static void dress_services(const struct more *m, struct tt_deployment *deployment)
{
    TT_EACH (item, &deployment->services) {
        struct tt_service *service = *item;

        if (chance(m, "health", service->name, 30))
            service->health = &checks[0];
        TT_EACH (placement, &service->placements) {
            if (chance(m, "firewalls", service->name, 30))
                placement->server.firewalls = list_of(m, "web", "ssh");
            if (chance(m, "data", service->name, 20))
                placement->server.user_data = "#!/bin/sh\n";
        }
    }
}

static void dress_servers(const struct more *m, struct tt_region *region)
{
    static const struct tt_server_spec with_data = {.user_data = "#!/bin/sh\n"};

    if (region->observed && chance(m, "templates", region->name, 25))
        region->templates = list_of(m, "lb", chance(m, "v2", region->name, 85) ? "v2" : "v3");
    TT_EACH (server, &region->servers) {
        if (chance(m, "walls", server->id, 60))
            server->firewalls = list_of(m, "ssh", chance(m, "both", server->id, 80) ? "web" : NULL);
        if (chance(m, "unnumbered", server->id, 3))
            server->tags.slot = -1;
        if (chance(m, "spec", server->id, 50))
            server->tags.spec = tt_server_spec_hash(m->arena, &with_data);
    }
    TT_EACH (cloud, &region->balancers) {
        struct tt_listeners *listeners = TT_NEW(m->arena, struct tt_listeners);

        *TT_VEC_ADD(m->arena, listeners) = (struct tt_listener){
            .port = 80, .target_port = chance(m, "target", cloud->id, 70) ? 8080 : 9090};
        if (chance(m, "listeners", cloud->id, 60))
            cloud->listeners = listeners;
        if (chance(m, "check", cloud->id, 40))
            cloud->health = &checks[draw(m, "path", cloud->id, 2)];
    }
}

/* --- earlier runs -------------------------------------------------------------------------------
 */

static struct tt_memory *remember(const struct more *m, const struct tt_deployment *deployment)
{
    struct tt_memory *memory = TT_NEW(m->arena, struct tt_memory);

    if (chance(m, "memory", "", 50))
        return memory;
    tt_strings_add(m->arena, &memory->deployments, deployment->name);
    TT_EACH (account, &m->world->accounts)
        TT_EACH (region, &account->regions) {
            TT_EACH (server, &region->servers)
                if (tt_streq(server->tags.deployment, deployment->name) &&
                    tt_streq(server->tags.owner, m->desired->owner) &&
                    chance(m, "known", server->id, 90))
                    *TT_VEC_ADD(m->arena, &memory->servers) = (struct tt_known_server){
                        deployment->name, account->name, region->name, server->id};
            if (chance(m, "lost", tt_printf(m->arena, "%s/%s", account->name, region->name), 30))
                *TT_VEC_ADD(m->arena, &memory->servers) =
                    (struct tt_known_server){deployment->name, account->name, region->name, "lost"};
        }
    TT_EACH (balancer, &deployment->balancers)
        for (unsigned i = draw(m, "recoveries", (*balancer)->name, 5); i > 0; i--)
            *TT_VEC_ADD(m->arena, &memory->recoveries) = (struct tt_recovery){
                deployment->name, (*balancer)->name, m->what->now - (tt_time)i * INT64_C(1200000)};
    return memory;
}

/* --- other deployments ---------------------------------------------------------------------------
 */

static void add_neighbour(const struct more *m, const char *name, bool in_git)
{
    struct tt_deployment *deployment = TT_NEW(m->arena, struct tt_deployment);
    struct tt_service *service = TT_NEW(m->arena, struct tt_service);
    struct tt_world_account *account = &m->world->accounts.items[0];

    *deployment =
        (struct tt_deployment){.name = name, .running = true, .prune = true, .guard = {50, 50}};
    *service = (struct tt_service){
        .name = "app", .deployment = deployment, .port = 8080, .max_surge = {1, false}};
    *TT_VEC_ADD(m->arena, &service->placements) =
        (struct tt_placement){.account = m->desired->accounts.items[0],
                              .region = "r1",
                              .count = (int)draw(m, "count", name, 4),
                              .server = {.template = "v2"}};
    *TT_VEC_ADD(m->arena, &deployment->services) = service;
    if (in_git)
        *TT_VEC_ADD(m->arena, &m->desired->deployments) = deployment;
    TT_EACH (region, &account->regions)
        for (int i = 0; region->observed && i < (int)draw(m, "there", region->name, 4); i++)
            *TT_VEC_ADD(m->arena, &region->servers) = (struct tt_server){
                .id = tt_printf(m->arena, "%s-%s-%d", name, region->name, i),
                .zone = "a",
                .state = TT_SERVER_RUNNING,
                .health = TT_HEALTH_PASSING,
                .template = "v2",
                .private_address = tt_printf(m->arena, "10.8.0.%d", i + 1),
                .created_at = m->what->now - 1000,
                .tags = {.owner = m->desired->owner,
                         .deployment = name,
                         .service = "app",
                         .slot = i},
            };
}

void tt_generate_more(struct tt_arena *arena, uint64_t seed, struct tt_case *what)
{
    struct more m = {.arena = arena, .seed = seed, .what = what};
    struct tt_deployment *deployment;

    m.world = (struct tt_world *)what->world;
    m.desired = (struct tt_desired *)what->desired;
    deployment = m.desired->deployments.items[0];
    if (chance(&m, "guard", "", 40))
        deployment->guard = (struct tt_guard){(int)draw(&m, "destroy", "", 100),
                                              (int)draw(&m, "vanished", "", 100)};
    dress_services(&m, deployment);
    if (chance(&m, "blog", "", 25))
        add_neighbour(&m, "blog", true); /* sorts before shop */
    if (chance(&m, "left", "", 25))
        add_neighbour(&m, "left", false);
    if (m.desired->deployments.count > 1) {
        m.desired->deployments.items[0] = m.desired->deployments.items[1];
        m.desired->deployments.items[1] = deployment;
    }
    TT_EACH (account, &m.world->accounts)
        TT_EACH (region, &account->regions) {
            repeat_addresses(&m, region);
            dress_servers(&m, region);
            reuse_addresses(&m, region);
        }
    what->memory = remember(&m, deployment);
    tt_world_sort(m.world);
}
