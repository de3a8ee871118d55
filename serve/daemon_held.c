/*
 * Held plans: the run that a guard held keeps its plan in the store, and `trimtab approve` carries
 * it out: started here when the page or the API asks for it, or by somebody in a terminal, which is
 * noticed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "serve/daemon_parts.h"

static struct tt_deployment_state *find_held(struct tt_daemon *daemon, int64_t run)
{
    for (size_t i = 0; i < daemon->count; i++)
        if (daemon->deployments[i]->held_run == run)
            return daemon->deployments[i];
    return NULL;
}

static void set_held(struct tt_deployment_state *state, int64_t run, int steps)
{
    char message[64];

    snprintf(message, sizeof(message), "%d %s held by a guard", steps,
             steps == 1 ? "step is" : "steps are");
    state->held = true;
    state->held_run = state->last_run = run;
    tt_daemon_set(&state->held_mark, state->mark);
    tt_daemon_set(&state->message, message);
}

void tt_held_restore(struct tt_daemon *daemon, struct tt_deployment_state *state)
{
    const struct tt_follower *follower = tt_follow_find(daemon, state->repository);
    char *folder = follower ? realpath(follower->folder, NULL) : NULL;
    struct tt_run_record record = {0};
    struct tt_error ignored = {0};
    struct tt_arena scratch;
    int64_t run = 0;

    tt_arena_init(&scratch);
    if (folder && tt_store_find_held(daemon->store, folder, state->name, &run, &ignored) == 0 &&
        run && tt_store_read_run(daemon->store, &scratch, run, &record, &ignored) == 0)
        set_held(state, run, record.held);
    tt_arena_release(&scratch);
    free(folder);
}

bool tt_held_any(const struct tt_daemon *daemon)
{
    for (size_t i = 0; i < daemon->count; i++)
        if (daemon->deployments[i]->held_run)
            return true;
    return false;
}

/* --- approved elsewhere ------------------------------------------------------------------------
 */

typedef TT_VEC(int64_t) runs;

static runs list_held(struct tt_daemon *daemon, struct tt_arena *arena)
{
    runs held = {0};

    pthread_mutex_lock(&daemon->mutex);
    for (size_t i = 0; i < daemon->count; i++) {
        struct tt_queue_state queue = {0};

        tt_queue_read(daemon->queue, daemon->deployments[i]->key, 0, &queue);
        if (daemon->deployments[i]->held_run && !queue.running)
            *TT_VEC_ADD(arena, &held) = daemon->deployments[i]->held_run;
    }
    pthread_mutex_unlock(&daemon->mutex);
    return held;
}

/* The run that carries out what was held in RUN, once it has ended; 0: not approved, or under way.
 */
static int64_t ended_by(struct tt_daemon *daemon, struct tt_arena *arena, int64_t run,
                        const char **ret_who)
{
    struct tt_run_record held = {0}, by = {0};
    struct tt_error ignored = {0};

    if (tt_store_read_run(daemon->store, arena, run, &held, &ignored) < 0 || !held.approver)
        return 0;
    *ret_who = held.approver;
    if (tt_store_read_run(daemon->store, arena, held.approved_by, &by, &ignored) == 0 &&
        strcmp(by.result, "running") == 0)
        return 0;
    return held.approved_by;
}

void tt_held_watch(struct tt_daemon *daemon)
{
    struct tt_arena scratch;
    runs held;

    tt_arena_init(&scratch);
    held = list_held(daemon, &scratch);
    TT_EACH (run, &held) {
        struct tt_deployment_state *state;
        const char *who = NULL;
        int64_t by = ended_by(daemon, &scratch, *run, &who);

        if (!by)
            continue;
        pthread_mutex_lock(&daemon->mutex);
        state = find_held(daemon, *run);
        if (state) {
            tt_log(&daemon->log, TT_LOG_WARNING, state->repository, state->name,
                   "%s approved the plan of run %lld: run %lld", who, (long long)*run,
                   (long long)by);
            state->held = false;
            state->held_run = 0;
            state->last_run = by;
            tt_daemon_set(&state->message, NULL);
            tt_queue_trigger(daemon->queue, state->key, TT_TRIGGER_CHECK, tt_daemon_now(daemon));
        }
        pthread_mutex_unlock(&daemon->mutex);
    }
    tt_arena_release(&scratch);
}

/* --- approved here -----------------------------------------------------------------------------
 */

/* Why RUN cannot be approved, which no deployment waits for. */
static int complain(struct tt_daemon *daemon, int64_t run, struct tt_error *err)
{
    struct tt_run_record record = {0};
    struct tt_arena scratch;
    int result;

    tt_arena_init(&scratch);
    result = tt_store_read_run(daemon->store, &scratch, run, &record, err);
    if (result == 0 && record.approver)
        tt_fail(err, TT_ERR_CONFLICT, "run %lld was approved by %s: see run %lld", (long long)run,
                record.approver, (long long)record.approved_by);
    else if (result == 0)
        tt_fail(err, TT_ERR_CONFLICT, "run %lld is not held any more", (long long)run);
    tt_arena_release(&scratch);
    return -1;
}

/* With the mutex held. */
static int approve(struct tt_daemon *daemon, struct tt_deployment_state *state, int64_t run,
                   const char *who, struct tt_error *err)
{
    if (state->approver)
        return tt_fail(err, TT_ERR_CONFLICT, "run %lld was approved by %s a moment ago",
                       (long long)run, state->approver);
    if (!tt_streq(state->held_mark, state->mark))
        return tt_fail(err, TT_ERR_CONFLICT,
                       "a newer commit has come since: its plan is made first");
    tt_daemon_set(&state->approver, who ? who : "somebody");
    tt_queue_trigger(daemon->queue, state->key, TT_TRIGGER_ASKED, tt_daemon_now(daemon));
    pthread_cond_broadcast(&daemon->wake);
    tt_log(&daemon->log, TT_LOG_WARNING, state->repository, state->name,
           "%s approves the plan of run %lld", state->approver, (long long)run);
    return 0;
}

int tt_daemon_approve(struct tt_daemon *daemon, int64_t run, const char *who, struct tt_error *err)
{
    struct tt_deployment_state *state;
    int result = 0;

    pthread_mutex_lock(&daemon->mutex);
    state = run > 0 ? find_held(daemon, run) : NULL;
    if (state)
        result = approve(daemon, state, run, who, err);
    pthread_mutex_unlock(&daemon->mutex);
    return state ? result : complain(daemon, run, err);
}
