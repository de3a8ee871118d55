/*
 * Lent: machines that vm-static LoadBalancers made balancers. They are somebody else's and have no
 * mark of ours, so memory keeps what each was told. One that no LoadBalancer of the deployment
 * names any more is given back: of what it was told it drops what is still there. Without memory
 * nobody knows it, and it is left alone.
 */
#ifndef TT_PLANNER_LENT_H
#define TT_PLANNER_LENT_H

#include "reconciler/planner/view.h"

/* "shop" of a member of "shop.web". */
const char *tt_lent_deployment(struct tt_arena *arena, const struct tt_lent_member *lent);

/* The machine that was told of MEMBER; NULL: it was not seen, or is gone. */
const struct tt_server *tt_lent_machine(const struct tt_view *view,
                                        const struct tt_told_member *member);

/* True when memory knows that MACHINE was told of ENTRY. */
bool tt_lent_has(const struct tt_view *view, const struct tt_balancer_view *balancer,
                 const struct tt_pool_member *entry);

/* Fills each deployment's list; reports what stays with machines that cannot be told
 * (balancer-failed-static), or is left alone (orphan). */
void tt_lent_resolve(struct tt_view *view);

#endif
