/*
 * Carry out: from a plan that was approved to an outcome that is told and kept.
 */
#include "reconciler/commands/carry_out.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "reconciler/commands/applied.h"
#include "reconciler/commands/events.h"
#include "reconciler/commands/held.h"
#include "reconciler/commands/progress.h"
#include "reconciler/commands/record.h"
#include "reconciler/plan_text.h"
#include "reconciler/planner/told.h"

#define LONGEST_TRIGGER 200

static enum tt_progress_style style_of(const struct tt_session *session)
{
    const char *terminal = getenv("TERM");

    if (session->options.json)
        return TT_PROGRESS_JSON;
    if (session->options.quiet)
        return TT_PROGRESS_NONE;
    return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0 ? TT_PROGRESS_LIVE
                                                                              : TT_PROGRESS_LINES;
}

static const char *result_word(const struct tt_apply_outcome *outcome)
{
    if (outcome->failed)
        return "failed";
    if (outcome->stopped)
        return "stopped";
    return outcome->held ? "held" : "done";
}

/* True when a step failed in a way that stays until somebody changes something. */
static bool needs_mending(const struct tt_plan *plan, const struct tt_apply_outcome *outcome)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        enum tt_error_class class = outcome->steps[i].error.class;

        if (outcome->steps[i].state == TT_STEP_STATE_FAILED &&
            (class == TT_ERR_DENIED || class == TT_ERR_SPEC || class == TT_ERR_UNSUPPORTED))
            return true;
    }
    return false;
}

/* What to do about what is left. */
static void add_next(struct tt_buf *text, const struct tt_plan *plan,
                     const struct tt_apply_outcome *outcome, int64_t run)
{
    if (needs_mending(plan, outcome))
        tt_buf_add(text,
                   " Mend what the errors name (a spec, a permission), then run trimtab apply "
                   "again: it goes on from what is there.");
    else if (outcome->failed || outcome->stopped)
        tt_buf_add(text, " Run trimtab apply again: it goes on from what is there.");
    else if (outcome->held)
        tt_buf_addf(text,
                    " What is held waits for trimtab approve %lld, --allow-destroy N or "
                    "--allow-vanished.",
                    (long long)run);
}

static void summarize(const struct tt_session *session, const struct tt_apply_outcome *outcome,
                      int64_t run)
{
    TT_BUF_AUTO text = {0};
    struct tt_error err = outcome->store_error;

    tt_buf_addf(&text, "Apply: %d done, %d failed, %d not tried, %d held.", outcome->done,
                outcome->failed, outcome->skipped, outcome->held);
    add_next(&text, session->plan, outcome, run);
    if (session->options.json)
        tt_event_outcome(outcome, tt_buf_text(&text));
    else if (!session->options.quiet)
        printf("\n%s\n", tt_buf_text(&text));
    if (err.class != TT_ERR_NONE) {
        tt_wrap(&err, "the memory for the next run could not be kept");
        tt_session_complain(session, &err);
    }
}

/* With -q the failures are still told. */
static void complain_of_steps(const struct tt_session *session,
                              const struct tt_apply_outcome *outcome)
{
    struct tt_arena scratch;

    if (!session->options.quiet || session->options.json)
        return;
    tt_arena_init(&scratch);
    for (size_t i = 0; i < session->plan->steps.count; i++) {
        struct tt_error err = outcome->steps[i].error;

        if (outcome->steps[i].state != TT_STEP_STATE_FAILED)
            continue;
        tt_wrap(&err, "%s", tt_step_text(&scratch, &session->plan->steps.items[i]));
        tt_session_complain(session, &err);
    }
    tt_arena_release(&scratch);
}

static int apply_with_progress(struct tt_session *session, struct tt_signals *signals, int64_t run,
                               struct tt_apply_outcome *ret_outcome, struct tt_error *err)
{
    struct tt_progress progress;
    struct tt_apply_request request = {
        .desired = session->desired,
        .world = tt_told_world(&session->arena, session->world, &session->memory),
        .plan = session->plan,
        .clouds = &session->clouds,
        .clock = session->clock,
        .store = session->store,
        .run = run,
        .lock = session->lock,
        .allow_vanished = session->options.allow_vanished,
        .parallelism = session->options.parallelism,
        .stop = &signals->stop,
        .progress = tt_progress_step,
        .progress_self = &progress,
    };
    int result;

