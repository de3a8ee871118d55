/*
 * Record: from a session to the shelf of recordings, and back by name.
 */
#include "reconciler/commands/record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "model/json.h"
#include "model/plan_json.h"
#include "reconciler/commands/runs.h"
#include "reconciler/recordings.h"

void tt_record(struct tt_session *session, const char *command, int64_t run)
{
    struct tt_recording recording = {
        .desired = session->desired,
        .world = session->world,
        .memory = session->memory,
        .options = tt_session_plan_options(session),
        .now = session->planned_at,
        .command = command,
        .at = session->clock->now(session->clock->self),
    };
    struct tt_error err = {0};
    const char *name;

    if (tt_recordings_add(&session->arena, session->state_folder, run, &recording, session->planned,
                          &name, &err) == 0) {
        if (session->options.verbose)
            fprintf(stderr, "recorded: trimtab replay %s\n", name);
        return;
    }
    tt_wrap(&err, "what this was planned from is not recorded");
    if (!session->options.quiet)
        tt_session_complain(session, &err);
}

/* --- listing --------------------------------------------------------------------------------- */

/* A recorded plan, as far as it can be told. */
struct told {
    const char *name;
    struct tt_recording recording;
    struct tt_plan *plan; /* NULL: the planner failed, or it cannot be read */
};

typedef TT_VEC(struct told) told_list;

static int read_plans(struct tt_session *session, told_list *ret_list, struct tt_error *err)
{
    struct tt_arena *arena = &session->arena;
    struct tt_strings names = {0};

    if (tt_recordings_plans(arena, session->state_folder, &names, err) < 0)
        return -1;
    TT_EACH (name, &names) {
        const char *folder = tt_recordings_find(arena, session->state_folder, *name);
        struct told told = {.name = *name};

        if (!folder || tt_recording_read_about(arena, folder, &told.recording, NULL) < 0)
            continue;
        if (told.recording.plan &&
            tt_plan_from_json(arena, told.recording.plan, strlen(told.recording.plan), folder,
                              &told.plan, NULL) < 0)
            told.plan = NULL;
        *TT_VEC_ADD(arena, ret_list) = told;
    }
    return 0;
}

static const char *result_of(const struct told *told)
{
    return told->plan ? tt_result_words[tt_plan_result(told->plan)] : "error";
}

int tt_record_list(struct tt_session *session, struct tt_error *err)
{
    struct tt_arena *arena = &session->arena;
    told_list list = {0};

    if (read_plans(session, &list, err) < 0)
        return -1;
    if (!list.count) {
        printf("No plan is recorded.\n");
        return 0;
    }
    printf("%6s  %-20s  %-7s  %-8s  %5s  %s\n", "PLAN", "MADE", "COMMAND", "RESULT", "STEPS",
           "COMMIT");
    TT_EACH (told, &list)
        printf("%6s  %-20s  %-7s  %-8s  %5zu  %.8s\n", told->name,
               tt_time_format(arena, told->recording.at), told->recording.command, result_of(told),
               told->plan ? told->plan->steps.count : 0, told->plan ? told->plan->revision : "-");
    return 0;
}

int tt_record_list_json(struct tt_session *session, json_t **ret_array, struct tt_error *err)
{
    struct tt_arena *arena = &session->arena;
    told_list list = {0};

    if (read_plans(session, &list, err) < 0)
        return -1;
    *ret_array = json_array();
    TT_EACH (told, &list) {
        json_t *object = json_object();

        json_object_set_new(object, "plan", json_string(told->name));
        json_object_set_new(object, "command", json_string(told->recording.command));
        json_object_set_new(object, "made", json_string(tt_time_format(arena, told->recording.at)));
        json_object_set_new(object, "result", json_string(result_of(told)));
        json_object_set_new(object, "steps",
                            json_integer(told->plan ? (json_int_t)told->plan->steps.count : 0));
        json_object_set_new(object, "revision",
                            tt_json_from_string(told->plan ? told->plan->revision : NULL));
        json_array_append_new(*ret_array, object);
    }
    return 0;
}

/* --- by name --------------------------------------------------------------------------------- */

/* Why NAME is not on the shelf: of a run that history knows it is gone. */
static int refuse(struct tt_session *session, const char *name, struct tt_error *err)
{
    struct tt_run_record run = {0};
    bool known = false;

    if (!tt_recordings_is_name(name))
        return tt_fail(err, TT_ERR_SPEC,
                       "%s is neither the number of a run, which trimtab history lists, nor a plan "
                       "such as p3, which trimtab history --plans lists, nor a folder",
                       name);
    if (*name != 'p')
        known = tt_runs_open(session, NULL) > 0 &&
                tt_store_read_run(session->store, &session->arena, strtoll(name, NULL, 10), &run,
                                  NULL) == 0;
    if (known)
        return tt_fail(err, TT_ERR_NOT_FOUND,
                       "the recording of run %s is gone: the last 100 are kept, at most 256 MB in "
                       "%s/recordings",
                       name, session->state_folder);
    return tt_fail(err, TT_ERR_NOT_FOUND,
                   "%s %s is not recorded in %s: trimtab history lists runs, and with --plans the "
                   "plans that nobody carried out",
                   *name == 'p' ? "plan" : "run", name, session->state_folder);
}

int tt_record_read(struct tt_session *session, const char *name, struct tt_recording *ret_recording,
                   const char **ret_folder, struct tt_error *err)
{
    const char *folder = NULL;
    struct stat st;

    if (tt_recordings_is_name(name))
        folder = tt_recordings_find(&session->arena, session->state_folder, name);
    else if (strchr(name, '/') && stat(name, &st) == 0 && S_ISDIR(st.st_mode))
        folder = name;
    if (!folder)
        return refuse(session, name, err);
    if (tt_recording_read(&session->arena, folder, ret_recording, err) < 0)
        return -1;
    if (!ret_recording->desired)
        return tt_fail(
            err, TT_ERR_NOT_FOUND,
            "%s has no desired.json: a person wrote this scenario, and only what trimtab "
            "recorded can be replayed",
            folder);
    *ret_folder = folder;
    return 0;
}
