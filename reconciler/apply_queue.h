/*
 * The queue of apply: steps whose call may be made, and the states of all. Everything here but
 * tt_apply_set, tt_apply_get and tt_apply_note (apply_run.h) is called under the run's lock.
 */
#ifndef TT_RECONCILER_APPLY_QUEUE_H
#define TT_RECONCILER_APPLY_QUEUE_H

#include "reconciler/apply_run.h"

/* Held steps and what depends on them are out from the beginning; what waits for nothing is in. */
void tt_apply_open_first(struct tt_apply_run *run);

/* The next step to call, or -1 when the run is over (alone: when none may be called now). A step
 * that may not start any more (stopped, no journal) ends here; one that has begun is finished. */
int tt_apply_take(struct tt_apply_run *run);

/* Leaves STEP out, and all that comes after it. */
void tt_apply_skip(struct tt_apply_run *run, int step, const char *why);

#endif
