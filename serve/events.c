/*
 * Events: a ring under a mutex, and a condition for those who wait.
 */
#include "serve/events.h"

#include <stdlib.h>
#include <time.h>

void tt_events_init(struct tt_events *events)
{
    pthread_condattr_t attributes;

    *events = (struct tt_events){0};
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&events->more, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&events->mutex, NULL);
}

void tt_events_release(struct tt_events *events)
{
    for (size_t i = 0; i < TT_EVENTS_KEPT; i++)
        free(events->ring[i].json);
    pthread_cond_destroy(&events->more);
    pthread_mutex_destroy(&events->mutex);
}

void tt_events_add(struct tt_events *events, tt_time at, const char *type, json_t *object)
{
    char *json = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    size_t place;

    json_decref(object);
    if (!json)
        abort();
    pthread_mutex_lock(&events->mutex);
    place = (size_t)(events->newest++ % TT_EVENTS_KEPT);
    free(events->ring[place].json);
    events->ring[place].at = at;
    events->ring[place].type = type;
    events->ring[place].json = json;
    pthread_cond_broadcast(&events->more);
    pthread_mutex_unlock(&events->mutex);
}

static struct timespec moment_after(tt_time wait)
{
    struct timespec moment;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += wait / 1000;
    moment.tv_nsec += wait % 1000 * 1000000;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000;
    }
    return moment;
}

static void copy_after(const struct tt_events *events, struct tt_arena *arena, uint64_t after,
                       struct tt_daemon_events *ret_events)
{
    uint64_t first = after + 1;

    if (events->newest > TT_EVENTS_KEPT && first <= events->newest - TT_EVENTS_KEPT)
        first = events->newest - TT_EVENTS_KEPT + 1;
    *ret_events = (struct tt_daemon_events){0};
    if (first > events->newest)
        return;
    ret_events->items =
        TT_NEW_ARRAY(arena, (size_t)(events->newest - first + 1), struct tt_daemon_event);
    for (uint64_t number = first; number <= events->newest; number++) {
        size_t place = (size_t)((number - 1) % TT_EVENTS_KEPT);

        ret_events->items[ret_events->count++] = (struct tt_daemon_event){
            .number = number,
            .at = events->ring[place].at,
            .type = events->ring[place].type,
            .json = tt_strdup(arena, events->ring[place].json),
        };
    }
}

void tt_events_read(struct tt_events *events, struct tt_arena *arena, uint64_t after, tt_time wait,
                    struct tt_daemon_events *ret_events)
{
    struct timespec until = moment_after(wait > 0 ? wait : 0);

    pthread_mutex_lock(&events->mutex);
    if (after > events->newest) /* a number of an earlier daemon's */
        after = 0;
    while (events->newest <= after && !events->ended && wait > 0)
        if (pthread_cond_timedwait(&events->more, &events->mutex, &until) != 0)
            break;
    copy_after(events, arena, after, ret_events);
    pthread_mutex_unlock(&events->mutex);
}

uint64_t tt_events_newest(struct tt_events *events)
{
    uint64_t newest;

    pthread_mutex_lock(&events->mutex);
    newest = events->newest;
    pthread_mutex_unlock(&events->mutex);
    return newest;
}

void tt_events_end(struct tt_events *events)
{
    pthread_mutex_lock(&events->mutex);
    events->ended = true;
    pthread_cond_broadcast(&events->more);
    pthread_mutex_unlock(&events->mutex);
}
