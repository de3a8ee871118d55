/*
 * Place: the fates of servers, placement by placement.
 *
 * For each placement: rank its machines, choose the surplus, spread what is wanted over the zones,
 * move what is too many in a zone, and ask for the creates that are missing. Duplicates are
 * resolved before, slots are given last, for the whole service.
 */
#include "reconciler/planner/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reconciler/planner/site.h"
#include "reconciler/planner/surplus.h"

/* --- ranking -------------------------------------------------------------------------------- */

static int zone_index(const struct tt_site *site, const struct tt_machine *machine)
{
    const struct tt_zone_share *share = tt_zones_find(&site->zones, machine->server->zone);

    return share ? (int)(share - site->zones.items) : -1;
}

/* Unknown zones are not compared. */
static bool is_outside(const struct tt_site *site, const struct tt_machine *machine)
{
    return machine->server->zone && zone_index(site, machine) < 0;
}

static void assess(struct tt_site *site)
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

static const struct tt_standing *standing_of(const struct tt_site *site,
                                             const struct tt_machine *machine)
{
    return &site->standings[machine - site->service->machines.items];
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

static void gather(struct tt_site *site)
{
    struct tt_service_view *service = site->service;
    int index = (int)(site->placement - service->spec->placements.items);

    site->candidates = TT_NEW_ARRAY(site->scratch, service->machines.count, struct tt_candidate);
    for (size_t i = 0; i < service->machines.count; i++) {
        struct tt_machine *machine = &service->machines.items[i];
        const struct tt_machine *awaits = site->standings[i].awaits;

        if (machine->placement == index && machine->fate == TT_FATE_KEEP &&
            !site->standings[i].extra)
            site->candidates[site->count++] = (struct tt_candidate){
                .machine = machine,
                .rank = rank_of(machine, &site->standings[i]),
                .zone = zone_index(site, awaits ? awaits : machine),
            };
    }
}

/* --- fates ---------------------------------------------------------------------------------- */

static const char *surplus_reason(const struct tt_site *site, const struct tt_candidate *candidate)
{
    static const char *const why[] = {
        [TT_RANK_FAILED] = "it failed",
        [TT_RANK_OUTSIDE] = "it is outside the allowed zones",
        [TT_RANK_OUTDATED] = "it is outdated",
        [TT_RANK_GOOD] = "it is the newest in the fullest zone",
        [TT_RANK_FIXED] = "",
    };

    return tt_printf(site->view->arena, "%s has %zu %s in %s/%s and wants %d%s%s",
                     site->service->name, site->count, site->count == 1 ? "server" : "servers",
                     site->placement->account->name, site->placement->region,
                     site->placement->count, site->placement->count ? "; " : "",
                     site->placement->count ? why[candidate->rank] : "");
}

static void remove_surplus(struct tt_site *site)
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

static const char *allowed_text(struct tt_site *site)
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

static bool is_in_impaired_zone(const struct tt_site *site, const struct tt_candidate *candidate)
{
    const struct tt_zone_share *zone =
        candidate->zone >= 0 && site->zones.items ? &site->zones.items[candidate->zone] : NULL;

    return zone && !zone->available;
}

/* What must be replaced whatever the spread says. What runs in an impaired zone stays. */
static void decide(struct tt_site *site, const struct tt_candidate *candidate)
{
    struct tt_machine *machine = candidate->machine;
    struct tt_arena *arena = site->view->arena;
    bool impaired = is_in_impaired_zone(site, candidate);

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

static void share_zones(struct tt_site *site)
{
    int fixed = 0, total = site->placement->count;

    if (total < (int)site->count)
        total = (int)site->count; /* some cannot go */
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
    tt_zones_spread(&site->zones, fixed < total ? total - fixed : 0);
}

static int newer_first(const void *a, const void *b)
{
    return tt_newer_first(((const struct tt_candidate *)a)->machine,
                          ((const struct tt_candidate *)b)->machine);
}

/* Moves MACHINE when its zone has more than its share. */
static void move_out(struct tt_site *site, const struct tt_candidate *candidate)
{
    struct tt_machine *machine = candidate->machine;
    struct tt_zone_share *share = candidate->zone >= 0 ? &site->zones.items[candidate->zone] : NULL;

    if (!share || !share->available || share->kept <= share->target)
        return;
    share->kept--;
    share->movable++;
    replace(machine, TT_BECAUSE_UNEVEN,
            tt_printf(site->view->arena, "zone %s has more servers of %s than its even share of %d",
                      share->name, site->service->name, share->target));
}

/* Moves machines out of zones that have more than their share: those that stand still first, then
 * the newest. */
static void even_out(struct tt_site *site)
{
    qsort(site->candidates, site->count, sizeof(*site->candidates), newer_first);
    for (size_t i = 0; i < site->count; i++)
        if (site->candidates[i].machine->fate == TT_FATE_START &&
            site->candidates[i].rank != TT_RANK_FIXED)
            move_out(site, &site->candidates[i]);
    for (size_t i = 0; i < site->count; i++)
        if (site->candidates[i].machine->fate == TT_FATE_KEEP &&
            site->candidates[i].machine->healthy && site->candidates[i].rank != TT_RANK_FIXED &&
            !standing_of(site, site->candidates[i].machine)->awaits)
            move_out(site, &site->candidates[i]);
}

/* --- creates -------------------------------------------------------------------------------- */

static void add_create(struct tt_site *site, struct tt_machine *replaces)
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
        create->reason =
            tt_printf(site->view->arena, "%s has %d of %d servers in %s/%s", service->name,
                      site->placement->count - site->missing, site->placement->count,
                      site->placement->account->name, site->placement->region);
}

static int by_slot(const void *a, const void *b)
{
    const struct tt_candidate *one = a, *other = b;

    return (one->machine->slot > other->machine->slot) -
           (one->machine->slot < other->machine->slot);
}

static void ask_for_creates(struct tt_site *site)
{
    size_t replaced = 0;

    for (size_t i = 0; i < site->count; i++)
        replaced += site->candidates[i].machine->fate == TT_FATE_REPLACE;
    site->missing = site->placement->count - (int)site->count;
    if (site->missing < 0)
        site->missing = 0;
    if (!replaced && !site->missing)
        return;
    tt_site_check_template(site);
    TT_EACH (share, &site->zones)
        share->given = share->kept;
    qsort(site->candidates, site->count, sizeof(*site->candidates), by_slot);
    for (size_t i = 0; i < site->count; i++)
        if (site->candidates[i].machine->fate == TT_FATE_REPLACE)
            add_create(site, site->candidates[i].machine);
    for (int i = 0; i < site->missing; i++)
        add_create(site, NULL);
    if (!site->service->creates.items[site->service->creates.count - 1].zone)
        tt_fail_service(site->view, site->service, "no-zone-available", &site->placement->mark,
                        tt_printf(site->view->arena, "no zone is left for %s: %s",
                                  site->service->name, tt_site_zone_sides(site)));
}

static void place_in_region(struct tt_site *site)
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
    tt_bar_unreachable(service);
}

