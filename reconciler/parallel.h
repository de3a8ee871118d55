/*
 * Parallel: the same function for many items, on a bounded number of threads.
 */
#ifndef TT_RECONCILER_PARALLEL_H
#define TT_RECONCILER_PARALLEL_H

#include <stddef.h>

/* Calls WORK(SELF, I) once for each I under COUNT, at most LIMIT at the same time, and returns when
 * all have ended. On a host that gives no more threads fewer do the work; the caller is one. */
void tt_parallel(size_t count, size_t limit, void (*work)(void *self, size_t index), void *self);

#endif
