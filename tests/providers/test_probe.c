/*
 * Covers providers/http/probe.c: what passes, what fails and why, that probes go nowhere else, and
 * that many at once neither take the sum of their times nor all descriptors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "providers/http/probe.h"
#include "tests/providers/support/web.h"

static int setup(void **state)
{
    struct web *web = malloc(sizeof(*web));

    web_start(web);
    *state = web;
    return 0;
}

static int teardown(void **state)
{
    web_stop(*state);
    free(*state);
    return 0;
}

static struct tt_probe probe_path(int port, const char *path, tt_time timeout)
{
    struct tt_health_check check = {.http = path != NULL, .path = path, .timeout = timeout};
    struct tt_probe probe = {.address = "127.0.0.1", .port = port, .check = &check};

    tt_probe_all(&probe, 1);
    probe.check = NULL;
    return probe;
}

/* A port of the loopback at which nobody listens. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void a_status_below_400_passes(void **state)
{
    struct web *web = *state;

    assert_true(probe_path(web->port, "/ok", 5000).passed);
    assert_true(probe_path(web->port, "/status/204", 5000).passed);
    assert_true(probe_path(web->port, "/status/301", 5000).passed);
    assert_true(probe_path(web->port, "/status/399", 5000).passed);
    /* the redirect was not followed */
    assert_int_equal(atomic_load(&web->requests), 4);
}

static void other_statuses_fail_by_number(void **state)
{
    struct web *web = *state;
    struct tt_probe probe = probe_path(web->port, "/status/503", 5000);

    assert_false(probe.passed);
    assert_string_equal(probe.reason, "HTTP 503");
    probe = probe_path(web->port, "/status/400", 5000);
    assert_false(probe.passed);
    assert_string_equal(probe.reason, "HTTP 400");
}

static void failures_say_why(void **state)
{
    struct web *web = *state;
    struct tt_probe probe = probe_path(free_port(), "/ok", 5000);

    assert_false(probe.passed);
    assert_string_equal(probe.reason, "connection refused");
    probe = probe_path(web->port, "/hangup", 5000);
    assert_false(probe.passed);
    assert_string_equal(probe.reason, "closed without an answer");
    probe = probe_path(web->port, "/garbage", 5000);
    assert_false(probe.passed);
    assert_true(probe.reason[0] != '\0');
    probe = probe_path(web->port, "/silent", 200);
    assert_false(probe.passed);
    assert_string_equal(probe.reason, "no answer in time");
}

static void a_body_without_end_is_not_read(void **state)
{
    struct web *web = *state;
    tt_time began = tt_monotonic();

    assert_true(probe_path(web->port, "/endless", 10000).passed);
    assert_true(tt_monotonic() - began < 5000);
}

static void a_connect_is_enough_without_http(void **state)
{
    struct web *web = *state;
    struct tt_probe probe = probe_path(web->port, NULL, 5000);

    assert_true(probe.passed);
    assert_string_equal(probe.reason, "");
    probe = probe_path(free_port(), NULL, 5000);
    assert_false(probe.passed);
    assert_string_equal(probe.reason, "connection refused");
    assert_int_equal(atomic_load(&web->requests), 0);
}

static void the_environment_has_no_say(void **state)
{
    struct web *web = *state;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    assert_true(probe_path(web->port, "/ok", 5000).passed);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void an_ipv6_address_is_understood(void **state)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof(address);
    struct tt_health_check check = {.timeout = 5000};
    struct tt_probe probe = {.address = "::1", .check = &check};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    (void)state;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        skip(); /* this host has no IPv6 */
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    probe.port = ntohs(address.sin6_port);
    tt_probe_all(&probe, 1);
    assert_true(probe.passed);
    close(fd);
}

static void slow_ones_share_their_time(void **state)
{
    struct web *web = *state;
    struct tt_health_check silent = {.http = true, .path = "/silent", .timeout = 600};
    struct tt_health_check ok = {.http = true, .path = "/ok", .timeout = 5000};
    struct tt_probe probes[40];
    tt_time began = tt_monotonic();

    for (int i = 0; i < 40; i++)
        probes[i] = (struct tt_probe){
            .address = "127.0.0.1", .port = web->port, .check = i % 2 ? &ok : &silent};
    tt_probe_all(probes, 40);
    assert_true(tt_monotonic() - began < 20 * 600 / 2);
    for (int i = 0; i < 40; i++)
        assert_int_equal(probes[i].passed, i % 2);
}

#define MANY 3000

static void thousands_fit_into_few_descriptors(void **state)
{
    struct web *web = *state;
    struct tt_health_check http = {.http = true, .path = "/ok", .timeout = 20000};
    struct tt_health_check tcp = {.timeout = 20000};
    struct tt_probe *probes = calloc(MANY, sizeof(*probes));
    struct rlimit old, limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    limit = old;
    limit.rlim_cur = 256;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < MANY; i++)
        probes[i] = (struct tt_probe){
            .address = "127.0.0.1", .port = web->port, .check = i % 3 ? &http : &tcp};
    tt_probe_all(probes, MANY);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    for (int i = 0; i < MANY; i++)
        if (!probes[i].passed)
            fail_msg("probe %d: %s", i, probes[i].reason);
    free(probes);
}

static void no_probes_are_no_work(void **state)
{
    (void)state;
    tt_probe_all(NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_status_below_400_passes),
        TEST(other_statuses_fail_by_number),
        TEST(failures_say_why),
        TEST(a_body_without_end_is_not_read),
        TEST(a_connect_is_enough_without_http),
        TEST(the_environment_has_no_say),
        TEST(an_ipv6_address_is_understood),
        TEST(slow_ones_share_their_time),
        TEST(thousands_fit_into_few_descriptors),
        TEST(no_probes_are_no_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
