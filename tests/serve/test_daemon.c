/*
 * Covers the daemon through daemon.h, with real repositories, the real program as its runs and
 * clouds in memory: a push touches one of three deployments, a webhook brings it in, a failing one
 * delays nobody, a suspended one waits, a held plan is approved once, a restart starts nothing.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/runner.h"
#include "serve/serve.h"
#include "serve/webhook.h"

#define PATIENCE INT64_C(20000)
#define PROGRAM  TT_BINARY_DIR "/trimtab"
#define SECRET   "a secret"

struct fixture {
    struct tt_arena arena;
    char place[64];
    const char *tree, *bare, *state, *config;
    const char *suspended; /* a deployment, or NULL */
    struct tt_daemon *daemon;
};

/* --- what the tests are made of ---------------------------------------------------------------
 */

static void write_file(struct fixture *fixture, const char *path, const char *text)
{
    struct tt_error err = {0};

    (void)fixture;
    assert_int_equal(tt_file_write(path, text, strlen(text), 0600, &err), 0);
}

static void git(struct fixture *fixture, ...)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin",
                                              "GIT_CONFIG_GLOBAL=/dev/null",
                                              "GIT_CONFIG_NOSYSTEM=1",
                                              "GIT_AUTHOR_NAME=t",
                                              "GIT_AUTHOR_EMAIL=t@example.com",
                                              "GIT_COMMITTER_NAME=t",
                                              "GIT_COMMITTER_EMAIL=t@example.com",
                                              NULL};
    const char *argv[16] = {"git", "-C", fixture->tree};
    struct tt_runner_request request = {
        .program = "/usr/bin/git", .argv = argv, .environment = environment};
    struct tt_runner runner;
    struct tt_error err = {0};
    TT_BUF_AUTO errors = {0};
    va_list args;
    int code = 1, count = 3;

    va_start(args, fixture);
    while ((argv[count] = va_arg(args, const char *)))
        count++;
    va_end(args);
    tt_runner_init(&runner);
    assert_int_equal(tt_runner_run(&runner, &request, &code, &errors, &err), 0);
    tt_runner_release(&runner);
    if (code)
        fail_msg("git %s: %s", argv[3], tt_buf_text(&errors));
}

/* Three deployments with so many servers each, in clouds of their own. */
static void push_with(struct fixture *fixture, int a, int b, int c, const char *policy_of_a)
{
    const char *names[] = {"a", "b", "c"};
    const int counts[] = {a, b, c};
    TT_BUF_AUTO text = {0};

    for (int i = 0; i < 3; i++)
        tt_buf_addf(&text,
                    "apiVersion: trimtab/v1\nkind: Account\nmetadata: {name: cloud-%s}\n"
                    "spec: {provider: sim, regions: [r]}\n---\n"
                    "apiVersion: trimtab/v1\nkind: Deployment\nmetadata: {name: %s}\n"
                    "spec: {guard: {maxDestroy: 30%%}, suspend: %s%s}\n---\n"
                    "apiVersion: trimtab/v1\nkind: Service\nmetadata: {name: web}\n"
                    "spec:\n  deployment: %s\n  server: {template: t}\n  port: 80\n"
                    "  placements:\n    - {account: cloud-%s, region: r, count: %d}\n---\n",
                    names[i], names[i], tt_streq(names[i], fixture->suspended) ? "true" : "false",
                    i == 0 ? policy_of_a : "", names[i], names[i], counts[i]);
    write_file(fixture, tt_printf(&fixture->arena, "%s/fleet.yaml", fixture->tree),
               tt_buf_text(&text));
    git(fixture, "add", "-A", NULL);
    git(fixture, "commit", "-q", "-m", "another", NULL);
    git(fixture, "push", "-q", fixture->bare, "HEAD:main", NULL);
}

static void push(struct fixture *fixture, int a, int b, int c)
{
    push_with(fixture, a, b, c, "");
}

