/*
 * Commits: the desired world of a few numbers, and the next numbers.
 */
#include "tests/simulate/history.h"

static const char *const account_names[] = {"east", "west"};
static const char *const service_names[] = {"api", "web"};
static const char *const zone_names[] = {"a", "b", "c"};

static void change(struct history *h, struct commit *c)
{
    unsigned service = roll(h, 2), account = roll(h, 2);

    switch (roll(h, 10)) {
    case 0:
    case 1:
        c->count[service][account] = (int)roll(h, 4);
        break;
    case 2:
    case 3:
        c->version[service]++;
        break;
    case 4:
        c->zones = roll(h, 3) ? 1 + roll(h, 7) : 0;
        break;
    case 5:
        c->edge = !c->edge;
        break;
    case 6:
        c->running = chance(h, 800);
        break;
    case 7:
        c->surge = (int)roll(h, 3);
        c->unavailable = c->surge ? (int)roll(h, 2) : 1;
        break;
    case 8:
        c->fixed = (int)roll(h, 3);
        break;
    default:
        c->max_destroy = chance(h, 300) ? 1 : 50;
    }
}

void commit_draw(struct history *h)
{
    struct commit *c = &h->commit;

    if (!c->number++) {
        *c = (struct commit){.number = 1,
                             .running = true,
                             .count = {{(int)roll(h, 3), (int)roll(h, 3) - 1},
                                       {1 + (int)roll(h, 3), (int)roll(h, 3) - 1}},
                             .version = {1, 1},
                             .zones = roll(h, 2) ? 1 + roll(h, 7) : 0,
                             .edge = roll(h, 2),
                             .fixed = (int)roll(h, 3),
                             .surge = 1,
                             .max_destroy = 50};
    } else {
        for (unsigned i = 0, changes = 1 + roll(h, 3); i < changes; i++)
            change(h, c);
    }
    say(h,
        "commit %d: %s, api %d+%d (v%d), web %d+%d (v%d), zones of lb %u, %s, "
        "fixed on old-%d, surge %d, unavailable %d, maxDestroy %d",
        c->number, c->running ? "running" : "stopped", c->count[0][0], c->count[0][1],
        c->version[0], c->count[1][0], c->count[1][1], c->version[1], c->zones,
        c->edge ? "with edge" : "without edge", c->fixed, c->surge, c->unavailable, c->max_destroy);
}

static struct tt_balancer *add_balancer(struct tt_arena *arena, struct tt_deployment *deployment,
                                        const char *name, struct tt_account *account)
{
    struct tt_balancer *balancer = TT_NEW(arena, struct tt_balancer);

    *balancer = (struct tt_balancer){.name = name,
                                     .deployment = deployment,
                                     .account = account,
                                     .region = "r",
                                     .scope = TT_SCOPE_REGIONAL};
    *TT_VEC_ADD(arena, &deployment->balancers) = balancer;
    return balancer;
}

static void add_balancers(const struct commit *c, struct tt_arena *arena,
                          struct tt_deployment *deployment, struct tt_account *account)
{
    struct tt_balancer *balancer;

    if (c->edge) {
        balancer = add_balancer(arena, deployment, "edge", account);
        balancer->type = TT_BALANCER_VM_DYNAMIC;
        balancer->scope = TT_SCOPE_GLOBAL;
        balancer->server.template = "lb";
        balancer->address = "203.0.113.9";
        balancer->recovery.unhealthy_after = 3;
        balancer->recovery.interval = 5000;
        balancer->recovery.max_per_hour = 2;
    }
    if (c->fixed) {
        balancer = add_balancer(arena, deployment, "fixed", account);
        balancer->type = TT_BALANCER_VM_STATIC;
        balancer->scope = TT_SCOPE_GLOBAL;
        balancer->machine = tt_printf(arena, "old-%d", c->fixed);
    }
    balancer = add_balancer(arena, deployment, "lb", account);
    balancer->type = TT_BALANCER_CLOUD;
    balancer->cloud_name = "elb";
    if (c->zones)
        balancer->scope = TT_SCOPE_DATA_CENTER;
    for (unsigned i = 0; i < 3; i++)
        if (c->zones & 1u << i)
            tt_strings_add(arena, &balancer->zones, zone_names[i]);
}

static void add_service(const struct commit *c, struct tt_arena *arena,
                        struct tt_deployment *deployment, const struct tt_desired *desired,
                        int index)
{
    struct tt_service *service = TT_NEW(arena, struct tt_service);

    *service = (struct tt_service){.name = service_names[index],
                                   .deployment = deployment,
                                   .port = 8080 + index,
                                   .max_surge = {.value = c->surge},
                                   .max_unavailable = {.value = c->unavailable},
                                   .drain = 10000};
    for (int i = 0; i < 2; i++)
        if (c->count[index][i] >= 0)
            *TT_VEC_ADD(arena, &service->placements) = (struct tt_placement){
                .account = desired->accounts.items[i],
                .region = "r",
                .count = c->count[index][i],
                .server = {.template = tt_printf(arena, "v%d", c->version[index])}};
    TT_EACH (balancer, &deployment->balancers)
        *TT_VEC_ADD(arena, &service->balancers) = *balancer;
    if (index)
        *TT_VEC_ADD(arena, &service->depends_on) = deployment->services.items[0];
    *TT_VEC_ADD(arena, &deployment->services) = service;
}

struct tt_desired *commit_desired(struct history *h, struct tt_arena *arena)
{
    const struct commit *c = &h->commit;
    struct tt_desired *desired = TT_NEW(arena, struct tt_desired);
    struct tt_deployment *deployment = TT_NEW(arena, struct tt_deployment);

    *desired = (struct tt_desired){.owner = "acme",
                                   .revision = tt_printf(arena, "%040d", c->number),
                                   .guard = {c->max_destroy, 50}};
    for (int i = 0; i < 2; i++) {
        struct tt_account *account = TT_NEW(arena, struct tt_account);

        *account = (struct tt_account){.name = account_names[i], .provider = TT_PROVIDER_SIM};
        tt_strings_add(arena, &account->regions, "r");
        *TT_VEC_ADD(arena, &desired->accounts) = account;
    }
    *deployment = (struct tt_deployment){
        .name = "shop", .running = c->running, .prune = true, .guard = desired->guard};
    add_balancers(c, arena, deployment, desired->accounts.items[0]);
    for (int i = 0; i < 2; i++)
        add_service(c, arena, deployment, desired, i);
    *TT_VEC_ADD(arena, &desired->deployments) = deployment;
    return desired;
}
