/*
 * The agent: what calls and supervisors that were killed leave behind, and certificates that come
 * before their listener. Covers providers/proxies/agent/.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/shell/shell.h"
#include "tests/providers/support/agent_machine.h"

#define LIST_FAILED    20
#define BACKEND_FAILED 21
#define RELOAD_FAILED  22

static void put(struct agent_machine *machine, const char *path, const char *text, size_t size)
{
    assert_int_equal(tt_file_write(tt_printf(&machine->arena, "%s/%s", machine->root, path), text,
                                   size, 0644, &machine->err),
                     0);
}

/* startProxy with a certificate, named as agent_certificate does. */
static int join_with(struct agent_machine *machine, const struct named_server *server,
                     const char *certificate, const char *key)
{
    return agent_run(machine, "startProxy",
                     tt_printf(&machine->arena, "shop.web NONE NONE %s %s %d %s %s NONE",
                               machine->address, server->address, server->port, certificate, key));
}

static int listen_at(struct agent_machine *machine, const char *listener)
{
    return agent_configure(machine, tt_printf(&machine->arena,
                                              "algorithm round-robin\nhealth tcp - 200 1000 1\n"
                                              "listener %d http - - - -\n%s",
                                              machine->port, listener));
}

static bool says_subject(struct agent_machine *machine, int port, const char *name)
{
    const char *argv[] = {"openssl", "s_client", "-connect",
                          tt_printf(&machine->arena, "%s:%d", machine->address, port), NULL};

    return tt_shell_run(&(struct tt_shell_request){.argv = argv, .timeout = 20000}, &machine->arena,
                        &machine->result, &machine->err) == 0 &&
           strstr(machine->result.output, name);
}

/* A reload of Apache takes effect a moment later: at most ten seconds. */
static void await_subject(struct agent_machine *machine, int port, const char *name)
{
    for (int tries = 0; !says_subject(machine, port, name); tries++) {
        assert_true(tries < 100);
        usleep(100000);
    }
}

static void await_page(struct agent_machine *machine, const char *page)
{
    for (int tries = 0; strcmp(agent_get_page(machine, machine->port, "x", "/"), page) != 0;
         tries++) {
        assert_true(tries < 100);
        usleep(100000);
    }
}

/* --- certificates --------------------------------------------------------------------------- */

/* A service may bring its certificate before anybody listens with TLS. */
static void test_a_certificate_waits_for_its_listener(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);
    int port = agent_free_port(machine);

    if (!agent_certificate(machine, "a.example"))
        skip();
    agent_ok(machine, join_with(machine, one, "/a.example.crt", "/a.example.key"));
    agent_join(machine, agent_server(machine)); /* of a service that has none: nothing is removed */
    agent_ok(machine, join_with(machine, one, "/a.example.crt", "/a.example.key"));
    agent_ok(machine,
             listen_at(machine, tt_printf(&machine->arena, "listener %d https - - - -\n", port)));
    await_subject(machine, port, "a.example");
}

static void test_a_last_line_may_lack_its_end(void **state)
{
    struct agent_machine *machine = agent_get(state);
    int port = agent_free_port(machine);
    const char *text;

    if (!agent_certificate(machine, "a.example"))
        skip();
    agent_join(machine, agent_server(machine)); /* a host of Apache is a service */
    text = agent_file(machine, "a.example.crt");
    put(machine, "a.example.crt", text, strlen(text) - 1);
    agent_ok(machine,
             listen_at(machine,
                       tt_printf(&machine->arena,
                                 "listener %d https - /a.example.crt /a.example.key -\n", port)));
    await_subject(machine, port, "a.example");
}

static void test_what_never_ends_is_no_certificate(void **state)
{
    struct agent_machine *machine = agent_get(state);

    assert_int_equal(join_with(machine, agent_server(machine), "/dev/zero", "/dev/zero"),
                     LIST_FAILED);
    assert_non_null(strstr(machine->result.errors, "cannot read the certificate /dev/zero"));
    assert_string_equal(agent_list(machine), "");
}

static void test_what_a_killed_call_left_goes(void **state)
{
    struct agent_machine *machine = agent_get(state);

    put(machine, "enstratus/var/tls/new.999999999", "half\n", 5);
    agent_join(machine, agent_server(machine));
    assert_null(agent_file(machine, "enstratus/var/tls/new.999999999"));
}

/* --- ports ---------------------------------------------------------------------------------- */

/* What cannot be listened on takes nothing away, is not said to be there, and comes with the next
 * call. */
static void test_a_busy_port_ends_nothing(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server blocker;
    const char *listener;

    agent_join(machine, agent_server(machine));
    named_server_start(&blocker, "busy", machine->address, 0);
    listener = tt_printf(&machine->arena, "listener %d http - - - -\n", blocker.port);
    assert_int_equal(listen_at(machine, listener), RELOAD_FAILED);
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_string_equal(machine->result.output, tt_printf(&machine->arena, "%d\thttp\t-\t%d\n",
                                                          machine->port, machine->port));
    assert_string_not_equal(
        agent_get_page(machine, machine->port, "x", "/.well-known/trimtab-alive"), "");
    named_server_stop(&blocker);
    agent_ok(machine, listen_at(machine, listener));
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_non_null(strstr(machine->result.output, tt_printf(&machine->arena, "%d\thttp\t-\t%d\n",
                                                             blocker.port, blocker.port)));
}

/* --- supervisors ---------------------------------------------------------------------------- */

static void test_there_is_one_supervisor(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);

    agent_join(machine, one);
    assert_int_equal(agent_run(machine, "superviseProxy", ""), BACKEND_FAILED);
    assert_non_null(strstr(machine->result.errors, "another superviseProxy runs"));
    await_page(machine, "w0");
}

/* The balancer of one that was killed runs on; the next one takes its place, and who leaves then
 * gets no request any more. */
static void test_a_killed_supervisor_leaves_nobody(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);

    agent_join(machine, one);
    agent_join(machine, two);
    agent_await(machine, "in-service");
    assert_int_equal(kill(machine->supervisor, SIGKILL), 0);
    agent_wait(machine->supervisor);
    machine->supervisor = agent_spawn(machine, "superviseProxy", "");
    agent_leave(machine, two);
    await_page(machine, "w0");
    for (int i = 0; i < 50; i++)
        assert_string_equal(agent_get_page(machine, machine->port, "x", "/"), "w0");
}

#define WITH(test, words)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(test, agent_begin, agent_end, (char[]){words})

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_a_certificate_waits_for_its_listener, "dash"),
        WITH(test_a_certificate_waits_for_its_listener, "dash mod_jk"),
        WITH(test_a_last_line_may_lack_its_end, "dash"),
        WITH(test_a_last_line_may_lack_its_end, "dash mod_jk"),
        WITH(test_what_never_ends_is_no_certificate, "dash"),
        WITH(test_what_a_killed_call_left_goes, "dash"),
        WITH(test_what_a_killed_call_left_goes, "dash mod_jk"),
        WITH(test_a_busy_port_ends_nothing, "dash"),
        WITH(test_a_busy_port_ends_nothing, "dash mod_jk"),
        WITH(test_there_is_one_supervisor, "dash"),
        WITH(test_a_killed_supervisor_leaves_nobody, "dash"),
        WITH(test_a_killed_supervisor_leaves_nobody, "bash"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
