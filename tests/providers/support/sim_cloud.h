/*
 * A simulated cloud for a test: account "east" with region "r1", zones "a" and "b", the cloud
 * balancer "elb" and an elastic address, on a virtual clock.
 */
#ifndef TT_TESTS_SIM_CLOUD_H
#define TT_TESTS_SIM_CLOUD_H

#include "providers/sim/sim.h"

#define START INT64_C(1795406400000) /* 2026-11-23T04:00:00Z */

struct sim_cloud {
    struct tt_sim_clock clock;
    struct tt_arena arena;
    struct tt_sim *sim;
    struct tt_provider *provider;
    struct tt_error err;
};

/* Setup and teardown of a cmocka test; *state is the struct sim_cloud. */
int sim_cloud_begin(void **state);
int sim_cloud_end(void **state);

/* A server of the owner acme, with a token of its own; sim_cloud_create fails the test. */
int sim_cloud_try_create(struct sim_cloud *cloud, const char *zone, const char **ret_id);
const char *sim_cloud_create(struct sim_cloud *cloud, const char *zone);

/* What acme sees of the region. */
struct tt_region *sim_cloud_look(struct sim_cloud *cloud);

#endif
