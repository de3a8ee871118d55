/*
 * Following: a thread for each repository fetches it, reads its newest commit when it is a new one,
 * and tells the queue what that touches. When Git is away, what was fetched last goes on to hold.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "serve/daemon_parts.h"

#define LONGEST_WAIT INT64_C(600000)

/* Says why the repository cannot be read, once for each reason; AWAY: it is asked less often. */
static void complain(struct tt_follower *follower, const struct tt_error *err, bool away)
{
    struct tt_daemon *daemon = follower->daemon;
    bool known;

    pthread_mutex_lock(&daemon->mutex);
    known = follower->message && strcmp(follower->message, err->message) == 0;
    tt_daemon_set(&follower->message, err->message);
    follower->failures += away;
    pthread_mutex_unlock(&daemon->mutex);
    if (!known && !atomic_load(&follower->stop))
        tt_log(&daemon->log, TT_LOG_ERROR, follower->config->name, NULL, "%s", err->message);
}

/* What went wrong with the clone, once for each reason; NULL: nothing did. */
static void warn(struct tt_follower *follower, const char *warning)
{
    if (warning && !tt_streq(warning, follower->warning) && !atomic_load(&follower->stop))
        tt_log(&follower->daemon->log, TT_LOG_WARNING, follower->config->name, NULL, "%s", warning);
    tt_daemon_set(&follower->warning, warning);
}

static void take(struct tt_follower *follower, const char *revision,
                 const struct tt_followed_list *list)
{
    struct tt_daemon *daemon = follower->daemon;

    pthread_mutex_lock(&daemon->mutex);
    tt_daemon_set(&follower->revision, revision);
    if (!daemon->stopping)
        tt_known_update(daemon, follower->config->name, list);
    pthread_mutex_unlock(&daemon->mutex);
    tt_log(&daemon->log, TT_LOG_INFO, follower->config->name, NULL, "at %.12s: %zu %s", revision,
           list->count, list->count == 1 ? "deployment" : "deployments");
}

/* Follows REVISION from now on, or says why not. One that was followed before is not verified
 * again: the keys may have expired since. */
static bool turn_to(struct tt_follower *follower, struct tt_arena *arena, const char *revision,
                    bool was_followed)
{
    const struct tt_repository_config *config = follower->config;
    struct tt_followed_list list = {0};
    struct tt_error err = {0};
    const char *signer = NULL;

    if ((!was_followed && tt_verify_is_set(&config->verify) &&
         tt_verify_commit(arena, follower->folder, revision, &config->verify, &signer, &err) < 0) ||
        tt_poll_read(arena, config, follower->folder, revision, &list, &err) < 0) {
        complain(follower, &err, false);
        return false;
    }
    if (tt_poll_accept(follower->folder, revision, &err) < 0)
        complain(follower, &err, false);
    if (signer)
        tt_log(&follower->daemon->log, TT_LOG_INFO, config->name, NULL, "%.12s is signed by %s",
               revision, signer);
    take(follower, revision, &list);
    return true;
}

/* After a restart, when the newest commit is refused: the one that was followed before. */
static void go_back(struct tt_follower *follower, struct tt_arena *arena)
{
    const char *revision = tt_poll_accepted(arena, follower->folder);

    if (!revision || tt_streq(revision, follower->wrong))
        return;
    tt_log(&follower->daemon->log, TT_LOG_WARNING, follower->config->name, NULL,
           "%.12s, which was followed before, goes on to hold", revision);
    turn_to(follower, arena, revision, true);
}

/* One look at the repository. */
static void look(struct tt_follower *follower)
{
    struct tt_daemon *daemon = follower->daemon;
    struct tt_error err = {0};
    struct tt_arena arena;
    const char *revision = NULL, *warning = NULL;
    bool good;

    tt_arena_init(&arena);
    good =
        tt_poll_fetch_by_child(&arena, daemon->program, daemon->state_folder, follower->all,
                               follower->config, &follower->runner, &revision, &warning, &err) == 0;
    if (good) {
        warn(follower, warning);
    } else {
        complain(follower, &err, true);
        if (follower->revision ||
            tt_poll_known(&arena, follower->config, follower->folder, &revision, NULL) < 0)
            revision = NULL;
    }
    if (revision && tt_streq(revision, follower->wrong)) {
        good = false; /* said before */
    } else if (revision && !tt_streq(revision, follower->revision) &&
               !turn_to(follower, &arena, revision,
                        tt_streq(revision, tt_poll_accepted(&arena, follower->folder)))) {
        good = false;
        tt_daemon_set(&follower->wrong, revision);
        if (!follower->revision)
            go_back(follower, &arena);
    }
    if (good) {
        pthread_mutex_lock(&daemon->mutex);
        tt_daemon_set(&follower->message, NULL);
        tt_daemon_set(&follower->wrong, NULL);
        follower->failures = 0;
        pthread_mutex_unlock(&daemon->mutex);
    }
    tt_arena_release(&arena);
}

