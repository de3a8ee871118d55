/*
 * Explain: finds the subject in the planner's own view of the world and tells what the planner saw
 * and decided there.
 */
#include "reconciler/explain.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/explain_parts.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/place.h"
#include "reconciler/planner/view.h"

/* The number of a slot; -1: TEXT is none. */
static int slot_of(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits && digits < 10 && !text[digits] ? (int)strtol(text, NULL, 10) : -1;
}

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

bool tt_is_part(const char *part, const char *subject, int slot)
{
    const char *rest = tt_starts_with(part, subject) ? part + strlen(subject) : NULL;

    return rest && (!*rest || (*rest == '/' && (slot < 0 || slot_of(rest + 1) == slot)));
}

void tt_tell_problems(struct tt_telling *t, const char *subject, int slot)
{
    TT_EACH (problem, &t->request->plan->problems)
        if (tt_is_part(problem->subject, subject, slot))
            tt_buf_addf(t->out, "%s[%s]: %s\n", tt_severity_words[problem->severity], problem->code,
                        problem->message);
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
                tt_explain_service(t, *service, slot);
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
                    tt_explain_service(t, *service, tt_slot_told(machine));
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
        if (tt_slot_told(machine) == slot)
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
                tt_explain_service(t, *service, slot);
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
