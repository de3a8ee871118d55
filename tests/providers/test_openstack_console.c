/*
 * Commands on servers of `openstack` that no known_hosts has: their consoles are asked for, against
 * a scripted server and a real sshd.
 * Covers providers/openstack/commands.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/openstack_desk.h"
#include "support/sshd.h"

#define SERVER "00000000-0000-4000-8000-0000000000a1"

struct console_test {
    struct desk *desk;
    struct sshd sshd;
    bool ready;
};

static int begin(void **state)
{
    struct console_test *test = calloc(1, sizeof(*test));
    void *desk = NULL;

    if (!test || desk_begin(&desk) < 0) {
        free(test);
        return -1;
    }
    *state = test;
    test->desk = desk;
    test->ready = sshd_start(&test->sshd, NULL);
    if (!test->ready)
        return 0;
    test->desk->account.ssh.port = test->sshd.port;
    test->desk->account.ssh.key = test->sshd.key;
    test->desk->account.ssh.known_hosts = test->sshd.known_hosts;
    return truncate(test->sshd.known_hosts, 0);
}

static int end(void **state)
{
    struct console_test *test = *state;
    void *desk = test->desk;

    sshd_stop(&test->sshd);
    free(test);
    return desk_end(&desk);
}

static struct console_test *ready(void **state)
{
    struct console_test *test = *state;

    if (!test->ready)
        skip();
    desk_keystone(test->desk, "2026-11-23T05:00:00Z");
    desk_nova(test->desk, "2.90");
    desk_set(test->desk, "GET /nova/v2.1/servers/" SERVER, 200,
             "{\"server\": {\"id\": \"" SERVER "\", \"name\": \"edge\", \"status\": \"ACTIVE\", "
             "\"addresses\": {\"prod\": [{\"addr\": \"127.0.0.1\", \"version\": 4, "
             "\"OS-EXT-IPS:type\": \"fixed\"}]}}}");
    desk_open_well(test->desk);
    return test;
}

static int run(struct console_test *test, struct tt_run_result *ret_result)
{
    const char *const argv[] = {"/bin/echo", "hello", NULL};
    const struct tt_run_request request = {
        .region = "north", .machine = SERVER, .argv = argv, .timeout = 20000};

    test->desk->err = (struct tt_error){0};
    return tt_provider_run(test->desk->provider, &request, &test->desk->arena, ret_result,
                           &test->desk->err);
}

static void test_the_console_says_the_host_key(void **state)
{
    struct console_test *test = ready(state);
    char *key = sshd_read(&test->sshd, sshd_file(&test->sshd, "host_key.pub"));
    struct tt_run_result result = {0};

    key[strcspn(key, "\r\n")] = '\0';
    desk_set(test->desk, "POST /nova/v2.1/servers/" SERVER "/action", 200,
             tt_printf(&test->desk->arena,
                       "{\"output\": \"up\\n-----BEGIN SSH HOST KEY KEYS-----\\n%s\\n"
                       "-----END SSH HOST KEY KEYS-----\\n\"}",
                       key));
    if (run(test, &result) < 0)
        fail_msg("%s", test->desk->err.message);
    assert_string_equal(result.output, "hello\n");
    assert_true(desk_was_asked(test->desk, "{\"os-getConsoleOutput\": {}}") ||
                desk_was_asked(test->desk, "{\"os-getConsoleOutput\":{}}"));
    assert_int_equal(run(test, &result), 0);
    assert_int_equal(desk_count(test->desk, "nova show console"), 1);
}

static void test_a_console_that_is_not_for_us(void **state)
{
    struct console_test *test = ready(state);
    struct tt_run_result result;

    desk_set(test->desk, "POST /nova/v2.1/servers/" SERVER "/action", 403,
             "{\"forbidden\": {\"code\": 403, \"message\": \"Policy does not allow it\"}}");
    desk_failed(test->desk, run(test, &result), TT_ERR_DENIED, "Policy does not allow it");
    assert_string_equal(test->desk->err.code, "host-key-unknown");
    assert_non_null(strstr(test->desk->err.message, "ssh-keyscan"));
}

static void test_an_empty_console(void **state)
{
    struct console_test *test = ready(state);
    struct tt_run_result result;

    desk_set(test->desk, "POST /nova/v2.1/servers/" SERVER "/action", 200, "{\"output\": \"\"}");
    desk_failed(test->desk, run(test, &result), TT_ERR_DENIED, "says no host key");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_console_says_the_host_key),
        TEST(test_a_console_that_is_not_for_us),
        TEST(test_an_empty_console),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
