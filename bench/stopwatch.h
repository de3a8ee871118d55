/*
 * A stopwatch for the benchmarks, in milliseconds with fractions: of the steady clock, or of the
 * processor, which a busy machine disturbs less.
 */
#ifndef TT_BENCH_STOPWATCH_H
#define TT_BENCH_STOPWATCH_H

#include <time.h>

static inline double tt_stopwatch(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

#endif
