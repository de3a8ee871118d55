/*
 * Explain: finds the subject in the planner's own view of the world and tells what the planner saw
 * and decided there.
 */
#include "reconciler/explain.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/explain_parts.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/members.h"
#include "reconciler/planner/place.h"
#include "reconciler/planner/view.h"
#include "reconciler/planner/zones.h"

/* --- steps ---------------------------------------------------------------------------------- */

static void tell_step(struct tt_telling *t, const struct tt_step *step)
{
    long number = step - t->request->plan->steps.items + 1;

    tt_buf_addf(t->out, "  s%ld %s %s%s%s because %s%s\n      %s\n", number,
                tt_action_words[step->action], tt_subject_text(t->arena, &step->subject),
                step->balancer ? " at " : "", step->balancer ? step->balancer : "",
                tt_because_words[step->because], step->held ? " (held)" : "", step->reason);
    if (!step->after.count)
        return;
    tt_buf_add(t->out, "      waits for");
    TT_EACH (index, &step->after)
        tt_buf_addf(t->out, "%s s%d", index == step->after.items ? "" : ",", *index + 1);
    tt_buf_add(t->out, "\n");
}

static bool is_about(const struct tt_step *step, enum tt_subject_kind kind, const char *deployment,
                     const char *name, int slot)
{
    return step->subject.kind == kind && strcmp(step->subject.deployment, deployment) == 0 &&
           strcmp(step->subject.name, name) == 0 && (slot < 0 || step->subject.slot == slot);
}

void tt_tell_steps(struct tt_telling *t, enum tt_subject_kind kind, const char *deployment,
                   const char *name, int slot, bool blocked, bool left)
{
    int count = 0;

    tt_buf_add(t->out, "steps planned:\n");
    TT_EACH (step, &t->request->plan->steps)
        if (is_about(step, kind, deployment, name, slot)) {
            tell_step(t, step);
            count++;
        }
    if (!count)
        tt_buf_addf(t->out, "  none%s\n",
                    blocked ? ": see what stands in the way above"
                    : left  ? ": what left Git is left alone"
                            : ": it is as Git asks, or waited for");
}

void tt_tell_problems(struct tt_telling *t, const char *subject)
{
    size_t length = strlen(subject);

    TT_EACH (problem, &t->request->plan->problems)
        if (strncmp(problem->subject, subject, length) == 0 &&
            (problem->subject[length] == '\0' || problem->subject[length] == '/'))
            tt_buf_addf(t->out, "%s[%s]: %s\n", tt_severity_words[problem->severity], problem->code,
                        problem->message);
}

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

/* True when an error names SUBJECT or a part of it. */
static bool names_error(const struct tt_telling *t, const char *subject)
{
    TT_EACH (problem, &t->request->plan->problems)
        if (problem->severity == TT_SEVERITY_ERROR && tt_starts_with(problem->subject, subject))
            return true;
    return false;
}

/* True when the planner keeps a server of SLOT as it is that it would replace if it could. */
static bool is_held_up(const struct tt_service_view *service, int slot)
{
    TT_EACH (machine, &service->machines)
        if ((slot < 0 || machine->slot == slot) && machine->fate == TT_FATE_KEEP &&
            machine->frozen && (machine->failed || machine->fields))
            return true;
    return false;
}

static void explain_service(struct tt_telling *t, const struct tt_service_view *service, int slot)
{
    const char *subject =
        tt_printf(t->arena, "Service/%s/%s", service->deployment->name, service->name);
    bool empty = slot >= 0;

    tt_buf_addf(t->out, "%s%s\n", subject, service->spec ? "" : " (it left Git)");
    tt_tell_problems(t, subject);
    if (service->spec && slot < 0) {
        tt_buf_add(t->out, "placements:\n");
        TT_EACH (placement, &service->spec->placements)
            tell_zones(t, service, placement);
        tell_limits(t, service);
        tell_dependencies(t, service->spec);
    }
    tt_buf_add(t->out, "servers:\n");
    TT_EACH (machine, &service->machines)
        if (slot < 0 || machine->slot == slot) {
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
                  service->blocked || names_error(t, subject) || is_held_up(service, slot),
                  !service->spec);
    if (service->spec && slot < 0)
        tell_what_if(t);
}

/* --- finding the subject -------------------------------------------------------------------- */

/* The number of a slot; -1: TEXT is none. */
static int slot_of(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits && digits < 10 && !text[digits] ? (int)strtol(text, NULL, 10) : -1;
}

/* Splits "Service/storefront/web/3" after its kind; DEPLOYMENT is NULL and SLOT -1 when not
 * given. */
static void split(struct tt_arena *arena, const char *rest, const char **ret_deployment,
                  const char **ret_name, int *ret_slot)
{
    char *copy = tt_strdup(arena, rest);
    char *parts[3] = {0};
    size_t count = 0;
    char *save = NULL;

    for (char *part = strtok_r(copy, "/", &save); part && count < 3;
         part = strtok_r(NULL, "/", &save))
        parts[count++] = part;
    *ret_slot = count > 1 ? slot_of(parts[count - 1]) : -1;
    if (*ret_slot >= 0)
        count--;
    *ret_deployment = count == 2 ? parts[0] : NULL;
    *ret_name = count == 2 ? parts[1] : parts[0];
}

