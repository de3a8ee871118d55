/*
 * Lease: a thread renews it several times within its time.
 */
#include "reconciler/commands/lease.h"

#include <errno.h>
#include <time.h>

#define LEASE_MS (INT64_C(60) * 1000)
#define RENEW_S  10

/* False: the locks are lost, or may be by now. A store that fails for a while is tried again. */
static bool renew_once(struct tt_lease *lease)
{
    tt_time now = lease->clock->now(lease->clock->self);
    tt_time steady = tt_clock_steady(lease->clock);
    struct tt_error err = {0};

    if (tt_store_renew(lease->store, lease->token, now, LEASE_MS, &err) == 0) {
        lease->until = steady + LEASE_MS;
        return true;
    }
    if (err.class != TT_ERR_CONFLICT && steady < lease->until)
        return true;
    tt_wrap(&err, "stopping: no new step is started");
    tt_signals_stop(lease->signals, err.message);
    return false;
}

static void *renew(void *self)
{
    struct tt_lease *lease = self;
    bool held = true;

    pthread_mutex_lock(&lease->mutex);
    while (!lease->over && held) {
        struct timespec until;
        int result;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += RENEW_S;
        do
            result = pthread_cond_timedwait(&lease->ended, &lease->mutex, &until);
        while (!result && !lease->over);
        if (result == ETIMEDOUT)
            held = renew_once(lease);
    }
    pthread_mutex_unlock(&lease->mutex);
    return NULL;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int tt_lease_begin(struct tt_lease *lease, struct tt_store *store, const struct tt_clock *clock,
                   const struct tt_strings *deployments, const char *command,
                   struct tt_signals *signals, struct tt_error *err)
{
    tt_time now = clock->now(clock->self);

    *lease = (struct tt_lease){.store = store,
                               .clock = clock,
                               .signals = signals,
                               .until = tt_clock_steady(clock) + LEASE_MS};
    if (tt_store_lock(store, deployments, command, now, LEASE_MS, &lease->token, err) < 0)
        return -1;
    pthread_mutex_init(&lease->mutex, NULL);
    init_condition(&lease->ended);
    /* no deployment, no lock that could be lost */
    lease->renewing =
        deployments->count && pthread_create(&lease->renewer, NULL, renew, lease) == 0;
    return 0;
}

void tt_lease_end(struct tt_lease *lease)
{
    pthread_mutex_lock(&lease->mutex);
    lease->over = true;
    pthread_cond_signal(&lease->ended);
    pthread_mutex_unlock(&lease->mutex);
    if (lease->renewing)
        pthread_join(lease->renewer, NULL);
    tt_store_unlock(lease->store, lease->token, NULL);
    pthread_cond_destroy(&lease->ended);
    pthread_mutex_destroy(&lease->mutex);
}
