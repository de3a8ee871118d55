/*
 * The agent with a real HAProxy: who joins is asked, who leaves is not, nobody loses a connection,
 * and the pool survives. Covers providers/proxies/agent/ but for what it refuses
 * (test_agent_bounds.c).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/providers/support/agent_machine.h"

#define RACERS 6

static void nap(int milliseconds)
{
    nanosleep(&(struct timespec){.tv_sec = milliseconds / 1000,
                                 .tv_nsec = milliseconds % 1000 * 1000000L},
              NULL);
}

/* Who answers eight requests in a row, each once: "w0 w1 ". */
static const char *who_serves(struct agent_machine *machine, const char *host)
{
    bool seen[AGENT_SERVERS] = {0};
    const char *text = "";

    for (int i = 0; i < 8; i++) {
        const char *name = agent_get_page(machine, machine->port, host, "/");

        if (name[0] != 'w' || name[1] < '0' || name[1] >= '0' + AGENT_SERVERS)
            return tt_printf(&machine->arena, "\"%s\"", name);
        seen[name[1] - '0'] = true;
    }
    for (int i = 0; i < AGENT_SERVERS; i++)
        if (seen[i])
            text = tt_printf(&machine->arena, "%sw%d ", text, i);
    return text;
}

/* Who has just joined is asked seldom at first. */
static void await_serving(struct agent_machine *machine, const char *host, const char *names)
{
    const char *serving = "";

    for (int i = 0; i < 50 && strcmp(serving, names) != 0; i++) {
        nap(i ? 100 : 0);
        serving = who_serves(machine, host);
    }
    assert_string_equal(serving, names);
}

static const char *line_of(struct agent_machine *machine, const struct named_server *server)
{
    return tt_printf(&machine->arena, "shop.web\t%s\t%d\tin-service\n", server->address,
                     server->port);
}

static void test_members_are_asked(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);

    assert_string_equal(agent_list(machine), "");
    for (int i = 0; i < 2; i++) {
        agent_join(machine, one);
        agent_await(machine, line_of(machine, one));
        assert_string_equal(who_serves(machine, "x"), "w0 ");
    }
    agent_join(machine, two);
    agent_await(machine, line_of(machine, two));
    assert_string_equal(
        agent_list(machine),
        tt_printf(&machine->arena, "%s%s", line_of(machine, one), line_of(machine, two)));
    await_serving(machine, "x", "w0 w1 ");
    for (int i = 0; i < 2; i++) {
        agent_leave(machine, one);
        assert_string_equal(agent_list(machine), line_of(machine, two));
        assert_string_equal(who_serves(machine, "x"), "w1 ");
    }
    agent_join(machine, one);
    agent_await(machine, line_of(machine, one));
    await_serving(machine, "x", "w0 w1 ");
    agent_leave(machine, one);
    agent_leave(machine, two);
    assert_string_equal(agent_list(machine), "");
}

/* One call, one reload; who is there already stays, names are those that were told last. */
static void test_many_join_at_once(void **state)
{
    struct agent_machine *machine = agent_get(state);
    const struct named_server *servers[] = {agent_server(machine), agent_server(machine),
                                            agent_server(machine)};
    const char *lines = "", *pool = "", *config;

    agent_join(machine, servers[1]);
    for (int i = 0; i < 3; i++) {
        lines = tt_printf(&machine->arena, "%sshop.web shop.example NONE %s %s %d\n", lines,
                          machine->address, servers[i]->address, servers[i]->port);
        pool = tt_printf(&machine->arena, "%s%s", pool, line_of(machine, servers[i]));
    }
    for (int i = 0; i < 2; i++) {
        agent_ok(machine, agent_tell(machine, "joinProxy", lines));
        agent_await(machine, line_of(machine, servers[0]));
        agent_await(machine, line_of(machine, servers[2]));
        assert_string_equal(agent_list(machine), pool);
    }
    await_serving(machine, "shop.example", "w0 w1 w2 ");
    config = agent_file(machine, "enstratus/var/members");
    assert_int_equal(agent_tell(machine, "joinProxy", "shop.web NONE NONE 1.2.3.4 1.2.3.4\n"), 1);
    assert_int_equal(
        agent_tell(machine, "joinProxy",
                   "shop.web NONE NONE 1.2.3.4 1.2.3.4 80\nshop.web NONE NONE 1.2.3.4 * 80\n"),
        1);
    assert_int_equal(agent_run(machine, "joinProxy", "shop.web"), 1);
    assert_null(agent_file(machine, "enstratus/var/joining"));
    agent_ok(machine, agent_tell(machine, "joinProxy", ""));
    assert_string_equal(agent_file(machine, "enstratus/var/members"), config);
    agent_ok(machine,
             agent_tell(machine, "joinProxy",
                        tt_printf(&machine->arena, "shop.api NONE NONE %s %s %d\n",
                                  machine->address, servers[0]->address, servers[0]->port)));
    agent_await(machine, "shop.api");
    for (int i = 0; i < 3; i++)
        agent_leave(machine, servers[i]);
}

