/*
 * Same plan: compares two plans in all that their JSON tells, without writing it.
 */
#ifndef TT_TESTS_SAME_PLAN_H
#define TT_TESTS_SAME_PLAN_H

#include "model/plan.h"

bool tt_same_plan(const struct tt_plan *a, const struct tt_plan *b);

#endif
