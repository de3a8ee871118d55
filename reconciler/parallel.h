/*
 * Parallel: the same function for many items, on a bounded number of threads.
 */
#ifndef TT_RECONCILER_PARALLEL_H
#define TT_RECONCILER_PARALLEL_H

#include "base/clock.h"

/* Calls WORK(SELF, I) once for each I under COUNT, at most LIMIT at the same time, and returns when
 * all have ended. On a host that gives no more threads fewer do the work; the caller is one. With a
 * CLOCK that chooses (NULL: none) the caller does all of it, in the order chosen. */
void tt_parallel(const struct tt_clock *clock, size_t count, size_t limit,
                 void (*work)(void *self, size_t index), void *self);

#endif
