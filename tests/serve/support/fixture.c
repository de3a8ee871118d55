/*
 * Fixture: a repository, a daemon that follows it and a clock that can be moved.
 */
#include "tests/serve/support/fixture.h"

#include <setjmp.h>
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
#include "serve/webhook.h"

#define PROGRAM  TT_BINARY_DIR "/trimtab"
#define PATIENCE INT64_C(20000)

/* --- what the tests are made of ---------------------------------------------------------------
 */

void fixture_write_file(const char *path, const char *text)
{
    struct tt_error err = {0};

    assert_int_equal(tt_file_write(path, text, strlen(text), 0600, &err), 0);
}

static int run(struct fixture *fixture, const char *program, const char *const *argv)
{
    const char *const environment[] = {"PATH=/usr/bin:/bin",
                                       "GIT_CONFIG_GLOBAL=/dev/null",
                                       "GIT_CONFIG_NOSYSTEM=1",
                                       "GIT_AUTHOR_NAME=t",
                                       "GIT_AUTHOR_EMAIL=t@localhost",
                                       "GIT_COMMITTER_NAME=t",
                                       "GIT_COMMITTER_EMAIL=t@localhost",
                                       NULL};
    struct tt_runner_request request = {
        .program = program, .argv = argv, .environment = environment};
    struct tt_runner runner;
    struct tt_error err = {0};
    TT_BUF_AUTO errors = {0};
    int code = 1;

    tt_runner_init(&runner);
    assert_int_equal(tt_runner_run(&runner, &request, &code, &errors, &err), 0);
    tt_runner_release(&runner);
    fixture->said = tt_strdup(&fixture->arena, tt_buf_text(&errors));
    return code;
}

#define MOST_WORDS 16

/* ARGV from COUNT words on: those of ARGS up to NULL. */
static void add_words(const char **argv, int count, va_list args)
{
    do
        assert_true(count < MOST_WORDS);
    while ((argv[count++] = va_arg(args, const char *)));
}

void fixture_git(struct fixture *fixture, ...)
{
    const char *argv[MOST_WORDS] = {"git", "-C", fixture->tree};
    va_list args;

    va_start(args, fixture);
    add_words(argv, 3, args);
    va_end(args);
    if (run(fixture, "/usr/bin/git", argv))
        fail_msg("git %s: %s", argv[3], fixture->said);
}

int fixture_trimtab(struct fixture *fixture, ...)
{
    const char *argv[MOST_WORDS] = {"trimtab"};
    va_list args;

    va_start(args, fixture);
    add_words(argv, 1, args);
    va_end(args);
    return run(fixture, PROGRAM, argv);
}

/* Three deployments with so many servers each, in clouds of their own. */
void fixture_push_with(struct fixture *fixture, int a, int b, int c, const char *policy_of_a)
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
    fixture_write_file(tt_printf(&fixture->arena, "%s/fleet.yaml", fixture->tree),
                       tt_buf_text(&text));
    fixture_git(fixture, "add", "-A", NULL);
    fixture_git(fixture, "commit", "-q", "-m", "another", NULL);
    fixture_git(fixture, "push", "-q", fixture->bare, "HEAD:main", NULL);
}

void fixture_push(struct fixture *fixture, int a, int b, int c)
{
    fixture_push_with(fixture, a, b, c, "");
}

/* The host's clock, moved. */
static tt_time now(void *self)
{
    const struct fixture *fixture = self;
    const struct tt_clock *host = tt_clock_real();

    return host->now(host->self) + atomic_load(&fixture->moved);
}

void fixture_start(struct fixture *fixture)
{
    struct tt_serve_options options = {
        .program = fixture->program, .state_folder = fixture->state, .clock = &fixture->clock};
    struct tt_findings findings = {0};
    struct tt_error err = {0};
    struct tt_config *config = tt_config_read(&fixture->arena, fixture->config, &findings, &err);

    if (!config)
        fail_msg("%s", findings.count ? findings.items[0].message : err.message);
    if (tt_serve_start(&options, config, &fixture->daemon, &err) < 0)
        fail_msg("%s", err.message);
}

