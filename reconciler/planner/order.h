/*
 * Order: from changes to steps and what each must wait for (design.md §5, §6).
 */
#ifndef TT_PLANNER_ORDER_H
#define TT_PLANNER_ORDER_H

#include "base/error.h"
#include "reconciler/planner/diff.h"
#include "reconciler/planner/emit.h"

/* All steps of all deployments, unsorted; `after` holds indices into them. Edges never leave a
 * deployment. */
void tt_order(struct tt_view *view, struct tt_changes *changes, struct tt_steps *ret_steps);

/* Sorts STEPS by deployment, then so that each comes after what it waits for, then by subject;
 * rewrites `after` to the new indices, ascending, each once. Fails (INTERNAL), naming the steps,
 * when some wait for each other. */
int tt_order_sort(struct tt_arena *arena, struct tt_steps *steps, struct tt_error *err);

#endif
