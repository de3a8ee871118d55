/*
 * Covers what the listeners of HAProxy and of mod_jk say by themselves: whether they live, whatever
 * becomes of their members.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/http/probe.h"
#include "tests/providers/support/agent_machine.h"

#define ALIVE_PATH "/.well-known/trimtab-alive"

/* How trimtab asks a listener. */
static bool lives(struct agent_machine *machine, int port, bool tls, const char *path)
{
    struct tt_health_check check = {.http = path != NULL, .path = path, .timeout = 5000};
    struct tt_probe probe = {
        .address = machine->address, .port = port, .check = &check, .tls = tls, .any_status = true};

    tt_probe_all(&probe, 1);
    if (!probe.passed)
        print_message("port %d: %s\n", port, probe.reason);
    return probe.passed;
}

/* Services with members that hang, are gone, or do not exist make no difference. */
static void test_it_lives_whatever_its_members_do(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);
    const char *settings;
    int port = machine->port, spare = agent_free_port(machine);

    assert_true(lives(machine, port, false, ALIVE_PATH)); /* nobody has joined */
    agent_ok(machine, agent_run(machine, "startProxy",
                                tt_printf(&machine->arena, "shop.web a.example b.example %s %s %d",
                                          machine->address, one->address, spare)));
    assert_true(lives(machine, port, false, ALIVE_PATH));
    /* and no member is ever asked */
    agent_ok(machine, agent_run(machine, "startProxy",
                                tt_printf(&machine->arena, "shop.web NONE NONE %s %s %d",
                                          machine->address, one->address, one->port)));
    assert_string_not_equal(agent_get_page(machine, port, "x", ALIVE_PATH), one->name);
    /* TLS is spoken, and by whom does not matter */
    if (!agent_certificate(machine, "a.example"))
        skip();
    settings = tt_printf(&machine->arena,
                         "listener %d http - - - -\nlistener %d https - /a.example.crt "
                         "/a.example.key -\n",
                         port, spare);
    agent_ok(machine, agent_configure(machine, settings));
    assert_true(lives(machine, spare, true, ALIVE_PATH));
    assert_true(lives(machine, spare, true, NULL));
    assert_true(lives(machine, spare, false, NULL));
    assert_false(lives(machine, port, true, NULL));
}

#define WITH(test, shell)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(test, agent_begin, agent_end, (char[]){shell})
#define TEST(test) WITH(test, "dash"), WITH(test, "dash mod_jk")

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_lives_whatever_its_members_do),
    };

    return cmocka_run_group_tests_name("agent alive", tests, NULL, NULL);
}
