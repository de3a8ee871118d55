/*
 * Diff: memberships that are missing, machines that go.
 *
 * First every machine that stays is looked up in the rosters of its balancers: what is not there
 * joins, what is there is ticked off. Then the entries that were not ticked are asked whose they
 * are (diff_entries.c): they leave, or are left alone.
 */
#include "reconciler/planner/diff.h"

#include <string.h>

#include "base/str.h"
#include "reconciler/planner/diff_entries.h"

static bool is_following(const struct tt_balancer_view *balancer)
{
    return balancer->create || balancer->replaced;
}

/* Why an existing machine joins; NULL: it does not. */
static const char *joining_reason(struct tt_view *view, const struct tt_link *link,
                                  const struct tt_machine *machine, int entry)
{
    const char *who = tt_machine_text(view->arena, machine->server);
    const char *balancer = link->balancer->name;

    if (entry < 0 && is_following(link->balancer))
        return tt_printf(view->arena, "%s gets another machine and %s follows", balancer, who);
    if (entry < 0)
        return tt_printf(view->arena, "%s is not a member of %s", who, balancer);
    if (tt_roster_state(&link->target, entry) == TT_MEMBER_DRAINING)
        return tt_printf(view->arena, "%s is draining at %s and is wanted", who, balancer);
    return NULL;
}

static enum tt_because joining_because(const struct tt_link *link, const struct tt_machine *machine)
{
    const struct tt_balancer_view *balancer = link->balancer;

    if (machine->fate == TT_FATE_START || !is_following(balancer))
        return TT_BECAUSE_DRIFT;
    if (!balancer->serving && !balancer->gone)
        return TT_BECAUSE_MISSING;
    return TT_BECAUSE_BALANCER_REPLACED;
}

static bool covers(const struct tt_link *link, const struct tt_machine *machine)
{
    return tt_balancer_covers(link->balancer->spec, machine->account->name, machine->region->name);
}

/* A server without a placement stays when its service is blocked or it is frozen: then it serves
 * on through the balancer's new machine. */
static bool follows(const struct tt_link *link, const struct tt_machine *machine)
{
    return is_following(link->balancer) && tt_link_enrolled(link, machine);
}

/* Looks a machine that stays up at one balancer. */
static void compare_membership(struct tt_view *view, struct tt_roster_ticks *ticks,
                               const struct tt_link *link, struct tt_machine *machine,
                               struct tt_arrival *arrival)
{
    bool left_alone = (link->service->blocked || machine->barred) && !is_following(link->balancer);
    const char *reason;
    int entry;

    if (!link->usable || !covers(link, machine))
        return;
    entry = tt_link_entry(link, machine);
    if (entry >= 0)
        tt_ticks_mark(ticks, link->balancer, entry);
    if (left_alone || (!machine->healthy && machine->fate != TT_FATE_START))
        return;
    if ((machine->placement < 0 && !follows(link, machine)) ||
        !link->service->deployment->running || !tt_link_takes(link, machine) ||
        (machine->barred && !tt_member_address(link->balancer, machine)))
        return;
    reason = joining_reason(view, link, machine, entry);
    if (reason)
        *TT_VEC_ADD(view->arena, &arrival->joins) = (struct tt_joining){
            .link = link,
            .because = joining_because(link, machine),
            .gain = !tt_link_serves(link, machine),
            .reason = reason,
        };
}

static void compare_machine(struct tt_view *view, struct tt_roster_ticks *ticks,
                            struct tt_service_change *change, struct tt_machine *machine)
{
    struct tt_arrival arrival = {.machine = machine, .start = machine->fate == TT_FATE_START};

    TT_EACH (link, &change->links)
        compare_membership(view, ticks, link, machine, &arrival);
    if (arrival.start || arrival.joins.count)
        *TT_VEC_ADD(view->arena, &change->arrivals) = arrival;
}

