/*
 * Covers reconciler/observe_health.c and observe_memory.c: the verdicts on servers and on listeners
 * of balancers, and how failures go on being counted from run to run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/reconciler/support/answering.h"
#include "tests/reconciler/support/observe_fixture.h"

/* --- health ------------------------------------------------------------------------------------
 */

static void a_server_that_answers_passes(void **state)
{
    struct fixture *f = *state;

    observe_add_server(f, "i-1", "web");
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_PASSING);
    assert_int_equal(f->world->accounts.items[0].regions.items[0].servers.items[0].state,
                     TT_SERVER_RUNNING);
}

static void a_server_fails_after_so_many_failures(void **state)
{
    struct fixture *f = *state;
    tt_time began = f->toy.now;

    f->web.port = f->closed_port;
    observe_add_server(f, "i-1", "web");
    observe_add_server(f, "i-2", "web");
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_FAILING);
    /* two intervals between three probes, shared by both */
    assert_true(f->toy.now - began >= 19000 && f->toy.now - began <= 21000);
}

/* Opens the port when the observer sleeps between two probes. */
static void open_while_asleep(void *self, tt_time delay)
{
    struct fixture *f = self;

    (void)delay;
    assert_int_equal(listen(f->listener, 10), 0);
}

static void one_success_ends_the_failures(void **state)
{
    struct fixture *f = *state;
    struct tt_clock clock = {.now = tt_clock_real()->now, .sleep = open_while_asleep, .self = f};

    close(f->listener);
    f->listener = observe_open_port(&f->web.port, false);
    observe_add_server(f, "i-1", "web");
    f->world = tt_observe(&f->arena, &f->clouds, &f->desired, &clock, &f->options);
    assert_int_equal(tt_region_server(tt_world_region(f->world, "here", "r"), "i-1")->health,
                     TT_HEALTH_PASSING);
}

static void within_its_grace_a_server_boots(void **state)
{
    struct fixture *f = *state;
    struct toy_machine *machine = observe_add_server(f, "i-1", "web");

    f->web.port = f->closed_port;
    machine->created_at = f->toy.now - 59000;
    assert_int_equal(observe_world(f, "i-1")->state, TT_SERVER_PENDING);
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_UNKNOWN);
    machine->created_at = f->toy.now - 61000;
    assert_int_equal(observe_world(f, "i-1")->state, TT_SERVER_RUNNING);
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_FAILING);
    /* a cloud's clock is ahead by a minute, not by an hour */
    machine->created_at = f->toy.now + 59000;
    assert_int_equal(observe_world(f, "i-1")->state, TT_SERVER_PENDING);
    machine->created_at = f->toy.now + 3600000;
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_FAILING);
}

static void a_single_probe_gives_no_bad_verdict(void **state)
{
    struct fixture *f = *state;
    tt_time began = f->toy.now;

    f->web.port = f->closed_port;
    observe_add_server(f, "i-1", "web")->created_at = f->toy.now;
    f->options.single_probe = true;
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe_world(f, "i-1")->state, TT_SERVER_RUNNING);
    assert_int_equal(f->toy.now, began);
}

static void what_is_not_checked_is_unknown(void **state)
{
    struct fixture *f = *state;
    struct tt_tags other = {.owner = "somebody", .deployment = "shop", .service = "web"};

    f->web.port = f->closed_port;
    observe_add_server(f, "i-gone", "left-git");
    toy_add_machine(&f->toy, "i-foreign", &other)->private_address = "127.0.0.1";
    observe_add_server(f, "i-stopped", "web")->state = TT_SERVER_STOPPED;
    observe_add_server(f, "i-said", "web")->health = TT_HEALTH_FAILING;
    assert_int_equal(observe_world(f, "i-gone")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe_world(f, "i-foreign")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe_world(f, "i-stopped")->health, TT_HEALTH_UNKNOWN);
    /* the provider's own word */
    assert_int_equal(observe_world(f, "i-said")->health, TT_HEALTH_FAILING);
    f->web.health = NULL;
    observe_add_server(f, "i-1", "web");
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_UNKNOWN);
}

