/*
 * Closure: the lightest set of nodes that contains whatever its nodes need.
 *
 * In a step graph such a set is a moment of an execution: a step is in it only with all steps it
 * waits for. Minimum-weight closure by maximum flow (Picard 1976), exact.
 */
#ifndef TT_PLANNER_CLOSURE_H
#define TT_PLANNER_CLOSURE_H

#include "reconciler/planner/emit.h"

/* The least sum of WEIGHTS over all closed sets of COUNT nodes; the empty one weighs 0. NEEDS[i]
 * are the nodes that node i needs, MISSES[i] those whose absence adds 1 to a set with node i;
 * MISSES may be NULL. RET_INSIDE, of COUNT items, gets which nodes are in a lightest set; it may be
 * NULL. */
long tt_closure_least(struct tt_arena *scratch, size_t count, const int *weights,
                      const struct tt_indices *needs, const struct tt_indices *misses,
                      bool *ret_inside);

#endif
