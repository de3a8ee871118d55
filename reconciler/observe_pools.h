/*
 * The part of observe that asks balancer machines for their pools (listProxy).
 */
#ifndef TT_RECONCILER_OBSERVE_POOLS_H
#define TT_RECONCILER_OBSERVE_POOLS_H

#include "base/map.h"
#include "reconciler/observe.h"

/* Adds to WORLD the pool of each balancer machine that runs: owned ones by their marks, and the
 * machines that a vm-static LoadBalancer names, or has named (OPTIONS' lent). ONLY: ids of the
 * machines to ask; NULL: all.
 *
 * A machine whose image has no listProxy gets no pool. One that does not answer is `failing`. Where
 * it is we who are refused (credentials, request limit), nothing is known of an owned machine nor
 * of what stands behind it, and its region becomes unreachable. */
void tt_observe_pools(struct tt_arena *arena, const struct tt_clouds *clouds,
                      const struct tt_desired *desired, const struct tt_clock *clock,
                      const struct tt_observe_options *options, const struct tt_map *only,
                      struct tt_world *world);

/* The LoadBalancer whose machine SERVER is: by its marks, or because a vm-static one names it;
 * NULL: none in Git. */
const struct tt_balancer *tt_observe_balancer_of(const struct tt_desired *desired,
                                                 const char *account, const char *region,
                                                 const struct tt_server *server);

#endif
