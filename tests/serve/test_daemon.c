/*
 * Covers the daemon through daemon.h, with real repositories, the real program as its runs and
 * clouds in memory: a push touches one of three deployments, a webhook brings it in, a failing one
 * delays nobody, one that fails says why, a restart starts nothing.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/serve/support/fixture.h"

#define PATIENCE INT64_C(20000)

/* --- the tests ---------------------------------------------------------------------------------
 */

static void a_push_touches_one(void **state)
{
    struct fixture *fixture = *state;
    const struct tt_daemon_deployment *b;
    struct tt_daemon_events events;
    struct tt_error err = {0};
    const char *plan, *picture;
    bool queued = false, stepped = false, ended = false;

    fixture_push(fixture, 2, 2, 2);
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    assert_int_equal(tt_daemon_ready(fixture->daemon, &err), 0);
    b = fixture_deployment(fixture, "b");
    assert_int_equal(b->phase, TT_PHASE_IDLE);
    assert_int_equal(strlen(b->revision), 40);
    assert_true(b->last_run > 0);
    assert_int_equal(
        tt_daemon_plan(fixture->daemon, &fixture->arena, "fleet", "b", &plan, &picture, &err), 0);
    assert_non_null(strstr(plan, "trimtab.plan/v1"));
    assert_non_null(strstr(picture, "trimtab.picture/v1"));
    assert_int_equal(
        tt_daemon_plan(fixture->daemon, &fixture->arena, "fleet", "x", &plan, &picture, &err), -1);
    assert_int_equal(err.class, TT_ERR_NOT_FOUND);
    tt_daemon_events(fixture->daemon, &fixture->arena, 0, 0, &events);
    for (size_t i = 0; i < events.count; i++) {
        assert_int_equal(events.items[i].number, i + 1);
        queued |= strcmp(events.items[i].type, "queued") == 0;
        stepped |= strcmp(events.items[i].type, "step") == 0;
        ended |= strcmp(events.items[i].type, "run-ended") == 0;
    }
    assert_true(queued && stepped && ended);

    /* one of three, told by a webhook; the interval is an hour */
    fixture_push(fixture, 2, 3, 2);
    assert_int_equal(fixture_deliver(fixture, "fleet", "wrong", "1"), 401);
    assert_int_equal(fixture_deliver(fixture, "other", FIXTURE_SECRET, "1"), 404);
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, "1"), 202);
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, "1"), 200);
    fixture_wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(fixture_counts(fixture).deliveries, 4);
    assert_int_equal(fixture_counts(fixture).deliveries_refused, 2);
    assert_true(fixture_deployment(fixture, "b")->last_run >
                fixture_deployment(fixture, "c")->last_run);

    /* asked for */
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "a", "somebody", &err), 0);
    fixture_wait_for_runs(fixture, 5, 0, 0);
    assert_int_equal(fixture_counts(fixture).checks, 1);
    assert_int_equal(fixture_counts(fixture).drifts, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 0);
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "x", "somebody", &err), -1);

    /* what was served is not served again after a restart */
    fixture_stop(fixture);
    fixture_start(fixture);
    for (tt_time until = tt_monotonic() + PATIENCE;
         tt_daemon_ready(fixture->daemon, &err) < 0 && tt_monotonic() < until;)
        fixture_nap();
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    fixture_wait_for_runs(fixture, 0, 0, 0);
}

static void a_failing_one_delays_nobody(void **state)
{
    struct fixture *fixture = *state;
    const struct tt_daemon_deployment *a;
    const char *broken = tt_printf(&fixture->arena, "%s/sim/cloud-a.json", fixture->state);

    assert_int_equal(
        tt_make_folders(tt_printf(&fixture->arena, "%s/sim", fixture->state), 0700, NULL), 0);
    fixture_write_file(broken, "no cloud");
    fixture_push(fixture, 1, 1, 1);
    fixture_start(fixture);
    for (tt_time until = tt_monotonic() + PATIENCE;
         (fixture_counts(fixture).runs_done < 2 || fixture_counts(fixture).runs_failed < 2) &&
         tt_monotonic() < until;)
        fixture_nap();
    assert_int_equal(fixture_counts(fixture).runs_done, 2);
    assert_true(fixture_counts(fixture).runs_failed >= 2);
    a = fixture_deployment(fixture, "a");
    assert_true(a->failures >= 1);
    assert_non_null(a->message);
    unlink(broken);
    fixture_wait_for_runs(fixture, 3, 2, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->failures, 0);
}

