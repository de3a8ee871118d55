/*
 * Parallel: threads that take the next index from a shared counter until none is left. The calling
 * thread works, too, so that the work is done even where no thread can be started.
 */
#include "reconciler/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct job {
    atomic_size_t next;
    size_t count;
    void (*work)(void *self, size_t index);
    void *self;
};

static void *take(void *arg)
{
    struct job *job = arg;
    size_t index;

    while ((index = atomic_fetch_add(&job->next, 1)) < job->count)
        job->work(job->self, index);
    return NULL;
}

static void take_in_chosen_order(const struct tt_clock *clock, struct job *job)
{
    size_t *left = calloc(job->count, sizeof(*left));

    if (!left)
        abort();
    for (size_t i = 0; i < job->count; i++)
        left[i] = i;
    for (size_t count = job->count; count; count--) {
        size_t at = clock->choose(clock->self, count), index = left[at];

        left[at] = left[count - 1];
        job->work(job->self, index);
    }
    free(left);
}

void tt_parallel(const struct tt_clock *clock, size_t count, size_t limit,
                 void (*work)(void *self, size_t index), void *self)
{
    struct job job = {.count = count, .work = work, .self = self};
    size_t wanted = count < limit ? count : limit, started = 0;
    pthread_t *threads;

    if (clock && clock->choose) {
        if (count)
            take_in_chosen_order(clock, &job);
        return;
    }
    threads = wanted > 1 ? calloc(wanted - 1, sizeof(*threads)) : NULL;
    while (threads && started + 1 < wanted &&
           pthread_create(&threads[started], NULL, take, &job) == 0)
        started++;
    take(&job);
    while (started)
        pthread_join(threads[--started], NULL);
    free(threads);
}