    tt_progress_begin(&progress, &session->arena, session->plan, style_of(session), session->color);
    tt_signals_tell_through(signals, tt_progress_say, &progress);
    result = tt_apply(&session->arena, &request, ret_outcome, err);
    tt_signals_tell_through(signals, NULL, NULL);
    tt_progress_end(&progress);
    return result;
}

/* --- history --------------------------------------------------------------------------------- */

/* Who asked: what started us may say so, as a hook or a job does. */
static const char *trigger_of(struct tt_arena *arena)
{
    const char *said = getenv("TRIMTAB_TRIGGER");

    return said && *said ? tt_strndup(arena, said, strnlen(said, LONGEST_TRIGGER)) : "command line";
}

static const char *state_word(enum tt_step_state state)
{
    static const char *const words[] = {
        [TT_STEP_STATE_WAITING] = "waiting", [TT_STEP_STATE_RUNNING] = "running",
        [TT_STEP_STATE_DONE] = "done",       [TT_STEP_STATE_FAILED] = "failed",
        [TT_STEP_STATE_SKIPPED] = "skipped", [TT_STEP_STATE_HELD] = "held",
    };

    return words[state];
}

/* SHIFT: from the steady clock to the time of day. */
static void record_steps(struct tt_session *session, const struct tt_apply_outcome *outcome,
                         tt_time shift, struct tt_run_record *record)
{
    for (size_t i = 0; i < session->plan->steps.count; i++) {
        const struct tt_step_progress *step = &outcome->steps[i];
        bool failed = step->error.class != TT_ERR_NONE;

        *TT_VEC_ADD(&session->arena, &record->steps) = (struct tt_step_record){
            .step = (int)i,
            .state = state_word(step->state),
            .server = step->server,
            .began = step->began ? step->began + shift : 0,
            .ended = step->ended ? step->ended + shift : 0,
            .class = failed ? tt_error_class_name(step->error.class) : NULL,
            .error = failed ? step->error.message : NULL,
        };
    }
    record->done = outcome->done;
    record->failed = outcome->failed;
    record->skipped = outcome->skipped;
    record->held = outcome->held;
}

int tt_carry_out(struct tt_session *session, const struct tt_strings *deployments,
                 struct tt_signals *signals)
{
    const struct tt_clock *clock = session->clock;
    struct tt_run_record record = {
        .command = session->approves ? "approve" : "apply",
        .trigger = trigger_of(&session->arena),
        .approves = session->approves,
        .approver = session->approver,
        .revision = session->plan->revision,
        .result = "failed",
        .began = clock->now(clock->self),
    };
    tt_time shift = record.began - tt_monotonic();
    struct tt_apply_outcome outcome = {0};
    struct tt_error err = {0};
    int result;

    if (tt_store_begin_run(session->store, &record, session->plan, &record.id, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    tt_record(session, record.command, record.id);
    result = apply_with_progress(session, signals, record.id, &outcome, &err);
    if (result == 0) {
        record.result = result_word(&outcome);
        record_steps(session, &outcome, shift, &record);
        tt_note_applied(session, deployments, &outcome);
        summarize(session, &outcome, record.id);
        complain_of_steps(session, &outcome);
    } else {
        tt_session_complain(session, &err);
    }
    record.ended = clock->now(clock->self);
    if (tt_store_end_run(session->store, &record, &err) < 0)
        tt_session_complain(session, &err);
    if (outcome.held && tt_held_keep(session, record.id, &err) < 0)
        tt_session_complain(session, &err);
    if (result < 0 || outcome.failed || outcome.stopped || outcome.store_error.class)
        return 1;
    return tt_result_exit(tt_plan_result(session->plan));
}
