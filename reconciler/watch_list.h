/*
 * Watch list: the ports at which the vm-dynamic balancers of a deployment are to answer, so that
 * the daemon can probe them without asking any cloud. Whoever has looked at the world writes it
 * (--save), the daemon reads it.
 *
 * Format trimtab.watch/v1: {"format", "ports": [{"balancer", "account", "region", "machine",
 * "address", "port", "tls", "check", "from", "failed"}]}; "check" is a health check as in the
 * specs.
 */
#ifndef TT_RECONCILER_WATCH_LIST_H
#define TT_RECONCILER_WATCH_LIST_H

#include <jansson.h>

#include "model/desired.h"
#include "model/world.h"

struct tt_watched_port {
    const char *balancer;
    const char *account, *region, *machine; /* its id */
    const char *address;
    int port;
    bool tls;
    const struct tt_health_check *check;
    tt_time from; /* its machine may boot until then; TT_TIME_UNKNOWN: it does not */
    bool failed;  /* so it was when it was written */
};

struct tt_watch_list {
    struct tt_watched_port *items; /* those of one machine follow each other */
    size_t count;
    size_t capacity;
};

/* The document for DEPLOYMENT as WORLD shows it. Left out is what cannot be reached over the
 * network. */
json_t *tt_watch_list_json(const struct tt_desired *desired, const struct tt_world *world,
                           const char *deployment);

int tt_watch_list_read(struct tt_arena *arena, const char *text, size_t size, const char *name,
                       struct tt_watch_list *ret_list, struct tt_error *err);

#endif
