/*
 * How HAProxy, as the agent configures it, shares requests out: by the algorithm of the settings,
 * on listeners of http and of tcp, and little by little to who has just joined. Covers
 * providers/proxies/agent/haproxy*.lib.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/str.h"
#include "providers/shell/shell.h"
#include "tests/providers/support/agent_machine.h"

#define PATIENCE 15000
#define REQUESTS 8

/* srv_op_state of HAProxy */
#define NOT_THERE  (-1)
#define SLOW_START 1
#define RUNNING    2

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static int state_in(struct agent_machine *machine, const char *kind,
                    const struct named_server *server)
{
    const char *line = tt_printf(&machine->arena, " %s.shop.web ", kind);
    const char *name =
        tt_printf(&machine->arena, " m-%s-%d %s ", server->address, server->port, server->address);
    const char *argv[] = {"sh", "-c",
                          "echo show servers state | socat -t 5 - UNIX-CONNECT:admin.sock", NULL};
    struct tt_shell_request request = {
        .argv = argv,
        .timeout = 20000,
        .folder = tt_printf(&machine->arena, "%s/enstratus/var", machine->root)};
    char *rest;

    if (tt_shell_run(&request, &machine->arena, &machine->result, &machine->err) < 0)
        fail_msg("socat: %s", machine->err.message);
    rest = tt_strdup(&machine->arena, machine->result.output);
    for (char *text; (text = strtok_r(rest, "\n", &rest));) {
        const char *at = strstr(text, name);

        if (at && strstr(text, line))
            return atoi(at + strlen(name));
    }
    return NOT_THERE;
}

static void await_running(struct agent_machine *machine, const char *kind,
                          const struct named_server *server)
{
    tt_time end = tt_monotonic() + PATIENCE;
    int state;

    while ((state = state_in(machine, kind, server)) != RUNNING) {
        if (tt_monotonic() > end)
            fail_msg("%s: %s is in state %d", kind, server->name, state);
        nap();
    }
}

static void configure(struct agent_machine *machine, const char *algorithm, int tcp)
{
    agent_ok(machine, agent_configure(machine, tt_printf(&machine->arena,
                                                         "algorithm %s\n"
                                                         "health tcp - 200 1000 1\n"
                                                         "listener %d http - - - -\n"
                                                         "listener %d tcp - - - -\n",
                                                         algorithm, machine->port, tcp)));
}

/* How many of REQUESTS the server with NAME answers; each must be answered. */
static int answered_by(struct agent_machine *machine, int port, const char *name)
{
    int count = 0;

    for (int i = 0; i < REQUESTS; i++) {
        const char *said = agent_get_page(machine, port, "x", "/");

        if (said[0] != 'w')
            fail_msg("port %d: \"%s\"", port, said);
        count += tt_streq(said, name);
    }
    return count;
}

/* Seen between the first check that passed and two seconds after it: a busy host may miss it. */
static bool begins_slowly(struct agent_machine *machine, const struct named_server *server)
{
    tt_time end = tt_monotonic() + PATIENCE;
    int state;

    agent_join(machine, server);
    while ((state = state_in(machine, "http", server)) != SLOW_START && state != RUNNING)
        assert_true(tt_monotonic() < end);
    return state == SLOW_START;
}

static void test_who_joins_begins_slowly(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);
    bool slow = false;

    agent_join(machine, one);
    await_running(machine, "http", one);
    for (int i = 0; i < 5 && !slow; i++) {
        agent_leave(machine, two);
        slow = begins_slowly(machine, two);
    }
    assert_true(slow);
    assert_non_null(strstr(agent_list(machine), "in-service")); /* and serves meanwhile */
    assert_int_equal(state_in(machine, "http", one), RUNNING);  /* without holding up others */
    await_running(machine, "http", two);
    /* The configuration, which a restart begins with, says so, too. */
    assert_non_null(strstr(agent_file(machine, "enstratus/var/haproxy.cfg"), " slowstart 2s\n"));
}

static void test_round_robin_and_source(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *servers[] = {agent_server(machine), agent_server(machine)};
    int tcp = agent_free_port(machine), count;

    configure(machine, "round-robin", tcp);
    for (int i = 0; i < 2; i++)
        agent_join(machine, servers[i]);
    for (int i = 0; i < 2; i++) {
        await_running(machine, "http", servers[i]);
        await_running(machine, "tcp", servers[i]);
    }
    assert_in_range(answered_by(machine, machine->port, "w0"), 1, REQUESTS - 1);
    assert_in_range(answered_by(machine, tcp, "w0"), 1, REQUESTS - 1);
    configure(machine, "source", tcp);
    for (int i = 0; i < 2; i++) {
        await_running(machine, "http", servers[i]);
        await_running(machine, "tcp", servers[i]);
    }
    count = answered_by(machine, tcp, "w0"); /* one client, one server */
    assert_true(count == 0 || count == REQUESTS);
    assert_int_equal(answered_by(machine, machine->port, "w0"), count);
}

static void test_least_connections(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *busy = agent_server(machine), *idle = agent_server(machine);
    int tcp = agent_free_port(machine), held[4];
    tt_time end = tt_monotonic() + PATIENCE;

    configure(machine, "least-connections", tcp);
    agent_join(machine, busy);
    await_running(machine, "http", busy);
    await_running(machine, "tcp", busy);
    for (int i = 0; i < 4; i++)
        held[i] = agent_ask(machine, i % 2 ? tcp : machine->port, "x", "/slow");
    while (busy->held < 4) {
        assert_true(tt_monotonic() < end);
        nap();
    }
    agent_join(machine, idle);
    await_running(machine, "http", idle);
    await_running(machine, "tcp", idle);
    assert_int_equal(answered_by(machine, machine->port, "w1"), REQUESTS);
    assert_int_equal(answered_by(machine, tcp, "w1"), REQUESTS);
    busy->release = true;
    for (int i = 0; i < 4; i++)
        assert_string_equal(agent_answer(machine, held[i]), "w0");
}

#define TEST(test)                                                                                 \
    cmocka_unit_test_prestate_setup_teardown(test, agent_begin, agent_end, (char[]){"dash"})

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_joins_begins_slowly),
        TEST(test_round_robin_and_source),
        TEST(test_least_connections),
    };

    return cmocka_run_group_tests_name("agent shares", tests, NULL, NULL);
}
