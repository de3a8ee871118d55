/*
 * Tools of the conformance tests: making machines, looking, waiting until something is so. Include
 * cmocka.h first.
 */
#ifndef TT_TESTS_CONFORMANCE_TOOLS_H
#define TT_TESTS_CONFORMANCE_TOOLS_H

#include "tests/providers/support/conformance.h"

/* One test while it runs. */
struct tt_conformance_test {
    const struct tt_conformance_provider *provider;
    struct tt_conformance is;
    struct tt_arena arena;
    struct tt_error err;
};

/* A request with all it points to. */
struct made {
    struct tt_create_request request;
    struct tt_server_spec spec;
    struct tt_strings firewalls;
    const char *firewall;
    char name[64];
    char token[64];
    char incarnation[32];
    struct tt_balancer_setup setup;
    struct tt_listeners listeners;
    struct tt_listener listener;
};

#define TT_CONFORMANCE_BALANCE_TESTS 13
extern const struct CMUnitTest tt_conformance_balance_tests[TT_CONFORMANCE_BALANCE_TESTS];

/* A call that must succeed; one that must fail with CLASS and with words. */
#define ok(call)                                                                                   \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s: %s", #call, tt_error_class_name(test->err.class),                    \
                     test->err.message);                                                           \
    } while (0)
#define fails(test, expected, call)                                                                \
    do {                                                                                           \
        (test)->err = (struct tt_error){0};                                                        \
        assert_int_equal((call), -1);                                                              \
        assert_string_equal(tt_error_class_name((test)->err.class),                                \
                            tt_error_class_name(expected));                                        \
        assert_true((test)->err.message[0] != '\0');                                               \
    } while (0)

void describe_server(const struct tt_conformance_test *test, int slot, const char *zone,
                     struct made *made);
const char *make_server(struct tt_conformance_test *test, int slot, const char *zone);
/* The running machine of a balancer. */
const char *make_balancer(struct tt_conformance_test *test);

const struct tt_region *look(struct tt_conformance_test *test);
const struct tt_region *look_everywhere(struct tt_conformance_test *test);
const struct tt_region *look_for(struct tt_conformance_test *test, const char *machine);
struct tt_world *world_of(struct tt_conformance_test *test);
size_t count_owned(struct tt_conformance_test *test);

const struct tt_server *await_seen(struct tt_conformance_test *test, const char *id);
/* Seen by an observation of everything, whoever owns it. */
void await_seen_by_all(struct tt_conformance_test *test, const char *id);
const struct tt_server *await_state(struct tt_conformance_test *test, const char *id,
                                    enum tt_server_state state);
void await_gone(struct tt_conformance_test *test, const char *id);
/* A state of -1: the server is no member any more. */
void await_member(struct tt_conformance_test *test, const char *server, int state);

/* Deletes every machine of the owner in both accounts. */
void sweep(struct tt_conformance_test *test);

#endif
