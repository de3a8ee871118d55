/*
 * Time: instants and durations are int64_t milliseconds, instants since 1970 in UTC.
 *
 * Pure code gets "now" as a parameter. Code that waits gets a struct tt_clock, so that the
 * simulated cloud and the tests run on virtual time.
 */
#ifndef TT_BASE_CLOCK_H
#define TT_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef int64_t tt_time; /* milliseconds */

#define TT_TIME_UNKNOWN INT64_MIN

struct tt_clock {
    tt_time (*now)(void *self);               /* wall clock */
    void (*sleep)(void *self, tt_time delay); /* returns after DELAY, or earlier on a signal */
    void *self;
    /* NULL, or everything that goes by this clock runs on one thread, and whenever one of COUNT
     * things may happen next, this says which: a simulation that can be repeated */
    size_t (*choose)(void *self, size_t count);
    tt_time (*steady)(void *self); /* NULL: `now`, which nobody sets */
};

/* The host's clock. */
const struct tt_clock *tt_clock_real(void);

/* CLOCK's time since some moment of this boot of the host: it goes on while the host sleeps, and
 * never jumps when somebody sets the wall clock. For waits, leases and limits. */
tt_time tt_clock_steady(const struct tt_clock *clock);

/* A steady clock for measuring how long something took; unrelated to the wall clock. */
tt_time tt_monotonic(void);

/* RFC 3339, "2026-11-23T04:00:00Z"; offsets ("+02:00", "+0200") are read, never written. -1: not a
 * time, or not of the years 1970 to 9999. */
int tt_time_parse(const char *text, tt_time *ret_time);
char *tt_time_format(struct tt_arena *arena, tt_time time);
/* With the milliseconds, where there are any: what is read again is the same time. */
char *tt_time_format_exact(struct tt_arena *arena, tt_time time);

/* True when NOW is within SPAN of BEGAN, which may lie ahead of a clock that is behind by less.
 * What began at an unknown time, or further ahead than that, is not believed to have begun just
 * now. */
bool tt_time_is_recent(tt_time began, tt_time now, tt_time span);

/* "250ms", "30s", "5m", "1h" (one number, one unit; at most 30 days). -1: not a duration. */
int tt_duration_parse(const char *text, tt_time *ret_duration);

/* The shortest exact form: 90000 is "90s", 60000 is "1m". */
char *tt_duration_format(struct tt_arena *arena, tt_time duration);

#endif
