/*
 * Generate: random but valid desired worlds and observed ones, with failures, foreign resources
 * and half-done earlier runs. The same seed gives the same case.
 */
#ifndef TT_TESTS_GENERATE_H
#define TT_TESTS_GENERATE_H

#include <stdint.h>

#include "laws.h"

/* What to leave out, for shrinking a case that fails. */
struct tt_shrink {
    unsigned services;  /* bit I: service I is left out */
    unsigned balancers; /* bit I: balancer I is left out */
    uint64_t servers;   /* bit I: server I is left out */
    bool calm;          /* no failures among the servers */
};

#define TT_GENERATE_SERVICES  4
#define TT_GENERATE_BALANCERS 4
#define TT_GENERATE_SERVERS   64

void tt_generate(struct tt_arena *arena, uint64_t seed, const struct tt_shrink *shrink,
                 struct tt_case *ret_case);

#endif
