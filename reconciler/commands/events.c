/*
 * Events: one function for each kind of line.
 */
#include "reconciler/commands/events.h"

#include <stdio.h>

#include "model/json.h"
#include "reconciler/plan_text.h"

static void print_line(json_t *object)
{
    struct tt_arena arena;

    tt_arena_init(&arena);
    printf("%s\n", tt_json_compact(&arena, object));
    fflush(stdout);
    tt_arena_release(&arena);
}

static json_t *event(const char *type)
{
    json_t *object = json_object();

    json_object_set_new(object, "type", json_string(type));
    return object;
}

static void set_step(json_t *object, const struct tt_plan *plan, int index)
{
    const struct tt_step *step = &plan->steps.items[index];
    struct tt_arena arena;

    tt_arena_init(&arena);
    json_object_set_new(object, "step", json_sprintf("s%d", index + 1));
    json_object_set_new(object, "action", json_string(tt_action_words[step->action]));
    json_object_set_new(object, "subject", json_string(tt_subject_text(&arena, &step->subject)));
    json_object_set_new(object, "message", json_string(tt_step_text(&arena, step)));
    tt_arena_release(&arena);
}

json_t *tt_event_problem(const struct tt_problem *problem)
{
    json_t *object = json_object();

    json_object_set_new(object, "severity", json_string(tt_severity_words[problem->severity]));
    json_object_set_new(object, "code", json_string(problem->code));
    json_object_set_new(object, "subject", tt_json_from_string(problem->subject));
    json_object_set_new(object, "message", json_string(problem->message));
    json_object_set_new(object, "file", tt_json_from_string(problem->mark.file));
    json_object_set_new(object, "line",
                        problem->mark.file ? json_integer(problem->mark.line) : json_null());
    json_object_set_new(object, "column",
                        problem->mark.file ? json_integer(problem->mark.column) : json_null());
    return object;
}

void tt_event_plan(const struct tt_plan *plan)
{
    struct tt_summary summary = tt_plan_summary(plan);
    json_t *object;

    TT_EACH (problem, &plan->problems) {
        object = tt_event_problem(problem);
        json_object_set_new(object, "type", json_string("diagnostic"));
        print_line(object);
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct tt_step *step = &plan->steps.items[i];

        object = event("planned_change");
        set_step(object, plan, (int)i);
        json_object_set_new(object, "because", json_string(tt_because_words[step->because]));
        json_object_set_new(object, "reason", json_string(step->reason));
        json_object_set_new(object, "held", json_boolean(step->held));
        print_line(object);
    }
    object = event("change_summary");
    json_object_set_new(object, "operation", json_string("plan"));
    json_object_set_new(object, "create", json_integer(summary.create));
    json_object_set_new(object, "delete", json_integer(summary.delete));
    json_object_set_new(object, "enroll", json_integer(summary.enroll));
    json_object_set_new(object, "withdraw", json_integer(summary.withdraw));
    json_object_set_new(object, "change", json_integer(summary.change));
    print_line(object);
}

void tt_event_step(const struct tt_plan *plan, int index, enum tt_step_state before,
                   const struct tt_step_progress *state)
{
    static const char *const types[] = {
        [TT_STEP_STATE_WAITING] = "apply_waiting", [TT_STEP_STATE_RUNNING] = "apply_progress",
        [TT_STEP_STATE_DONE] = "apply_complete",   [TT_STEP_STATE_FAILED] = "apply_errored",
        [TT_STEP_STATE_SKIPPED] = "apply_skipped", [TT_STEP_STATE_HELD] = "apply_held",
    };
    bool begins = state->state == TT_STEP_STATE_RUNNING && before != TT_STEP_STATE_RUNNING;
    json_t *object = event(begins ? "apply_start" : types[state->state]);

    set_step(object, plan, index);
    if (state->note && *state->note)
        json_object_set_new(object, "note", json_string(state->note));
    if (state->began && state->ended)
        json_object_set_new(object, "milliseconds", json_integer(state->ended - state->began));
    if (state->error.class != TT_ERR_NONE) {
        json_object_set_new(object, "error", json_string(state->error.message));
        json_object_set_new(object, "class", json_string(tt_error_class_name(state->error.class)));
    }
    print_line(object);
}

void tt_event_outcome(const struct tt_apply_outcome *outcome, const char *message)
{
    json_t *object = event("change_summary");

    json_object_set_new(object, "operation", json_string("apply"));
    json_object_set_new(object, "done", json_integer(outcome->done));
    json_object_set_new(object, "failed", json_integer(outcome->failed));
    json_object_set_new(object, "skipped", json_integer(outcome->skipped));
    json_object_set_new(object, "held", json_integer(outcome->held));
    json_object_set_new(object, "stopped", json_boolean(outcome->stopped));
    json_object_set_new(object, "message", json_string(message));
    print_line(object);
}
