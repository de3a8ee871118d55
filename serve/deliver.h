/*
 * Deliveries: what is remembered of webhooks: which were seen, and how many came from whom.
 * Pure but for its memory, which is fixed; the caller locks.
 */
#ifndef TT_SERVE_DELIVER_H
#define TT_SERVE_DELIVER_H

#include <stdbool.h>

#include "base/clock.h"

#define TT_DELIVERIES_KEPT 1024
#define TT_PEERS_KEPT      256
#define TT_PER_MINUTE      120 /* deliveries of one peer */

struct tt_deliveries {
    char seen[TT_DELIVERIES_KEPT][65]; /* digests of hook and id */
    unsigned next;
    struct {
        char address[64];
        tt_time since; /* of the minute that is counted */
        int count;
    } peers[TT_PEERS_KEPT];
};

/* Counts one of PEER; false: it has sent too many in this minute. */
bool tt_deliveries_allow(struct tt_deliveries *deliveries, const char *peer, tt_time now);

/* True when ID of the hook NAME was seen before; else it is from now on. */
bool tt_deliveries_seen(struct tt_deliveries *deliveries, const char *name, const char *id);

#endif
