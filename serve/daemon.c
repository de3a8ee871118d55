/*
 * Daemon: its life and its scheduler, the one thread that starts runs.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_parts.h"

#define LONGEST_WAIT INT64_C(60000)
#define HELD_WAIT    INT64_C(1000) /* between two looks for approvals */

tt_time tt_daemon_now(const struct tt_daemon *daemon)
{
    return daemon->clock->now(daemon->clock->self);
}

void tt_daemon_set(char **string, const char *value)
{
    char *copy = value ? strdup(value) : NULL;

    if (value && !copy)
        abort();
    free(*string);
    *string = copy;
}

json_t *tt_daemon_event_object(const char *repository, const char *deployment)
{
    json_t *object = json_object();

    json_object_set_new(object, "repository", tt_json_from_string(repository));
    json_object_set_new(object, "deployment", tt_json_from_string(deployment));
    return object;
}

void tt_daemon_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

void tt_daemon_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, tt_time wait)
{
    struct timespec until;

    if (wait <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait / 1000;
    until.tv_nsec += wait % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(cond, mutex, &until);
}

/* --- the scheduler -----------------------------------------------------------------------------
 */

static void *schedule(void *self)
{
    struct tt_daemon *daemon = self;

    pthread_mutex_lock(&daemon->mutex);
    while (!daemon->stopping) {
        tt_time now = tt_daemon_now(daemon), wake, wait = LONGEST_WAIT;
        unsigned triggers;
        const char *key;

        if (tt_held_any(daemon)) {
            wait = HELD_WAIT;
            pthread_mutex_unlock(&daemon->mutex);
            tt_held_watch(daemon);
            pthread_mutex_lock(&daemon->mutex);
            if (daemon->stopping)
                break;
        }
        while ((key = tt_queue_next(daemon->queue, now, &triggers)))
            tt_job_start(daemon, key, triggers);
        wake = tt_queue_wake(daemon->queue);
        if (wake != TT_TIME_UNKNOWN && wake - now < wait)
            wait = wake - now;
        tt_daemon_wait(&daemon->wake, &daemon->mutex, wait);
    }
    pthread_mutex_unlock(&daemon->mutex);
    return NULL;
}

static struct tt_queue_options queue_options(const struct tt_daemon *daemon)
{
    const struct tt_config *config = daemon->config;

    return (struct tt_queue_options){.limit = config->limit,
                                     .check = config->check,
                                     .backoff = config->backoff,
                                     .longest_backoff = config->longest_backoff,
                                     .jitter = 10,
                                     .seed = (uint64_t)tt_daemon_now(daemon)};
}

/* --- notifiers ---------------------------------------------------------------------------------
 */

/* BEFORE: those of the configuration before. */
static int begin_notifiers(struct tt_daemon *daemon, struct tt_notifier *before,
                           size_t count_before, struct tt_error *err)
{
    size_t count = daemon->config->notifications.count;
    int result = 0;

    pthread_mutex_lock(&daemon->mutex);
    daemon->notifiers = calloc(count ? count : 1, sizeof(*daemon->notifiers));
    if (!daemon->notifiers)
        abort();
    for (size_t i = 0; i < count; i++)
        daemon->notifiers[i].config = &daemon->config->notifications.items[i];
    tt_notify_go_on(daemon->notifiers, count, before, count_before);
    for (size_t i = 0; i < count && result == 0; i++) {
        struct tt_notifier *notifier = &daemon->notifiers[i];

        notifier->events = &daemon->events;
        notifier->log = &daemon->log;
        notifier->first_wait = 1000;
        result = tt_notify_begin(notifier, err);
        daemon->notifier_count += result == 0;
    }
    pthread_mutex_unlock(&daemon->mutex);
    return result;
}

static void stop_notifiers(struct tt_daemon *daemon)
{
    for (size_t i = 0; i < daemon->notifier_count; i++)
        tt_notify_stop(&daemon->notifiers[i]);
}

/* RET_BEFORE: those that have ended, for free_notifiers. */
static size_t end_notifiers(struct tt_daemon *daemon, struct tt_notifier **ret_before)
{
    size_t count = daemon->notifier_count;

    for (size_t i = 0; i < daemon->notifier_count; i++)
        tt_notify_end(&daemon->notifiers[i]);
    pthread_mutex_lock(&daemon->mutex);
    for (size_t i = 0; i < daemon->notifier_count; i++) {
        daemon->sent_before += daemon->notifiers[i].sent;
        daemon->lost_before += daemon->notifiers[i].lost;
    }
    *ret_before = daemon->notifiers;
    daemon->notifiers = NULL;
    daemon->notifier_count = 0;
    pthread_mutex_unlock(&daemon->mutex);
    return count;
}

/* BEFORE has ended, and whoever goes on from there has begun. */
static void free_notifiers(struct tt_daemon *daemon, struct tt_notifier *before, size_t count)
{
    unsigned lost = 0;

    for (size_t i = 0; i < count; i++)
        if (!before[i].is_continued)
            lost += tt_notify_give_up(&before[i]);
    pthread_mutex_lock(&daemon->mutex);
    daemon->lost_before += lost;
    pthread_mutex_unlock(&daemon->mutex);
    free(before);
}

/* --- its life ----------------------------------------------------------------------------------
 */

static void release(struct tt_daemon *daemon)
{
    tt_known_free(daemon);
    tt_queue_free(daemon->queue);
    tt_store_close(daemon->store);
    tt_events_release(&daemon->events);
    tt_config_free(daemon->config);
    pthread_cond_destroy(&daemon->wake);
    pthread_cond_destroy(&daemon->watch_wake);
    pthread_cond_destroy(&daemon->idle);
    pthread_cond_destroy(&daemon->told);
    tt_offers_free(daemon);
    pthread_mutex_destroy(&daemon->mutex);
    free(daemon->program);
    free(daemon->state_folder);
    free(daemon);
}

static struct tt_daemon *make(const struct tt_serve_options *options, struct tt_config *config)
{
    struct tt_daemon *daemon = calloc(1, sizeof(*daemon));
    struct tt_queue_options queue;

    if (!daemon)
        abort();
    daemon->clock = options->clock;
    daemon->config = config;
    daemon->log = (struct tt_log){options->clock, config->log_json};
    pthread_mutex_init(&daemon->mutex, NULL);
    tt_daemon_cond_init(&daemon->wake);
    tt_daemon_cond_init(&daemon->watch_wake);
    tt_daemon_cond_init(&daemon->idle);
    tt_daemon_cond_init(&daemon->told);
    tt_events_init(&daemon->events);
    tt_daemon_set(&daemon->program, options->program);
    tt_daemon_set(&daemon->state_folder, options->state_folder);
    queue = queue_options(daemon);
    daemon->queue = tt_queue_new(&queue);
    return daemon;
}

int tt_serve_start(const struct tt_serve_options *options, struct tt_config *config,
                   struct tt_daemon **ret_daemon, struct tt_error *err)
{
    struct tt_daemon *daemon = make(options, config);

    if (tt_make_folders(daemon->state_folder, 0700, err) < 0 ||
        tt_store_open(daemon->state_folder, &daemon->store, err) < 0 ||
        tt_watch_begin(daemon, err) < 0) {
        release(daemon);
        return -1;
    }
    if (pthread_create(&daemon->scheduler, NULL, schedule, daemon) != 0) {
        tt_serve_stop(daemon);
        tt_watch_end(daemon);
        release(daemon);
        return tt_fail(err, TT_ERR_INTERNAL, "this host gives no more threads");
    }
    if (begin_notifiers(daemon, NULL, 0, err) < 0 || tt_follow_begin(daemon, err) < 0) {
        tt_serve_stop(daemon);
        tt_serve_free(daemon);
        return -1;
    }
    *ret_daemon = daemon;
    return 0;
}

void tt_serve_reload(struct tt_daemon *daemon, struct tt_config *config)
{
    struct tt_queue_options queue;
    struct tt_notifier *notifiers;
    struct tt_config *before;
    struct tt_error err = {0};
    size_t count;

    tt_follow_stop(daemon);
    stop_notifiers(daemon);
    tt_follow_end(daemon);
    count = end_notifiers(daemon, &notifiers);
    pthread_mutex_lock(&daemon->mutex);
    before = daemon->config;
    daemon->config = config;
    daemon->log.json = config->log_json;
    queue = queue_options(daemon);
    tt_queue_set_options(daemon->queue, &queue, tt_daemon_now(daemon));
    tt_known_prune(daemon);
    pthread_mutex_unlock(&daemon->mutex);
    if (begin_notifiers(daemon, notifiers, count, &err) < 0 || tt_follow_begin(daemon, &err) < 0)
        tt_log(&daemon->log, TT_LOG_ERROR, NULL, NULL, "%s", err.message);
    free_notifiers(daemon, notifiers, count);
    tt_config_free(before);
    pthread_mutex_lock(&daemon->mutex);
    pthread_cond_broadcast(&daemon->wake);
    pthread_mutex_unlock(&daemon->mutex);
}

void tt_serve_stop(struct tt_daemon *daemon)
{
    pthread_mutex_lock(&daemon->mutex);
    daemon->stopping = true;
    pthread_cond_broadcast(&daemon->wake);
    pthread_cond_broadcast(&daemon->watch_wake);
    for (struct tt_job *job = daemon->jobs; job; job = job->next)
        tt_runner_stop(&job->runner);
    tt_offers_stop(daemon);
    pthread_mutex_unlock(&daemon->mutex);
    tt_follow_stop(daemon);
    stop_notifiers(daemon);
    tt_events_end(&daemon->events);
}

void tt_serve_free(struct tt_daemon *daemon)
{
    struct tt_notifier *notifiers;
    size_t count;

    pthread_join(daemon->scheduler, NULL);
    tt_watch_end(daemon);
    pthread_mutex_lock(&daemon->mutex);
    while (daemon->jobs)
        pthread_cond_wait(&daemon->idle, &daemon->mutex);
    pthread_mutex_unlock(&daemon->mutex);
    tt_follow_end(daemon);
    count = end_notifiers(daemon, &notifiers);
    free_notifiers(daemon, notifiers, count);
    release(daemon);
}
