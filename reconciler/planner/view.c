/*
 * View: joins desired and world by the marks of ownership.
 *
 * The world's machines are walked twice: once to count what each service has, once to fill arrays
 * of exactly that size, because a fleet may have a million of them.
 */
#include "reconciler/planner/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "reconciler/planner/lent.h"
#include "reconciler/planner/resolve.h"

#define BOOT_SLACK    (INT64_C(10) * 60 * 1000) /* beyond grace, before a pending machine failed */
#define DEFAULT_GRACE (INT64_C(60) * 1000)

/* The views by name while they are made. */
struct index {
    struct tt_view *view;
    struct tt_map deployments; /* name → struct deployment_index */
};

struct deployment_index {
    struct tt_deployment_view *view;
    struct tt_map services;  /* name → struct tt_service_view */
    struct tt_map balancers; /* name → struct tt_balancer_view */
};

void tt_view_problem(struct tt_view *view, enum tt_severity severity, const char *code,
                     const char *subject, const struct tt_mark *mark, const char *format, ...)
{
    struct tt_problem *problem = TT_VEC_ADD(view->arena, &view->problems);
    va_list args;

    *problem = (struct tt_problem){.severity = severity, .code = code, .subject = subject};
    if (mark)
        problem->mark = *mark;
    va_start(args, format);
    problem->message = tt_vprintf(view->arena, format, args);
    va_end(args);
}

char *tt_service_subject(const struct tt_view *view, const struct tt_service_view *service)
{
    return tt_printf(view->arena, "Service/%s/%s", service->deployment->name, service->name);
}

char *tt_balancer_subject(const struct tt_view *view, const struct tt_balancer_view *balancer)
{
    return tt_printf(view->arena, "LoadBalancer/%s/%s", balancer->deployment->name, balancer->name);
}

const struct tt_region *tt_view_region(const struct tt_view *view, const char *account,
                                       const char *region)
{
    const struct tt_region *found = tt_world_region(view->world, account, region);

    return found && found->observed ? found : NULL;
}

struct tt_balancer_view *tt_view_balancer(const struct tt_deployment_view *deployment,
                                          const char *name)
{
    TT_EACH (balancer, &deployment->balancers)
        if (strcmp((*balancer)->name, name) == 0)
            return *balancer;
    return NULL;
}

struct tt_service_view *tt_view_service(const struct tt_deployment_view *deployment,
                                        const char *name)
{
    TT_EACH (service, &deployment->services)
        if (strcmp((*service)->name, name) == 0)
            return *service;
    return NULL;
}

bool tt_view_is_behind(const struct tt_service_view *service,
                       const struct tt_balancer_view *balancer, const char *account,
                       const char *region)
{
    return service->spec && balancer->spec && tt_service_is_behind(service->spec, balancer->spec) &&
           tt_balancer_covers(balancer->spec, account, region);
}

char *tt_machine_text(struct tt_arena *arena, const struct tt_server *server)
{
    return server->name ? tt_printf(arena, "%s (%s)", server->name, server->id)
                        : tt_strdup(arena, server->id);
}

void tt_view_pending(struct tt_view *view, const char *subject, const struct tt_mark *mark,
                     const struct tt_server *server, const struct tt_health_check *check)
{
    tt_time grace = check ? check->grace : DEFAULT_GRACE;
    const char *until =
        server->created_at == TT_TIME_UNKNOWN
            ? "since nobody knows when"
            : tt_printf(view->arena, "until %s, then it counts as failed",
                        tt_time_format(view->arena, server->created_at + grace + BOOT_SLACK));

    tt_view_problem(view, TT_SEVERITY_INFO, "pending", subject, mark,
                    "%s boots and is waited for %s", tt_machine_text(view->arena, server), until);
}

char *tt_region_zones_text(struct tt_arena *arena, const struct tt_region *region)
{
    struct tt_strings names = {0};

    TT_EACH (zone, &region->zones)
        tt_strings_add(arena, &names, zone->name);
    return tt_strings_join(arena, &names, "none");
}

