/*
 * Guard: counts deletions, vanished machines and balancers that fail at the same time, and holds.
 */
#include "reconciler/planner/guard.h"

#include <string.h>

#define VANISHED_LEAST 4 /* of fewer machines no loss is a mass loss */

#define MASS_LEAST 3 /* of fewer balancers no failure is a mass failure */

/* Deletions that nothing replaces. */
static bool is_destruction(const struct tt_step *step)
{
    return step->action == TT_STEP_DELETE_SERVER &&
           (step->because == TT_BECAUSE_SURPLUS || step->because == TT_BECAUSE_REMOVED ||
            step->because == TT_BECAUSE_DUPLICATE);
}

static bool is_over(int part, int whole, int percent)
{
    return (long)part * 100 > (long)whole * percent;
}

static struct tt_guard guard_of(const struct tt_view *view,
                                const struct tt_deployment_view *deployment)
{
    return deployment->spec ? deployment->spec->guard : view->desired->guard;
}

static bool destroys_too_much(struct tt_view *view, const struct tt_deployment_view *deployment,
                              int deletions)
{
    int percent = guard_of(view, deployment).max_destroy;

    if (deletions <= 1 || deletions <= view->options->allow_destroy ||
        !is_over(deletions, deployment->owned, percent))
        return false;
    tt_view_problem(view, TT_SEVERITY_WARNING, "guard-held",
                    tt_printf(view->arena, "Deployment/%s", deployment->name),
                    deployment->spec ? &deployment->spec->mark : NULL,
                    "%d of %d servers would be deleted, guard.maxDestroy is %d%%: every step is "
                    "held; allow it with --allow-destroy %d",
                    deletions, deployment->owned, percent, deletions);
    return true;
}

static bool lost_too_much(struct tt_view *view, const struct tt_deployment_view *deployment)
{
    int percent = guard_of(view, deployment).max_vanished;
    int total = deployment->owned + deployment->gone;

    if (total < VANISHED_LEAST || view->options->allow_vanished ||
        !is_over(deployment->gone, total, percent))
        return false;
    tt_view_problem(view, TT_SEVERITY_WARNING, "guard-held",
                    tt_printf(view->arena, "Deployment/%s", deployment->name),
                    deployment->spec ? &deployment->spec->mark : NULL,
                    "%d of %d servers vanished without our doing, guard.maxVanished is %d%%: every "
                    "step is held; find out why, then allow it with --allow-vanished",
                    deployment->gone, total, percent);
    return true;
}

static void hold_balancers(const struct tt_deployment_view *deployment, struct tt_steps *steps,
                           size_t begin, size_t end)
{
    TT_EACH (balancer, &deployment->balancers) {
        if (!(*balancer)->held)
            continue;
        for (size_t i = begin; i < end; i++) {
            struct tt_step *step = &steps->items[i];

            if (step->subject.kind == TT_SUBJECT_LOAD_BALANCER &&
                strcmp(step->subject.name, (*balancer)->name) == 0)
                step->held = true;
        }
    }
}

static void hold_what_waits(struct tt_steps *steps, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        TT_EACH (index, &steps->items[i].after)
            if (steps->items[*index].held)
                steps->items[i].held = true;
}

static void guard_deployment(struct tt_view *view, const struct tt_deployment_view *deployment,
                             struct tt_steps *steps, size_t begin, size_t end)
{
    int deletions = 0;
    bool destroys, lost;

    for (size_t i = begin; i < end; i++)
        deletions += is_destruction(&steps->items[i]);
    destroys = destroys_too_much(view, deployment, deletions);
    lost = lost_too_much(view, deployment);
    for (size_t i = begin; i < end; i++)
        steps->items[i].held = destroys || lost;
    hold_balancers(deployment, steps, begin, end);
    hold_what_waits(steps, begin, end);
}

/* A dynamic balancer of ACCOUNT that is to run and was looked at. */
static bool counts(const struct tt_balancer_view *balancer, const struct tt_account *account)
{
    return balancer->spec && !balancer->unseen && balancer->deployment->running &&
           balancer->spec->type == TT_BALANCER_VM_DYNAMIC &&
           strcmp(balancer->spec->account->name, account->name) == 0;
}

static bool fails(const struct tt_balancer_view *balancer)
{
    return balancer->create && balancer->because == TT_BECAUSE_FAILED;
}

static void hold_failed(struct tt_view *view, const struct tt_account *account)
{
    TT_EACH (deployment, &view->deployments)
        TT_EACH (balancer, &(*deployment)->balancers)
            if (counts(*balancer, account) && fails(*balancer))
                (*balancer)->held = true;
}

/* When most balancers of an account fail at the same time, it is more likely that we cannot see. */
static void hold_mass_failure(struct tt_view *view, const struct tt_account *account)
{
    int total = 0, failed = 0;

    TT_EACH (deployment, &view->deployments)
        TT_EACH (balancer, &(*deployment)->balancers)
            if (counts(*balancer, account)) {
                total++;
                failed += fails(*balancer);
            }
    if (total < MASS_LEAST || view->options->allow_vanished || !is_over(failed, total, 50))
        return;
    tt_view_problem(view, TT_SEVERITY_WARNING, "guard-held",
                    tt_printf(view->arena, "Account/%s", account->name), &account->mark,
                    "%d of %d balancers of %s fail at the same time, which may be our own "
                    "blindness: they are not replaced; find out why, then allow it with "
                    "--allow-vanished",
                    failed, total, account->name);
    hold_failed(view, account);
}

void tt_guard(struct tt_view *view, struct tt_steps *steps)
{
    size_t begin = 0, end = 0;

    TT_EACH (account, &view->desired->accounts)
        hold_mass_failure(view, *account);
    TT_EACH (deployment, &view->deployments) {
        while (end < steps->count &&
               strcmp(steps->items[end].subject.deployment, (*deployment)->name) == 0)
            end++;
        if (begin < end)
            guard_deployment(view, *deployment, steps, begin, end);
        begin = end;
    }
}
