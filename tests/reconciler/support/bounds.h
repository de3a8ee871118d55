/*
 * Bounds: how few members may serve and how many machines may be, by the words of the design alone.
 */
#ifndef TT_TESTS_BOUNDS_H
#define TT_TESTS_BOUNDS_H

#include "model/desired.h"

/* How few members of SERVICE may serve behind BALANCER at any moment, when NOW did at the start
 * (design.md §6). */
int tt_bounds_members(const struct tt_service *service, const struct tt_balancer *balancer,
                      int now);

/* How many machines SERVICE may have at any moment, when it had NOW at the start (design.md §5). */
int tt_bounds_machines(const struct tt_service *service, int now);

#endif