/* The interval, ten percent more or less; longer after failures. */
static tt_time next_wait(const struct tt_follower *follower, unsigned *chance)
{
    tt_time wait = follower->config->poll;
    int percent = 90 + rand_r(chance) % 21;

    for (int i = 0; i < follower->failures && wait < LONGEST_WAIT; i++)
        wait *= 2;
    if (wait > LONGEST_WAIT && follower->config->poll < LONGEST_WAIT)
        wait = LONGEST_WAIT;
    return wait * percent / 100;
}

static void *follow(void *self)
{
    struct tt_follower *follower = self;
    struct tt_daemon *daemon = follower->daemon;
    unsigned chance = (unsigned)tt_daemon_now(daemon) ^ (unsigned)(uintptr_t)follower;

    while (!atomic_load(&follower->stop)) {
        tt_time until, left;

        look(follower);
        until = tt_monotonic() + next_wait(follower, &chance);
        pthread_mutex_lock(&daemon->mutex);
        while (!follower->look_now && !atomic_load(&follower->stop) &&
               (left = until - tt_monotonic()) > 0)
            tt_daemon_wait(&follower->wake, &daemon->mutex, left);
        follower->look_now = false;
        pthread_mutex_unlock(&daemon->mutex);
    }
    return NULL;
}

static void free_follower(struct tt_follower *follower)
{
    pthread_cond_destroy(&follower->wake);
    tt_runner_release(&follower->runner);
    free(follower->folder);
    free(follower->revision);
    free(follower->wrong);
    free(follower->warning);
    free(follower->message);
    free(follower);
}

static struct tt_follower *make(struct tt_daemon *daemon, const struct tt_repository_config *config)
{
    struct tt_follower *follower = calloc(1, sizeof(*follower));

    struct tt_arena scratch;

    if (!follower)
        abort();
    tt_arena_init(&scratch);
    tt_daemon_set(&follower->folder, tt_poll_folder(&scratch, daemon->state_folder, config->name));
    tt_arena_release(&scratch);
    tt_runner_init(&follower->runner);
    follower->daemon = daemon;
    follower->all = daemon->config;
    follower->config = config;
    atomic_init(&follower->stop, false);
    tt_daemon_cond_init(&follower->wake);
    return follower;
}

int tt_follow_begin(struct tt_daemon *daemon, struct tt_error *err)
{
    int result = 0;

    pthread_mutex_lock(&daemon->mutex);
    daemon->followers = calloc(daemon->config->repositories.count, sizeof(*daemon->followers));
    if (!daemon->followers)
        abort();
    TT_EACH (config, &daemon->config->repositories) {
        struct tt_follower *follower = make(daemon, config);

        if (pthread_create(&follower->thread, NULL, follow, follower) != 0) {
            free_follower(follower);
            result = tt_fail(err, TT_ERR_INTERNAL, "this host gives no more threads");
            break;
        }
        daemon->followers[daemon->follower_count++] = follower;
    }
    pthread_mutex_unlock(&daemon->mutex);
    return result;
}

void tt_follow_stop(struct tt_daemon *daemon)
{
    pthread_mutex_lock(&daemon->mutex);
    for (size_t i = 0; i < daemon->follower_count; i++) {
        atomic_store(&daemon->followers[i]->stop, true);
        tt_runner_stop(&daemon->followers[i]->runner);
        pthread_cond_broadcast(&daemon->followers[i]->wake);
    }
    pthread_mutex_unlock(&daemon->mutex);
}

void tt_follow_end(struct tt_daemon *daemon)
{
    struct tt_follower **followers;
    size_t count;

    for (size_t i = 0; i < daemon->follower_count; i++)
        pthread_join(daemon->followers[i]->thread, NULL);
    pthread_mutex_lock(&daemon->mutex);
    followers = daemon->followers;
    count = daemon->follower_count;
    daemon->followers = NULL;
    daemon->follower_count = 0;
    pthread_mutex_unlock(&daemon->mutex);
    for (size_t i = 0; i < count; i++)
        free_follower(followers[i]);
    free(followers);
}

struct tt_follower *tt_follow_find(struct tt_daemon *daemon, const char *name)
{
    for (size_t i = 0; i < daemon->follower_count; i++)
        if (strcmp(daemon->followers[i]->config->name, name) == 0)
            return daemon->followers[i];
    return NULL;
}
