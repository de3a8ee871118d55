/*
 * Front: what clients and checks see of a balancer: its listeners and monitors, read and set.
 */
#ifndef TT_OPENSTACK_FRONT_H
#define TT_OPENSTACK_FRONT_H

#include "providers/openstack/pools.h"

/* A listener of Octavia's as the specs would say it, without what its pool says. False: of a kind
 * that they cannot say (udp, sctp, metrics), which is nobody's business here. */
bool tt_openstack_read_listener(const json_t *json, struct tt_listener *ret_listener);

/* 1 + enum tt_algorithm of a pool; 0: one that the specs cannot say. */
int tt_openstack_read_algorithm(const json_t *pool);

/* Octavia's words, by enum tt_algorithm. */
extern const char *const tt_openstack_algorithms[];

/* Whether POOL serves listeners that the specs can say. */
bool tt_openstack_is_spoken_of(const json_t *pool);

/* What the pools of the balancer ID are checked by. An interval of 0 stands for what no spec says:
 * a pool without a check, no pool that a listener leads to yet, or pools that are not checked
 * alike. */
const struct tt_health_check *
tt_openstack_read_check(struct tt_arena *arena, const struct tt_openstack_balancing *balancing,
                        const char *id);

/* Gives POOL the check that MONITOR, another pool's, is. */
int tt_openstack_copy_monitor(const struct tt_openstack_visit *visit, const char *balancer,
                              const json_t *monitor, const char *pool, struct tt_error *err);

/* tt_openstack_change for METHOD and PATH. */
int tt_openstack_change_at(const struct tt_openstack_visit *visit, const char *balancer,
                           const char *what, const char *method, const char *path,
                           const json_t *body, json_t **ret_answer, struct tt_error *err);

#endif
