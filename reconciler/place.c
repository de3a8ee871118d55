/*
 * Place: the fates of servers, placement by placement.
 *
 * For each placement: rank its machines, choose the surplus, spread what is wanted over the zones,
 * move what is too many in a zone, and ask for the creates that are missing. Duplicates are
 * resolved before, slots are given last, for the whole service.
 */
#include "reconciler/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reconciler/slots.h"
#include "reconciler/surplus.h"
#include "reconciler/zones.h"

/* One placement while it is worked on. */
struct site {
    struct tt_view *view;
    struct tt_arena *scratch;
    struct tt_service_view *service;
    const struct tt_placement *placement;
    const struct tt_region *region;
    struct tt_standing *standings; /* parallel to the service's machines */
    struct tt_zone_shares zones;
    struct tt_candidate *candidates;
    size_t count;
    int missing; /* creates that replace nothing */
};

/* --- errors --------------------------------------------------------------------------------- */

static void fail_service(struct tt_view *view, struct tt_service_view *service, const char *code,
                         const struct tt_mark *mark, const char *message)
{
    service->blocked = true;
    tt_view_problem(view, TT_SEVERITY_ERROR, code, tt_service_subject(view, service), mark, "%s",
                    message);
}

static void check_zones_exist(struct site *site)
{
    const struct tt_placement *placement = site->placement;
    struct tt_arena *arena = site->view->arena;
    struct tt_strings existing = {0};

    TT_EACH (zone, &site->region->zones)
        tt_strings_add(arena, &existing, zone->name);
    TT_EACH (zone, &placement->zones)
        if (!tt_region_zone(site->region, *zone))
            fail_service(site->view, site->service, "no-such-zone", &placement->mark,
                         tt_printf(arena, "%s/%s has no zone %s; its zones: %s",
                                   placement->account->name, placement->region, *zone,
                                   tt_strings_join(arena, &existing, "none")));
}

static void check_template(struct site *site)
{
    const struct tt_placement *placement = site->placement;

    if (site->region->templates && placement->server.template &&
        !tt_strings_has(site->region->templates, placement->server.template))
        fail_service(site->view, site->service, "no-such-template", &placement->mark,
                     tt_printf(site->view->arena, "%s/%s has no template %s",
                               placement->account->name, placement->region,
                               placement->server.template));
}

/* "zones of the placement: a, b; zones of edge: b, c; zones of the region: a (impaired)" */
static const char *zone_sides(struct site *site)
{
    struct tt_arena *arena = site->view->arena;
    const struct tt_placement *placement = site->placement;
    struct tt_strings region = {0};
    TT_BUF_AUTO text = {0};

    TT_EACH (zone, &site->region->zones)
        tt_strings_add(arena, &region,
                       tt_printf(arena, "%s (%s)", zone->name, tt_zone_state_words[zone->state]));
    tt_buf_addf(&text, "the placement allows %s",
                tt_strings_join(arena, &placement->zones, "every zone"));
    TT_EACH (balancer, &site->service->spec->balancers)
        if ((*balancer)->scope == TT_SCOPE_DATA_CENTER &&
            tt_balancer_covers(*balancer, placement->account->name, placement->region))
            tt_buf_addf(&text, "; balancer %s allows %s", (*balancer)->name,
                        tt_strings_join(arena, &(*balancer)->zones, "none"));
    tt_buf_addf(&text, "; %s/%s has %s", placement->account->name, placement->region,
                tt_strings_join(arena, &region, "no zones"));
    return tt_strdup(arena, tt_buf_text(&text));
}

static void report_impaired(struct site *site)
{
    TT_EACH (zone, &site->zones)
        if (!zone->available)
            tt_view_problem(site->view, TT_SEVERITY_WARNING, "zone-impaired",
                            tt_service_subject(site->view, site->service), &site->placement->mark,
                            "zone %s of %s/%s is impaired: no server of %s starts there",
                            zone->name, site->placement->account->name, site->placement->region,
                            site->service->name);
}

