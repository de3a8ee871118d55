/*
 * What observe remembers between runs: ports that failed, so that a run goes on counting where the
 * one before stopped.
 */
#ifndef TT_RECONCILER_OBSERVE_MEMORY_H
#define TT_RECONCILER_OBSERVE_MEMORY_H

#include "reconciler/observe.h"

/* A port of a machine that is being watched; port 0: what tells its pool. */
struct tt_watched {
    const char *account, *region, *server;
    int port;
    tt_time interval;
};

/* How often in a row WATCHED failed in earlier runs; 0: never, or too long ago to be of the same
 * row. */
int tt_observe_recall(const struct tt_observe_options *options, const struct tt_watched *watched,
                      tt_time now);

/* Tells OPTIONS' ret_failing that WATCHED failed so often in a row; 0: it passed. */
void tt_observe_note(struct tt_arena *arena, const struct tt_observe_options *options,
                     const struct tt_watched *watched, int failures, tt_time now);

#endif
