/*
 * show: one run with its steps, how long each took and why it failed.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/runs.h"

static json_t *time_json(struct tt_arena *arena, tt_time time)
{
    return time ? json_string(tt_time_format(arena, time)) : json_null();
}

static json_t *step_json(struct tt_arena *arena, const struct tt_step_record *step)
{
    json_t *object = json_object();

    json_object_set_new(object, "step", json_sprintf("s%d", step->step + 1));
    json_object_set_new(object, "action", json_string(step->action));
    json_object_set_new(object, "subject", json_string(step->subject));
    json_object_set_new(object, "message", json_string(step->text));
    json_object_set_new(object, "account", tt_json_from_string(step->account));
    json_object_set_new(object, "region", tt_json_from_string(step->region));
    json_object_set_new(object, "server", tt_json_from_string(step->server));
    json_object_set_new(object, "state", json_string(step->state));
    json_object_set_new(object, "began", time_json(arena, step->began));
    json_object_set_new(object, "ended", time_json(arena, step->ended));
    json_object_set_new(object, "milliseconds",
                        step->began && step->ended ? json_integer(step->ended - step->began)
                                                   : json_null());
    json_object_set_new(object, "class", tt_json_from_string(step->class));
    json_object_set_new(object, "error", tt_json_from_string(step->error));
    return object;
}

static void write_json(struct tt_session *session, const struct tt_run_record *run)
{
    json_t *root = tt_run_json(session, run), *steps = json_array();

    TT_EACH (step, &run->steps)
        json_array_append_new(steps, step_json(&session->arena, step));
    json_object_set_new(root, "format", json_string("trimtab.run/v1"));
    json_object_set_new(root, "steps", steps);
    fputs(tt_json_text(&session->arena, root), stdout);
}

/* As people say it. */
static const char *said(const char *state)
{
    if (strcmp(state, "skipped") == 0 || strcmp(state, "waiting") == 0)
        return "not tried";
    return state;
}

static void write_step(struct tt_arena *arena, const struct tt_run_record *run,
                       const struct tt_step_record *step)
{
    const char *began = "", *took = "";

    if (step->began)
        began = tt_printf(arena, "+%.1f s", (double)(step->began - run->began) / 1000);
    if (step->began && step->ended)
        took = tt_printf(arena, "%.1f s", (double)(step->ended - step->began) / 1000);
    printf("  %-5s  %8s  %8s  %-11s  %s\n", tt_printf(arena, "s%d", step->step + 1), began, took,
           said(step->state), step->text);
    if (step->error)
        printf("  %39s  %s%s%s\n", "", step->class ? step->class : "", step->class ? ": " : "",
               step->error);
}

static void write_text(struct tt_session *session, const struct tt_run_record *run)
{
    struct tt_arena *arena = &session->arena;

    printf("Run %" PRId64 ": %s of %s, %s\n", run->id, run->command,
           run->revision ? run->revision : "an unknown commit", run->result);
    printf("  by %s, process %" PRId64 ", from %s\n", tt_run_who(arena, run), run->pid,
           run->trigger ? run->trigger : "an unknown trigger");
    printf("  began %s, took %s\n", tt_time_format(arena, run->began), tt_run_took(arena, run));
    if (run->approver)
        printf("  approved by %s at %s: run %" PRId64 "\n", run->approver,
               tt_time_format(arena, run->approved), run->approved_by);
    else if (run->approves)
        printf("  carries out the held plan of run %" PRId64 "\n", run->approves);
    if (run->deployments && *run->deployments)
        printf("  deployments: %s\n", run->deployments);
    printf("  %d done, %d failed, %d not tried, %d held\n", run->done, run->failed, run->skipped,
           run->held);
    if (tt_run_recording(session, run->id))
        printf("  recorded in %s: trimtab replay %" PRId64 "\n", tt_run_recording(session, run->id),
               run->id);
    if (!run->steps.count)
        return;
    printf("\n  %-5s  %8s  %8s  %-11s  %s\n", "STEP", "BEGAN", "TOOK", "STATE", "");
    TT_EACH (step, &run->steps)
        write_step(arena, run, step);
}

static int read_run(struct tt_session *session, struct tt_run_record *ret_run, struct tt_error *err)
{
    int64_t number = 0;

    if (tt_run_number(session->options.arguments.items[0], &number, err) < 0 ||
        tt_runs_open_for(session, number, err) < 0)
        return -1;
    return tt_store_read_run(session->store, &session->arena, number, ret_run, err);
}

int tt_cmd_show(struct tt_session *session)
{
    struct tt_run_record run = {0};
    struct tt_error err = {0};

    if (read_run(session, &run, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (session->options.json)
        write_json(session, &run);
    else if (!session->options.quiet)
        write_text(session, &run);
    return 0;
}
