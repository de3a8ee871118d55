/*
 * A stopwatch for the benchmarks: the steady clock in milliseconds, with fractions.
 */
#ifndef TT_BENCH_STOPWATCH_H
#define TT_BENCH_STOPWATCH_H

#include <time.h>

static inline double tt_stopwatch(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

#endif