/* A member that a global balancer elsewhere cannot reach. */
static void bar_unreachable(struct tt_view *view, struct tt_service_view *service)
{
    TT_EACH (machine, &service->machines)
        TT_EACH (item, &service->deployment->balancers) {
            const struct tt_balancer_view *balancer = *item;
            const struct tt_server *server = machine->server;

            if (machine->barred || !machine->healthy || server->public_address ||
                machine->placement < 0 || balancer->unseen || balancer->blocked ||
                !balancer->spec || balancer->spec->type == TT_BALANCER_CLOUD ||
                !tt_view_is_behind(service, balancer, machine->account->name,
                                   machine->region->name) ||
                (strcmp(balancer->spec->account->name, machine->account->name) == 0 &&
                 strcmp(balancer->spec->region, machine->region->name) == 0))
                continue;
            machine->barred = true;
            tt_view_problem(view, TT_SEVERITY_ERROR, "no-public-address",
                            tt_printf(view->arena, "Service/%s/%s/%d", service->deployment->name,
                                      service->name, machine->slot),
                            &service->spec->mark,
                            "%s in %s/%s has no public address, and balancer %s in %s/%s can "
                            "reach it by no other",
                            tt_machine_text(view->arena, server), machine->account->name,
                            machine->region->name, balancer->name, balancer->spec->account->name,
                            balancer->spec->region);
        }
}

/* --- ranking -------------------------------------------------------------------------------- */

static int zone_index(const struct site *site, const struct tt_machine *machine)
{
    const struct tt_zone_share *share = tt_zones_find(&site->zones, machine->server->zone);

    return share ? (int)(share - site->zones.items) : -1;
}

/* Unknown zones are not compared. */
static bool is_outside(const struct site *site, const struct tt_machine *machine)
{
    return machine->server->zone && zone_index(site, machine) < 0;
}

static void assess(struct site *site)
{
    struct tt_service_view *service = site->service;
    int index = (int)(site->placement - service->spec->placements.items);

    for (size_t i = 0; i < service->machines.count; i++) {
        struct tt_machine *machine = &service->machines.items[i];

        if (machine->placement != index)
            continue;
        machine->fields = tt_outdated_fields(site->view->arena, machine->server,
                                             &site->placement->server, &machine->reason);
        site->standings[i] = (struct tt_standing){
            .outdated = machine->fields != NULL,
            .outside = is_outside(site, machine),
        };
    }
}

static enum tt_rank rank_of(const struct tt_machine *machine, const struct tt_standing *standing)
{
    if (machine->frozen || machine->barred)
        return TT_RANK_FIXED;
    if (machine->failed)
        return TT_RANK_FAILED;
    if (standing->outside)
        return TT_RANK_OUTSIDE;
    return standing->outdated ? TT_RANK_OUTDATED : TT_RANK_GOOD;
}

static void gather(struct site *site)
{
    struct tt_service_view *service = site->service;
    int index = (int)(site->placement - service->spec->placements.items);

    site->candidates = TT_NEW_ARRAY(site->scratch, service->machines.count, struct tt_candidate);
    for (size_t i = 0; i < service->machines.count; i++) {
        struct tt_machine *machine = &service->machines.items[i];

        if (machine->placement == index && machine->fate == TT_FATE_KEEP &&
            !site->standings[i].extra)
            site->candidates[site->count++] = (struct tt_candidate){
                .machine = machine,
                .rank = rank_of(machine, &site->standings[i]),
                .zone = zone_index(site, machine),
            };
    }
}

/* --- fates ---------------------------------------------------------------------------------- */

static const char *surplus_reason(const struct site *site, const struct tt_candidate *candidate)
{
    static const char *const why[] = {
        [TT_RANK_FAILED] = "it failed",
        [TT_RANK_OUTSIDE] = "it is outside the allowed zones",
        [TT_RANK_OUTDATED] = "it is outdated",
        [TT_RANK_GOOD] = "it is the newest in the fullest zone",
        [TT_RANK_FIXED] = "",
    };

    return tt_printf(site->view->arena, "%s has %zu servers in %s/%s and wants %d; %s",
                     site->service->name, site->count, site->placement->account->name,
                     site->placement->region, site->placement->count, why[candidate->rank]);
}

