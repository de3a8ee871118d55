/*
 * How the listeners of a vm-dynamic balancer's machine are probed: the rule that observe and the
 * daemon's watch (watch_list.h) share.
 */
#ifndef TT_RECONCILER_OBSERVE_LISTENERS_H
#define TT_RECONCILER_OBSERVE_LISTENERS_H

#include "model/desired.h"
#include "model/world.h"

struct tt_listener_check {
    int port;
    bool tls;
    struct tt_health_check check; /* whoever answers it is there, whatever the answer says */
};

typedef TT_VEC(struct tt_listener_check) tt_listener_checks;

/* Adds one for each listener of SERVER, a machine of BALANCER in REGION; none when BALANCER is of
 * another type or is to be stopped. */
void tt_observe_listeners(struct tt_arena *arena, const struct tt_balancer *balancer,
                          const struct tt_region *region, const struct tt_server *server,
                          tt_listener_checks *checks);

/* How long after its creation a machine of BALANCER (NULL: of one that Git does not have) boots. */
tt_time tt_observe_balancer_grace(const struct tt_balancer *balancer);

#endif
