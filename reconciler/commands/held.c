/*
 * Held plans: from the run that a guard held to the plan that is carried out once it is approved.
 *
 * Only the steps that were held are kept: the others of that run were done by it.
 */
#include "reconciler/commands/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/digest.h"
#include "model/plan_json.h"
#include "reconciler/commands/saved_plan.h"
#include "specs/branch.h"

/* --- keeping -----------------------------------------------------------------------------------
 */

static struct tt_plan *held_part(struct tt_arena *arena, const struct tt_plan *plan)
{
    struct tt_plan *part = TT_NEW(arena, struct tt_plan);
    int *numbers = TT_NEW_ARRAY(arena, plan->steps.count, int);

    part->revision = plan->revision;
    part->world = plan->world;
    part->floors = plan->floors;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct tt_step *step = &plan->steps.items[i];
        struct tt_step *copy;

        numbers[i] = -1;
        if (!step->held)
            continue;
        numbers[i] = (int)part->steps.count;
        copy = TT_VEC_ADD(arena, &part->steps);
        *copy = *step;
        memset(&copy->after, 0, sizeof(copy->after));
        TT_EACH (after, &step->after)
            if (numbers[*after] >= 0)
                *TT_VEC_ADD(arena, &copy->after) = numbers[*after];
    }
    return part;
}

int tt_held_keep(struct tt_session *session, int64_t run, struct tt_error *err)
{
    struct tt_arena *arena = &session->arena;
    char *folder = realpath(session->options.repository, NULL);
    struct tt_held_plan held = {.run = run, .path = session->options.path};

    if (!folder)
        return tt_fail_errno(err, TT_ERR_NOT_FOUND, "cannot find %s", session->options.repository);
    held.repository = tt_strdup(arena, folder);
    free(folder);
    held.branch = tt_branch_at(arena, held.repository, session->plan->revision);
    held.plan = tt_plan_to_json(arena, held_part(arena, session->plan));
    return tt_store_keep_held(session->store, &held, err);
}

/* --- taking it up ------------------------------------------------------------------------------
 */

static int check_record(struct tt_arena *arena, const struct tt_run_record *record,
                        struct tt_error *err)
{
    long long run = (long long)record->id;

    if (record->approver)
        return tt_fail(err, TT_ERR_CONFLICT, "run %lld was approved by %s at %s: see run %lld", run,
                       record->approver, tt_time_format(arena, record->approved),
                       (long long)record->approved_by);
    if (!record->held)
        return tt_fail(err, TT_ERR_CONFLICT,
                       "run %lld has no plan that waits for approval: it is %s", run,
                       record->result);
    return 0;
}

static const char *digest(struct tt_arena *arena, const struct tt_desired *desired,
                          const char *deployment)
{
    const struct tt_deployment *found = tt_desired_deployment(desired, deployment);

    return found ? tt_deployment_digest(arena, desired, (struct tt_deployment *)found) : NULL;
}

/* True when OTHER asks the same as REVISION of all that PLAN changes. */
static bool asks_the_same(struct tt_session *session, const struct tt_plan *plan, const char *other)
{
    struct tt_desired *before = NULL, *now = NULL;
    struct tt_error ignored = {0};

    if (tt_session_load_other(session, plan->revision, &before, &ignored) < 0 ||
        tt_session_load_other(session, other, &now, &ignored) < 0)
        return false;
    TT_EACH (step, &plan->steps)
        if (!tt_streq(digest(&session->arena, before, step->subject.deployment),
                      digest(&session->arena, now, step->subject.deployment)))
            return false;
    return true;
}

/* Made for the newest commit of a branch, it holds as long as none touches what it changes. */
static int check_branch(struct tt_session *session, const struct tt_held_plan *held,
                        const struct tt_plan *plan, struct tt_error *err)
{
    const char *newest;

    if (!held->branch)
        return 0;
    newest = tt_branch_tip(&session->arena, held->repository, held->branch);
    if (tt_streq(newest, plan->revision) || (newest && asks_the_same(session, plan, newest)))
        return 0;
    return tt_fail(err, TT_ERR_CONFLICT,
                   "the plan of run %lld was made for %.12s, and %s is at %.12s now: plan again",
                   (long long)held->run, plan->revision, held->branch,
                   newest ? newest : "no commit");
}

int tt_held_take(struct tt_session *session, int64_t run, struct tt_plan **ret_plan,
                 struct tt_error *err)
{
    struct tt_arena *arena = &session->arena;
    const char *name = tt_printf(arena, "the plan of run %lld", (long long)run);
    struct tt_run_record record = {0};
    struct tt_held_plan held = {0};

    if (tt_store_read_run(session->store, arena, run, &record, err) < 0 ||
        check_record(arena, &record, err) < 0 ||
        tt_store_read_held(session->store, arena, run, &held, err) < 0 ||
        tt_saved_plan_parse(session, held.plan, strlen(held.plan), name, ret_plan, err) < 0)
        return -1;
    session->options.repository = held.repository;
    session->options.path = held.path;
    if (check_branch(session, &held, *ret_plan, err) < 0)
        return -1;
    TT_EACH (step, &(*ret_plan)->steps)
        step->held = false;
    session->options.worktree = strcmp((*ret_plan)->revision, "worktree") == 0;
    session->options.revision = session->options.worktree ? NULL : (*ret_plan)->revision;
    return 0;
}
