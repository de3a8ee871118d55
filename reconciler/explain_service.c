/*
 * Explain, of services: where each server is and why it stays or goes, which zones, limits and
 * other services bind it, what would follow from a change.
 */
#include <string.h>

#include "base/str.h"
#include "reconciler/explain_parts.h"
#include "reconciler/planner/members.h"
#include "reconciler/planner/zones.h"

/* --- servers -------------------------------------------------------------------------------- */

static void tell_memberships(struct tt_telling *t, const struct tt_service_view *service,
                             const struct tt_machine *machine)
{
    TT_EACH (balancer, &service->deployment->balancers) {
        struct tt_link link;
        int entry;

        if (!tt_view_is_behind(service, *balancer, machine->account->name, machine->region->name))
            continue;
        link = tt_link_of(t->arena, service, *balancer);
        entry = tt_link_entry(&link, machine);
        if ((*balancer)->unseen)
            tt_buf_addf(t->out, "    %s: not observed\n", (*balancer)->name);
        else if (entry < 0)
            tt_buf_addf(t->out, "    %s: not a member\n", (*balancer)->name);
        else
            tt_buf_addf(t->out, "    %s: %s\n", (*balancer)->name,
                        tt_member_state_words[tt_roster_state(&link.target, entry)]);
    }
}

const char *tt_machine_verdict(const struct tt_machine *machine)
{
    if (machine->healthy)
        return "healthy";
    if (machine->pending)
        return "booting, it is waited for";
    return machine->failed ? "failed" : "stopped";
}

static bool is_in_impaired_zone(const struct tt_machine *machine)
{
    const struct tt_zone *zone =
        machine->server->zone ? tt_region_zone(machine->region, machine->server->zone) : NULL;

    return zone && zone->state == TT_ZONE_IMPAIRED;
}

static const char *why_it_stays(struct tt_telling *t, const struct tt_service_view *service,
                                const struct tt_machine *machine)
{
    if (!service->spec)
        return "what left Git is left alone, unless it is pruned";
    if (service->blocked)
        return "an error blocks its service, see above";
    if (machine->barred)
        return "an error names it, see above";
    if (machine->frozen)
        return "it is behind a balancer that cannot be changed now";
    if (machine->pending)
        return "it boots, and what it is to be is looked at when it runs";
    if (machine->fields)
        return tt_printf(t->arena, "it is outdated (%s)%s", machine->reason,
                         is_in_impaired_zone(machine) ? ", and its zone is impaired" : "");
    if (machine->tag)
        return tt_printf(t->arena, "it lost the mark of its slot, and gets that of slot %d",
                         machine->tag_slot);
    return is_in_impaired_zone(machine)
               ? "its zone is impaired; what runs there stays"
               : "it fills its slot in an allowed zone with what the spec asks for";
}

static void tell_machine(struct tt_telling *t, const struct tt_service_view *service,
                         const struct tt_machine *machine)
{
    static const char *const fates[] = {
        [TT_FATE_KEEP] = "stays",
        [TT_FATE_START] = "is started",
        [TT_FATE_REPLACE] = "is replaced",
        [TT_FATE_REMOVE] = "is removed",
    };

    tt_buf_addf(t->out, "  slot %s: %s in %s/%s zone %s, %s\n",
                machine->slot < 0 ? "unknown" : tt_printf(t->arena, "%d", machine->slot),
                tt_machine_text(t->arena, machine->server), machine->account->name,
                machine->region->name, machine->server->zone ? machine->server->zone : "unknown",
                tt_machine_verdict(machine));
    if (machine->fate == TT_FATE_KEEP)
        tt_buf_addf(t->out, "    it stays: %s\n", why_it_stays(t, service, machine));
    else
        tt_buf_addf(t->out, "    it %s because %s: %s\n", fates[machine->fate],
                    tt_because_words[machine->because], machine->reason);
    tell_memberships(t, service, machine);
}

/* --- constraints ---------------------------------------------------------------------------- */

