/*
 * Truth: what the simulated cloud really has, for the referee; it knows nothing of the planner.
 */
#ifndef TT_TESTS_SIMULATE_TRUTH_H
#define TT_TESTS_SIMULATE_TRUTH_H

#include "tests/simulate/history.h"

extern const char *const truth_service_names[2];

const struct tt_region *truth_region(const struct tt_world *world, const char *account);
/* The cloud balancer; NULL: there is none. */
const struct tt_cloud_balancer *truth_lb(const struct tt_world *world);
/* Ours, and not gone. */
bool truth_is_live(const struct tt_server *server);
/* NULL: nobody has it. */
const struct tt_server *truth_find_by_address(const struct tt_world *world, const char *address);
/* NULL: there is no such machine. */
const struct tt_server *truth_find(const struct tt_world *world, const char *account,
                                   const char *id);
/* How many servers of SERVICE (0 api, 1 web) in ACCOUNT (0 east, 1 west) a placement asks for, and
 * how many are wanted, which are none while the deployment is stopped. */
int truth_placed(const struct commit *c, int service, int account);
int truth_wanted(const struct commit *c, int service, int account);

#endif
