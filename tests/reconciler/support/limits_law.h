/*
 * Limits: a plan that calls limits too tight must be right.
 */
#ifndef TT_TESTS_LIMITS_LAW_H
#define TT_TESTS_LIMITS_LAW_H

#include "laws.h"

/* Holds each limits-too-tight of PLAN to this: it plans nothing for the service, which has as many
 * machines as it may have, and each machine that is named is missed behind some balancer the moment
 * it goes. */
int tt_limits_law_check(struct tt_arena *arena, const struct tt_case *what,
                        const struct tt_plan *plan, struct tt_error *err);

#endif