static void tell_zones(struct tt_telling *t, const struct tt_service_view *service,
                       const struct tt_placement *placement)
{
    const struct tt_region *region =
        tt_view_region(t->view, placement->account->name, placement->region);
    struct tt_zone_shares shares;
    struct tt_strings names = {0};

    tt_buf_addf(t->out, "  %s/%s: %d wanted; the placement allows %s\n", placement->account->name,
                placement->region, placement->count,
                tt_strings_join(t->arena, &placement->zones, "every zone"));
    TT_EACH (balancer, &service->spec->balancers)
        if ((*balancer)->scope == TT_SCOPE_DATA_CENTER &&
            tt_balancer_covers(*balancer, placement->account->name, placement->region))
            tt_buf_addf(t->out, "    balancer %s allows %s\n", (*balancer)->name,
                        tt_strings_join(t->arena, &(*balancer)->zones, "none"));
    if (!region) {
        tt_buf_add(t->out, "    it was not observed: nothing is planned there\n");
        return;
    }
    tt_zones_allowed(t->arena, service->spec, placement, region, &shares);
    TT_EACH (share, &shares)
        tt_strings_add(
            t->arena, &names,
            tt_printf(t->arena, "%s%s", share->name, share->available ? "" : " (impaired)"));
    tt_buf_addf(t->out, "    together that leaves %s; counts differ by one at most\n",
                tt_strings_join(t->arena, &names, "no zone"));
}

static void tell_limits(struct tt_telling *t, const struct tt_service_view *service)
{
    tt_buf_addf(t->out,
                "limits: at most %d more machines than wanted (maxSurge), at most %d fewer in "
                "service (maxUnavailable)\n",
                service->surge, service->unavailable);
    TT_EACH (floor, &t->request->plan->floors)
        if (strcmp(floor->deployment, service->deployment->name) == 0 &&
            strcmp(floor->service, service->name) == 0)
            tt_buf_addf(t->out, "  behind %s: %d now, never below %d, %d at the end\n",
                        floor->balancer, floor->now, floor->floor, floor->end);
}

/* Which other services come first, and go last. */
static void tell_dependencies(struct tt_telling *t, const struct tt_service *spec)
{
    TT_EACH (other, &spec->depends_on)
        tt_buf_addf(t->out, "  %s comes first (dependsOn): all its servers are made before\n",
                    (*other)->name);
}

/* What each kind of edit would lead to, so that a person need not try it. */
static void tell_what_if(struct tt_telling *t)
{
    tt_buf_add(t->out,
               "what would follow from a change:\n"
               "  template, size, firewalls, userData, key, network: every server is replaced\n"
               "  count: servers are created, or the most dispensable ones withdrawn and deleted\n"
               "  zones of a placement or a data-center balancer: servers outside are moved\n"
               "  balancers: servers are enrolled or withdrawn, none is replaced\n"
               "  health, drain, update, names: no server is touched\n");
}

/* True when an error names SUBJECT or its SLOT. */
static bool names_error(const struct tt_telling *t, const char *subject, int slot)
{
    TT_EACH (problem, &t->request->plan->problems)
        if (problem->severity == TT_SEVERITY_ERROR && tt_is_part(problem->subject, subject, slot))
            return true;
    return false;
}

/* SLOT -1 is every slot. */
static bool is_of_slot(const struct tt_machine *machine, int slot)
{
    return slot < 0 || tt_slot_told(machine) == slot;
}

/* True when the planner keeps a server of SLOT as it is that it would replace if it could. */
static bool is_held_up(const struct tt_service_view *service, int slot)
{
    TT_EACH (machine, &service->machines)
        if (is_of_slot(machine, slot) && machine->fate == TT_FATE_KEEP && machine->frozen &&
            (machine->failed || machine->fields))
            return true;
    return false;
}

void tt_explain_service(struct tt_telling *t, const struct tt_service_view *service, int slot)
{
    const char *subject =
        tt_printf(t->arena, "Service/%s/%s", service->deployment->name, service->name);
    bool empty = slot >= 0;

    tt_buf_addf(t->out, "%s%s\n", subject, service->spec ? "" : " (it left Git)");
    tt_tell_problems(t, subject, slot);
    if (service->spec && slot < 0) {
        tt_buf_add(t->out, "placements:\n");
        TT_EACH (placement, &service->spec->placements)
            tell_zones(t, service, placement);
        tell_limits(t, service);
        tell_dependencies(t, service->spec);
    }
    tt_buf_add(t->out, "servers:\n");
    TT_EACH (machine, &service->machines)
        if (is_of_slot(machine, slot)) {
            tell_machine(t, service, machine);
            empty = false;
        }
    TT_EACH (create, &service->creates)
        if (slot < 0 || create->slot == slot) {
            tt_buf_addf(t->out, "  slot %d: a new one in zone %s because %s: %s\n", create->slot,
                        create->zone, tt_because_words[create->because], create->reason);
            empty = false;
        }
    if (empty)
        tt_buf_addf(t->out, "  slot %d: it is empty, and the plan makes no server for it\n", slot);
    tt_tell_steps(t, TT_SUBJECT_SERVICE, service->deployment->name, service->name, slot,
                  service->blocked || names_error(t, subject, slot) || is_held_up(service, slot),
                  !service->spec);
    if (service->spec && slot < 0)
        tell_what_if(t);
}
