/*
 * Serving: how many members a service has in service behind a balancer, in a playground as it is.
 */
#ifndef TT_TESTS_SERVING_H
#define TT_TESTS_SERVING_H

#include "playground.h"

const struct tt_service *tt_floor_service(struct tt_playground *p, const struct tt_floor *floor);
const struct tt_balancer *tt_floor_balancer(struct tt_playground *p, const struct tt_floor *floor);

/* The machine that clients reach: the one with the address; else OLD while it exists. */
const char *tt_serving_machine(struct tt_playground *p, const struct tt_balancer *balancer,
                               const char *old);

/* In service, on servers that run and do not fail. */
int tt_serving_count(struct tt_playground *p, const struct tt_floor *floor, const char *old);

#endif
