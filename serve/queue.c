/*
 * Queue: entries in a heap by the time they are due, and in an array by key.
 *
 * Those that run or are paused, or have nothing to wait for, are not in the heap. Entries that are
 * due at the same time come in the order in which they became so.
 */
#include "serve/queue.h"

#include <stdlib.h>
#include <string.h>

#define NOT_IN_HEAP SIZE_MAX
#define CLOCK_SLACK 60000 /* ms back that are no matter */

struct entry {
    char *key;
    tt_time due;
    uint64_t order;
    size_t place; /* in the heap */
    unsigned pending, serving;
    int failures;
    bool running, paused, removed;
};

struct tt_queue {
    struct tt_queue_options options;
    struct entry **by_key;
    struct entry **heap;
    size_t count, capacity, waiting;
    uint64_t orders, chance;
    int running;
    tt_time seen; /* when it was asked last; UNKNOWN: never */
};

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* --- chance ------------------------------------------------------------------------------------
 */

static uint64_t draw(struct tt_queue *queue)
{
    queue->chance ^= queue->chance << 13;
    queue->chance ^= queue->chance >> 7;
    queue->chance ^= queue->chance << 17;
    return queue->chance;
}

/* WAIT, longer or shorter by up to the jitter. */
static tt_time jittered(struct tt_queue *queue, tt_time wait)
{
    tt_time most = wait / 100 * queue->options.jitter;

    return most > 0 ? wait - most + (tt_time)(draw(queue) % (uint64_t)(2 * most + 1)) : wait;
}

/* --- the heap ----------------------------------------------------------------------------------
 */

static bool is_before(const struct entry *a, const struct entry *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct tt_queue *queue, size_t place, struct entry *entry)
{
    queue->heap[place] = entry;
    entry->place = place;
}

