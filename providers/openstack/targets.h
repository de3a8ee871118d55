/*
 * Targets: which pool is behind which listener. All members of a pool listen at one port, so
 * listeners that lead to the same port share a pool, and one that leads elsewhere has its own: the
 * same servers, at another port.
 */
#ifndef TT_OPENSTACK_TARGETS_H
#define TT_OPENSTACK_TARGETS_H

#include "base/map.h"
#include "providers/openstack/pools.h"

/* The setting of one balancer's listeners. */
struct tt_openstack_targets {
    const struct tt_openstack_visit *visit;
    const char *balancer; /* its name or id */
    const struct tt_listeners *wanted;
    struct tt_openstack_balancing balancing; /* pools that are made are added */
    const char *id;
    struct tt_map targets;     /* pool → the listener that claimed it */
    struct tt_strings deleted; /* listeners, by this setting */
};

/* The pool with that id; NULL: there is none. Borrowed. */
const json_t *tt_openstack_find_pool(const struct tt_openstack_targets *work, const char *id);

/* Gives POOL to LISTENER, unless another listener has it for another port. */
bool tt_openstack_claim(struct tt_openstack_targets *work, const char *pool,
                        const struct tt_listener *listener);

/* A pool of the balancer that stands already and can be LISTENER's, claimed; NULL: none. One that a
 * policy of another listener leads to is that one's. */
const char *tt_openstack_free_pool(struct tt_openstack_targets *work,
                                   const struct tt_listener *listener);

/* A new one, claimed, which is checked as the others are; set_pool gives it its members. */
int tt_openstack_make_pool(struct tt_openstack_targets *work, const struct tt_listener *listener,
                           const char **ret_pool, struct tt_error *err);

/* Gives POOL LISTENER's algorithm, its port for those who join, and our members that port (an empty
 * one those of another pool of the balancer); members of others stay where they are. */
int tt_openstack_set_pool(const struct tt_openstack_targets *work, const json_t *pool,
                          const struct tt_listener *listener, struct tt_error *err);

#endif
