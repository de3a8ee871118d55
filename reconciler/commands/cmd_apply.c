/*
 * apply: specs, lock, world, plan, approval, steps.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "model/plan_json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/lease.h"
#include "reconciler/commands/progress.h"
#include "reconciler/commands/saved_plan.h"
#include "reconciler/commands/signals.h"
#include "reconciler/plan_text.h"
#include "reconciler/planner/view.h"

#define SETTLE_MS INT64_C(1000)

/* --- waiting for what an earlier run has begun ---------------------------------------------- */

/* How many owned machines still boot within their time. */
static int count_pending(struct tt_session *session)
{
    struct tt_plan_options options = {0};
    struct tt_view *view = tt_view_new(&session->arena, session->desired, session->world,
                                       &session->memory, tt_session_now(session), &options);
    int pending = 0;

    TT_EACH (deployment, &view->deployments) {
        TT_EACH (service, &(*deployment)->services)
            TT_EACH (machine, &(*service)->machines)
                pending += machine->pending;
        TT_EACH (balancer, &(*deployment)->balancers)
            TT_EACH (machine, &(*balancer)->machines)
                pending += machine->pending;
    }
    return pending;
}

static void observe_settled(struct tt_session *session, const struct tt_signals *signals)
{
    int pending, told = -1;

    for (;;) {
        tt_session_observe(session, &(struct tt_observe_options){0});
        pending = count_pending(session);
        if (!pending || atomic_load(&signals->stop))
            return;
        if (pending != told && !session->options.quiet)
            fprintf(stderr, "trimtab: waiting for %d machine(s) of an earlier run to boot\n",
                    pending);
        told = pending;
        session->clock->sleep(session->clock->self, SETTLE_MS);
    }
}

/* --- showing and asking --------------------------------------------------------------------- */

static void show(struct tt_session *session)
{
    TT_BUF_AUTO text = {0};

    if (session->options.json) {
        TT_EACH (problem, &session->plan->problems)
            tt_progress_event("diagnostic",
                              tt_printf(&session->arena, "%s[%s] %s: %s",
                                        tt_severity_words[problem->severity], problem->code,
                                        problem->subject, problem->message));
        TT_EACH (step, &session->plan->steps)
            tt_progress_event("planned_change", tt_step_text(&session->arena, step));
        return;
    }
    if (session->options.quiet)
        return;
    tt_plan_text(&text, session->plan, session->desired, session->color && isatty(STDOUT_FILENO));
    fputs(tt_buf_text(&text), stdout);
    fflush(stdout);
}

static bool is_approved(struct tt_session *session)
{
    struct tt_error err = {0};
    char answer[16] = "";

    if (session->options.auto_approve)
        return true;
    if (!isatty(STDIN_FILENO)) {
        tt_fail(&err, TT_ERR_DENIED,
                "nobody is here to approve the plan: give --auto-approve, or run it in a terminal");
        tt_session_complain(session, &err);
        return false;
    }
    fputs("\nCarry out these steps? Only 'yes' is accepted: ", stdout);
    fflush(stdout);
    if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
        return true;
    fputs("Nothing was changed.\n", stdout);
    return false;
}

/* --- carrying out --------------------------------------------------------------------------- */

static enum tt_progress_style style_of(const struct tt_session *session)
{
    if (session->options.json)
        return TT_PROGRESS_JSON;
    if (session->options.quiet)
        return TT_PROGRESS_NONE;
    return isatty(STDOUT_FILENO) ? TT_PROGRESS_LIVE : TT_PROGRESS_LINES;
}

static const char *result_word(const struct tt_apply_outcome *outcome)
{
    if (outcome->failed)
        return "failed";
    if (outcome->stopped)
        return "stopped";
    return outcome->held ? "held" : "done";
}

static void summarize(struct tt_session *session, const struct tt_apply_outcome *outcome)
{
    const char *text =
        tt_printf(&session->arena, "Apply: %d done, %d failed, %d not tried, %d held.%s",
                  outcome->done, outcome->failed, outcome->skipped, outcome->held,
                  outcome->failed || outcome->skipped
                      ? " Run trimtab apply again: it goes on from what is there."
                      : "");
    struct tt_error err = outcome->store_error;

    if (session->options.json)
        tt_progress_event("change_summary", text);
    else
        printf("\n%s\n", text);
    if (err.class != TT_ERR_NONE) {
        tt_wrap(&err, "the memory for the next run could not be kept");
        tt_session_complain(session, &err);
    }
}

