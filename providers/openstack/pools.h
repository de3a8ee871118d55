/*
 * Pools: Octavia's balancers with their listeners, pools, members and monitors.
 */
#ifndef TT_OPENSTACK_POOLS_H
#define TT_OPENSTACK_POOLS_H

#include "providers/openstack/cloud.h"

/* Octavia's lists of the project, each asked for once; owned. */
struct tt_openstack_balancing {
    json_t *balancers, *listeners, *pools, *monitors;
};

#define TT_OPENSTACK_BALANCING_AUTO                                                                \
    __attribute__((cleanup(tt_openstack_balancing_release))) struct tt_openstack_balancing
void tt_openstack_balancing_release(struct tt_openstack_balancing *balancing);
int tt_openstack_read_balancing(const struct tt_openstack_visit *visit,
                                struct tt_openstack_balancing *ret_balancing, struct tt_error *err);

/* The balancer with that id or name; borrowed. Errors: NOT_FOUND, which lists those that exist;
 * SPEC, more than one has that name. */
int tt_openstack_find_balancer(const struct tt_openstack_visit *visit,
                               const struct tt_openstack_balancing *balancing, const char *name,
                               const json_t **ret_balancer, struct tt_error *err);

/* Whether OBJECT (a listener or a pool) belongs to the balancer ID. */
bool tt_openstack_belongs(const json_t *object, const char *id);
/* No listener leads to POOL, neither by itself nor by a policy, so Octavia checks none of its
 * members and sends nobody there. False where it does not say. */
bool tt_openstack_is_idle(const json_t *pool);
/* The monitor of a pool; NULL: it has none. Borrowed. */
const json_t *tt_openstack_monitor_of(const struct tt_openstack_balancing *balancing,
                                      const char *pool);

/* The port at which members of POOL, an object, are to listen: where ours of MEMBERS do, or all of
 * them; or what its tag says. 0: that of whoever joins, or they do not agree. */
int tt_openstack_target_of(const json_t *pool, const json_t *members);
/* POOL's tags with the one that says PORT; the caller's. */
json_t *tt_openstack_target_tags(struct tt_arena *arena, const json_t *pool, int port);
/* The port in POOL's tag; 0: it has none. */
int tt_openstack_target_tag(const json_t *pool);

int tt_openstack_pool_members(const struct tt_openstack_visit *visit, const char *pool,
                              json_t **ret_members, struct tt_error *err);

/* Adds the region's balancers to LOOK's: all that exist, with members those that are asked for. */
int tt_openstack_observe_balancers(const struct tt_openstack_visit *visit,
                                   const struct tt_observe_request *request,
                                   struct tt_region *region, struct tt_error *err);

#endif