/* A request that waits in SERVER. */
static int ask_slowly(struct agent_machine *machine, const struct named_server *server)
{
    tt_time end = tt_monotonic() + 10000;
    int fd = agent_ask(machine, machine->port, "x", "/slow");

    while (!server->held) {
        assert_true(tt_monotonic() < end);
        nap(5);
    }
    return fd;
}

static pid_t leave_slowly(struct agent_machine *machine, const struct named_server *server,
                          int seconds)
{
    pid_t leaving;

    agent_ok(machine, agent_run(machine, "configureProxy",
                                tt_printf(&machine->arena, "--drain shop.web %d", seconds)));
    leaving =
        agent_spawn(machine, "stopProxy",
                    tt_printf(&machine->arena, "%s shop.web %d", server->address, server->port));
    agent_await(machine, "draining");
    return leaving;
}

static void test_drain_waits_without_the_lock(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);
    pid_t leaving;
    int fd;

    agent_join(machine, one);
    agent_await(machine, "in-service");
    fd = ask_slowly(machine, one);
    leaving = leave_slowly(machine, one, 30);
    agent_join(machine, two); /* nobody waits for the one who drains */
    agent_await(machine, line_of(machine, two));
    assert_string_equal(who_serves(machine, "x"), "w1 ");
    assert_int_equal(kill(leaving, 0), 0);
    one->release = true;
    assert_string_equal(agent_answer(machine, fd), "w0");
    assert_int_equal(agent_wait(leaving), 0);
    assert_string_equal(agent_list(machine), line_of(machine, two));
}

/* A reload gives the connection to a process that is on its way out. */
static void test_drain_waits_through_a_reload(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);
    pid_t leaving;
    int fd;

    agent_join(machine, one);
    agent_await(machine, line_of(machine, one));
    fd = ask_slowly(machine, one);
    agent_join(machine, two);
    agent_await(machine, line_of(machine, two));
    leaving = leave_slowly(machine, one, 30);
    agent_ok(machine, agent_run(machine, "startProxy",
                                tt_printf(&machine->arena, "shop.api api.example NONE %s %s %d",
                                          machine->address, two->address, two->port)));
    nap(500);
    assert_int_equal(kill(leaving, 0), 0);
    assert_non_null(strstr(agent_list(machine), "draining"));
    assert_string_equal(who_serves(machine, "x"), "w1 ");
    one->release = true;
    assert_string_equal(agent_answer(machine, fd), "w0");
    assert_int_equal(agent_wait(leaving), 0);
    assert_null(strstr(agent_list(machine), one->address));
}

static void test_drain_ends_after_its_time(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);
    tt_time begin;
    pid_t leaving;
    int fd;

    agent_join(machine, one);
    agent_await(machine, "in-service");
    fd = ask_slowly(machine, one);
    begin = tt_monotonic();
    leaving = leave_slowly(machine, one, 1);
    assert_int_equal(agent_wait(leaving), 0);
    assert_true(tt_monotonic() - begin < 8000);
    assert_string_equal(agent_list(machine), "");
    close(fd);
}

