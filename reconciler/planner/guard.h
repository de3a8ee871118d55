/*
 * Guard: what a person must allow before it happens (design.md §7, laws 8 and 9).
 */
#ifndef TT_PLANNER_GUARD_H
#define TT_PLANNER_GUARD_H

#include "reconciler/planner/emit.h"
#include "reconciler/planner/view.h"

/* Marks steps as held: those of a deployment that loses too much at once, a balancer's beyond its
 * recovery limit, and whatever waits for a held one. STEPS are sorted. Reports guard-held. */
void tt_guard(struct tt_view *view, struct tt_steps *steps);

#endif
