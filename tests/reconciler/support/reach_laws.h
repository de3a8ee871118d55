/*
 * Reach laws: what a plan leaves alone (design.md §§4-5, 7): whatever an error names, whatever is
 * behind a balancer that cannot be seen, and everything when a guard or a limit is passed.
 */
#ifndef TT_TESTS_REACH_LAWS_H
#define TT_TESTS_REACH_LAWS_H

#include "laws.h"
#include "model/plan.h"

int tt_reach_laws_check(struct tt_arena *arena, const struct tt_case *what,
                        const struct tt_plan *plan, struct tt_error *err);

#endif
