/*
 * Lease: the locks of a run's deployments, renewed while it goes on.
 */
#ifndef TT_COMMANDS_LEASE_H
#define TT_COMMANDS_LEASE_H

#include <pthread.h>
#include <stdbool.h>

#include "reconciler/store.h"

struct tt_lease {
    struct tt_store *store;
    const struct tt_clock *clock;
    int64_t token;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    pthread_t renewer;
    bool renewing, over;
};

/* Takes the locks of DEPLOYMENTS; CONFLICT says who holds one. */
int tt_lease_begin(struct tt_lease *lease, struct tt_store *store, const struct tt_clock *clock,
                   const struct tt_strings *deployments, const char *command, struct tt_error *err);
void tt_lease_end(struct tt_lease *lease);

#endif