static void remove_surplus(struct site *site)
{
    size_t wanted = (size_t)site->placement->count;
    size_t chosen;

    if (site->count <= wanted)
        return;
    chosen = tt_surplus_choose(site->scratch, site->candidates, site->count, site->zones.count,
                               site->count - wanted);
    for (size_t i = 0; i < chosen; i++) {
        struct tt_machine *machine = site->candidates[i].machine;

        machine->fate = TT_FATE_REMOVE;
        machine->because = TT_BECAUSE_SURPLUS;
        machine->reason = surplus_reason(site, &site->candidates[i]);
    }
    site->candidates += chosen;
    site->count -= chosen;
}

static const char *allowed_text(struct site *site)
{
    struct tt_strings names = {0};

    TT_EACH (zone, &site->zones)
        tt_strings_add(site->view->arena, &names, zone->name);
    return tt_strings_join(site->view->arena, &names, "none");
}

static void replace(struct tt_machine *machine, enum tt_because because, const char *reason)
{
    machine->fate = TT_FATE_REPLACE;
    machine->because = because;
    if (reason)
        machine->reason = reason;
}

static const char *failure_text(struct tt_arena *arena, const struct tt_machine *machine)
{
    const struct tt_server *server = machine->server;
    const char *how = "failed";

    if (server->state == TT_SERVER_RUNNING)
        how = "fails its health check";
    else if (server->state == TT_SERVER_PENDING)
        how = "never came up";
    else if (server->state == TT_SERVER_STOPPED)
        how = "is stopped and cannot be started";
    return tt_printf(arena, "%s %s", tt_machine_text(arena, server), how);
}

/* What must be replaced whatever the spread says. What runs in an impaired zone stays. */
static void decide(struct site *site, const struct tt_candidate *candidate)
{
    struct tt_machine *machine = candidate->machine;
    struct tt_arena *arena = site->view->arena;
    bool impaired = candidate->zone >= 0 && !site->zones.items[candidate->zone].available;

    switch (candidate->rank) {
    case TT_RANK_FAILED:
        replace(machine, TT_BECAUSE_FAILED, failure_text(arena, machine));
        return;
    case TT_RANK_OUTSIDE:
        if (!machine->pending) {
            replace(machine, TT_BECAUSE_ZONE_VIOLATION,
                    tt_printf(arena, "%s is in zone %s, outside the allowed zones %s",
                              tt_machine_text(arena, machine->server), machine->server->zone,
                              allowed_text(site)));
            return;
        }
        break;
    case TT_RANK_OUTDATED:
        if (!machine->pending && !impaired) {
            replace(machine, TT_BECAUSE_OUTDATED, NULL);
            return;
        }
        break;
    case TT_RANK_GOOD:
    case TT_RANK_FIXED:
        break;
    }
    if (machine->server->state == TT_SERVER_STOPPED && !machine->barred && !machine->failed) {
        machine->fate = TT_FATE_START;
        machine->because = TT_BECAUSE_DRIFT;
        machine->reason =
            tt_printf(arena, "%s is stopped", tt_machine_text(arena, machine->server));
    }
}

static bool stays(const struct tt_machine *machine)
{
    return machine->fate == TT_FATE_KEEP || machine->fate == TT_FATE_START;
}

static void share_zones(struct site *site)
{
    int fixed = 0;

    for (size_t i = 0; i < site->count; i++) {
        const struct tt_candidate *candidate = &site->candidates[i];
        struct tt_zone_share *share =
            candidate->zone >= 0 ? &site->zones.items[candidate->zone] : NULL;

        if (!stays(candidate->machine)) {
            if (share)
                share->movable++;
        } else if (share && share->available) {
            share->kept++;
        } else {
            fixed++;
        }
    }
    tt_zones_spread(&site->zones, site->placement->count - fixed);
}

static int newer_first(const void *a, const void *b)
{
    return tt_newer_first(((const struct tt_candidate *)a)->machine,
                          ((const struct tt_candidate *)b)->machine);
}

/* Moves the newest machines out of zones that have more than their share. */
static void even_out(struct site *site)
{
    qsort(site->candidates, site->count, sizeof(*site->candidates), newer_first);
    for (size_t i = 0; i < site->count; i++) {
        const struct tt_candidate *candidate = &site->candidates[i];
        struct tt_machine *machine = candidate->machine;
        struct tt_zone_share *share =
            candidate->zone >= 0 ? &site->zones.items[candidate->zone] : NULL;

        if (!share || !share->available || share->kept <= share->target || !stays(machine) ||
            candidate->rank == TT_RANK_FIXED || !machine->healthy)
            continue;
        share->kept--;
        share->movable++;
        replace(machine, TT_BECAUSE_UNEVEN,
                tt_printf(site->view->arena, "zone %s has %d servers of %s and its share is %d",
                          share->name, share->kept + 1, site->service->name, share->target));
    }
}

