/*
 * Jumping: a clock that jumps ahead instead of sleeping, for tests of what waits.
 */
#ifndef TT_TESTS_JUMPING_H
#define TT_TESTS_JUMPING_H

#include <pthread.h>

#include "base/clock.h"

struct jumping {
    struct tt_clock clock;
    pthread_mutex_t lock;
    tt_time now;
    tt_time slept; /* the steady clock */
    tt_time set;   /* somebody sets the wall clock by so much during every sleep */
};

/* It is 2026-11-23T04:00:00Z. */
void jumping_init(struct jumping *jumping);
void jumping_release(struct jumping *jumping);

#endif
