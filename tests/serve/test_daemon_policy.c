/*
 * Covers serve/daemon_policy.c and daemon_held.c through daemon.h, with real repositories, the real
 * program as its runs, clouds in memory and a clock that is moved: what is suspended waits, held
 * plans wait for whoever approves them, changes wait for their window, drift is reported or
 * repaired, and recoveries wait for nothing.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "serve/daemon_parts.h"
#include "tests/serve/support/fixture.h"

#define PATIENCE INT64_C(20000)
#define WINDOW   ", changeWindows: [{days: [mon], from: \"09:00\", to: \"16:30\"}]"

/* --- moments -----------------------------------------------------------------------------------
 */

static void wait_for_phase(struct fixture *fixture, const char *name, enum tt_phase phase)
{
    for (tt_time until = tt_monotonic() + PATIENCE;
         fixture_deployment(fixture, name)->phase != phase && tt_monotonic() < until;)
        fixture_nap();
    assert_int_equal(fixture_deployment(fixture, name)->phase, phase);
}

static void set_clock(struct fixture *fixture, const char *time)
{
    const struct tt_clock *host = tt_clock_real();
    tt_time wanted = 0;

    assert_int_equal(tt_time_parse(time, &wanted), 0);
    atomic_store(&fixture->moved, wanted - host->now(host->self));
}

static void check(struct fixture *fixture, const char *name)
{
    struct tt_error err = {0};

    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", name, "me", &err), 0);
}

/* Four servers of a become one, which its guard holds; the run that was. */
static int64_t hold(struct fixture *fixture)
{
    const struct tt_daemon_deployment *a;

    fixture_push(fixture, 4, 1, 1);
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    fixture_push(fixture, 1, 1, 1);
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, NULL), 202);
    fixture_wait_for_runs(fixture, 3, 0, 1);
    a = fixture_deployment(fixture, "a");
    assert_int_equal(a->phase, TT_PHASE_HELD);
    assert_non_null(strstr(a->message, "held"));
    assert_true(a->held_run > 0);
    return a->held_run;
}

static int approve_in_terminal(struct fixture *fixture, int64_t run)
{
    return fixture_trimtab(fixture, "approve", tt_printf(&fixture->arena, "%lld", (long long)run),
                           "--auto-approve", "--by=ann",
                           tt_printf(&fixture->arena, "--state=%s", fixture->state), NULL);
}

/* --- the tests ---------------------------------------------------------------------------------
 */

static void a_suspended_one_waits(void **state)
{
    struct fixture *fixture = *state;
    int64_t before;

    fixture_push(fixture, 1, 1, 1);
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    before = fixture_deployment(fixture, "b")->last_run;
    fixture->suspended = "b";
    fixture_push(fixture, 1, 2, 2);
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, "1"), 202);
    fixture_wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "b")->phase, TT_PHASE_SUSPENDED);
    assert_int_equal(fixture_deployment(fixture, "b")->last_run, before);
    assert_true(fixture_deployment(fixture, "c")->last_run > before);
    fixture->suspended = NULL;
    fixture_push(fixture, 1, 2, 2);
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, "2"), 202);
    fixture_wait_for_runs(fixture, 5, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "b")->phase, TT_PHASE_IDLE);
    assert_true(fixture_deployment(fixture, "b")->last_run > before);
}

static void a_held_plan_is_approved(void **state)
{
    struct fixture *fixture = *state;
    const struct tt_daemon_deployment *a;
    struct tt_error err = {0};
    int64_t run;

    fixture_push(fixture, 4, 1, 1);
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    fixture_push(fixture, 1, 1, 1);
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, NULL), 202);
    fixture_wait_for_runs(fixture, 3, 0, 1);
    a = fixture_deployment(fixture, "a");
    assert_int_equal(a->phase, TT_PHASE_HELD);
    assert_non_null(strstr(a->message, "held"));
    run = a->held_run;
    assert_true(run > 0);
    assert_int_equal(tt_daemon_approve(fixture->daemon, 99999, "me", &err), -1);
    assert_int_equal(err.class, TT_ERR_NOT_FOUND);
    if (tt_daemon_approve(fixture->daemon, run, "me", &err) < 0)
        fail_msg("%s", err.message);
    fixture_wait_for_runs(fixture, 4, 0, 1);
    a = fixture_deployment(fixture, "a");
    assert_int_equal(a->phase, TT_PHASE_IDLE);
    assert_int_equal(a->held_run, 0);
    assert_int_equal(tt_daemon_approve(fixture->daemon, run, "me", &err), -1);
    assert_int_equal(err.class, TT_ERR_CONFLICT);
}

