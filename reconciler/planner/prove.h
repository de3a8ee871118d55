/*
 * Prove: how many members serve at the worst moment of any execution.
 *
 * It knows the world and the steps with their edges, not how they came about. For each service
 * behind each balancer a step has a weight: +1 when it brings a member into service, -1 when it
 * takes one out. The state after any prefix of any execution, wherever it stops, is a down-set of
 * the step graph, so the floor is what serves now plus the lightest closure (closure.h), in which a
 * withdraw that may come before the enroll of its member takes nothing without it. While a
 * balancer gets another machine there are two phases, before and after the switch, each with the
 * pool of its machine.
 */
#ifndef TT_PLANNER_PROVE_H
#define TT_PLANNER_PROVE_H

#include "reconciler/planner/emit.h"
#include "reconciler/planner/view.h"

struct tt_floors {
    struct tt_floor *items; /* by deployment, service, balancer */
    size_t count;
    size_t capacity;
};

/* Fills RET_FLOORS; fails (INTERNAL), naming the steps, when a floor is below what the spec allows:
 * min(now, count - maxUnavailable). A balancer that is not seen has none. */
int tt_prove(struct tt_arena *arena, const struct tt_view *view, const struct tt_steps *steps,
             struct tt_floors *ret_floors, struct tt_error *err);

#endif
