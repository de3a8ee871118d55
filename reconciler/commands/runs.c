/*
 * Runs: their store, and how they are told.
 */
#include "reconciler/commands/runs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/recordings.h"

int tt_runs_open(struct tt_session *session, struct tt_error *err)
{
    if (access(tt_printf(&session->arena, "%s/store.db", session->state_folder), F_OK) < 0)
        return 0;
    return tt_session_open_store(session, err) < 0 ? -1 : 1;
}

static json_t *approval_json(struct tt_arena *arena, const struct tt_run_record *run)
{
    return json_pack("{s:s, s:s, s:I}", "by", run->approver, "at",
                     tt_time_format(arena, run->approved), "run", (json_int_t)run->approved_by);
}

const char *tt_run_recording(struct tt_session *session, int64_t run)
{
    return tt_recordings_find(&session->arena, session->state_folder,
                              tt_printf(&session->arena, "%" PRId64, run));
}

json_t *tt_run_json(struct tt_session *session, const struct tt_run_record *run)
{
    struct tt_arena *arena = &session->arena;
    json_t *object = json_object();

    json_object_set_new(object, "run", json_integer(run->id));
    json_object_set_new(object, "command", json_string(run->command));
    json_object_set_new(object, "trigger", tt_json_from_string(run->trigger));
    json_object_set_new(object, "user", tt_json_from_string(run->user));
    json_object_set_new(object, "host", tt_json_from_string(run->host));
    json_object_set_new(object, "process", json_integer(run->pid));
    json_object_set_new(object, "revision", tt_json_from_string(run->revision));
    json_object_set_new(object, "deployments", tt_json_from_string(run->deployments));
    json_object_set_new(object, "began", json_string(tt_time_format(arena, run->began)));
    json_object_set_new(object, "ended",
                        run->ended ? json_string(tt_time_format(arena, run->ended)) : json_null());
    json_object_set_new(object, "milliseconds",
                        run->ended ? json_integer(run->ended - run->began) : json_null());
    json_object_set_new(object, "result", json_string(run->result));
    json_object_set_new(object, "done", json_integer(run->done));
    json_object_set_new(object, "failed", json_integer(run->failed));
    json_object_set_new(object, "skipped", json_integer(run->skipped));
    json_object_set_new(object, "held", json_integer(run->held));
    json_object_set_new(object, "approves",
                        run->approves ? json_integer(run->approves) : json_null());
    json_object_set_new(object, "approved",
                        run->approver ? approval_json(arena, run) : json_null());
    json_object_set_new(object, "recording",
                        tt_json_from_string(tt_run_recording(session, run->id)));
    return object;
}

const char *tt_run_took(struct tt_arena *arena, const struct tt_run_record *run)
{
    if (!run->ended)
        return "-";
    return tt_printf(arena, "%.1f s", (double)(run->ended - run->began) / 1000);
}

const char *tt_run_commit(struct tt_arena *arena, const struct tt_run_record *run)
{
    return run->revision ? tt_printf(arena, "%.8s", run->revision) : "-";
}

const char *tt_run_who(struct tt_arena *arena, const struct tt_run_record *run)
{
    if (!run->user || !run->host)
        return "-";
    return tt_printf(arena, "%s@%s", run->user, run->host);
}

int tt_run_number(const char *text, int64_t *ret_run, struct tt_error *err)
{
    char *end;
    long long number;

    if (*text == 'p' && tt_recordings_is_name(text))
        return tt_fail(err, TT_ERR_SPEC, "%s is a plan and no run: trimtab replay %s shows it",
                       text, text);
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno || *end || end == text || number < 1)
        return tt_fail(err, TT_ERR_SPEC, "%s is no number of a run: trimtab history lists them",
                       text);
    *ret_run = number;
    return 0;
}

int tt_runs_open_for(struct tt_session *session, int64_t run, struct tt_error *err)
{
    int opened = tt_runs_open(session, err);

    if (opened < 0)
        return -1;
    if (!opened)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no run %lld: none is recorded in %s",
                       (long long)run, session->state_folder);
    return 0;
}