static int carry_out(struct tt_session *session, const struct tt_signals *signals)
{
    const struct tt_clock *clock = session->clock;
    struct tt_run_record record = {
        .command = "apply", .revision = session->plan->revision, .result = "failed"};
    struct tt_apply_outcome outcome = {0};
    struct tt_progress progress;
    struct tt_error err = {0};
    struct tt_apply_request request = {
        .desired = session->desired,
        .world = session->world,
        .plan = session->plan,
        .clouds = &session->clouds,
        .clock = clock,
        .store = session->store,
        .parallelism = session->options.parallelism,
        .stop = &signals->stop,
        .progress = tt_progress_step,
        .progress_self = &progress,
    };
    int result;

    record.began = clock->now(clock->self);
    if (tt_store_begin_run(session->store, record.command, record.revision, record.began,
                           &record.id, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    request.run = record.id;
    tt_progress_begin(&progress, &session->arena, session->plan, style_of(session), session->color);
    result = tt_apply(&session->arena, &request, &outcome, &err);
    tt_progress_end(&progress);
    if (result == 0) {
        record.result = result_word(&outcome);
        record.done = outcome.done;
        record.failed = outcome.failed;
        record.skipped = outcome.skipped;
        summarize(session, &outcome);
    } else {
        tt_session_complain(session, &err);
    }
    record.ended = clock->now(clock->self);
    if (tt_store_end_run(session->store, &record, &err) < 0)
        tt_session_complain(session, &err);
    if (result < 0 || outcome.failed || outcome.stopped || outcome.store_error.class)
        return 1;
    return tt_result_exit(tt_plan_result(session->plan));
}

/* --- the way -------------------------------------------------------------------------------- */

static int plan_and_carry_out(struct tt_session *session, const struct tt_plan *saved,
                              const struct tt_signals *signals)
{
    struct tt_error err = {0};
    bool anything = false;

    tt_session_open_clouds(session, false);
    observe_settled(session, signals);
    tt_session_remember(session);
    if (!tt_session_plan(session))
        return 1;
    if (saved) {
        if (tt_saved_plan_check(&session->arena, saved, session->plan, &err) < 0) {
            tt_session_complain(session, &err);
            return 1;
        }
        session->plan = (struct tt_plan *)saved;
    }
    show(session);
    TT_EACH (step, &session->plan->steps)
        anything = anything || !step->held;
    if (!anything)
        return tt_result_exit(tt_plan_result(session->plan));
    if (!is_approved(session))
        return 1;
    return carry_out(session, signals);
}

static int apply_locked(struct tt_session *session, const struct tt_plan *saved)
{
    struct tt_strings deployments = {0};
    struct tt_signals signals;
    struct tt_error err = {0};
    struct tt_lease lease;
    int code;

    TT_EACH (deployment, &session->desired->deployments)
        tt_strings_add(&session->arena, &deployments, (*deployment)->name);
    if (tt_signals_begin(&signals) < 0)
        return 1;
    if (tt_make_folders(session->state_folder, 0700, &err) < 0 ||
        tt_store_open(session->state_folder, &session->store, &err) < 0 ||
        tt_lease_begin(&lease, session->store, session->clock, &deployments, "apply", &err) < 0) {
        tt_session_complain(session, &err);
        tt_signals_end(&signals);
        return 1;
    }
    code = plan_and_carry_out(session, saved, &signals);
    tt_lease_end(&lease);
    tt_signals_end(&signals);
    return code;
}

int tt_cmd_apply(struct tt_session *session)
{
    struct tt_plan *saved = NULL;
    struct tt_error err = {0};

    if (session->options.arguments.count &&
        tt_saved_plan_read(session, session->options.arguments.items[0], &saved, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (!tt_session_require_specs(session))
        return 1;
    if (saved && strcmp(saved->revision, session->desired->revision) != 0) {
        tt_fail(&err, TT_ERR_CONFLICT,
                "the plan was made for %s and this is %s: plan again, or give --rev %s",
                saved->revision, session->desired->revision, saved->revision);
        tt_session_complain(session, &err);
        return 1;
    }
    return apply_locked(session, saved);
}
