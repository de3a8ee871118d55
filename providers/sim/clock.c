/*
 * Virtual time: a sleep ends at once and has moved the clock to its end, unless another thread's
 * sleep has moved it further already.
 */
#include "providers/sim/sim.h"

static tt_time virtual_now(void *self)
{
    return atomic_load(&((struct tt_sim_clock *)self)->now);
}

static void virtual_sleep(void *self, tt_time delay)
{
    struct tt_sim_clock *clock = self;
    tt_time now = atomic_load(&clock->now);
    tt_time end = now + delay;

    while (now < end && !atomic_compare_exchange_weak(&clock->now, &now, end))
        ;
}

void tt_sim_clock_init(struct tt_sim_clock *clock, tt_time start)
{
    clock->clock = (struct tt_clock){.now = virtual_now, .sleep = virtual_sleep, .self = clock};
    atomic_init(&clock->now, start);
}
