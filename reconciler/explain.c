/*
 * Explain: finds the subject in the planner's own view of the world and tells what the planner saw
 * and decided there.
 */
#include "reconciler/explain.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/planner/balance.h"
#include "reconciler/planner/members.h"
#include "reconciler/planner/place.h"
#include "reconciler/planner/view.h"
#include "reconciler/planner/zones.h"

struct telling {
    struct tt_arena *arena;
    const struct tt_explain_request *request;
    struct tt_view *view;
    struct tt_buf *out;
};

/* --- steps ---------------------------------------------------------------------------------- */

static void tell_step(struct telling *t, const struct tt_step *step)
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

static void tell_steps(struct telling *t, enum tt_subject_kind kind, const char *deployment,
                       const char *name, int slot)
{
    int count = 0;

    tt_buf_add(t->out, "steps planned:\n");
    TT_EACH (step, &t->request->plan->steps)
        if (is_about(step, kind, deployment, name, slot)) {
            tell_step(t, step);
            count++;
        }
    if (!count)
        tt_buf_add(t->out, "  none: it is as Git asks\n");
}

static void tell_problems(struct telling *t, const char *subject)
{
    size_t length = strlen(subject);

    TT_EACH (problem, &t->request->plan->problems)
        if (strncmp(problem->subject, subject, length) == 0 &&
            (problem->subject[length] == '\0' || problem->subject[length] == '/'))
            tt_buf_addf(t->out, "%s[%s]: %s\n", tt_severity_words[problem->severity], problem->code,
                        problem->message);
}

/* --- servers -------------------------------------------------------------------------------- */

