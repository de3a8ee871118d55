/*
 * Held plans: the plan of a run that a guard held is kept as it was; approved, exactly it is
 * carried out by a run that lets its steps go, or refused when the world has moved since.
 */
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_parts.h"

#define LARGEST_PLAN ((size_t)256 << 20)

const char *tt_held_file(struct tt_arena *arena, const char *folder)
{
    return tt_printf(arena, "%s/approved.json", folder);
}

static const char *kept_file(struct tt_arena *arena, const char *folder)
{
    return tt_printf(arena, "%s/held.json", folder);
}

int tt_held_keep(struct tt_daemon *daemon, struct tt_arena *arena, const char *key,
                 struct tt_error *err)
{
    const char *folder = tt_job_folder(daemon, arena, key);
    char *plan;
    size_t size;

    if (tt_file_read(arena, tt_printf(arena, "%s/plan.json", folder), LARGEST_PLAN, &plan, &size,
                     err) < 0)
        return -1;
    return tt_file_write(kept_file(arena, folder), plan, size, 0600, err);
}

/* The held plan with its steps let go, as a file that apply takes. */
static int release(struct tt_daemon *daemon, struct tt_arena *arena, const char *key,
                   const char *revision, struct tt_error *err)
{
    const char *folder = tt_job_folder(daemon, arena, key), *file = kept_file(arena, folder);
    json_t *root = NULL, *step;
    char *text;
    size_t size, i;

    if (tt_file_read(arena, file, LARGEST_PLAN, &text, &size, err) < 0 ||
        tt_json_parse(text, size, file, &root, err) < 0)
        return -1;
    if (!tt_streq(json_string_value(json_object_get(root, "revision")), revision)) {
        json_decref(root);
        return tt_fail(err, TT_ERR_CONFLICT,
                       "a newer commit has come since: its plan is made first");
    }
    json_array_foreach (json_object_get(root, "steps"), i, step) {
        json_object_set_new(step, "held", json_false());
    }
    json_object_set_new(root, "result", json_string("changes"));
    text = tt_json_text(arena, root);
    return tt_file_write(tt_held_file(arena, folder), text, strlen(text), 0600, err);
}

static struct tt_deployment_state *find_held(struct tt_daemon *daemon, int64_t run)
{
    for (size_t i = 0; i < daemon->count; i++)
        if (daemon->deployments[i]->held_run == run)
            return daemon->deployments[i];
    return NULL;
}

static int complain(struct tt_daemon *daemon, struct tt_arena *arena, int64_t run,
                    struct tt_error *err)
{
    struct tt_run_record record = {0};

    if (tt_store_read_run(daemon->store, arena, run, &record, err) < 0)
        return -1;
    return tt_fail(err, TT_ERR_CONFLICT, "run %lld is not held any more", (long long)run);
}

int tt_daemon_approve(struct tt_daemon *daemon, int64_t run, const char *who, struct tt_error *err)
{
    const char *key = NULL, *repository = NULL, *name = NULL, *revision = "";
    struct tt_deployment_state *state;
    const struct tt_follower *follower;
    struct tt_arena scratch;
    int result = -1;

    tt_arena_init(&scratch);
    pthread_mutex_lock(&daemon->mutex);
    state = run > 0 ? find_held(daemon, run) : NULL;
    if (state) {
        key = tt_strdup(&scratch, state->key);
        repository = tt_strdup(&scratch, state->repository);
        name = tt_strdup(&scratch, state->name);
        follower = tt_follow_find(daemon, repository);
        if (follower && follower->revision)
            revision = tt_strdup(&scratch, follower->revision);
    }
    pthread_mutex_unlock(&daemon->mutex);
    if (!key)
        result = complain(daemon, &scratch, run, err);
    else
        result = release(daemon, &scratch, key, revision, err);
    if (result == 0) {
        pthread_mutex_lock(&daemon->mutex);
        state = find_held(daemon, run);
        if (state) {
            state->approved = true;
            tt_queue_trigger(daemon->queue, key, TT_TRIGGER_ASKED, tt_daemon_now(daemon));
            pthread_cond_broadcast(&daemon->wake);
        }
        pthread_mutex_unlock(&daemon->mutex);
        tt_log(&daemon->log, TT_LOG_WARNING, repository, name, "%s approves the plan of run %lld",
               who ? who : "somebody", (long long)run);
    }
    tt_arena_release(&scratch);
    return result;
}