/* --- the skeleton --------------------------------------------------------------------------- */

static struct deployment_index *add_deployment(struct index *index, const char *name,
                                               const struct tt_deployment *spec)
{
    struct tt_arena *arena = index->view->arena;
    struct deployment_index *entry = TT_NEW(arena, struct deployment_index);
    const struct tt_plan_options *options = index->view->options;

    entry->view = TT_NEW(arena, struct tt_deployment_view);
    *entry->view = (struct tt_deployment_view){
        .spec = spec,
        .name = name,
        .running = spec && spec->running,
        .prune = spec ? spec->prune : options->prune,
    };
    tt_map_init(&entry->services, arena);
    tt_map_init(&entry->balancers, arena);
    tt_map_put(&index->deployments, name, entry);
    *TT_VEC_ADD(arena, &index->view->deployments) = entry->view;
    return entry;
}

static struct tt_service_view *add_service(struct index *index, struct deployment_index *entry,
                                           const char *name, const struct tt_service *spec)
{
    struct tt_service_view *service = TT_NEW(index->view->arena, struct tt_service_view);

    *service = (struct tt_service_view){.spec = spec, .name = name, .deployment = entry->view};
    tt_map_put(&entry->services, name, service);
    *TT_VEC_ADD(index->view->arena, &entry->view->services) = service;
    return service;
}

static struct tt_balancer_view *add_balancer(struct index *index, struct deployment_index *entry,
                                             const char *name, const struct tt_balancer *spec)
{
    struct tt_balancer_view *balancer = TT_NEW(index->view->arena, struct tt_balancer_view);

    *balancer = (struct tt_balancer_view){.spec = spec, .name = name, .deployment = entry->view};
    tt_map_put(&entry->balancers, name, balancer);
    *TT_VEC_ADD(index->view->arena, &entry->view->balancers) = balancer;
    return balancer;
}

static void add_desired(struct index *index)
{
    TT_EACH (deployment, &index->view->desired->deployments) {
        struct deployment_index *entry = add_deployment(index, (*deployment)->name, *deployment);

        TT_EACH (service, &(*deployment)->services)
            add_service(index, entry, (*service)->name, *service);
        TT_EACH (balancer, &(*deployment)->balancers)
            add_balancer(index, entry, (*balancer)->name, *balancer);
    }
}

/* --- the machines --------------------------------------------------------------------------- */

static bool is_owned(const struct tt_view *view, const struct tt_server *server)
{
    const struct tt_tags *tags = &server->tags;

    return tags->deployment && (tags->service || tags->balancer) &&
           tt_streq(tags->owner, view->desired->owner);
}

/* Calls VISIT for every owned machine of the accounts that Git names, in canonical order. */
static void each_machine(struct index *index,
                         void (*visit)(struct index *index, const struct tt_world_account *account,
                                       const struct tt_region *region,
                                       const struct tt_server *server))
{
    TT_EACH (account, &index->view->world->accounts) {
        if (!tt_desired_account(index->view->desired, account->name))
            continue;
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                if (region->observed && is_owned(index->view, server))
                    visit(index, account, region, server);
    }
}

static struct deployment_index *deployment_of(struct index *index, const struct tt_server *server)
{
    struct deployment_index *entry = tt_map_get(&index->deployments, server->tags.deployment);

    return entry ? entry : add_deployment(index, server->tags.deployment, NULL);
}

static struct tt_service_view *service_of(struct index *index, struct deployment_index *entry,
                                          const struct tt_server *server)
{
    struct tt_service_view *service = tt_map_get(&entry->services, server->tags.service);

    return service ? service : add_service(index, entry, server->tags.service, NULL);
}

static struct tt_balancer_view *balancer_of(struct index *index, struct deployment_index *entry,
                                            const struct tt_server *server)
{
    struct tt_balancer_view *balancer = tt_map_get(&entry->balancers, server->tags.balancer);

    return balancer ? balancer : add_balancer(index, entry, server->tags.balancer, NULL);
}