/* --- creates -------------------------------------------------------------------------------- */

static void add_create(struct site *site, struct tt_machine *replaces)
{
    struct tt_service_view *service = site->service;
    struct tt_create *create = TT_VEC_ADD(site->view->arena, &service->creates);

    *create = (struct tt_create){
        .slot = replaces ? replaces->slot : -1,
        .placement = (int)(site->placement - service->spec->placements.items),
        .zone = tt_zones_take(&site->zones, replaces ? replaces->server->zone : NULL),
        .because = replaces ? replaces->because : TT_BECAUSE_MISSING,
        .replaces = replaces,
        .reason = replaces ? replaces->reason : NULL,
    };
    if (!replaces)
        create->reason = tt_printf(
            site->view->arena, "%s has %d of %d servers in %s/%s", service->name,
            site->placement->count - site->missing, site->placement->count,
            site->placement->account->name, site->placement->region);
}

static int by_slot(const void *a, const void *b)
{
    const struct tt_candidate *one = a, *other = b;

    return (one->machine->slot > other->machine->slot) -
           (one->machine->slot < other->machine->slot);
}

static void ask_for_creates(struct site *site)
{
    size_t replaced = 0;

    for (size_t i = 0; i < site->count; i++)
        replaced += site->candidates[i].machine->fate == TT_FATE_REPLACE;
    site->missing = site->placement->count - (int)site->count;
    if (site->missing < 0)
        site->missing = 0;
    if (!replaced && !site->missing)
        return;
    check_template(site);
    TT_EACH (share, &site->zones)
        share->given = share->kept;
    qsort(site->candidates, site->count, sizeof(*site->candidates), by_slot);
    for (size_t i = 0; i < site->count; i++)
        if (site->candidates[i].machine->fate == TT_FATE_REPLACE)
            add_create(site, site->candidates[i].machine);
    for (int i = 0; i < site->missing; i++)
        add_create(site, NULL);
    if (!site->service->creates.items[site->service->creates.count - 1].zone)
        fail_service(site->view, site->service, "no-zone-available", &site->placement->mark,
                     tt_printf(site->view->arena, "no zone is left for %s: %s",
                               site->service->name, zone_sides(site)));
}

static void place_in_region(struct site *site)
{
    gather(site);
    remove_surplus(site);
    for (size_t i = 0; i < site->count; i++)
        decide(site, &site->candidates[i]);
    share_zones(site);
    even_out(site);
    ask_for_creates(site);
}

/* --- services ------------------------------------------------------------------------------- */

/* Nothing is planned for a service that an error names. */
static void keep_everything(struct tt_service_view *service)
{
    TT_EACH (machine, &service->machines)
        machine->fate = TT_FATE_KEEP;
    service->creates.count = 0;
}

static void give_slots(const struct tt_view *view, struct tt_service_view *service)
{
    struct tt_slot_walk walk;

    tt_slot_walk_init(&walk, view, service);
    TT_EACH (create, &service->creates)
        if (!create->replaces)
            create->slot = tt_slot_walk_next(&walk);
}

static void remove_unplaced(struct tt_view *view, struct tt_service_view *service)
{
    TT_EACH (machine, &service->machines) {
        if (machine->placement >= 0 || machine->frozen || machine->fate != TT_FATE_KEEP)
            continue;
        machine->fate = TT_FATE_REMOVE;
        machine->because = TT_BECAUSE_SURPLUS;
        machine->reason = tt_printf(view->arena, "%s has no placement in %s/%s", service->name,
                                    machine->account->name, machine->region->name);
    }
}

static void place_service(struct tt_view *view, struct tt_arena *scratch,
                          struct tt_service_view *service)
{
    size_t placements = service->spec->placements.count;
    struct site *sites = TT_NEW_ARRAY(scratch, placements, struct site);
    struct tt_standing *standings =
        TT_NEW_ARRAY(scratch, service->machines.count, struct tt_standing);

