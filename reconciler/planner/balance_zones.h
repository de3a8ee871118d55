/*
 * Balance zones: which zones a cloud balancer is to balance to.
 */
#ifndef TT_PLANNER_BALANCE_ZONES_H
#define TT_PLANNER_BALANCE_ZONES_H

#include "reconciler/planner/view.h"

/* Fills the fields of every tt_balancer_view that name this header. The fates and places of all
 * machines are known. */
void tt_balance_zones(struct tt_view *view);

#endif
