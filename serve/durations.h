/*
 * Durations: how long runs took, counted by what they stayed within.
 */
#ifndef TT_SERVE_DURATIONS_H
#define TT_SERVE_DURATIONS_H

#include <stdint.h>

#include "base/clock.h"

#define TT_DURATION_BOUNDS 11

/* Whole seconds, growing. */
extern const tt_time tt_duration_bounds[TT_DURATION_BOUNDS];

struct tt_durations {
    uint64_t within[TT_DURATION_BOUNDS + 1]; /* this bound and not the one before; last: none */
    tt_time sum;
};

void tt_durations_add(struct tt_durations *durations, tt_time took);

#endif
