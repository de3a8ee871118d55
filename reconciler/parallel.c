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

void tt_parallel(size_t count, size_t limit, void (*work)(void *self, size_t index), void *self)
{
    struct job job = {.count = count, .work = work, .self = self};
    size_t wanted = count < limit ? count : limit, started = 0;
    pthread_t *threads = wanted > 1 ? calloc(wanted - 1, sizeof(*threads)) : NULL;

    while (threads && started + 1 < wanted &&
           pthread_create(&threads[started], NULL, take, &job) == 0)
        started++;
    take(&job);
    while (started)
        pthread_join(threads[--started], NULL);
    free(threads);
}