static void test_restart_keeps_the_pool(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);
    const char *list;

    agent_join(machine, one);
    agent_join(machine, two);
    agent_await(machine, line_of(machine, one));
    agent_await(machine, line_of(machine, two));
    list = agent_list(machine);
    for (int i = 0; i < 2; i++) {
        pid_t haproxy = (pid_t)atoi(agent_file(machine, "enstratus/var/haproxy.pid"));

        assert_true(haproxy > 1);
        assert_int_equal(kill(haproxy, SIGKILL), 0);
        /* Whoever comes in between is waited for and not lost. */
        agent_join(machine, one);
        agent_await(machine, list);
        await_serving(machine, "x", "w0 w1 ");
    }
}

/* A member that leaves while HAProxy is down does not come back with it. */
static void test_leaving_a_dead_process_lasts(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);

    agent_join(machine, one);
    agent_join(machine, two);
    assert_int_equal(kill((pid_t)atoi(agent_file(machine, "enstratus/var/haproxy.pid")), SIGKILL),
                     0);
    agent_leave(machine, one);
    agent_await(machine, line_of(machine, two));
    assert_string_equal(agent_list(machine), line_of(machine, two));
    assert_string_equal(who_serves(machine, "x"), "w1 ");
}

static void start_at(struct agent_machine *machine, const char *service, int host, int port)
{
    agent_ok(machine, agent_run(machine, "startProxy",
                                tt_printf(&machine->arena, "%s NONE NONE %s %s %d", service,
                                          machine->address, agent_address(machine, host), port)));
}

/* The pool without its states: "SERVICE .HOST PORT;" each. */
static const char *pool_of(struct agent_machine *machine)
{
    char *rest = tt_strdup(&machine->arena, agent_list(machine));
    const char *text = "";

    for (char *line; (line = strtok_r(rest, "\n", &rest));) {
        const char *service = strtok_r(line, "\t", &line);
        const char *host = strrchr(strtok_r(line, "\t", &line), '.');

        text = tt_printf(&machine->arena, "%s%s %s %s;", text, service, host,
                         strtok_r(line, "\t", &line));
    }
    return text;
}

static void test_matching_is_exact(void **state)
{
    struct agent_machine *machine = agent_get(state);
    const char *one = agent_address(machine, 2);

    start_at(machine, "shop.web", 2, 8080);
    start_at(machine, "shop.web", 20, 8080);
    start_at(machine, "shop.web", 2, 8081);
    start_at(machine, "shop.api", 2, 8080);
    start_at(machine, "shop.api-2", 2, 8080);
    assert_string_equal(pool_of(machine), "shop.api .2 8080;shop.api-2 .2 8080;shop.web .2 8080;"
                                          "shop.web .2 8081;shop.web .20 8080;");
    agent_ok(machine, agent_run(machine, "listProxy", "shop.api"));
    assert_null(strstr(machine->result.output, "shop.api-2"));
    assert_non_null(strstr(machine->result.output, "shop.api\t"));
    agent_ok(machine,
             agent_run(machine, "stopProxy", tt_printf(&machine->arena, "%s shop.web 8080", one)));
    assert_string_equal(pool_of(machine), "shop.api .2 8080;shop.api-2 .2 8080;shop.web .2 8081;"
                                          "shop.web .20 8080;");
    agent_ok(machine,
             agent_run(machine, "stopProxy", tt_printf(&machine->arena, "%s shop.api", one)));
    assert_string_equal(pool_of(machine), "shop.api-2 .2 8080;shop.web .2 8081;shop.web .20 8080;");
    agent_ok(machine, agent_run(machine, "stopProxy", one)); /* every service */
    assert_string_equal(pool_of(machine), "shop.web .20 8080;");
}

static void join_as(struct agent_machine *machine, const struct named_server *server,
                    const char *service_and_names)
{
    agent_ok(machine, agent_run(machine, "startProxy",
                                tt_printf(&machine->arena, "%s %s %s %d", service_and_names,
                                          machine->address, server->address, server->port)));
}

