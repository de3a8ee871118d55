/*
 * Generate: the dice.
 */
#include "generate.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define NOW INT64_C(1800000000000)

struct dice {
    struct tt_arena *arena;
    uint64_t state;
    const struct tt_shrink *shrink;
    struct tt_desired *desired;
    struct tt_world *world;
    int servers;
    unsigned largest; /* what no placement reaches */
};

static unsigned roll(struct dice *d, unsigned sides)
{
    d->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = d->state;

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) >> 16) % sides;
}

static bool chance(struct dice *d, unsigned percent)
{
    return roll(d, 100) < percent;
}

static const char *const zones[] = {"a", "b", "c"};
static const char *const regions[] = {"r1", "r2"};

/* --- the clouds ----------------------------------------------------------------------------- */

static void add_account(struct dice *d, const char *name)
{
    struct tt_account *account = TT_NEW(d->arena, struct tt_account);
    struct tt_world_account *seen = TT_VEC_ADD(d->arena, &d->world->accounts);

    *account = (struct tt_account){.name = name, .provider = TT_PROVIDER_SIM, .folder = ""};
    *seen = (struct tt_world_account){
        .name = name, .provider = "file", .features = tt_provider_kind_features(TT_PROVIDER_SIM)};
    if (chance(d, 20))
        seen->features &= ~(unsigned)TT_FEATURE_START_SERVER;
    for (size_t i = 0; i < 2; i++) {
        struct tt_region *region = TT_VEC_ADD(d->arena, &seen->regions);

        tt_strings_add(d->arena, &account->regions, regions[i]);
        *region = (struct tt_region){.name = regions[i], .observed = !chance(d, 5)};
        if (!region->observed)
            continue;
        for (size_t zone = 0; zone < 3; zone++)
            *TT_VEC_ADD(d->arena, &region->zones) = (struct tt_zone){
                .name = zones[zone], .state = chance(d, 6) ? TT_ZONE_IMPAIRED : TT_ZONE_AVAILABLE};
    }
    *TT_VEC_ADD(d->arena, &d->desired->accounts) = account;
}

static struct tt_region *region_of(struct dice *d, const struct tt_account *account,
                                   const char *region)
{
    return (struct tt_region *)tt_world_region(d->world, account->name, region);
}

/* --- what is desired ------------------------------------------------------------------------ */

static void choose_zones(struct dice *d, struct tt_strings *list, unsigned least)
{
    unsigned mask = 1 + roll(d, 7);

    if (least > 1)
        mask |= 3;
    for (size_t i = 0; i < 3; i++)
        if (mask & 1u << i)
            tt_strings_add(d->arena, list, zones[i]);
}

static void add_balancer(struct dice *d, struct tt_deployment *deployment, int index)
{
    struct tt_balancer *b = TT_NEW(d->arena, struct tt_balancer);
    struct tt_listeners *listeners = TT_NEW(d->arena, struct tt_listeners);

    *b = (struct tt_balancer){
        .name = tt_printf(d->arena, "lb%d", index),
        .deployment = deployment,
        .type = (enum tt_balancer_type)roll(d, 3),
        .account = d->desired->accounts.items[roll(d, (unsigned)d->desired->accounts.count)],
        .region = regions[roll(d, 2)],
        .scope = TT_SCOPE_REGIONAL,
        .recovery = {3, 5000, 3},
        .server = {.template = "lb"},
    };
    *TT_VEC_ADD(d->arena, listeners) = (struct tt_listener){.port = 80, .target_port = 8080};
    if (chance(d, 50))
        b->listeners = listeners;
    if (b->type == TT_BALANCER_CLOUD) {
        b->cloud_name = b->name;
        if (chance(d, 60)) {
            b->scope = TT_SCOPE_DATA_CENTER;
            choose_zones(d, &b->zones, 2);
        }
    } else {
        if (chance(d, 50))
            b->scope = TT_SCOPE_GLOBAL;
        if (b->type == TT_BALANCER_VM_STATIC)
            b->machine = tt_printf(d->arena, "static-%d", index);
        else if (chance(d, 40))
            b->address = tt_printf(d->arena, "203.0.113.%d", index + 1);
    }
    if (!(d->shrink->balancers & 1u << index))
        *TT_VEC_ADD(d->arena, &deployment->balancers) = b;
}