static void tell_memberships(struct telling *t, const struct tt_service_view *service,
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

static const char *verdict(const struct tt_machine *machine)
{
    if (machine->healthy)
        return "healthy";
    if (machine->pending)
        return "booting, it is waited for";
    return machine->failed ? "failed" : "stopped";
}

static void tell_machine(struct telling *t, const struct tt_service_view *service,
                         const struct tt_machine *machine)
{
    static const char *const fates[] = {
        [TT_FATE_KEEP] = "stays",
        [TT_FATE_START] = "is started",
        [TT_FATE_REPLACE] = "is replaced",
        [TT_FATE_REMOVE] = "is removed",
    };

    tt_buf_addf(t->out, "  slot %d: %s in %s/%s zone %s, %s\n", machine->slot,
                tt_machine_text(t->arena, machine->server), machine->account->name,
                machine->region->name, machine->server->zone ? machine->server->zone : "unknown",
                verdict(machine));
    if (machine->fate == TT_FATE_KEEP)
        tt_buf_addf(t->out, "    it stays: it fills its slot%s\n",
                    machine->frozen ? ", and it is behind a balancer that cannot be changed now"
                                    : " in an allowed zone with what the spec asks for");
    else
        tt_buf_addf(t->out, "    it %s because %s: %s\n", fates[machine->fate],
                    tt_because_words[machine->because], machine->reason);
    tell_memberships(t, service, machine);
}

/* --- constraints ---------------------------------------------------------------------------- */

static void tell_zones(struct telling *t, const struct tt_service_view *service,
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

static void tell_limits(struct telling *t, const struct tt_service_view *service)
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

/* What each kind of edit would lead to, so that a person need not try it. */
static void tell_what_if(struct telling *t)
{
    tt_buf_add(t->out,
               "what would follow from a change:\n"
               "  template, size, firewalls, userData, key, network: every server is replaced\n"
               "  count: servers are created, or the most dispensable ones withdrawn and deleted\n"
               "  zones of a placement or a data-center balancer: servers outside are moved\n"
               "  balancers: servers are enrolled or withdrawn, none is replaced\n"
               "  health, drain, update, names: no server is touched\n");
}

static void explain_service(struct telling *t, const struct tt_service_view *service, int slot)
{
    const char *subject =
        tt_printf(t->arena, "Service/%s/%s", service->deployment->name, service->name);

    tt_buf_addf(t->out, "%s%s\n", subject, service->spec ? "" : " (it left Git)");
    tell_problems(t, subject);
    if (service->spec && slot < 0) {
        tt_buf_add(t->out, "placements:\n");
        TT_EACH (placement, &service->spec->placements)
            tell_zones(t, service, placement);
        tell_limits(t, service);
    }
    tt_buf_add(t->out, "servers:\n");
    TT_EACH (machine, &service->machines)
        if (slot < 0 || machine->slot == slot)
            tell_machine(t, service, machine);
    TT_EACH (create, &service->creates)
        if (slot < 0 || create->slot == slot)
            tt_buf_addf(t->out, "  slot %d: a new one in zone %s because %s: %s\n", create->slot,
                        create->zone, tt_because_words[create->because], create->reason);
    tell_steps(t, TT_SUBJECT_SERVICE, service->deployment->name, service->name, slot);
    if (service->spec && slot < 0)
        tell_what_if(t);
}

static void explain_balancer(struct telling *t, const struct tt_balancer_view *balancer)
{
    const char *subject =
        tt_printf(t->arena, "LoadBalancer/%s/%s", balancer->deployment->name, balancer->name);

    tt_buf_addf(t->out, "%s%s\n", subject, balancer->spec ? "" : " (it left Git)");
    tell_problems(t, subject);
    if (balancer->spec)
        tt_buf_addf(t->out, "%s, %s, in %s/%s%s\n", tt_balancer_type_words[balancer->spec->type],
                    tt_scope_words[balancer->spec->scope], balancer->spec->account->name,
                    balancer->spec->region, balancer->unseen ? ", which was not observed" : "");
    if (balancer->serving)
        tt_buf_addf(t->out, "clients reach %s now\n", tt_machine_text(t->arena, balancer->serving));
    TT_EACH (machine, &balancer->machines)
        tt_buf_addf(t->out, "  machine %s: %s%s%s\n", tt_machine_text(t->arena, machine->server),
                    verdict(machine), machine->fate == TT_FATE_REMOVE ? ", it is removed: " : "",
                    machine->fate == TT_FATE_REMOVE ? machine->reason : "");
    tt_buf_add(t->out, "services behind it:\n");
    TT_EACH (service, &balancer->deployment->services)
        if ((*service)->spec && balancer->spec &&
            tt_service_is_behind((*service)->spec, balancer->spec))
            tt_buf_addf(t->out, "  %s\n", (*service)->name);
    tell_steps(t, TT_SUBJECT_LOAD_BALANCER, balancer->deployment->name, balancer->name, -1);
}

/* --- finding the subject -------------------------------------------------------------------- */

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
    *ret_slot = -1;
    if (count > 1 && strspn(parts[count - 1], "0123456789") == strlen(parts[count - 1])) {
        *ret_slot = atoi(parts[count - 1]);
        count--;
    }
    *ret_deployment = count == 2 ? parts[0] : NULL;
    *ret_name = count == 2 ? parts[1] : parts[0];
}

static bool explain_named(struct telling *t, const char *subject)
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
                explain_balancer(t, *balancer);
                found = true;
            }
    }
    return found;
}

static bool explain_step(struct telling *t, const char *subject)
{
    char *end;
    long number = subject[0] == 's' ? strtol(subject + 1, &end, 10) : 0;

    if (number < 1 || *end || (size_t)number > t->request->plan->steps.count)
        return false;
    tell_step(t, &t->request->plan->steps.items[number - 1]);
    return true;
}

static bool explain_server(struct telling *t, const char *id)
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
                    explain_balancer(t, *balancer);
                    return true;
                }
    }
    return false;
}

int tt_explain(struct tt_arena *arena, const struct tt_explain_request *request,
               const char *subject, struct tt_buf *out, struct tt_error *err)
{
    struct telling t = {
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
              : explain_step(&t, subject) || explain_server(&t, subject))
        return 0;
    return tt_fail(err, TT_ERR_NOT_FOUND,
                   "there is no %s: give Service/[DEPLOYMENT/]NAME[/SLOT], "
                   "LoadBalancer/[DEPLOYMENT/]NAME, a server's id or name, or a step of the plan "
                   "(s1)",
                   subject);
}
