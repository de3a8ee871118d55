/*
 * Target: a part of a plan, with all that it waits for.
 */
#ifndef TT_PLANNER_TARGET_H
#define TT_PLANNER_TARGET_H

#include "reconciler/planner/emit.h"
#include "reconciler/planner/view.h"

/* Drops the steps that are neither about one of TARGETS ("Deployment/storefront", "Service/web",
 * "LoadBalancer/storefront/edge") nor needed by one that is, and the problems of deployments that
 * no target names or is a part of. STEPS are sorted and stay so; without targets nothing is
 * dropped. Fails (SPEC) when a target names nothing. */
int tt_target(struct tt_view *view, const struct tt_strings *targets, struct tt_steps *steps,
              struct tt_error *err);

#endif
