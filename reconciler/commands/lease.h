/*
 * Lease: the locks of a run's deployments, renewed while it goes on.
 */
#ifndef TT_COMMANDS_LEASE_H
#define TT_COMMANDS_LEASE_H

#include <pthread.h>
#include <stdbool.h>

#include "reconciler/commands/signals.h"
#include "reconciler/store.h"

struct tt_lease {
    struct tt_store *store;
    const struct tt_clock *clock;
    struct tt_signals *signals;
    int64_t token;
    tt_time until; /* when it runs out unless it is renewed, by the steady clock */
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    pthread_t renewer;
    bool renewing, over;
};

/* Takes the locks of DEPLOYMENTS; CONFLICT says who holds one. When they are lost later, SIGNALS
 * stops the run. */
int tt_lease_begin(struct tt_lease *lease, struct tt_store *store, const struct tt_clock *clock,
                   const struct tt_strings *deployments, const char *command,
                   struct tt_signals *signals, struct tt_error *err);
void tt_lease_end(struct tt_lease *lease);

#endif