    for (size_t i = 0; i < placements; i++) {
        const struct tt_placement *placement = &service->spec->placements.items[i];

        sites[i] = (struct site){
            .view = view,
            .scratch = scratch,
            .service = service,
            .placement = placement,
            .region = tt_view_region(view, placement->account->name, placement->region),
            .standings = standings,
        };
        if (!sites[i].region || (!placement->count && !service->machines.count))
            continue;
        if (placement->count)
            check_zones_exist(&sites[i]);
        tt_zones_allowed(scratch, service->spec, placement, sites[i].region, &sites[i].zones);
        report_impaired(&sites[i]);
        assess(&sites[i]);
    }
    bar_unreachable(view, service);
    tt_slots_resolve(view, service, standings);
    for (size_t i = 0; i < placements && !service->blocked; i++)
        if (sites[i].region)
            place_in_region(&sites[i]);
    remove_unplaced(view, service);
    if (service->blocked)
        keep_everything(service);
    else
        give_slots(view, service);
}

static void place_down(struct tt_view *view, struct tt_service_view *service)
{
    bool stopped = service->spec != NULL;

    TT_EACH (machine, &service->machines) {
        if (machine->frozen || (!stopped && !service->deployment->prune))
            continue;
        machine->fate = TT_FATE_REMOVE;
        machine->because = stopped ? TT_BECAUSE_DEPLOYMENT_STOPPED : TT_BECAUSE_REMOVED;
        machine->reason =
            stopped ? tt_printf(view->arena, "%s is stopped", service->deployment->name)
                    : tt_printf(view->arena, "%s left Git",
                                service->deployment->spec ? service->name
                                                          : service->deployment->name);
    }
}

/* --- freezing and orphans ------------------------------------------------------------------- */

static bool freezes(const struct tt_service_view *service, const struct tt_balancer_view *balancer,
                    const struct tt_machine *machine)
{
    const char *account = machine->account->name, *region = machine->region->name;

    if (!balancer->spec || (!balancer->unseen && !balancer->blocked))
        return false;
    if (service->spec)
        return tt_view_is_behind(service, balancer, account, region);
    return balancer->unseen && tt_balancer_covers(balancer->spec, account, region);
}

static void freeze(struct tt_service_view *service)
{
    TT_EACH (balancer, &service->deployment->balancers)
        if ((*balancer)->unseen || (*balancer)->blocked)
            TT_EACH (machine, &service->machines)
                machine->frozen = machine->frozen || freezes(service, *balancer, machine);
}

static void report_orphan(struct tt_view *view, const char *subject,
                          const struct tt_machine *machine)
{
    tt_view_problem(view, TT_SEVERITY_INFO, "orphan", subject, NULL,
                    "%s in %s/%s is left alone: what made it left Git%s",
                    tt_machine_text(view->arena, machine->server), machine->account->name,
                    machine->region->name,
                    view->options->prune ? "" : "; plan with --prune to delete it");
}

static void report_orphans(struct tt_view *view, const struct tt_deployment_view *deployment)
{
    if (deployment->prune)
        return;
    TT_EACH (service, &deployment->services)
        if (!(*service)->spec)
            TT_EACH (machine, &(*service)->machines)
                report_orphan(view,
                              machine->slot < 0
                                  ? tt_service_subject(view, *service)
                                  : tt_printf(view->arena, "%s/%d",
                                              tt_service_subject(view, *service), machine->slot),
                              machine);
    TT_EACH (balancer, &deployment->balancers)
        if (!(*balancer)->spec)
            TT_EACH (machine, &(*balancer)->machines)
                report_orphan(view, tt_balancer_subject(view, *balancer), machine);
}

void tt_place(struct tt_view *view)
{
    TT_EACH (deployment, &view->deployments) {
        TT_EACH (service, &(*deployment)->services) {
            struct tt_arena scratch;

            tt_arena_init(&scratch);
            freeze(*service);
            if ((*service)->spec && (*deployment)->running)
                place_service(view, &scratch, *service);
            else
                place_down(view, *service);
            tt_arena_release(&scratch);
        }
        report_orphans(view, *deployment);
    }
}
