/*
 * The part of observe that makes the health checks.
 */
#ifndef TT_RECONCILER_OBSERVE_HEALTH_H
#define TT_RECONCILER_OBSERVE_HEALTH_H

#include "base/map.h"
#include "reconciler/observe.h"

/* True when the machines of ACCOUNT can be asked over the network: those of a snapshot or of the
 * simulated cloud cannot, and their health is what the provider says. */
bool tt_observe_reaches(const struct tt_account *account);

/* Sets the health of each running server of WORLD that a service in Git checks, and of each
 * balancer machine with listeners; what is learnt for later runs lives in ARENA. ONLY: ids of
 * the machines to check; NULL: all. */
void tt_observe_health(struct tt_arena *arena, const struct tt_desired *desired,
                       const struct tt_clock *clock, const struct tt_observe_options *options,
                       const struct tt_map *only, struct tt_world *world);

#endif
