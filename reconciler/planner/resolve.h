/*
 * Resolve: finds what specs name in the world. A part of making the view.
 */
#ifndef TT_PLANNER_RESOLVE_H
#define TT_PLANNER_RESOLVE_H

#include "reconciler/planner/view.h"

/* Finds the region, the cloud balancer or the machine of BALANCER; reports no-such-cloud-balancer,
 * no-such-machine, no-such-zone, no-such-address, balancer-failed-static. */
void tt_resolve_balancer(struct tt_view *view, struct tt_balancer_view *balancer);

/* Reports every region that Git names and that was not observed (region-unreachable). */
void tt_resolve_unseen(struct tt_view *view);

/* The machine that a vm-static LoadBalancer means by NAME, an id or a name; NULL: it is not there.
 */
const struct tt_server *tt_resolve_machine(const struct tt_region *region, const char *name);

#endif