static void add_placements(struct dice *d, struct tt_service *service)
{
    for (size_t account = 0; account < d->desired->accounts.count; account++)
        for (size_t region = 0; region < 2; region++) {
            struct tt_placement *placement;

            if (!chance(d, 40))
                continue;
            placement = TT_VEC_ADD(d->arena, &service->placements);
            *placement = (struct tt_placement){
                .account = d->desired->accounts.items[account],
                .region = regions[region],
                .count = (int)roll(d, d->largest),
                .server = {.template = "v2", .size = chance(d, 50) ? "m" : NULL},
            };
            if (chance(d, 30))
                choose_zones(d, &placement->zones, 1);
        }
}

static bool has_placement(const struct tt_service *service, const struct tt_balancer *balancer)
{
    TT_EACH (placement, &service->placements)
        if (tt_balancer_covers(balancer, placement->account->name, placement->region))
            return true;
    return false;
}

/* The checker refuses placements and balancers without a zone in common. */
static bool zones_agree(const struct tt_service *service, const struct tt_balancer *more)
{
    TT_EACH (placement, &service->placements) {
        int common = 0;

        for (size_t i = 0; i < 3; i++) {
            bool allowed = !placement->zones.count || tt_strings_has(&placement->zones, zones[i]);

            TT_EACH (balancer, &service->balancers)
                if ((*balancer)->scope == TT_SCOPE_DATA_CENTER &&
                    tt_balancer_covers(*balancer, placement->account->name, placement->region))
                    allowed = allowed && tt_strings_has(&(*balancer)->zones, zones[i]);
            if (more->scope == TT_SCOPE_DATA_CENTER &&
                tt_balancer_covers(more, placement->account->name, placement->region))
                allowed = allowed && tt_strings_has(&more->zones, zones[i]);
            common += allowed;
        }
        if (!common)
            return false;
    }
    return true;
}

static void add_service(struct dice *d, struct tt_deployment *deployment, int index)
{
    struct tt_service *service = TT_NEW(d->arena, struct tt_service);

    *service = (struct tt_service){
        .name = tt_printf(d->arena, "svc%d", index),
        .deployment = deployment,
        .port = 8080,
        .max_surge = {(int)roll(d, 3), false},
        .max_unavailable = {(int)roll(d, 3), false},
        .drain = 30000,
    };
    if (!service->max_surge.value && !service->max_unavailable.value)
        service->max_surge.value = 1;
    if (chance(d, 20))
        service->max_surge = (struct tt_amount){(int)roll(d, 60), true};
    if (chance(d, 10))
        service->max_unavailable = (struct tt_amount){(int)roll(d, 40), true};
    add_placements(d, service);
    TT_EACH (balancer, &deployment->balancers)
        if (chance(d, 60) && has_placement(service, *balancer) && zones_agree(service, *balancer))
            *TT_VEC_ADD(d->arena, &service->balancers) = *balancer;
    if (deployment->services.count && chance(d, 40))
        *TT_VEC_ADD(d->arena, &service->depends_on) = deployment->services.items[0];
    if (!(d->shrink->services & 1u << index))
        *TT_VEC_ADD(d->arena, &deployment->services) = service;
}

/* --- what is there -------------------------------------------------------------------------- */

static enum tt_server_state roll_state(struct dice *d)
{
    unsigned r = roll(d, 100);

    if (d->shrink->calm || r < 80)
        return TT_SERVER_RUNNING;
    if (r < 85)
        return TT_SERVER_PENDING;
    if (r < 90)
        return TT_SERVER_STOPPED;
    return r < 95 ? TT_SERVER_FAILED : TT_SERVER_GONE;
}

static struct tt_server *add_server(struct dice *d, struct tt_region *region, const char *zone,
                                    const char *template)
{
    int index = d->servers++;
    struct tt_server server = {
        .id = tt_printf(d->arena, "i-%03d", index),
        .zone = zone,
        .state = roll_state(d),
        .template = template,
        .private_address = tt_printf(d->arena, "10.0.%d.%d", index / 200, index % 200 + 1),
        .public_address = chance(d, 97) ? tt_printf(d->arena, "198.51.100.%d", index + 1) : NULL,
        .created_at = NOW - (tt_time)roll(d, 3000) * 1000,
        .tags = {.slot = -1},
    };

    if (server.state == TT_SERVER_RUNNING)
        server.health = !d->shrink->calm && chance(d, 8) ? TT_HEALTH_FAILING : TT_HEALTH_PASSING;
    if (index < TT_GENERATE_SERVERS && d->shrink->servers >> index & 1)
        return NULL;
    *TT_VEC_ADD(d->arena, &region->servers) = server;
    return &region->servers.items[region->servers.count - 1];
}

