/*
 * The daemon as those see it who watch and command it: the functions of daemon.h that read its
 * state or ask for a check.
 */
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_parts.h"

#define LARGEST_PLAN ((size_t)256 << 20)

const char *tt_phase_name(enum tt_phase phase)
{
    static const char *const names[TT_PHASES] = {
        [TT_PHASE_IDLE] = "idle",       [TT_PHASE_QUEUED] = "queued",
        [TT_PHASE_RUNNING] = "running", [TT_PHASE_BACKING_OFF] = "backing-off",
        [TT_PHASE_HELD] = "held",       [TT_PHASE_SUSPENDED] = "suspended",
    };

    return names[phase];
}

static enum tt_phase phase_of(const struct tt_deployment_state *state,
                              const struct tt_queue_state *queue)
{
    if (queue->running)
        return TT_PHASE_RUNNING;
    if (queue->paused)
        return TT_PHASE_SUSPENDED;
    if (queue->waiting || (queue->pending && !queue->failures))
        return TT_PHASE_QUEUED;
    if (queue->failures)
        return TT_PHASE_BACKING_OFF;
    return state->held ? TT_PHASE_HELD : TT_PHASE_IDLE;
}

static void fill(struct tt_daemon *daemon, struct tt_arena *arena,
                 const struct tt_deployment_state *state, struct tt_daemon_deployment *item)
{
    const struct tt_follower *follower = tt_follow_find(daemon, state->repository);
    struct tt_queue_state queue = {.next = TT_TIME_UNKNOWN};

    tt_queue_read(daemon->queue, state->key, tt_daemon_now(daemon), &queue);
    *item = (struct tt_daemon_deployment){
        .repository = tt_strdup(arena, state->repository),
        .name = tt_strdup(arena, state->name),
        .phase = phase_of(state, &queue),
        .revision = tt_strdup(arena, follower && follower->revision ? follower->revision : ""),
        .message = tt_strdup(arena, state->message),
        .next = queue.next,
        .failures = queue.failures,
        .last_run = state->last_run,
        .held_run = state->held_run,
        .drift = state->drift,
    };
}

void tt_daemon_list(struct tt_daemon *daemon, struct tt_arena *arena,
                    struct tt_daemon_deployments *ret_list)
{
    pthread_mutex_lock(&daemon->mutex);
    ret_list->items = TT_NEW_ARRAY(arena, daemon->count, struct tt_daemon_deployment);
    ret_list->count = daemon->count;
    for (size_t i = 0; i < daemon->count; i++)
        fill(daemon, arena, daemon->deployments[i], &ret_list->items[i]);
    pthread_mutex_unlock(&daemon->mutex);
}

static int find(struct tt_daemon *daemon, struct tt_arena *arena, const char *repository,
                const char *deployment, const char **ret_key, struct tt_error *err)
{
    const char *key = tt_printf(arena, "%s/%s", repository, deployment);
    bool known;

    pthread_mutex_lock(&daemon->mutex);
    known = tt_daemon_find(daemon, key) != NULL;
    pthread_mutex_unlock(&daemon->mutex);
    if (!known)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no deployment %.64s in %.64s", deployment,
                       repository);
    *ret_key = key;
    return 0;
}

int tt_daemon_plan(struct tt_daemon *daemon, struct tt_arena *arena, const char *repository,
                   const char *deployment, const char **ret_plan, const char **ret_picture,
                   struct tt_error *err)
{
    const char *key = NULL, *folder;
    char *plan, *picture;

    if (find(daemon, arena, repository, deployment, &key, err) < 0)
        return -1;
    folder = tt_printf(arena, "%s/serve/plans/%s", daemon->state_folder, key);
    if (tt_file_read(arena, tt_printf(arena, "%s/plan.json", folder), LARGEST_PLAN, &plan, NULL,
                     NULL) < 0 ||
        tt_file_read(arena, tt_printf(arena, "%s/picture.json", folder), LARGEST_PLAN, &picture,
                     NULL, NULL) < 0)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no plan of %s yet", key);
    *ret_plan = plan;
    *ret_picture = picture;
    return 0;
}

int tt_daemon_check(struct tt_daemon *daemon, const char *repository, const char *deployment,
                    const char *who, struct tt_error *err)
{
    struct tt_arena scratch;
    json_t *object;
    const char *key = NULL;
    int result;

    tt_arena_init(&scratch);
    result = find(daemon, &scratch, repository, deployment, &key, err);
    if (result == 0) {
        pthread_mutex_lock(&daemon->mutex);
        tt_queue_trigger(daemon->queue, key, TT_TRIGGER_ASKED, tt_daemon_now(daemon));
        pthread_cond_broadcast(&daemon->wake);
        pthread_mutex_unlock(&daemon->mutex);
        object = tt_daemon_event_object(repository, deployment);
        json_object_set_new(object, "trigger", json_string("asked"));
        json_object_set_new(object, "who", tt_json_from_string(who));
        tt_events_add(&daemon->events, tt_daemon_now(daemon), "queued", object);
        tt_log(&daemon->log, TT_LOG_INFO, repository, deployment, "%s asks for a check",
               who ? who : "somebody");
    }
    tt_arena_release(&scratch);
    return result;
}

void tt_daemon_events(struct tt_daemon *daemon, struct tt_arena *arena, uint64_t after,
                      tt_time wait, struct tt_daemon_events *ret_events)
{
    tt_events_read(&daemon->events, arena, after, wait, ret_events);
}

uint64_t tt_daemon_newest_event(struct tt_daemon *daemon)
{
    return tt_events_newest(&daemon->events);
}

void tt_daemon_counts(struct tt_daemon *daemon, struct tt_daemon_counts *ret_counts)
{
    pthread_mutex_lock(&daemon->mutex);
    *ret_counts = daemon->counts;
    ret_counts->notifications = daemon->sent_before;
    ret_counts->notifications_failed = daemon->lost_before;
    for (size_t i = 0; i < daemon->notifier_count; i++) {
        ret_counts->notifications += daemon->notifiers[i].sent;
        ret_counts->notifications_failed += daemon->notifiers[i].lost;
    }
    ret_counts->queued = tt_queue_waiting(daemon->queue, tt_daemon_now(daemon));
    ret_counts->running = (uint64_t)tt_queue_running(daemon->queue);
    ret_counts->failing = tt_watch_failing(daemon);
    pthread_mutex_unlock(&daemon->mutex);
}

int tt_daemon_ready(struct tt_daemon *daemon, struct tt_error *err)
{
    int result = 0;

    pthread_mutex_lock(&daemon->mutex);
    if (!daemon->follower_count)
        result = tt_fail(err, TT_ERR_UNAVAILABLE, "the configuration is being read");
    for (size_t i = 0; i < daemon->follower_count && result == 0; i++)
        if (!daemon->followers[i]->revision)
            result = tt_fail(err, TT_ERR_UNAVAILABLE, "%s was not read yet%s%s",
                             daemon->followers[i]->config->name,
                             daemon->followers[i]->message ? ": " : "",
                             daemon->followers[i]->message ? daemon->followers[i]->message : "");
    pthread_mutex_unlock(&daemon->mutex);
    return result;
}