static void start(struct fixture *fixture)
{
    struct tt_serve_options options = {
        .program = PROGRAM, .state_folder = fixture->state, .clock = tt_clock_real()};
    struct tt_findings findings = {0};
    struct tt_error err = {0};
    struct tt_config *config = tt_config_read(&fixture->arena, fixture->config, &findings, &err);

    if (!config)
        fail_msg("%s", findings.count ? findings.items[0].message : err.message);
    if (tt_serve_start(&options, config, &fixture->daemon, &err) < 0)
        fail_msg("%s", err.message);
}

static void stop(struct fixture *fixture)
{
    tt_serve_stop(fixture->daemon);
    tt_serve_free(fixture->daemon);
    fixture->daemon = NULL;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const char *secret;

    tt_arena_init(&fixture->arena);
    strcpy(fixture->place, "/tmp/trimtab-serve-XXXXXX");
    assert_non_null(mkdtemp(fixture->place));
    fixture->tree = tt_printf(&fixture->arena, "%s/tree", fixture->place);
    fixture->bare = tt_printf(&fixture->arena, "%s/fleet.git", fixture->place);
    fixture->state = tt_printf(&fixture->arena, "%s/state", fixture->place);
    fixture->config = tt_printf(&fixture->arena, "%s/serve.yaml", fixture->place);
    secret = tt_printf(&fixture->arena, "%s/secret", fixture->place);
    assert_int_equal(tt_make_folders(fixture->tree, 0700, NULL), 0);
    write_file(fixture, secret, SECRET "\n");
    write_file(fixture, fixture->config,
               tt_printf(&fixture->arena,
                         "repositories:\n  - name: fleet\n    url: %s\n    poll: 1h\n"
                         "    webhook: {form: generic, secret: {file: %s}}\n"
                         "runs: {check: 1h, backoff: 300ms, longestBackoff: 1s}\n",
                         fixture->bare, secret));
    git(fixture, "init", "-q", "-b", "main", NULL);
    git(fixture, "init", "-q", "--bare", "-b", "main", fixture->bare, NULL);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->daemon)
        stop(fixture);
    tt_remove_tree(fixture->place, NULL);
    tt_arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

/* --- looking at it -----------------------------------------------------------------------------
 */

static struct tt_daemon_counts counts(struct fixture *fixture)
{
    struct tt_daemon_counts now;

    tt_daemon_counts(fixture->daemon, &now);
    return now;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

/* Until so many runs have ended, and none runs or waits. */
static void wait_for_runs(struct fixture *fixture, uint64_t done, uint64_t failed, uint64_t held)
{
    tt_time until = tt_monotonic() + PATIENCE;
    struct tt_daemon_counts now;

    do {
        nap();
        now = counts(fixture);
    } while ((now.runs_done < done || now.runs_failed < failed || now.runs_held < held ||
              now.running || now.queued) &&
             tt_monotonic() < until);
    assert_int_equal(now.runs_done, done);
    assert_true(now.runs_failed >= failed);
    assert_int_equal(now.runs_held, held);
}

static struct tt_daemon_deployment *deployment(struct fixture *fixture, const char *name)
{
    struct tt_daemon_deployment *found = TT_NEW(&fixture->arena, struct tt_daemon_deployment);
    struct tt_daemon_deployments list;

    tt_daemon_list(fixture->daemon, &fixture->arena, &list);
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i].name, name) == 0)
            *found = list.items[i];
    assert_non_null(found->name);
    return found;
}

static const char *header(void *request, const char *name)
{
    const char *const *values = request;

    if (strcasecmp(name, "X-Signature") == 0)
        return values[0];
    if (strcasecmp(name, "X-Delivery") == 0)
        return values[1];
    return strcasecmp(name, "Content-Type") == 0 ? "application/json" : NULL;
}