static void without_a_private_address_the_public_one_is_probed(void **state)
{
    struct fixture *f = *state;
    struct toy_machine *machine = observe_add_server(f, "i-1", "web");

    machine->private_address = NULL;
    machine->public_address = "127.0.0.1";
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_PASSING);
}

static void only_some_machines_are_probed(void **state)
{
    struct fixture *f = *state;
    struct tt_strings only = {0};

    tt_strings_add(&f->arena, &only, "i-2");
    f->options.only_machines = &only;
    observe_add_server(f, "i-1", "web");
    observe_add_server(f, "i-2", "web");
    observe_add_edge(f);
    assert_int_equal(observe_world(f, "i-1")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe_world(f, "i-2")->health, TT_HEALTH_PASSING);
    assert_int_equal(f->toy.calls[TOY_RUN], 0);
}

static void add_listener(struct fixture *f, int port, enum tt_protocol protocol)
{
    *TT_VEC_ADD(&f->arena, &f->listeners) =
        (struct tt_listener){.port = port, .protocol = protocol};
    f->edge.listeners = &f->listeners;
}

static void a_balancer_must_answer_at_its_listeners(void **state)
{
    struct fixture *f = *state;
    struct toy_machine *machine = observe_add_edge(f);

    add_listener(f, f->web.port, TT_PROTOCOL_TCP);
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_PASSING);
    add_listener(f, f->closed_port, TT_PROTOCOL_TCP);
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_FAILING);
    machine->created_at = f->toy.now;
    assert_int_equal(observe_world(f, "i-edge")->state, TT_SERVER_PENDING);
    f->options.skip_health = true;
    assert_int_equal(observe_world(f, "i-edge")->state, TT_SERVER_RUNNING);
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_UNKNOWN);
}

/* The verdict on a machine whose listener of PROTOCOL says ANSWER. */
static enum tt_health verdict_on(struct fixture *f, enum tt_protocol protocol, const char *answer)
{
    struct answering answering;
    const struct tt_server *machine;

    if (!f->toy.machine_count)
        observe_add_edge(f);
    answering_start(&answering, answer);
    f->listeners.count = 0;
    add_listener(f, answering.port, protocol);
    machine = observe_world(f, "i-edge");
    answering_stop(&answering);
    if (protocol == TT_PROTOCOL_HTTP)
        assert_string_equal(answering.last, "GET /.well-known/trimtab-alive HTTP/1.1");
    return machine->health;
}

