/*
 * Generate lent: what earlier runs told vm-static machines, whose LoadBalancers have left Git
 * since, or name another machine.
 */
#ifndef TT_TESTS_GENERATE_LENT_H
#define TT_TESTS_GENERATE_LENT_H

#include "laws.h"

void tt_generate_lent(struct tt_arena *arena, uint64_t seed, struct tt_case *what);

#endif
