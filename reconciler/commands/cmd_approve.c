/*
 * approve: a person lets the plan of a run pass that a guard held; exactly it is carried out, or
 * refused when Git or the world has moved since.
 */
#include <string.h>

#include "base/str.h"
#include "reconciler/commands/apply_saved.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/held.h"
#include "reconciler/commands/runs.h"
#include "reconciler/process.h"

#define LONGEST_NAME 100

static int prepare(struct tt_session *session, struct tt_plan **ret_plan, struct tt_error *err)
{
    const char *by = session->options.by;
    int64_t run = 0;

    if (tt_run_number(session->options.arguments.items[0], &run, err) < 0 ||
        tt_runs_open_for(session, run, err) < 0 || tt_held_take(session, run, ret_plan, err) < 0)
        return -1;
    session->approves = run;
    session->approver = by ? tt_strndup(&session->arena, by, strnlen(by, LONGEST_NAME))
                           : tt_process_user(&session->arena);
    return 0;
}

int tt_cmd_approve(struct tt_session *session)
{
    struct tt_plan *plan = NULL;
    struct tt_error err = {0};

    if (prepare(session, &plan, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    return tt_apply_saved(session, plan);
}