static enum tt_member_state roll_member(struct dice *d)
{
    unsigned r = roll(d, 100);

    if (d->shrink->calm || r < 88)
        return TT_MEMBER_IN_SERVICE;
    return (enum tt_member_state)(1 + r % 3);
}

static void add_members(struct dice *d, const struct tt_service *service,
                        const struct tt_region *region, const char *account,
                        const struct tt_server *server)
{
    TT_EACH (item, &service->deployment->balancers) {
        const struct tt_balancer *b = *item;
        struct tt_region *own = region_of(d, b->account, b->region);
        bool behind =
            tt_service_is_behind(service, b) && tt_balancer_covers(b, account, region->name);
        bool same = own == region;

        if (!own->observed || !chance(d, behind ? 85 : 4))
            continue;
        if (b->type == TT_BALANCER_CLOUD) {
            TT_EACH (cloud, &own->balancers)
                if (same && strcmp(cloud->name, b->name) == 0)
                    *TT_VEC_ADD(d->arena, &cloud->members) = (struct tt_member){
                        .server = server->id,
                        .state = cloud->zones && !tt_strings_has(cloud->zones, server->zone)
                                     ? TT_MEMBER_OUT_OF_SERVICE
                                     : roll_member(d)};
            continue;
        }
        TT_EACH (pool, &own->pools) {
            const char *address = same ? server->private_address : server->public_address;
            size_t length = strlen(b->name);

            if (address && strncmp(pool->machine + 1, b->name, length) == 0)
                *TT_VEC_ADD(d->arena, &pool->members) = (struct tt_pool_member){
                    .service =
                        tt_printf(d->arena, "%s.%s", service->deployment->name, service->name),
                    .address = address,
                    .port = chance(d, 97) ? 8080 : 9090,
                    .state = roll_member(d),
                };
        }
    }
}

static void add_service_servers(struct dice *d, const struct tt_service *service)
{
    int slot = 0;

    for (size_t account = 0; account < d->desired->accounts.count; account++)
        for (size_t r = 0; r < 2; r++) {
            struct tt_region *region =
                region_of(d, d->desired->accounts.items[account], regions[r]);
            int count = 0;

            TT_EACH (placement, &service->placements)
                if (placement->account == d->desired->accounts.items[account] &&
                    placement->region == regions[r])
                    count = placement->count;
            if (!region->observed || (!count && !chance(d, 10)))
                continue;
            count += (int)roll(d, 4) - 1 - (chance(d, 20) ? count : 0);
            for (int i = 0; i < count && d->servers < TT_GENERATE_SERVERS - 8; i++) {
                struct tt_server *server =
                    add_server(d, region, zones[roll(d, 3)], chance(d, 75) ? "v2" : "v1");

                if (!server)
                    continue;
                server->tags = (struct tt_tags){.owner = chance(d, 98) ? "acme" : "other",
                                                .deployment = service->deployment->name,
                                                .service = service->name,
                                                .slot = slot};
                slot += !chance(d, 6) + chance(d, 5);
                add_members(d, service, region, d->desired->accounts.items[account]->name, server);
            }
        }
}

static void add_machine(struct dice *d, struct tt_region *region, const struct tt_balancer *b,
                        int number)
{
    struct tt_server *server;

    if (number == 2 && !chance(d, 8))
        return;
    if (number == 1 && chance(d, 12))
        return;
    server = add_server(d, region, zones[roll(d, 3)], chance(d, 88) ? "lb" : "old-lb");
    if (!server)
        return;
    server->id = tt_printf(d->arena, "m%s-%d", b->name, number);
    server->tags = (struct tt_tags){
        .owner = "acme", .deployment = b->deployment->name, .balancer = b->name, .slot = 0};
    if (server->state == TT_SERVER_RUNNING || chance(d, 30))
        *TT_VEC_ADD(d->arena, &region->pools) = (struct tt_pool){.machine = server->id};
    if (b->address && number == 1)
        TT_EACH (address, &region->addresses)
            if (strcmp(address->address, b->address) == 0 && chance(d, 85))
                address->server = server->id;
}