static void count_machine(struct index *index, const struct tt_world_account *account,
                          const struct tt_region *region, const struct tt_server *server)
{
    struct deployment_index *entry = deployment_of(index, server);

    (void)account;
    (void)region;
    if (server->state == TT_SERVER_GONE) {
        entry->view->gone++;
        if (!server->tags.service)
            balancer_of(index, entry, server)->gone = true;
        return;
    }
    entry->view->owned++;
    if (server->tags.service)
        service_of(index, entry, server)->machines.capacity++;
    else
        balancer_of(index, entry, server)->machines.capacity++;
}

static int placement_of(const struct tt_service *spec, const char *account, const char *region)
{
    if (spec)
        TT_EACH (placement, &spec->placements)
            if (strcmp(placement->account->name, account) == 0 &&
                strcmp(placement->region, region) == 0)
                return (int)(placement - spec->placements.items);
    return -1;
}

/* The verdict on a machine: healthy, pending, failed, or stopped (none of them). */
static void judge(const struct tt_view *view, struct tt_machine *machine, tt_time grace)
{
    const struct tt_server *server = machine->server;
    bool startable = (machine->account->features & TT_FEATURE_START_SERVER) != 0;

    switch (server->state) {
    case TT_SERVER_RUNNING:
        machine->failed = server->health == TT_HEALTH_FAILING;
        machine->healthy = !machine->failed;
        break;
    case TT_SERVER_PENDING:
        machine->failed = server->created_at != TT_TIME_UNKNOWN &&
                          view->now - server->created_at > grace + BOOT_SLACK;
        machine->pending = !machine->failed;
        break;
    case TT_SERVER_STOPPED:
        machine->failed = !startable || server->tags.balancer;
        break;
    case TT_SERVER_FAILED:
    case TT_SERVER_GONE:
        machine->failed = true;
        break;
    }
}

static void fill_machine(struct index *index, const struct tt_world_account *account,
                         const struct tt_region *region, const struct tt_server *server)
{
    struct deployment_index *entry = deployment_of(index, server);
    struct tt_machine machine = {
        .server = server,
        .account = account,
        .region = region,
        .slot = server->tags.slot,
        .placement = -1,
    };
    tt_time grace = DEFAULT_GRACE;

    if (server->state == TT_SERVER_GONE)
        return;
    if (server->tags.service) {
        struct tt_service_view *service = service_of(index, entry, server);

        if (service->spec && service->spec->health)
            grace = service->spec->health->grace;
        machine.placement = placement_of(service->spec, account->name, region->name);
        judge(index->view, &machine, grace);
        service->machines.items[service->machines.count++] = machine;
    } else {
        struct tt_balancer_view *balancer = balancer_of(index, entry, server);

        judge(index->view, &machine, grace);
        balancer->machines.items[balancer->machines.count++] = machine;
    }
}

static int by_slot(const void *a, const void *b)
{
    const struct tt_machine *one = a, *other = b;
    int order = (one->slot > other->slot) - (one->slot < other->slot);

    if (!order)
        order = strcmp(one->account->name, other->account->name);
    if (!order)
        order = strcmp(one->region->name, other->region->name);
    return order ? order : strcmp(one->server->id, other->server->id);
}

static void add_machines(struct index *index)
{
    struct tt_arena *arena = index->view->arena;

    each_machine(index, count_machine);
    TT_EACH (deployment, &index->view->deployments) {
        TT_EACH (service, &(*deployment)->services)
            (*service)->machines.items =
                TT_NEW_ARRAY(arena, (*service)->machines.capacity, struct tt_machine);
        TT_EACH (balancer, &(*deployment)->balancers)
            (*balancer)->machines.items =
                TT_NEW_ARRAY(arena, (*balancer)->machines.capacity, struct tt_machine);
    }
    each_machine(index, fill_machine);
    TT_EACH (deployment, &index->view->deployments)
        TT_EACH (service, &(*deployment)->services)
            if ((*service)->machines.count > 1)
                qsort((*service)->machines.items, (*service)->machines.count,
                      sizeof(struct tt_machine), by_slot);
}