static void any_answer_of_http_is_a_living_balancer(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(verdict_on(f, TT_PROTOCOL_HTTP, "HTTP/1.1 200 OK\r\n\r\n"), TT_HEALTH_PASSING);
    assert_int_equal(verdict_on(f, TT_PROTOCOL_HTTP,
                                "HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\n\r\n"),
                     TT_HEALTH_PASSING);
    assert_int_equal(verdict_on(f, TT_PROTOCOL_HTTP,
                                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"),
                     TT_HEALTH_PASSING);
    /* a body that does not come is its own affair */
    assert_int_equal(
        verdict_on(f, TT_PROTOCOL_HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        TT_HEALTH_PASSING);
}

static void a_port_that_is_open_is_not_enough_for_http(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(verdict_on(f, TT_PROTOCOL_HTTP, "220 mail.example ESMTP\r\n"),
                     TT_HEALTH_FAILING);
    assert_int_equal(verdict_on(f, TT_PROTOCOL_HTTP, NULL), TT_HEALTH_FAILING);
    assert_int_equal(verdict_on(f, TT_PROTOCOL_TCP, NULL), TT_HEALTH_PASSING);
}

static void a_listener_with_tls_must_speak_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(verdict_on(f, TT_PROTOCOL_HTTPS, "HTTP/1.1 200 OK\r\n\r\n"),
                     TT_HEALTH_FAILING);
    assert_int_equal(verdict_on(f, TT_PROTOCOL_SSL, "HTTP/1.1 200 OK\r\n\r\n"), TT_HEALTH_FAILING);
}

/* The health check of a LoadBalancer is its members'. */
static void what_is_checked_behind_a_balancer_is_not_its_own_health(void **state)
{
    struct fixture *f = *state;
    struct tt_health_check members = {
        .http = true, .path = "/healthz", .timeout = 1, .unhealthy_after = 1, .grace = 60000};

    f->edge.health = &members;
    assert_int_equal(verdict_on(f, TT_PROTOCOL_HTTP, "HTTP/1.1 503 No\r\n\r\n"), TT_HEALTH_PASSING);
}

/* --- between runs ------------------------------------------------------------------------------
 */

/* A run that takes up what the one before found; RET_TIME: how long it took. */
static const struct tt_server *observe_again(struct fixture *f, const char *id, tt_time *ret_time)
{
    tt_failing_ports *learnt = TT_NEW(&f->arena, tt_failing_ports);
    tt_time began = f->toy.now;
    const struct tt_server *server;

    f->options.remembered = f->options.ret_failing;
    f->options.ret_failing = learnt;
    server = observe_world(f, id);
    *ret_time = f->toy.now - began;
    return server;
}

static void a_run_goes_on_counting_where_the_one_before_stopped(void **state)
{
    struct fixture *f = *state;
    int open = f->web.port;
    tt_time took;

    f->web.port = f->closed_port;
    observe_add_server(f, "i-1", "web");
    assert_int_equal(observe_again(f, "i-1", &took)->health, TT_HEALTH_FAILING);
    assert_true(took >= 19000);
    assert_int_equal(f->options.ret_failing->count, 1);
    assert_int_equal(f->options.ret_failing->items[0].failures, 3);
    /* one more is enough */
    assert_int_equal(observe_again(f, "i-1", &took)->health, TT_HEALTH_FAILING);
    assert_int_equal(took, 0);
    assert_int_equal(f->options.ret_failing->items[0].failures, 4);
    /* but not when it is long ago */
    f->toy.now += 101000;
    assert_int_equal(observe_again(f, "i-1", &took)->health, TT_HEALTH_FAILING);
    assert_true(took >= 19000);
    /* and a success ends the row */
    f->options.ret_failing->items[0].port = open;
    f->web.port = open;
    assert_int_equal(observe_again(f, "i-1", &took)->health, TT_HEALTH_PASSING);
    assert_int_equal(f->options.ret_failing->count, 1);
    assert_int_equal(f->options.ret_failing->items[0].failures, 0);
}

static void a_machine_that_does_not_answer_is_remembered(void **state)
{
    struct fixture *f = *state;
    tt_time took;

    observe_add_edge(f);
    observe_fail_run(f, 1000, TT_ERR_UNAVAILABLE);
    observe_again(f, "i-edge", &took);
    assert_int_equal(took, 5000);
    assert_int_equal(observe_again(f, "i-edge", &took)->health, TT_HEALTH_FAILING);
    assert_int_equal(took, 0);
    observe_fail_run(f, 0, TT_ERR_NONE);
    assert_int_equal(observe_again(f, "i-edge", &took)->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(f->options.ret_failing->items[0].failures, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, observe_setup, observe_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_answers_passes),
        TEST(a_server_fails_after_so_many_failures),
        TEST(one_success_ends_the_failures),
        TEST(within_its_grace_a_server_boots),
        TEST(a_single_probe_gives_no_bad_verdict),
        TEST(what_is_not_checked_is_unknown),
        TEST(without_a_private_address_the_public_one_is_probed),
        TEST(only_some_machines_are_probed),
        TEST(a_balancer_must_answer_at_its_listeners),
        TEST(any_answer_of_http_is_a_living_balancer),
        TEST(a_port_that_is_open_is_not_enough_for_http),
        TEST(a_listener_with_tls_must_speak_it),
        TEST(what_is_checked_behind_a_balancer_is_not_its_own_health),
        TEST(a_run_goes_on_counting_where_the_one_before_stopped),
        TEST(a_machine_that_does_not_answer_is_remembered),
    };

    return cmocka_run_group_tests_name("observe health", tests, NULL, NULL);
}
