/*
 * Lease: a thread renews it every third of its time.
 */
#include "reconciler/commands/lease.h"

#include <errno.h>
#include <time.h>

#define LEASE_MS (INT64_C(60) * 1000)
#define RENEW_S  20

static void *renew(void *self)
{
    struct tt_lease *lease = self;

    pthread_mutex_lock(&lease->mutex);
    while (!lease->over) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += RENEW_S;
        if (pthread_cond_timedwait(&lease->ended, &lease->mutex, &until) == ETIMEDOUT)
            tt_store_renew(lease->store, lease->token, lease->clock->now(lease->clock->self),
                           LEASE_MS, NULL);
    }
    pthread_mutex_unlock(&lease->mutex);
    return NULL;
}

int tt_lease_begin(struct tt_lease *lease, struct tt_store *store, const struct tt_clock *clock,
                   const struct tt_strings *deployments, const char *command, struct tt_error *err)
{
    *lease = (struct tt_lease){.store = store, .clock = clock};
    if (tt_store_lock(store, deployments, command, clock->now(clock->self), LEASE_MS, &lease->token,
                      err) < 0)
        return -1;
    pthread_mutex_init(&lease->mutex, NULL);
    pthread_cond_init(&lease->ended, NULL);
    lease->renewing = pthread_create(&lease->renewer, NULL, renew, lease) == 0;
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
