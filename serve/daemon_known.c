/*
 * Known deployments: what the newest commits name, by key; and on the disk, for the time after a
 * restart, the mark of what was served last for each.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_parts.h"

#define LONGEST_MARK ((size_t)256)

static size_t place_of(const struct tt_daemon *daemon, const char *key)
{
    size_t low = 0, high = daemon->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(daemon->deployments[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct tt_deployment_state *tt_daemon_find(struct tt_daemon *daemon, const char *key)
{
    size_t place = place_of(daemon, key);

    return place < daemon->count && strcmp(daemon->deployments[place]->key, key) == 0
               ? daemon->deployments[place]
               : NULL;
}

static struct tt_deployment_state *insert(struct tt_daemon *daemon, const char *key,
                                          const char *repository, const char *name)
{
    struct tt_deployment_state *state = calloc(1, sizeof(*state));
    size_t place = place_of(daemon, key);

    if (daemon->count == daemon->capacity) {
        daemon->capacity = daemon->capacity ? 2 * daemon->capacity : 16;
        daemon->deployments =
            reallocarray(daemon->deployments, daemon->capacity, sizeof(*daemon->deployments));
    }
    if (!state || !daemon->deployments)
        abort();
    memmove(&daemon->deployments[place + 1], &daemon->deployments[place],
            (daemon->count - place) * sizeof(*daemon->deployments));
    daemon->deployments[place] = state;
    daemon->count++;
    tt_daemon_set(&state->key, key);
    tt_daemon_set(&state->repository, repository);
    tt_daemon_set(&state->name, name);
    state->drift = -1;
    state->watch_old = true;
    return state;
}

static void free_state(struct tt_deployment_state *state)
{
    free(state->key);
    free(state->repository);
    free(state->name);
    free(state->accounts);
    free(state->policy.windows.items);
    free(state->recover);
    free(state->mark);
    free(state->message);
    free(state->held_mark);
    free(state->approver);
    free(state->asked);
    tt_watch_free(state->watch);
    free(state);
}

static void drop(struct tt_daemon *daemon, size_t place)
{
    struct tt_deployment_state *state = daemon->deployments[place];

    tt_queue_remove(daemon->queue, state->key);
    memmove(&daemon->deployments[place], &daemon->deployments[place + 1],
            (--daemon->count - place) * sizeof(*daemon->deployments));
    free_state(state);
}

void tt_known_free(struct tt_daemon *daemon)
{
    for (size_t i = 0; i < daemon->count; i++)
        free_state(daemon->deployments[i]);
    free(daemon->deployments);
}

/* --- what was served ---------------------------------------------------------------------------
 */

static const char *served_file(struct tt_arena *arena, const struct tt_daemon *daemon,
                               const char *repository, const char *name)
{
    return tt_printf(arena, "%s/serve/served/%s/%s", daemon->state_folder, repository, name);
}

static bool was_served(const struct tt_daemon *daemon, const char *repository,
                       const struct tt_followed *followed)
{
    struct tt_arena scratch;
    char *mark;
    bool same;

    tt_arena_init(&scratch);
    same = tt_file_read(&scratch, served_file(&scratch, daemon, repository, followed->name),
                        LONGEST_MARK, &mark, NULL, NULL) == 0 &&
           strcmp(mark, followed->mark) == 0;
    tt_arena_release(&scratch);
    return same;
}

void tt_known_served(struct tt_daemon *daemon, const char *repository, const char *name,
                     const char *mark)
{
    struct tt_error err = {0};
    struct tt_arena scratch;

    tt_arena_init(&scratch);
    if (tt_make_folders(tt_printf(&scratch, "%s/serve/served/%s", daemon->state_folder, repository),
                        0700, &err) < 0 ||
        tt_file_write(served_file(&scratch, daemon, repository, name), mark, strlen(mark), 0600,
                      &err) < 0)
        tt_log(&daemon->log, TT_LOG_WARNING, repository, name, "%s", err.message);
    tt_arena_release(&scratch);
}

/* --- a commit ----------------------------------------------------------------------------------
 */

static void say_queued(struct tt_daemon *daemon, const char *repository, const char *name)
{
    json_t *object = tt_daemon_event_object(repository, name);

    json_object_set_new(object, "trigger", json_string("push"));
    tt_events_add(&daemon->events, tt_daemon_now(daemon), "queued", object);
}

static void set_policy(struct tt_deployment_state *state, const struct tt_policy *policy)
{
    size_t size = policy->windows.count * sizeof(*policy->windows.items);

    free(state->policy.windows.items);
    state->policy = *policy;
    state->policy.windows.items = NULL;
    if (!size)
        return;
    state->policy.windows.items = malloc(size);
    if (!state->policy.windows.items)
        abort();
    memcpy(state->policy.windows.items, policy->windows.items, size);
}

static void update_one(struct tt_daemon *daemon, const char *repository,
                       const struct tt_followed *followed)
{
    struct tt_deployment_state *state;
    struct tt_arena scratch;
    const char *key;
    unsigned triggers = 0;
    bool is_new;

    tt_arena_init(&scratch);
    key = tt_printf(&scratch, "%s/%s", repository, followed->name);
    state = tt_daemon_find(daemon, key);
    is_new = !state;
    if (is_new) {
        state = insert(daemon, key, repository, followed->name);
        triggers = was_served(daemon, repository, followed) ? 0 : TT_TRIGGER_PUSH;
    } else if (strcmp(state->mark, followed->mark) != 0) {
        triggers = TT_TRIGGER_PUSH;
    }
    tt_daemon_set(&state->mark, followed->mark);
    tt_daemon_set(&state->accounts, followed->accounts);
    set_policy(state, &followed->policy);
    if (is_new && !triggers)
        tt_held_restore(daemon, state);
    tt_queue_add(daemon->queue, key, triggers, tt_daemon_now(daemon));
    tt_queue_pause(daemon->queue, key, followed->policy.suspend);
    if (triggers)
        say_queued(daemon, repository, followed->name);
    tt_arena_release(&scratch);
}

static bool names(const struct tt_followed_list *list, const char *name)
{
    TT_EACH (followed, list)
        if (strcmp(followed->name, name) == 0)
            return true;
    return false;
}

void tt_known_update(struct tt_daemon *daemon, const char *repository,
                     const struct tt_followed_list *list)
{
    for (size_t i = daemon->count; i-- > 0;) {
        const struct tt_deployment_state *state = daemon->deployments[i];

        if (strcmp(state->repository, repository) != 0 || names(list, state->name))
            continue;
        tt_log(&daemon->log, TT_LOG_WARNING, repository, state->name,
               "it left Git; what it has stays until trimtab apply --prune");
        drop(daemon, i);
    }
    TT_EACH (followed, list)
        update_one(daemon, repository, followed);
    pthread_cond_broadcast(&daemon->wake);
    pthread_cond_broadcast(&daemon->watch_wake);
}

void tt_known_prune(struct tt_daemon *daemon)
{
    for (size_t i = daemon->count; i-- > 0;) {
        bool followed = false;

        TT_EACH (repository, &daemon->config->repositories)
            followed =
                followed || strcmp(repository->name, daemon->deployments[i]->repository) == 0;
        if (!followed)
            drop(daemon, i);
    }
}
