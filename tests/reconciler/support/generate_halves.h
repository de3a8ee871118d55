/*
 * Generate halves: slots that an earlier run left with two machines, of which each is a member of
 * some of the slot's balancers only.
 */
#ifndef TT_TESTS_GENERATE_HALVES_H
#define TT_TESTS_GENERATE_HALVES_H

#include "laws.h"

void tt_generate_halves(struct tt_arena *arena, uint64_t seed, struct tt_case *what);

#endif
