/*
 * Plan text: a plan for people.
 */
#ifndef TT_RECONCILER_PLAN_TEXT_H
#define TT_RECONCILER_PLAN_TEXT_H

#include "base/str.h"
#include "model/desired.h"
#include "model/plan.h"

/* Problems, the steps grouped by deployment and by service or balancer with a reason each, the
 * floors, and "Plan: X to add, Y to change, Z to destroy." */
void tt_plan_text(struct tt_buf *out, const struct tt_plan *plan, const struct tt_desired *desired,
                  bool color);

/* "+ create web-3 in zone a", as plans and progress name a step. */
char *tt_step_text(struct tt_arena *arena, const struct tt_step *step);

#endif
