/*
 * Observe fixture: two accounts, a deployment with a service behind balancers, machines in memory
 * whose ports are real ones of the loopback. Include cmocka.h first.
 */
#ifndef TT_TESTS_OBSERVE_FIXTURE_H
#define TT_TESTS_OBSERVE_FIXTURE_H

#include "reconciler/observe.h"
#include "tests/reconciler/support/toy.h"

struct fixture {
    struct tt_arena arena;
    struct toy toy, far;
    struct tt_account here, there;
    struct tt_deployment deployment;
    struct tt_health_check check;
    struct tt_service web;
    struct tt_balancer edge, old; /* vm-dynamic, vm-static */
    struct tt_listeners listeners;
    struct tt_desired desired;
    struct tt_clouds clouds;
    struct tt_observe_options options;
    int listener; /* a socket that listens at web's port */
    int closed_port;
    struct tt_world *world;
};

/* A socket bound to a free port; LISTENING: connections are taken. */
int observe_open_port(int *ret_port, bool listening);

/* Fixtures of cmocka: *STATE is a struct fixture. */
int observe_setup(void **state);
int observe_teardown(void **state);

/* A running machine of shop's SERVICE, or of its balancer edge. */
struct toy_machine *observe_add_server(struct fixture *f, const char *id, const char *service);
struct toy_machine *observe_add_edge(struct fixture *f);

/* Looks, and returns the machine ID of account here; NULL: it has none. */
const struct tt_server *observe_world(struct fixture *f, const char *id);

/* The next TIMES commands on machines fail so. */
void observe_fail_run(struct fixture *f, int times, enum tt_error_class class);

#endif