static int deliver(struct fixture *fixture, const char *hook, const char *key, const char *id)
{
    const char *body = "{\"ref\":\"refs/heads/main\"}";
    unsigned char digest[32];
    const char *values[2] = {NULL, id};
    struct tt_delivery delivery = {hook, "127.0.0.1", header, values, body, strlen(body)};
    const char *answer = NULL;
    int status;

    tt_webhook_hmac(key, strlen(key), body, strlen(body), digest);
    values[0] = tt_printf(&fixture->arena, "sha256=%s", tt_webhook_hex(&fixture->arena, digest));
    status = tt_daemon_deliver(fixture->daemon, &fixture->arena, &delivery, &answer);
    assert_non_null(answer);
    assert_null(strstr(answer, SECRET));
    return status;
}

/* --- the tests ---------------------------------------------------------------------------------
 */

static void a_push_touches_one(void **state)
{
    struct fixture *fixture = *state;
    const struct tt_daemon_deployment *b;
    struct tt_daemon_events events;
    struct tt_error err = {0};
    const char *plan, *world;
    bool queued = false, stepped = false, ended = false;

    push(fixture, 2, 2, 2);
    start(fixture);
    wait_for_runs(fixture, 3, 0, 0);
    assert_int_equal(tt_daemon_ready(fixture->daemon, &err), 0);
    b = deployment(fixture, "b");
    assert_int_equal(b->phase, TT_PHASE_IDLE);
    assert_int_equal(strlen(b->revision), 40);
    assert_true(b->last_run > 0);
    assert_int_equal(
        tt_daemon_plan(fixture->daemon, &fixture->arena, "fleet", "b", &plan, &world, &err), 0);
    assert_non_null(strstr(plan, "trimtab.plan/v1"));
    assert_non_null(strstr(world, "trimtab.world/v1"));
    assert_int_equal(
        tt_daemon_plan(fixture->daemon, &fixture->arena, "fleet", "x", &plan, &world, &err), -1);
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
    push(fixture, 2, 3, 2);
    assert_int_equal(deliver(fixture, "fleet", "wrong", "1"), 401);
    assert_int_equal(deliver(fixture, "other", SECRET, "1"), 404);
    assert_int_equal(deliver(fixture, "fleet", SECRET, "1"), 202);
    assert_int_equal(deliver(fixture, "fleet", SECRET, "1"), 200);
    wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(counts(fixture).deliveries, 4);
    assert_int_equal(counts(fixture).deliveries_refused, 2);
    assert_true(deployment(fixture, "b")->last_run > deployment(fixture, "c")->last_run);

    /* asked for */
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "a", "somebody", &err), 0);
    wait_for_runs(fixture, 5, 0, 0);
    assert_int_equal(counts(fixture).checks, 1);
    assert_int_equal(counts(fixture).drifts, 0);
    assert_int_equal(deployment(fixture, "a")->drift, 0);
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "x", "somebody", &err), -1);

    /* what was served is not served again after a restart */
    stop(fixture);
    start(fixture);
    for (tt_time until = tt_monotonic() + PATIENCE;
         tt_daemon_ready(fixture->daemon, &err) < 0 && tt_monotonic() < until;)
        nap();
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    wait_for_runs(fixture, 0, 0, 0);
}

static void a_suspended_one_waits(void **state)
{
    struct fixture *fixture = *state;
    int64_t before;

    push(fixture, 1, 1, 1);
    start(fixture);
    wait_for_runs(fixture, 3, 0, 0);
    before = deployment(fixture, "b")->last_run;
    fixture->suspended = "b";
    push(fixture, 1, 2, 2);
    assert_int_equal(deliver(fixture, "fleet", SECRET, "1"), 202);
    wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(deployment(fixture, "b")->phase, TT_PHASE_SUSPENDED);
    assert_int_equal(deployment(fixture, "b")->last_run, before);
    assert_true(deployment(fixture, "c")->last_run > before);
    fixture->suspended = NULL;
    push(fixture, 1, 2, 2);
    assert_int_equal(deliver(fixture, "fleet", SECRET, "2"), 202);
    wait_for_runs(fixture, 5, 0, 0);
    assert_int_equal(deployment(fixture, "b")->phase, TT_PHASE_IDLE);
    assert_true(deployment(fixture, "b")->last_run > before);
}

