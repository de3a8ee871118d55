/*
 * Balance: what happens to the balancers themselves. Decides for each one which machine serves now
 * and which is to serve, whether a new one is made, the old ones deleted, an elastic address moved,
 * and what of a cloud balancer's settings is to be set.
 */
#ifndef TT_PLANNER_BALANCE_H
#define TT_PLANNER_BALANCE_H

#include "reconciler/planner/view.h"

/* Fills the fields of every tt_balancer_view that name this header, and the fates of balancers'
 * machines; reports no-such-template and recovery-limit. */
void tt_balance(struct tt_view *view);

/* The health check of BALANCER: its own, else that of the first of its services that has one;
 * NULL: none. */
const struct tt_health_check *tt_balancer_health(const struct tt_balancer *balancer);

/* True when BALANCER has an elastic address of its own that the plan must move to MACHINE. */
const struct tt_elastic_address *tt_balancer_address(const struct tt_balancer_view *balancer);

#endif
