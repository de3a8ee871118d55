/*
 * Durations: bounds from a check that finds nothing to a rollout of hours.
 */
#include "serve/durations.h"

#define SECONDS INT64_C(1000)

const tt_time tt_duration_bounds[TT_DURATION_BOUNDS] = {
    1 * SECONDS,   2 * SECONDS,   5 * SECONDS,   10 * SECONDS,   30 * SECONDS,  60 * SECONDS,
    120 * SECONDS, 300 * SECONDS, 600 * SECONDS, 1800 * SECONDS, 3600 * SECONDS};

void tt_durations_add(struct tt_durations *durations, tt_time took)
{
    int i = 0;

    while (i < TT_DURATION_BOUNDS && took > tt_duration_bounds[i])
        i++;
    durations->within[i]++;
    durations->sum += took;
}