static void rise(struct tt_queue *queue, size_t place)
{
    struct entry *entry = queue->heap[place];

    while (place > 0 && is_before(entry, queue->heap[(place - 1) / 2])) {
        put(queue, place, queue->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(queue, place, entry);
}

static void sink(struct tt_queue *queue, size_t place)
{
    struct entry *entry = queue->heap[place];

    for (;;) {
        size_t child = 2 * place + 1;

        if (child >= queue->waiting)
            break;
        if (child + 1 < queue->waiting && is_before(queue->heap[child + 1], queue->heap[child]))
            child++;
        if (!is_before(queue->heap[child], entry))
            break;
        put(queue, place, queue->heap[child]);
        place = child;
    }
    put(queue, place, entry);
}

static void leave(struct tt_queue *queue, struct entry *entry)
{
    size_t place = entry->place;
    struct entry *last;

    if (place == NOT_IN_HEAP)
        return;
    entry->place = NOT_IN_HEAP;
    last = queue->heap[--queue->waiting];
    if (last == entry)
        return;
    put(queue, place, last);
    rise(queue, place);
    sink(queue, last->place);
}

/* ENTRY waits until DUE, unless it runs, is paused or waits for nothing. */
static void wait_until(struct tt_queue *queue, struct entry *entry, tt_time due)
{
    leave(queue, entry);
    entry->due = due;
    if (entry->running || entry->paused || due == TT_TIME_UNKNOWN)
        return;
    entry->order = queue->orders++;
    put(queue, queue->waiting, entry);
    rise(queue, queue->waiting++);
}

/* --- entries -----------------------------------------------------------------------------------
 */

static size_t place_of(const struct tt_queue *queue, const char *key)
{
    size_t low = 0, high = queue->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(queue->by_key[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct entry *find(const struct tt_queue *queue, const char *key)
{
    size_t place = place_of(queue, key);

    return place < queue->count && strcmp(queue->by_key[place]->key, key) == 0
               ? queue->by_key[place]
               : NULL;
}

static struct entry *insert(struct tt_queue *queue, const char *key)
{
    size_t place = place_of(queue, key);
    struct entry *entry = must(calloc(1, sizeof(*entry)));

    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 16;
        queue->by_key = must(reallocarray(queue->by_key, queue->capacity, sizeof(struct entry *)));
        queue->heap = must(reallocarray(queue->heap, queue->capacity, sizeof(struct entry *)));
    }
    memmove(&queue->by_key[place + 1], &queue->by_key[place],
            (queue->count - place) * sizeof(struct entry *));
    queue->by_key[place] = entry;
    queue->count++;
    entry->key = must(strdup(key));
    entry->place = NOT_IN_HEAP;
    entry->due = TT_TIME_UNKNOWN;
    return entry;
}

static void drop(struct tt_queue *queue, struct entry *entry)
{
    size_t place = place_of(queue, entry->key);

    leave(queue, entry);
    memmove(&queue->by_key[place], &queue->by_key[place + 1],
            (--queue->count - place) * sizeof(struct entry *));
    free(entry->key);
    free(entry);
}

struct tt_queue *tt_queue_new(const struct tt_queue_options *options)
{
    struct tt_queue *queue = must(calloc(1, sizeof(*queue)));

    queue->options = *options;
    queue->chance = options->seed ? options->seed : 1;
    queue->seen = TT_TIME_UNKNOWN;
    return queue;
}

void tt_queue_free(struct tt_queue *queue)
{
    if (!queue)
        return;
    for (size_t i = 0; i < queue->count; i++) {
        free(queue->by_key[i]->key);
        free(queue->by_key[i]);
    }
    free(queue->by_key);
    free(queue->heap);
    free(queue);
}

void tt_queue_set_options(struct tt_queue *queue, const struct tt_queue_options *options,
                          tt_time now)
{
    tt_time check = options->check;

    queue->options = *options;
    for (size_t i = 0; check > 0 && i < queue->count; i++) {
        struct entry *entry = queue->by_key[i];
        bool idle = !entry->pending && !entry->failures;

        if (idle && (entry->due == TT_TIME_UNKNOWN || entry->due > now + check))
            wait_until(queue, entry, now + (tt_time)(draw(queue) % (uint64_t)check));
    }
}

/* --- what happens to them ----------------------------------------------------------------------
 */

static void trigger(struct tt_queue *queue, struct entry *entry, unsigned triggers, tt_time now)
{
    bool was_due = entry->place != NOT_IN_HEAP && entry->due <= now;

    entry->pending |= triggers;
    if (triggers & TT_TRIGGER_PUSH)
        entry->failures = 0;
    if (!was_due) /* who waits for its turn keeps it */
        wait_until(queue, entry, now);
}

void tt_queue_add(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now)
{
    struct entry *entry = find(queue, key);

    if (!entry) {
        entry = insert(queue, key);
        if (!triggers && queue->options.check > 0)
            wait_until(queue, entry, now + (tt_time)(draw(queue) % (uint64_t)queue->options.check));
    }
    entry->removed = false;
    if (triggers)
        trigger(queue, entry, triggers, now);
}

void tt_queue_remove(struct tt_queue *queue, const char *key)
{
    struct entry *entry = find(queue, key);

    if (!entry)
        return;
    if (entry->running)
        entry->removed = true;
    else
        drop(queue, entry);
}

bool tt_queue_trigger(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now)
{
    struct entry *entry = find(queue, key);

    if (!entry)
        return false;
    trigger(queue, entry, triggers, now);
    return true;
}

bool tt_queue_remind(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now)
{
    struct entry *entry = find(queue, key);

    if (!entry)
        return false;
    if (entry->failures)
        entry->pending |= triggers;
    else
        trigger(queue, entry, triggers, now);
    return true;
}

void tt_queue_pause(struct tt_queue *queue, const char *key, bool paused)
{
    struct entry *entry = find(queue, key);

    if (!entry || entry->paused == paused)
        return;
    entry->paused = paused;
    wait_until(queue, entry, entry->due);
}

/* A clock that is set back takes all times with it: else everything would wait for as long as it
 * was wrong. The order stays. */
static void follow_clock(struct tt_queue *queue, tt_time now)
{
    if (queue->seen != TT_TIME_UNKNOWN && now < queue->seen - CLOCK_SLACK)
        for (size_t i = 0; i < queue->waiting; i++)
            queue->heap[i]->due += now - queue->seen;
    queue->seen = now;
}

const char *tt_queue_next(struct tt_queue *queue, tt_time now, unsigned *ret_triggers)
{
    struct entry *entry = queue->waiting ? queue->heap[0] : NULL;

    follow_clock(queue, now);
    if (!entry || entry->due > now || queue->running >= queue->options.limit)
        return NULL;
    leave(queue, entry);
    entry->serving = entry->pending ? entry->pending : TT_TRIGGER_CHECK;
    entry->pending = 0;
    entry->running = true;
    entry->due = TT_TIME_UNKNOWN;
    queue->running++;
    *ret_triggers = entry->serving;
    return entry->key;
}

static tt_time backoff(struct tt_queue *queue, int failures)
{
    tt_time wait = queue->options.backoff;

    while (--failures > 0 && wait < queue->options.longest_backoff)
        wait *= 2;
    if (wait > queue->options.longest_backoff)
        wait = queue->options.longest_backoff;
    return jittered(queue, wait);
}

/* The entry of KEY, which runs no more; NULL: nobody asks for it any more. */
static struct entry *end_run(struct tt_queue *queue, const char *key)
{
    struct entry *entry = find(queue, key);

    if (!entry || !entry->running)
        return NULL;
    entry->running = false;
    queue->running--;
    if (!entry->removed)
        return entry;
    drop(queue, entry);
    return NULL;
}

void tt_queue_put_off(struct tt_queue *queue, const char *key, tt_time until)
{
    struct entry *entry = end_run(queue, key);

    if (!entry)
        return;
    entry->pending |= entry->serving;
    entry->serving = 0;
    wait_until(queue, entry, until);
}

void tt_queue_go_on(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now)
{
    struct entry *entry = end_run(queue, key);

    if (!entry)
        return;
    if (entry->pending & TT_TRIGGER_PUSH)
        entry->failures = 0;
    entry->pending |= triggers;
    entry->serving = 0;
    wait_until(queue, entry, now);
}

void tt_queue_done(struct tt_queue *queue, const char *key, bool failed, tt_time now)
{
    struct entry *entry = end_run(queue, key);
    bool pushed;

    if (!entry)
        return;
    pushed = entry->pending & TT_TRIGGER_PUSH;
    entry->failures = failed && !pushed ? entry->failures + 1 : 0;
    if (failed)
        entry->pending |= entry->serving;
    entry->serving = 0;
    if (failed && !pushed)
        wait_until(queue, entry, now + backoff(queue, entry->failures));
    else if (entry->pending)
        wait_until(queue, entry, now);
    else if (queue->options.check > 0)
        wait_until(queue, entry, now + jittered(queue, queue->options.check));
}

/* --- how it stands -----------------------------------------------------------------------------
 */

tt_time tt_queue_wake(const struct tt_queue *queue)
{
    if (!queue->waiting || queue->running >= queue->options.limit)
        return TT_TIME_UNKNOWN;
    return queue->heap[0]->due;
}

bool tt_queue_read(const struct tt_queue *queue, const char *key, tt_time now,
                   struct tt_queue_state *ret_state)
{
    const struct entry *entry = find(queue, key);

    if (!entry)
        return false;
    *ret_state = (struct tt_queue_state){
        .running = entry->running,
        .waiting = entry->place != NOT_IN_HEAP && entry->due <= now,
        .paused = entry->paused,
        .failures = entry->failures,
        .next = entry->place != NOT_IN_HEAP ? entry->due : TT_TIME_UNKNOWN,
        .pending = entry->pending,
    };
    return true;
}

size_t tt_queue_count(const struct tt_queue *queue)
{
    return queue->count;
}

int tt_queue_running(const struct tt_queue *queue)
{
    return queue->running;
}

size_t tt_queue_waiting(const struct tt_queue *queue, tt_time now)
{
    size_t count = 0;

    for (size_t i = 0; i < queue->waiting; i++)
        count += queue->heap[i]->due <= now;
    return count;
}