static bool explain_named(struct tt_telling *t, const char *subject)
{
    bool is_service = tt_starts_with(subject, "Service/");
    const char *deployment, *name;
    bool found = false;
    int slot;

    split(t->arena, strchr(subject, '/') + 1, &deployment, &name, &slot);
    if (!name)
        return false;
    TT_EACH (view, &t->view->deployments) {
        if (deployment && strcmp((*view)->name, deployment) != 0)
            continue;
        TT_EACH (service, &(*view)->services)
            if (is_service && strcmp((*service)->name, name) == 0) {
                explain_service(t, *service, slot);
                found = true;
            }
        TT_EACH (balancer, &(*view)->balancers)
            if (!is_service && strcmp((*balancer)->name, name) == 0) {
                tt_explain_balancer(t, *balancer);
                found = true;
            }
    }
    return found;
}

/* On what the step acts. */
static void tell_place(struct tt_telling *t, const struct tt_step *step)
{
    tt_buf_addf(t->out, "      in %s/%s%s%s%s%s\n", step->account, step->region,
                step->zone ? " zone " : "", step->zone ? step->zone : "",
                step->server ? ", server " : "", step->server ? step->server : "");
}

/* The steps that wait for it. */
static void tell_later(struct tt_telling *t, int number)
{
    const struct tt_plan *plan = t->request->plan;
    struct tt_strings later = {0};

    TT_EACH (step, &plan->steps)
        TT_EACH (index, &step->after)
            if (*index == number)
                tt_strings_add(t->arena, &later,
                               tt_printf(t->arena, "s%d", (int)(step - plan->steps.items) + 1));
    tt_buf_addf(t->out, "      waited for by %s\n",
                tt_strings_join(t->arena, &later, "no other step"));
}

static bool explain_step(struct tt_telling *t, const char *subject)
{
    char *end;
    long number = subject[0] == 's' ? strtol(subject + 1, &end, 10) : 0;

    if (number < 1 || *end || (size_t)number > t->request->plan->steps.count)
        return false;
    tell_step(t, &t->request->plan->steps.items[number - 1]);
    tell_place(t, &t->request->plan->steps.items[number - 1]);
    tell_later(t, (int)number - 1);
    return true;
}

static bool explain_server(struct tt_telling *t, const char *id)
{
    TT_EACH (deployment, &t->view->deployments) {
        TT_EACH (service, &(*deployment)->services)
            TT_EACH (machine, &(*service)->machines)
                if (strcmp(machine->server->id, id) == 0 || tt_streq(machine->server->name, id)) {
                    explain_service(t, *service, machine->slot);
                    return true;
                }
        TT_EACH (balancer, &(*deployment)->balancers)
            TT_EACH (machine, &(*balancer)->machines)
                if (strcmp(machine->server->id, id) == 0 || tt_streq(machine->server->name, id)) {
                    tt_explain_balancer(t, *balancer);
                    return true;
                }
    }
    return false;
}

static bool has_slot(const struct tt_service_view *service, int slot)
{
    TT_EACH (machine, &service->machines)
        if (machine->slot == slot)
            return true;
    TT_EACH (create, &service->creates)
        if (create->slot == slot)
            return true;
    return false;
}

/* A slot as the text of a plan names it: "web-3". */
static bool explain_slot(struct tt_telling *t, const char *subject)
{
    const char *dash = strrchr(subject, '-');
    int slot = dash ? slot_of(dash + 1) : -1;
    bool found = false;
    const char *name;

    if (slot < 0)
        return false;
    name = tt_strndup(t->arena, subject, (size_t)(dash - subject));
    TT_EACH (deployment, &t->view->deployments)
        TT_EACH (service, &(*deployment)->services)
            if (strcmp((*service)->name, name) == 0 && has_slot(*service, slot)) {
                explain_service(t, *service, slot);
                found = true;
            }
    return found;
}

int tt_explain(struct tt_arena *arena, const struct tt_explain_request *request,
               const char *subject, struct tt_buf *out, struct tt_error *err)
{
    struct tt_telling t = {
        .arena = arena,
        .request = request,
        .view = tt_view_new(arena, request->desired, request->world, request->memory, request->now,
                            request->options),
        .out = out,
    };
    bool named = tt_starts_with(subject, "Service/") || tt_starts_with(subject, "LoadBalancer/");

    tt_balance(t.view);
    tt_place(t.view);
    if (named ? explain_named(&t, subject)
              : explain_step(&t, subject) || explain_server(&t, subject) ||
                    tt_explain_foreign(&t, subject) || explain_slot(&t, subject))
        return 0;
    return tt_fail(
        err, TT_ERR_NOT_FOUND,
        "there is no %s: give Service/[DEPLOYMENT/]NAME[/SLOT], "
        "LoadBalancer/[DEPLOYMENT/]NAME, a server's id or name, a slot (web-0) or a step "
        "(s1) of the plan",
        subject);
}