static void add_balancer_world(struct dice *d, const struct tt_balancer *b)
{
    struct tt_region *region = region_of(d, b->account, b->region);

    if (!region->observed)
        return;
    if (b->type == TT_BALANCER_CLOUD) {
        struct tt_cloud_balancer *cloud;
        struct tt_strings *seen = TT_NEW(d->arena, struct tt_strings);

        if (chance(d, 5))
            return;
        cloud = TT_VEC_ADD(d->arena, &region->balancers);
        if (chance(d, 60) && b->zones.count)
            *seen = b->zones;
        else
            choose_zones(d, seen, 1);
        if (b->scope != TT_SCOPE_DATA_CENTER && chance(d, 80))
            for (size_t i = 0; i < 3; i++)
                if (!tt_strings_has(seen, zones[i]))
                    tt_strings_add(d->arena, seen, zones[i]);
        *cloud = (struct tt_cloud_balancer){
            .id = b->cloud_name, .name = b->cloud_name, .zones = chance(d, 90) ? seen : NULL};
        if (chance(d, 20))
            *TT_VEC_ADD(d->arena, &cloud->members) =
                (struct tt_member){.server = "foreign", .state = TT_MEMBER_IN_SERVICE};
    } else if (b->type == TT_BALANCER_VM_STATIC) {
        struct tt_server *server;

        if (chance(d, 5) || !(server = add_server(d, region, "a", "any")))
            return;
        server->id = tt_printf(d->arena, "m%s-static", b->name);
        server->name = b->machine;
        *TT_VEC_ADD(d->arena, &region->pools) = (struct tt_pool){.machine = server->id};
    } else {
        if (b->address && chance(d, 95))
            *TT_VEC_ADD(d->arena, &region->addresses) =
                (struct tt_elastic_address){.address = b->address};
        add_machine(d, region, b, 1);
        add_machine(d, region, b, 2);
    }
}

void tt_generate(struct tt_arena *arena, uint64_t seed, const struct tt_shrink *shrink,
                 struct tt_case *ret_case)
{
    struct dice d = {.arena = arena, .state = seed, .shrink = shrink};
    struct tt_deployment *deployment = TT_NEW(arena, struct tt_deployment);
    struct tt_plan_options *options = TT_NEW(arena, struct tt_plan_options);

    d.desired = TT_NEW(arena, struct tt_desired);
    d.world = TT_NEW(arena, struct tt_world);
    *d.desired = (struct tt_desired){.owner = "acme", .revision = "generated", .guard = {50, 50}};
    d.world->taken_at = NOW;
    add_account(&d, "east");
    add_account(&d, "west");
    if (chance(&d, 20))
        add_account(&d, "north");
    d.largest = chance(&d, 8) ? 18 : 6;
    *deployment = (struct tt_deployment){
        .name = "shop", .running = !chance(&d, 6), .prune = chance(&d, 90), .guard = {100, 100}};
    *TT_VEC_ADD(arena, &d.desired->deployments) = deployment;
    for (int i = 0; i < (int)(1 + roll(&d, TT_GENERATE_BALANCERS)); i++)
        add_balancer(&d, deployment, i);
    for (int i = 0; i < (int)(1 + roll(&d, TT_GENERATE_SERVICES - 1)); i++)
        add_service(&d, deployment, i);
    TT_EACH (balancer, &deployment->balancers)
        add_balancer_world(&d, *balancer);
    TT_EACH (service, &deployment->services)
        add_service_servers(&d, *service);
    /* What has left Git. */
    if (deployment->services.count > 1 && chance(&d, 20))
        deployment->services.count--;
    if (deployment->services.count == 1)
        deployment->services.items[0]->depends_on.count = 0;
    tt_world_sort(d.world);
    options->prune = chance(&d, 20);
    *ret_case = (struct tt_case){
        .desired = d.desired,
        .world = d.world,
        .memory = TT_NEW(arena, struct tt_memory),
        .options = options,
        .now = NOW,
    };
}
