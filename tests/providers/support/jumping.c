/*
 * Jumping: see the header.
 */
#include "tests/providers/support/jumping.h"

static tt_time tell(void *self)
{
    struct jumping *jumping = self;
    tt_time now;

    pthread_mutex_lock(&jumping->lock);
    now = jumping->now;
    pthread_mutex_unlock(&jumping->lock);
    return now;
}

static tt_time tell_steady(void *self)
{
    struct jumping *jumping = self;
    tt_time slept;

    pthread_mutex_lock(&jumping->lock);
    slept = jumping->slept;
    pthread_mutex_unlock(&jumping->lock);
    return slept;
}

static void jump(void *self, tt_time delay)
{
    struct jumping *jumping = self;

    pthread_mutex_lock(&jumping->lock);
    jumping->now += delay + jumping->set;
    jumping->slept += delay;
    pthread_mutex_unlock(&jumping->lock);
}

void jumping_init(struct jumping *jumping)
{
    *jumping = (struct jumping){
        .clock = {.now = tell, .sleep = jump, .self = jumping, .steady = tell_steady},
        .now = INT64_C(1795406400000)};
    pthread_mutex_init(&jumping->lock, NULL);
}

void jumping_release(struct jumping *jumping)
{
    pthread_mutex_destroy(&jumping->lock);
}