void fixture_stop(struct fixture *fixture)
{
    tt_serve_stop(fixture->daemon);
    tt_serve_free(fixture->daemon);
    fixture->daemon = NULL;
}

int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const char *secret;

    tt_arena_init(&fixture->arena);
    fixture->clock = (struct tt_clock){.now = now, .self = fixture};
    fixture->program = PROGRAM;
    strcpy(fixture->place, "/tmp/trimtab-serve-XXXXXX");
    assert_non_null(mkdtemp(fixture->place));
    fixture->tree = tt_printf(&fixture->arena, "%s/tree", fixture->place);
    fixture->bare = tt_printf(&fixture->arena, "%s/fleet.git", fixture->place);
    fixture->state = tt_printf(&fixture->arena, "%s/state", fixture->place);
    fixture->config = tt_printf(&fixture->arena, "%s/serve.yaml", fixture->place);
    secret = tt_printf(&fixture->arena, "%s/secret", fixture->place);
    assert_int_equal(tt_make_folders(fixture->tree, 0700, NULL), 0);
    fixture_write_file(secret, FIXTURE_SECRET "\n");
    fixture_write_file(fixture->config,
                       tt_printf(&fixture->arena,
                                 "repositories:\n  - name: fleet\n    url: %s\n    poll: 1h\n"
                                 "    webhook: {form: generic, secret: {file: %s}}\n"
                                 "runs: {check: 1h, backoff: 300ms, longestBackoff: 1s}\n",
                                 fixture->bare, secret));
    fixture_git(fixture, "init", "-q", "-b", "main", NULL);
    fixture_git(fixture, "init", "-q", "--bare", "-b", "main", fixture->bare, NULL);
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->daemon)
        fixture_stop(fixture);
    tt_remove_tree(fixture->place, NULL);
    tt_arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

/* --- looking at it -----------------------------------------------------------------------------
 */

struct tt_daemon_counts fixture_counts(struct fixture *fixture)
{
    struct tt_daemon_counts now;

    tt_daemon_counts(fixture->daemon, &now);
    return now;
}

void fixture_nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

/* Until so many runs have ended, and none runs or waits. */
void fixture_wait_for_runs(struct fixture *fixture, uint64_t done, uint64_t failed, uint64_t held)
{
    tt_time until = tt_monotonic() + PATIENCE;
    struct tt_daemon_counts now;

    do {
        fixture_nap();
        now = fixture_counts(fixture);
    } while ((now.runs_done < done || now.runs_failed < failed || now.runs_held < held ||
              now.running || now.queued) &&
             tt_monotonic() < until);
    assert_int_equal(now.runs_done, done);
    assert_true(now.runs_failed >= failed);
    assert_int_equal(now.runs_held, held);
}

/* NULL: no commit that names it was read yet. */
static struct tt_daemon_deployment *find(struct fixture *fixture, const char *name)
{
    struct tt_daemon_deployments list;

    tt_daemon_list(fixture->daemon, &fixture->arena, &list);
    TT_EACH (deployment, &list)
        if (strcmp(deployment->name, name) == 0)
            return deployment;
    return NULL;
}

struct tt_daemon_deployment *fixture_deployment(struct fixture *fixture, const char *name)
{
    struct tt_daemon_deployment *found = find(fixture, name);

    assert_non_null(found);
    return found;
}

void fixture_wait_for_failures(struct fixture *fixture, const char *name, int failures)
{
    tt_time until = tt_monotonic() + PATIENCE;
    const struct tt_daemon_deployment *found;

    while ((!(found = find(fixture, name)) || found->failures < failures) && tt_monotonic() < until)
        fixture_nap();
    assert_true(found && found->failures >= failures);
}

void fixture_expect_message(struct fixture *fixture, const char *name, const char *part)
{
    const char *message = fixture_deployment(fixture, name)->message;

    assert_non_null(message);
    if (!strstr(message, part))
        fail_msg("%s: %s", name, message);
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

int fixture_deliver(struct fixture *fixture, const char *hook, const char *key, const char *id)
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
    assert_null(strstr(answer, FIXTURE_SECRET));
    return status;
}