static void test_names_choose_the_service(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *api = agent_server(machine), *web = agent_server(machine);

    join_as(machine, api, "shop.api api.example NONE");
    join_as(machine, web, "shop.web Shop.example www.shop.example,shop.test");
    agent_await(machine, line_of(machine, web));
    assert_string_equal(who_serves(machine, "api.example"), "w0 ");
    assert_string_equal(who_serves(machine, "shop.example"), "w1 ");
    assert_string_equal(who_serves(machine, "WWW.shop.example:8080"), "w1 ");
    assert_string_equal(who_serves(machine, "shop.test"), "w1 ");
    assert_string_equal(who_serves(machine, "xshop.test"), "w0 "); /* the first one's by default */
    join_as(machine, web, "shop.web other.example NONE");
    assert_string_equal(who_serves(machine, "other.example"), "w1 ");
    assert_string_equal(who_serves(machine, "shop.test"), "w0 ");
}

static void test_parallel_joins_all_count(void **state)
{
    struct agent_machine *machine = agent_get(state);
    const char *expected = "";
    pid_t racers[RACERS];

    for (int i = 0; i < RACERS; i++)
        racers[i] = agent_spawn(machine, "startProxy",
                                tt_printf(&machine->arena, "shop.web NONE NONE %s %s 8080",
                                          machine->address, agent_address(machine, 30 + i)));
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(agent_wait(racers[i]), 0);
    for (int i = 0; i < RACERS; i++)
        expected = tt_printf(&machine->arena, "%sshop.web .%d 8080;", expected, 30 + i);
    assert_string_equal(pool_of(machine), expected);
    for (int i = 0; i < RACERS; i++)
        racers[i] = agent_spawn(machine, "stopProxy", agent_address(machine, 30 + i));
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(agent_wait(racers[i]), 0);
    assert_string_equal(pool_of(machine), "");
}

static void test_health_check_takes_out_and_in(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);
    const char *gone =
        tt_printf(&machine->arena, "shop.web\t%s\t%d\tout-of-service\n", one->address, one->port);

    agent_join(machine, one);
    agent_join(machine, two);
    agent_await(machine, line_of(machine, one));
    named_server_stop(one);
    agent_await(machine, gone);
    assert_string_equal(who_serves(machine, "x"), "w1 ");
    named_server_start(one, "w0", agent_address(machine, 10), one->port);
    agent_await(machine, line_of(machine, one));
}

/* Requests without a pause while members come and go. */
static void test_no_request_fails_while_members_change(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);
    int asked = 0;

    agent_join(machine, one);
    agent_await(machine, "in-service");
    for (int i = 0; i < 4; i++) {
        const struct named_server *changing = i % 2 ? one : two;
        pid_t change = agent_spawn(machine, "startProxy",
                                   tt_printf(&machine->arena, "shop.web shop.example NONE %s %s %d",
                                             machine->address, changing->address, changing->port));

        for (int step = 0; step < 2; step++) {
            while (waitpid(change, NULL, WNOHANG) == 0) {
                const char *name = agent_get_page(machine, machine->port, "x", "/");

                asked++;
                if (name[0] != 'w')
                    fail_msg("request %d: \"%s\"", asked, name);
            }
            if (step == 0) {
                const struct named_server *leaver = i % 2 ? two : one;

                agent_await(machine, line_of(machine, changing));
                change = agent_spawn(
                    machine, "stopProxy",
                    tt_printf(&machine->arena, "%s shop.web %d", leaver->address, leaver->port));
            }
        }
    }
    assert_true(asked > 8);
}

#define WITH(test, shell)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(test, agent_begin, agent_end, (char[]){shell})
#define TEST(test) WITH(test, "dash")

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_members_are_asked),
        WITH(test_members_are_asked, "bash"),
        TEST(test_many_join_at_once),
        WITH(test_many_join_at_once, "bash"),
        TEST(test_drain_waits_without_the_lock),
        WITH(test_drain_waits_without_the_lock, "bash"),
        TEST(test_drain_waits_through_a_reload),
        TEST(test_drain_ends_after_its_time),
        TEST(test_restart_keeps_the_pool),
        WITH(test_restart_keeps_the_pool, "bash"),
        TEST(test_leaving_a_dead_process_lasts),
        TEST(test_matching_is_exact),
        TEST(test_names_choose_the_service),
        TEST(test_parallel_joins_all_count),
        TEST(test_health_check_takes_out_and_in),
        TEST(test_no_request_fails_while_members_change),
    };

    return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