static void a_held_plan_is_approved(void **state)
{
    struct fixture *fixture = *state;
    const struct tt_daemon_deployment *a;
    struct tt_error err = {0};
    int64_t run;

    push(fixture, 4, 1, 1);
    start(fixture);
    wait_for_runs(fixture, 3, 0, 0);
    push(fixture, 1, 1, 1);
    assert_int_equal(deliver(fixture, "fleet", SECRET, NULL), 202);
    wait_for_runs(fixture, 3, 0, 1);
    a = deployment(fixture, "a");
    assert_int_equal(a->phase, TT_PHASE_HELD);
    assert_non_null(strstr(a->message, "held"));
    run = a->held_run;
    assert_true(run > 0);
    assert_int_equal(tt_daemon_approve(fixture->daemon, 99999, "me", &err), -1);
    assert_int_equal(err.class, TT_ERR_NOT_FOUND);
    if (tt_daemon_approve(fixture->daemon, run, "me", &err) < 0)
        fail_msg("%s", err.message);
    wait_for_runs(fixture, 4, 0, 1);
    a = deployment(fixture, "a");
    assert_int_equal(a->phase, TT_PHASE_IDLE);
    assert_int_equal(a->held_run, 0);
    assert_int_equal(tt_daemon_approve(fixture->daemon, run, "me", &err), -1);
    assert_int_equal(err.class, TT_ERR_CONFLICT);
}

static void a_failing_one_delays_nobody(void **state)
{
    struct fixture *fixture = *state;
    const struct tt_daemon_deployment *a;
    const char *broken = tt_printf(&fixture->arena, "%s/sim/cloud-a.json", fixture->state);

    assert_int_equal(
        tt_make_folders(tt_printf(&fixture->arena, "%s/sim", fixture->state), 0700, NULL), 0);
    write_file(fixture, broken, "no cloud");
    push(fixture, 1, 1, 1);
    start(fixture);
    for (tt_time until = tt_monotonic() + PATIENCE;
         (counts(fixture).runs_done < 2 || counts(fixture).runs_failed < 2) &&
         tt_monotonic() < until;)
        nap();
    assert_int_equal(counts(fixture).runs_done, 2);
    assert_true(counts(fixture).runs_failed >= 2);
    a = deployment(fixture, "a");
    assert_true(a->failures >= 1);
    assert_non_null(a->message);
    unlink(broken);
    wait_for_runs(fixture, 3, 2, 0);
    assert_int_equal(deployment(fixture, "a")->failures, 0);
}

static void policies_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct tt_error err = {0};

    push_with(fixture, 2, 1, 1, ", onPush: plan");
    start(fixture);
    wait_for_runs(fixture, 3, 0, 0);
    assert_int_equal(deployment(fixture, "a")->drift, 2); /* looked at, and not done */
    assert_int_equal(deployment(fixture, "a")->last_run, 0);
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "a", "me", &err), 0);
    wait_for_runs(fixture, 4, 0, 0);
    assert_int_equal(deployment(fixture, "a")->drift, 2); /* no check does it either */
    fixture->suspended = "a";
    push_with(fixture, 2, 1, 1, ", onPush: apply");
    assert_int_equal(deliver(fixture, "fleet", SECRET, NULL), 202);
    for (tt_time until = tt_monotonic() + PATIENCE;
         deployment(fixture, "a")->phase != TT_PHASE_SUSPENDED && tt_monotonic() < until;)
        nap();
    assert_int_equal(deployment(fixture, "a")->phase, TT_PHASE_SUSPENDED);
    wait_for_runs(fixture, 4, 0, 0);
    fixture->suspended = NULL;
    push_with(fixture, 2, 1, 1, ", onPush: apply");
    assert_int_equal(deliver(fixture, "fleet", SECRET, NULL), 202);
    wait_for_runs(fixture, 5, 0, 0);
    assert_int_equal(deployment(fixture, "a")->drift, 0);
    assert_true(deployment(fixture, "a")->last_run > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_push_touches_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_suspended_one_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_held_plan_is_approved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(policies_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_one_delays_nobody, set_up, tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