/* The cloud of deployment NAME, with one zone in STATE for CAPACITY servers. */
static void write_cloud(struct fixture *fixture, const char *name, const char *state, int capacity)
{
    const char *folder = tt_printf(&fixture->arena, "%s/sim", fixture->state);

    assert_int_equal(tt_make_folders(folder, 0700, NULL), 0);
    fixture_write_file(
        tt_printf(&fixture->arena, "%s/cloud-%s.json", folder, name),
        tt_printf(&fixture->arena,
                  "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-07-01T00:00:00Z\",\n"
                  " \"accounts\": [{\"name\": \"cloud-%s\", \"provider\": \"sim\", \"regions\": [\n"
                  "  {\"name\": \"r\", \"zones\": [{\"name\": \"z\", \"state\": \"%s\"}]}]}],\n"
                  " \"sim\": {\"capacity\": {\"r/z\": %d}}}\n",
                  name, state, capacity));
}

/* What stands in the way of a plan is not an error of the program, and neither is a step's. */
static void a_failing_one_says_why(void **state)
{
    struct fixture *fixture = *state;

    write_cloud(fixture, "a", "impaired", 1);
    write_cloud(fixture, "b", "impaired", 1);
    write_cloud(fixture, "c", "available", 0);
    fixture_push_with(fixture, 1, 1, 1, ", onPush: plan");
    fixture_start(fixture);
    fixture_wait_for_failures(fixture, "a", 1);
    fixture_wait_for_failures(fixture, "b", 1);
    fixture_wait_for_failures(fixture, "c", 1);
    fixture_expect_message(fixture, "a", "Service/a/web: no zone is left for web: ");
    fixture_expect_message(fixture, "b", "Service/b/web: no zone is left for web: ");
    fixture_expect_message(fixture, "c",
                           "1 of 1 steps failed: Service/c/web/0: no capacity left in zone z");
}

/* Longer by a known time, so that no machine is too slow for it. */
static void runs_are_timed(void **state)
{
    struct fixture *fixture = *state;
    struct tt_durations took;

    fixture->program = tt_printf(&fixture->arena, "%s/run", fixture->place);
    fixture_write_file(fixture->program, "#!/bin/sh\n"
                                         "case $1 in serve) ;; *) sleep 1.1 ;; esac\n"
                                         "exec " TT_BINARY_DIR "/trimtab \"$@\"\n");
    assert_int_equal(chmod(fixture->program, 0700), 0);
    fixture_push(fixture, 1, 1, 1);
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    took = fixture_counts(fixture).took_done;
    assert_true(took.sum >= (tt_time)3 * 1100);
    assert_int_equal(took.within[0], 0);
    assert_int_equal(fixture_counts(fixture).took_failed.sum, 0);
}

/* A check that is due while no commit was read yet by the new configuration. */
static void a_reload_fails_nobody(void **state)
{
    struct fixture *fixture = *state;
    const char *gate = tt_printf(&fixture->arena, "%s/gate", fixture->place);
    struct tt_findings findings = {0};
    struct tt_error err = {0};

    fixture->program = tt_printf(&fixture->arena, "%s/run", fixture->place);
    fixture_write_file(fixture->program,
                       tt_printf(&fixture->arena,
                                 "#!/bin/sh\n"
                                 "case $1 in serve) while [ -e %s ]; do sleep 0.1; done ;; esac\n"
                                 "exec " TT_BINARY_DIR "/trimtab \"$@\"\n",
                                 gate));
    assert_int_equal(chmod(fixture->program, 0700), 0);
    fixture_push(fixture, 1, 1, 1);
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);

    fixture_write_file(gate, ""); /* from now on Git is slow */
    tt_serve_reload(fixture->daemon,
                    tt_config_read(&fixture->arena, fixture->config, &findings, &err));
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "a", "somebody", &err), 0);
    for (int i = 0; i < 20; i++) {
        const struct tt_daemon_deployment *a = fixture_deployment(fixture, "a");

        assert_int_equal(a->failures, 0);
        assert_int_equal(a->phase, TT_PHASE_QUEUED);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    assert_int_equal(fixture_deployment(fixture, "b")->phase, TT_PHASE_IDLE);
    unlink(gate);
    fixture_wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(fixture_counts(fixture).checks, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reload_fails_nobody, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(runs_are_timed, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_push_touches_one, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_failing_one_delays_nobody, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_failing_one_says_why, fixture_set_up, fixture_tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
