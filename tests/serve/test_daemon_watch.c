/*
 * Covers serve/daemon_watch.c and reconciler/watch_list.c through daemon.h: a port of this host
 * stands for a balancer's machine, and a clock that is moved for its interval. What the runs then
 * do is told by tests/e2e/test_serve_recovery.sh.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/serve/support/fixture.h"

#define PATIENCE INT64_C(20000)
#define MINUTE   INT64_C(60000)

/* Holds *PORT of this host (0: any), which refuses; nobody else gets it meanwhile. */
static int hold(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Listens at a port that is held. */
static int listen_at(int port)
{
    int fd = hold(&port);

    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

/* A daemon to which the last run of `a` has left PORT to be watched; its checks are far away. */
static void start_watching(struct fixture *fixture, int port, const char *policy)
{
    const char *folder = tt_printf(&fixture->arena, "%s/serve/plans/fleet/a", fixture->state);

    fixture_write_file(fixture->config,
                       tt_printf(&fixture->arena,
                                 "repositories: [{name: fleet, url: %s, poll: 700h}]\n"
                                 "runs: {check: 700h}\n",
                                 fixture->bare));
    fixture_push_with(fixture, 1, 1, 1, policy);
    fixture_start(fixture);
    if (fixture->suspended)
        fixture_wait_for_runs(fixture, 2, 0, 0);
    else
        fixture_wait_for_runs(fixture, 3, 0, 0);
    fixture_stop(fixture);
    assert_int_equal(tt_make_folders(folder, 0700, NULL), 0);
    fixture_write_file(
        tt_printf(&fixture->arena, "%s/watch.json", folder),
        tt_printf(&fixture->arena,
                  "{\"format\": \"trimtab.watch/v1\", \"ports\": [{\"balancer\": \"edge\", "
                  "\"account\": \"cloud-a\", \"region\": \"r\", \"machine\": \"i-1\", "
                  "\"address\": \"127.0.0.1\", \"port\": %d, \"tls\": false, \"check\": "
                  "{\"tcp\": {}, \"interval\": \"1m\", \"timeout\": \"2s\", "
                  "\"unhealthyAfter\": 2}, \"failed\": true}]}",
                  port));
    fixture_start(fixture);
    for (tt_time until = tt_monotonic() + PATIENCE;
         tt_daemon_ready(fixture->daemon, NULL) < 0 && tt_monotonic() < until;)
        fixture_nap();
}

/* Until so many probes were made; false: that takes too long. */
static bool wait_for_probes(struct fixture *fixture, uint64_t count, tt_time patience)
{
    for (tt_time until = tt_monotonic() + patience;
         fixture_counts(fixture).probes < count && tt_monotonic() < until;)
        fixture_nap();
    return fixture_counts(fixture).probes >= count;
}

/* A minute goes by; true when that led to a probe. */
static bool pass_a_minute(struct fixture *fixture, tt_time patience)
{
    uint64_t before = fixture_counts(fixture).probes;

    atomic_fetch_add(&fixture->moved, MINUTE);
    return wait_for_probes(fixture, before + 1, patience);
}

/* The event that asks for a recovery; NULL: there is none. */
static const char *recovery_event(struct fixture *fixture)
{
    struct tt_daemon_events events = {0};

    tt_daemon_events(fixture->daemon, &fixture->arena, 0, 0, &events);
    for (size_t i = 0; i < events.count; i++)
        if (strcmp(events.items[i].type, "queued") == 0 &&
            strstr(events.items[i].json, "\"recovery\""))
            return events.items[i].json;
    return NULL;
}

static void one_that_answers_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    int port = 0, held = hold(&port), fd = listen_at(port);

    start_watching(fixture, port, "");
    assert_true(wait_for_probes(fixture, 1, PATIENCE)); /* at once after the start */
    for (int i = 0; i < 3; i++)
        assert_true(pass_a_minute(fixture, PATIENCE));
    assert_int_equal(fixture_counts(fixture).probes, 4); /* once a minute, no more */
    assert_int_equal(fixture_counts(fixture).probes_failed, 0);
    assert_int_equal(fixture_counts(fixture).failing, 0);
    assert_null(recovery_event(fixture));
    close(fd);
    close(held);
}

static void one_that_fails_in_a_row_is_recovered(void **state)
{
    struct fixture *fixture = *state;
    int port = 0, held = hold(&port), fd = listen_at(port);
    const char *event;

    start_watching(fixture, port, "");
    assert_true(wait_for_probes(fixture, 1, PATIENCE));
    close(fd);
    assert_true(pass_a_minute(fixture, PATIENCE));
    assert_int_equal(fixture_counts(fixture).probes_failed, 1);
    assert_null(recovery_event(fixture)); /* one is not a row */
    assert_true(pass_a_minute(fixture, PATIENCE));
    for (tt_time until = tt_monotonic() + PATIENCE;
         fixture_counts(fixture).runs_done < 1 && tt_monotonic() < until;)
        fixture_nap();
    assert_int_equal(fixture_counts(fixture).runs_done, 1);
    event = recovery_event(fixture);
    assert_non_null(event);
    assert_non_null(strstr(event, "LoadBalancer/a/edge"));
    assert_non_null(strstr(event, "does not answer at 127.0.0.1"));
    close(held);
}

/* The run writes where to look from then on: in a cloud in memory nowhere. */
static void after_its_run_the_new_list_counts(void **state)
{
    struct fixture *fixture = *state;
    int port = 0, held = hold(&port);

    start_watching(fixture, port, "");
    assert_true(wait_for_probes(fixture, 1, PATIENCE));
    assert_true(pass_a_minute(fixture, PATIENCE));
    for (tt_time until = tt_monotonic() + PATIENCE;
         fixture_counts(fixture).runs_done < 1 && tt_monotonic() < until;)
        fixture_nap();
    assert_false(pass_a_minute(fixture, 2000));
    assert_int_equal(fixture_counts(fixture).failing, 0);
    assert_int_equal(fixture_counts(fixture).runs_done, 1);
    close(held);
}

static void who_only_reports_is_not_watched(void **state)
{
    struct fixture *fixture = *state;
    int port = 0, held = hold(&port);

    start_watching(fixture, port, ", onFailure: report");
    assert_false(pass_a_minute(fixture, 2000));
    assert_null(recovery_event(fixture));
    close(held);
}

static void who_is_suspended_is_not_watched(void **state)
{
    struct fixture *fixture = *state;
    int port = 0, held = hold(&port);

    fixture->suspended = "a";
    start_watching(fixture, port, "");
    assert_false(pass_a_minute(fixture, 2000));
    assert_null(recovery_event(fixture));
    close(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_answers_is_left_alone, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(one_that_fails_in_a_row_is_recovered, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(after_its_run_the_new_list_counts, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_only_reports_is_not_watched, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_is_suspended_is_not_watched, fixture_set_up,
                                        fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