/* Where nobody can say who is in a pool, whoever goes leaves it in any case; a machine that runs no
 * more, or fails, cannot be told and needs not. A replacement's pool is filled by this plan, which
 * lets those leave that it enrols (turns_depart.c). */
static void leave_silent_pools(struct tt_view *view, const struct tt_service_change *change,
                               struct tt_departure *departure)
{
    TT_EACH (link, &change->links) {
        const char *address = tt_member_address(link->balancer, departure->machine);
        const struct tt_server *target = link->balancer->target;

        if (link->usable && !link->balancer->replaced && !link->target.cloud &&
            !link->target.pool && target && target->state == TT_SERVER_RUNNING &&
            target->health != TT_HEALTH_FAILING && address && covers(link, departure->machine))
            *TT_VEC_ADD(view->arena, &departure->leaves) = (struct tt_leaving){
                .balancer = link->balancer,
                .address = tt_printf(view->arena, "%s:%d", address, link->service->spec->port),
            };
    }
}

static void add_departure(struct tt_view *view, struct tt_service_change *change,
                          struct tt_machine *machine)
{
    struct tt_departure *departure = TT_VEC_ADD(view->arena, &change->departures);

    *departure = (struct tt_departure){
        .machine = machine,
        .server = machine->server->id,
        .slot = machine->slot,
        .delete = true,
        .because = machine->because,
        .reason = machine->reason,
    };
    leave_silent_pools(view, change, departure);
}

static void add_create(struct tt_view *view, struct tt_service_change *change,
                       const struct tt_create *create)
{
    const struct tt_service *spec = change->service->spec;
    const struct tt_placement *placement = &spec->placements.items[create->placement];
    struct tt_arrival *arrival = TT_VEC_ADD(view->arena, &change->arrivals);

    *arrival = (struct tt_arrival){.create = create};
    TT_EACH (link, &change->links)
        if (link->usable &&
            tt_balancer_covers(link->balancer->spec, placement->account->name, placement->region))
            *TT_VEC_ADD(view->arena, &arrival->joins) = (struct tt_joining){
                .link = link,
                .because = create->because,
                .gain = true,
                .reason = create->reason,
            };
}

static void add_links(struct tt_view *view, struct tt_service_change *change)
{
    const struct tt_service_view *service = change->service;

    if (!service->spec)
        return;
    TT_EACH (balancer, &service->deployment->balancers)
        if ((*balancer)->spec && tt_service_is_behind(service->spec, (*balancer)->spec))
            *TT_VEC_ADD(view->arena, &change->links) = tt_link_of(view->arena, service, *balancer);
}

static void diff_service(struct tt_view *view, struct tt_roster_ticks *ticks,
                         struct tt_service_change *change)
{
    struct tt_service_view *service = change->service;

    add_links(view, change);
    TT_EACH (machine, &service->machines) {
        if (machine->fate == TT_FATE_KEEP || machine->fate == TT_FATE_START)
            compare_machine(view, ticks, change, machine);
        else
            add_departure(view, change, machine);
    }
    TT_EACH (create, &service->creates)
        add_create(view, change, create);
}

struct tt_changes *tt_diff(struct tt_view *view)
{
    struct tt_changes *changes = TT_NEW(view->arena, struct tt_changes);
    bool everything_seen = tt_diff_sees_everything(view);

    TT_EACH (deployment, &view->deployments) {
        struct tt_deployment_change *change = TT_VEC_ADD(view->arena, &changes->deployments);
        struct tt_roster_ticks ticks;

        *change = (struct tt_deployment_change){.deployment = *deployment};
        tt_ticks_init(&ticks, view->arena, *deployment);
        TT_EACH (service, &(*deployment)->services)
            *TT_VEC_ADD(view->arena, &change->services) =
                (struct tt_service_change){.service = *service};
        TT_EACH (service, &change->services)
            diff_service(view, &ticks, service);
        tt_diff_entries(view, &ticks, everything_seen, change);
        tt_diff_lent(view, everything_seen, change);
    }
    return changes;
}