static void policies_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct tt_error err = {0};

    fixture_push_with(fixture, 2, 1, 1, ", onPush: plan");
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 2); /* looked at, and not done */
    assert_int_equal(fixture_deployment(fixture, "a")->last_run, 0);
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "a", "me", &err), 0);
    fixture_wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 2); /* no check does it either */
    fixture->suspended = "a";
    fixture_push_with(fixture, 2, 1, 1, ", onPush: apply");
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, NULL), 202);
    for (tt_time until = tt_monotonic() + PATIENCE;
         fixture_deployment(fixture, "a")->phase != TT_PHASE_SUSPENDED && tt_monotonic() < until;)
        fixture_nap();
    assert_int_equal(fixture_deployment(fixture, "a")->phase, TT_PHASE_SUSPENDED);
    fixture_wait_for_runs(fixture, 4, 0, 0);
    fixture->suspended = NULL;
    fixture_push_with(fixture, 2, 1, 1, ", onPush: apply");
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, NULL), 202);
    fixture_wait_for_runs(fixture, 5, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 0);
    assert_true(fixture_deployment(fixture, "a")->last_run > 0);
}

static void a_held_plan_is_approved_in_a_terminal(void **state)
{
    struct fixture *fixture = *state;
    struct tt_error err = {0};
    int64_t run = hold(fixture);

    if (approve_in_terminal(fixture, run))
        fail_msg("%s", fixture->said);
    wait_for_phase(fixture, "a", TT_PHASE_IDLE);
    assert_int_equal(fixture_deployment(fixture, "a")->held_run, 0);
    assert_true(fixture_deployment(fixture, "a")->last_run > run);
    assert_int_equal(approve_in_terminal(fixture, run), 1);
    assert_non_null(strstr(fixture->said, "was approved by ann"));
    assert_int_equal(tt_daemon_approve(fixture->daemon, run, "me", &err), -1);
    assert_int_equal(err.class, TT_ERR_CONFLICT);
    assert_non_null(strstr(err.message, "was approved by ann"));
}

static void a_held_plan_outlives_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct tt_error err = {0};
    int64_t run = hold(fixture);

    fixture_stop(fixture);
    fixture_push(fixture, 1, 2, 1); /* concerns a not at all */
    fixture_start(fixture);
    for (tt_time until = tt_monotonic() + PATIENCE;
         tt_daemon_ready(fixture->daemon, &err) < 0 && tt_monotonic() < until;)
        fixture_nap();
    fixture_wait_for_runs(fixture, 1, 0, 0);
    wait_for_phase(fixture, "a", TT_PHASE_HELD);
    assert_int_equal(fixture_deployment(fixture, "a")->held_run, run);
    assert_non_null(strstr(fixture_deployment(fixture, "a")->message, "3 steps are held"));
    if (tt_daemon_approve(fixture->daemon, run, "me", &err) < 0)
        fail_msg("%s", err.message);
    fixture_wait_for_runs(fixture, 2, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->phase, TT_PHASE_IDLE);
}

static void a_newer_commit_makes_a_held_plan_void(void **state)
{
    struct fixture *fixture = *state;
    int64_t run = hold(fixture), next;

    fixture_push(fixture, 2, 1, 1);
    assert_int_equal(fixture_deliver(fixture, "fleet", FIXTURE_SECRET, NULL), 202);
    fixture_wait_for_runs(fixture, 3, 0, 2);
    next = fixture_deployment(fixture, "a")->held_run;
    assert_true(next > run);
    assert_int_equal(approve_in_terminal(fixture, run), 1);
    assert_non_null(strstr(fixture->said, "plan again"));
}