/* Deployments of which nothing but members of lent machines is left. */
static void add_lenders(struct index *index)
{
    TT_EACH (lent, &index->view->memory->lent) {
        const char *name = tt_lent_deployment(index->view->arena, lent);

        if (tt_lent_machine(index->view, &lent->member) && !tt_map_get(&index->deployments, name))
            add_deployment(index, name, NULL);
    }
}

/* --- order and the numbers ------------------------------------------------------------------ */

static int by_deployment(const void *a, const void *b)
{
    return strcmp((*(struct tt_deployment_view *const *)a)->name,
                  (*(struct tt_deployment_view *const *)b)->name);
}

static int by_service(const void *a, const void *b)
{
    return strcmp((*(struct tt_service_view *const *)a)->name,
                  (*(struct tt_service_view *const *)b)->name);
}

static int by_balancer(const void *a, const void *b)
{
    return strcmp((*(struct tt_balancer_view *const *)a)->name,
                  (*(struct tt_balancer_view *const *)b)->name);
}

static void sort_view(struct tt_view *view)
{
    if (view->deployments.count)
        qsort(view->deployments.items, view->deployments.count, sizeof(*view->deployments.items),
              by_deployment);
    TT_EACH (deployment, &view->deployments) {
        struct tt_deployment_view *d = *deployment;

        if (d->services.count)
            qsort(d->services.items, d->services.count, sizeof(*d->services.items), by_service);
        if (d->balancers.count)
            qsort(d->balancers.items, d->balancers.count, sizeof(*d->balancers.items), by_balancer);
    }
}

/* The machines that went without our doing. Memory knows which of them lived when the last run
 * ended; without memory whatever is seen gone counts, though we may have deleted it ourselves. */
static void count_vanished(const struct tt_view *view, struct tt_deployment_view *deployment)
{
    bool remembered = tt_strings_has(&view->memory->deployments, deployment->name);
    int vanished = 0;

    TT_EACH (known, &view->memory->servers) {
        const struct tt_region *region;
        const struct tt_server *server;

        if (strcmp(known->deployment, deployment->name) != 0)
            continue;
        remembered = true;
        region = tt_view_region(view, known->account, known->region);
        server = region ? tt_region_find_server(region, known->id) : NULL;
        vanished += region && (!server || server->state == TT_SERVER_GONE);
    }
    if (remembered)
        deployment->gone = vanished;
}

static void count_numbers(struct tt_view *view, struct tt_service_view *service)
{
    const struct tt_service *spec = service->spec;
    int total = tt_service_count(spec);

    TT_EACH (placement, &spec->placements)
        if (tt_view_region(view, placement->account->name, placement->region))
            service->wanted += placement->count;
    service->surge = tt_amount_up(spec->max_surge, total);
    service->unavailable = tt_amount_down(spec->max_unavailable, total);
    if (!service->surge && !service->unavailable)
        service->surge = 1;
}

struct tt_view *tt_view_new(struct tt_arena *arena, const struct tt_desired *desired,
                            const struct tt_world *world, const struct tt_memory *memory,
                            tt_time now, const struct tt_plan_options *options)
{
    struct tt_view *view = TT_NEW(arena, struct tt_view);
    struct index index = {.view = view};

    *view = (struct tt_view){
        .arena = arena,
        .desired = desired,
        .world = world,
        .memory = memory,
        .options = options,
        .now = now,
    };
    tt_map_init(&index.deployments, arena);
    add_desired(&index);
    add_machines(&index);
    add_lenders(&index);
    sort_view(view);
    tt_resolve_unseen(view);
    TT_EACH (deployment, &view->deployments) {
        count_vanished(view, *deployment);
        TT_EACH (balancer, &(*deployment)->balancers)
            tt_resolve_balancer(view, *balancer);
        TT_EACH (service, &(*deployment)->services) {
            if ((*service)->spec)
                count_numbers(view, *service);
        }
    }
    tt_lent_resolve(view);
    return view;
}