static void give_slots(const struct tt_view *view, struct tt_service_view *service,
                       const struct tt_standing *standings)
{
    struct tt_slot_walk walk;

    tt_slot_walk_init(&walk, view, service);
    TT_EACH (machine, &service->machines) {
        machine->tag = machine->slot < 0 && stays(machine) && !machine->barred;
        if (machine->tag)
            machine->tag_slot = tt_slot_walk_next(&walk);
    }
    TT_EACH (create, &service->creates)
        if (!create->replaces || tt_slot_is_shared(service, standings, create->replaces))
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
    struct tt_site *sites = TT_NEW_ARRAY(scratch, placements, struct tt_site);
    struct tt_standing *standings =
        TT_NEW_ARRAY(scratch, service->machines.count, struct tt_standing);

    for (size_t i = 0; i < placements; i++) {
        const struct tt_placement *placement = &service->spec->placements.items[i];

        sites[i] = (struct tt_site){
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
            tt_site_check_zones(&sites[i]);
        tt_zones_allowed(scratch, service->spec, placement, sites[i].region, &sites[i].zones);
        tt_site_report_impaired(&sites[i]);
        assess(&sites[i]);
    }
    tt_bar_unreachable(service);
    tt_slots_resolve(view, service, standings);
    for (size_t i = 0; i < placements && !service->blocked; i++)
        if (sites[i].region)
            place_in_region(&sites[i]);
    remove_unplaced(view, service);
    tt_slots_finish(service, standings);
    if (service->blocked)
        keep_everything(service);
    else
        give_slots(view, service, standings);
    tt_report_unreachable(view, service);
    tt_report_pending(view, service);
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
            stopped
                ? tt_printf(view->arena, "%s is stopped", service->deployment->name)
                : tt_printf(view->arena, "%s left Git",
                            service->deployment->spec ? service->name : service->deployment->name);
    }
}

void tt_place(struct tt_view *view)
{
    TT_EACH (deployment, &view->deployments) {
        TT_EACH (service, &(*deployment)->services) {
            struct tt_arena scratch;

            tt_arena_init(&scratch);
            tt_freeze(view, *service);
            if ((*service)->spec && (*deployment)->running)
                place_service(view, &scratch, *service);
            else
                place_down(view, *service);
            tt_arena_release(&scratch);
        }
        tt_report_orphans(view, *deployment);
    }
}