static void changes_wait_for_their_window(void **state)
{
    struct fixture *fixture = *state;
    int64_t applied;

    set_clock(fixture, "2026-11-29T12:00:00Z"); /* a Sunday */
    fixture_push_with(fixture, 2, 1, 1, WINDOW);
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 2); /* planned, and not done */
    assert_int_equal(fixture_deployment(fixture, "a")->last_run, 0);
    assert_true(fixture_deployment(fixture, "b")->last_run > 0);
    check(fixture, "a");
    fixture_wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->last_run, 0);

    set_clock(fixture, "2026-11-30T09:00:30Z");
    check(fixture, "a");
    for (tt_time until = tt_monotonic() + PATIENCE;
         !fixture_deployment(fixture, "a")->last_run && tt_monotonic() < until;)
        fixture_nap();
    applied = fixture_deployment(fixture, "a")->last_run;
    assert_true(applied > 0);
    wait_for_phase(fixture, "a", TT_PHASE_IDLE);
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 0);

    set_clock(fixture, "2026-11-30T16:30:01Z"); /* it is over; what goes missing waits, too */
    assert_int_equal(unlink(tt_printf(&fixture->arena, "%s/sim/cloud-a.json", fixture->state)), 0);
    check(fixture, "a");
    for (tt_time until = tt_monotonic() + PATIENCE;
         fixture_deployment(fixture, "a")->drift == 0 && tt_monotonic() < until;)
        fixture_nap();
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 2);
    assert_int_equal(fixture_deployment(fixture, "a")->last_run, applied);
    set_clock(fixture, "2026-12-07T10:00:00Z");
    check(fixture, "a");
    for (tt_time until = tt_monotonic() + PATIENCE;
         fixture_deployment(fixture, "a")->drift != 0 && tt_monotonic() < until;)
        fixture_nap();
    assert_true(fixture_deployment(fixture, "a")->last_run > applied);
}

static void drift_is_reported_or_repaired(void **state)
{
    struct fixture *fixture = *state;
    int64_t last_a, last_b;

    fixture_push_with(fixture, 2, 2, 1, ", onDrift: report");
    fixture_start(fixture);
    fixture_wait_for_runs(fixture, 3, 0, 0);
    last_a = fixture_deployment(fixture, "a")->last_run;
    last_b = fixture_deployment(fixture, "b")->last_run;
    assert_int_equal(unlink(tt_printf(&fixture->arena, "%s/sim/cloud-a.json", fixture->state)), 0);
    assert_int_equal(unlink(tt_printf(&fixture->arena, "%s/sim/cloud-b.json", fixture->state)), 0);
    check(fixture, "a");
    check(fixture, "b");
    fixture_wait_for_runs(fixture, 5, 0, 0);
    assert_int_equal(fixture_deployment(fixture, "a")->drift, 2);
    assert_int_equal(fixture_deployment(fixture, "a")->last_run, last_a);
    assert_int_equal(fixture_deployment(fixture, "b")->drift, 0);
    assert_true(fixture_deployment(fixture, "b")->last_run > last_b);
    assert_int_equal(fixture_counts(fixture).drifts, 2);
}

/* What a job does is decided without a daemon. */
static void a_recovery_waits_for_no_window(void **state)
{
    struct tt_change_window sunday = {.days = 1u << 6, .from = 0, .to = 60};
    struct tt_deployment_state deployment = {0};
    struct tt_job look = {.command = "drift", .broken = "LoadBalancer/a/edge LoadBalancer/a/api"},
                  job = {0};
    tt_time monday = 0;

    (void)state;
    assert_int_equal(tt_time_parse("2026-11-30T12:00:00Z", &monday), 0);
    tt_arena_init(&job.arena);
    deployment.policy.windows.items = &sunday;
    deployment.policy.windows.count = 1;
    deployment.policy.on_drift = TT_ON_DRIFT_REPORT;
    assert_false(tt_window_open(&deployment.policy, monday));

    deployment.policy.on_failure = TT_ON_FAILURE_REPORT;
    assert_false(tt_policy_follow(&deployment, &look, 2, monday));
    assert_null(deployment.recover);
    deployment.policy.on_failure = TT_ON_FAILURE_RECOVER;
    assert_true(tt_policy_follow(&deployment, &look, 2, monday));
    tt_policy_choose(&deployment, &job, monday);
    assert_string_equal(job.command, "apply");
    assert_string_equal(job.target, look.broken);
    assert_null(deployment.recover);
    tt_arena_release(&job.arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_suspended_one_waits),
        TEST(a_held_plan_is_approved),
        TEST(a_held_plan_is_approved_in_a_terminal),
        TEST(a_held_plan_outlives_a_restart),
        TEST(a_newer_commit_makes_a_held_plan_void),
        TEST(policies_are_kept),
        TEST(changes_wait_for_their_window),
        TEST(drift_is_reported_or_repaired),
        cmocka_unit_test(a_recovery_waits_for_no_window),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
