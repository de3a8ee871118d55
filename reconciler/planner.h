/*
 * The planner: one pure function from what is desired and what was observed to a plan.
 *
 *   view.h (who is who) → place.h (which server in which slot and zone) → diff.h (what must change)
 *   → order.h (steps and what each must wait for) → prove.h (the floors)
 *
 * The same input gives the same plan, whatever the order of the input; nothing is read but the
 * arguments.
 */
#ifndef TT_RECONCILER_PLANNER_H
#define TT_RECONCILER_PLANNER_H

#include "base/error.h"
#include "model/desired.h"
#include "model/memory.h"
#include "model/plan.h"
#include "model/world.h"

struct tt_plan_options {
    bool prune;                /* --prune: delete deployments that left Git */
    int allow_destroy;         /* --allow-destroy N: so many deletions may pass the guard */
    bool allow_vanished;       /* --allow-vanished */
    const char *world_hash;    /* tt_world_hash of the world; NULL: computed */
    struct tt_strings targets; /* --target: "Service/web", "Deployment/storefront"; empty: all */
};

/* WORLD must be sorted (tt_world_sort). Fails (INTERNAL) only when the plan it made violates its
 * own floor, a bug; SPEC when a target names nothing. */
int tt_planner_plan(struct tt_arena *arena, const struct tt_desired *desired,
                    const struct tt_world *world, const struct tt_memory *memory, tt_time now,
                    const struct tt_plan_options *options, struct tt_plan **ret_plan,
                    struct tt_error *err);

#endif
