/*
 * Covers the daemon's memory over a simulated week, through daemon.h and over HTTP: after three
 * days, when all that is kept is full, it has as many bytes allocated as at the end. It counts what
 * every long-lived part holds: the queue, the events and those who are told of them, deliveries,
 * followers, what is known of deployments and watched, offers, the pages and their history.
 *
 * The week goes by in steps of four hours of a clock that is moved. A script stands for the runs
 * and says what runs say; Git, its fetches and the history are real.
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_parts.h"
#include "serve/web/web.h"
#include "tests/serve/support/fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* gcc has no header for it */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

#define DEPLOYMENTS 40
#define STEP        (INT64_C(4) * 3600 * 1000)
#define STEPS_A_DAY 6
#define PUSH_EACH   3 /* steps */
#define DELIVERIES  10
#define FULL_AFTER  3 /* days */
#define DAYS        7
#define SLACK       ((size_t)8192) /* a page more or less that SQLite holds; longer numbers */
#define KEPT_RUNS   50
#define PATIENCE    INT64_C(60000)
#define CALM        20 /* looks */

/* glibc keeps what was freed for each thread, and counts it as allocated unless told not to. */
#define EXACT "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0:glibc.malloc.arena_max=1"

static size_t allocated(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return __sanitizer_get_current_allocated_bytes();
#else
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
#endif
}

/* Without what is used for a moment by a thread that looks at the events or an answer on its way:
 * the least that is seen until it has not become less for a while. */
static size_t allocated_at_rest(void)
{
    size_t least = SIZE_MAX;

    for (int calm = 0; calm < CALM; calm++) {
        size_t now = allocated();

        if (now < least) {
            least = now;
            calm = 0;
        }
        fixture_nap();
    }
    return least;
}

/* --- what happens ------------------------------------------------------------------------------
 */

struct week {
    struct fixture *fixture;
    struct tt_web *web;
    int delivery;
};

/* By the end of its name a deployment is one that has nothing to do, differs from Git, fails, is
 * held, or has a balancer that does not answer; every other step all is well. */
static void write_program(struct fixture *fixture)
{
    fixture->program = tt_printf(&fixture->arena, "%s/run", fixture->place);
    fixture_write_file(
        fixture->program,
        tt_printf(
            &fixture->arena,
            "#!/bin/sh\n"
            "case $1 in serve|offers) exec %s \"$@\" ;; esac\n"
            "for word; do\n"
            "    case $word in\n"
            "        --target=Deployment/*) name=${word#*/} ;;\n"
            "        --target=LoadBalancer/*) name=${word#*/} name=${name%%/*} ;;\n"
            "        --save=*) folder=${word#*=} ;;\n"
            "    esac\n"
            "done\n"
            "mkdir -p $folder\n"
            "case $name in *9) cat %s/watch >$folder/watch.json ;; esac\n"
            "[ ! -e %s/calm ] || exit 0\n"
            "say() { echo \"{\\\"type\\\": \\\"$1\\\", \\\"step\\\": \\\"s1\\\", \\\"subject\\\": "
            "\\\"$2\\\", \\\"action\\\": \\\"create-server\\\", \\\"because\\\": \\\"$3\\\", "
            "\\\"message\\\": \\\"create it\\\"}\"; }\n"
            "case $name in\n"
            "    *5) say planned_change Service/$name/web/0 missing\n"
            "        say apply_start Service/$name/web/0\n"
            "        say apply_complete Service/$name/web/0 ;;\n"
            "    *6) say planned_change Service/$name/web/0 missing\n"
            "        say apply_start Service/$name/web/0\n"
            "        say apply_errored Service/$name/web/0; exit 1 ;;\n"
            "    *7) echo no >&2; exit 1 ;;\n"
            "    *8) say planned_change Service/$name/web/0 missing; exit 3 ;;\n"
            "    *9) say planned_change LoadBalancer/$name/edge failed\n"
            "        say apply_start LoadBalancer/$name/edge\n"
            "        say apply_complete LoadBalancer/$name/edge ;;\n"
            "esac\n",
            TT_BINARY_DIR "/trimtab", fixture->place, fixture->place));
    assert_int_equal(chmod(fixture->program, 0700), 0);
    /* nobody listens there */
    fixture_write_file(
        tt_printf(&fixture->arena, "%s/watch", fixture->place),
        "{\"format\": \"trimtab.watch/v1\", \"ports\": [{\"balancer\": \"edge\", \"account\": "
        "\"cloud\", \"region\": \"r\", \"machine\": \"i-1\", \"address\": \"127.0.0.1\", "
        "\"port\": 1, \"tls\": false, \"check\": {\"tcp\": {}, \"interval\": \"1m\", "
        "\"timeout\": \"2s\", \"unhealthyAfter\": 1}, \"failed\": false}]}\n");
}

/* NOTE changes with the configuration; PORT is the page's own, which knows no hook of that name. */
static void write_config(struct fixture *fixture, int port, int note)
{
    fixture_write_file(
        fixture->config,
        tt_printf(&fixture->arena,
                  "repositories:\n  - name: fleet\n    url: %s\n    poll: 700h\n"
                  "    webhook: {form: generic, secret: {file: %s/secret}}\n"
                  "runs: {limit: 4, check: 200m, backoff: 10s, longestBackoff: 1m}\n"
                  "notifications:\n"
                  "  - {type: command, command: [/bin/true, \"%d\"], perMinute: 1000}\n"
                  "  - {type: http, url: \"http://127.0.0.1:%d/hooks/none\", perMinute: 1000}\n",
                  fixture->bare, fixture->place, note, port));
}

static void add_deployment(struct tt_buf *text, const char *name, int count)
{
    tt_buf_addf(text,
                "apiVersion: trimtab/v1\nkind: Deployment\nmetadata: {name: %s}\n---\n"
                "apiVersion: trimtab/v1\nkind: Service\nmetadata: {name: web}\n"
                "spec:\n  deployment: %s\n  server: {template: t}\n  port: 80\n"
                "  placements: [{account: cloud, region: r, count: %d}]\n---\n",
                name, name, count);
}

/* With each one deployment comes, that of the one before goes, and one changes. */
static void push(struct fixture *fixture, int number)
{
    TT_BUF_AUTO text = {0};

    tt_buf_add(&text, "apiVersion: trimtab/v1\nkind: Account\nmetadata: {name: cloud}\n"
                      "spec: {provider: sim, regions: [r]}\n---\n");
    for (int i = 0; i < DEPLOYMENTS; i++)
        add_deployment(&text, tt_printf(&fixture->arena, "d-%02d", i), i == 0 ? 1 + number % 2 : 1);
    add_deployment(&text, tt_printf(&fixture->arena, "new-%02d0", number), 1);
    fixture_write_file(tt_printf(&fixture->arena, "%s/fleet.yaml", fixture->tree),
                       tt_buf_text(&text));
    fixture_git(fixture, "add", "-A", NULL);
    fixture_git(fixture, "commit", "-q", "-m", "another", NULL);
    fixture_git(fixture, "push", "-q", fixture->bare, "HEAD:main", NULL);
}

/* Each comes twice. */
static void deliver(struct week *week)
{
    for (int i = 0; i < DELIVERIES; i++) {
        const char *id = tt_printf(&week->fixture->arena, "%d", 1000 + week->delivery++);

        assert_int_equal(fixture_deliver(week->fixture, "fleet", FIXTURE_SECRET, id), 202);
        assert_int_equal(fixture_deliver(week->fixture, "fleet", FIXTURE_SECRET, id), 200);
    }
}

/* What other commands leave in the history, of which so many runs are kept. */
static void add_history(struct fixture *fixture)
{
    struct tt_run_record record = {.command = "apply",
                                   .trigger = "command line",
                                   .revision = "0123456789012345678901234567890123456789",
                                   .deployments = "d-00",
                                   .result = "done"};
    struct tt_store *store = NULL;
    struct tt_error err = {0};

    assert_int_equal(tt_store_open(fixture->state, &store, &err), 0);
    assert_int_equal(tt_store_keep_runs(store, KEPT_RUNS, &err), 0);
    for (int i = 0; i < KEPT_RUNS / 4; i++) {
        record.began = record.ended = fixture->clock.now(fixture->clock.self);
        assert_int_equal(tt_store_begin_run(store, &record, NULL, &record.id, &err), 0);
        assert_int_equal(tt_store_end_run(store, &record, &err), 0);
    }
    tt_store_close(store);
}

/* Somebody looks at PATH, and WANTED is to be seen there. */
static void look_at(struct week *week, const char *path, const char *wanted)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)tt_web_port(week->web))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const char *request =
        tt_printf(&week->fixture->arena,
                  "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    TT_BUF_AUTO answer = {0};
    char part[4096];
    ssize_t size;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    while ((size = read(fd, part, sizeof(part))) > 0)
        tt_buf_addn(&answer, part, (size_t)size);
    close(fd);
    if (strncmp(tt_buf_text(&answer), "HTTP/1.1 200", 12) != 0 ||
        !strstr(tt_buf_text(&answer), wanted))
        fail_msg("%s: %.400s", path, tt_buf_text(&answer));
}

static void look_around(struct week *week)
{
    look_at(week, "/", "d-39");
    look_at(week, "/deployments/fleet/d-05", "d-05");
    look_at(week, "/runs", "command line");
    look_at(week, "/api/v1/runs", "command line");
    look_at(week, "/api/v1/deployments", "d-39");
    look_at(week, "/metrics", "trimtab_");
}

/* --- the week ----------------------------------------------------------------------------------
 */

static void wake_all(struct tt_daemon *daemon)
{
    pthread_mutex_lock(&daemon->mutex);
    pthread_cond_broadcast(&daemon->wake);
    pthread_cond_broadcast(&daemon->watch_wake);
    pthread_mutex_unlock(&daemon->mutex);
}

/* Until nothing runs or waits. */
static void settle(struct fixture *fixture)
{
    tt_time until = tt_monotonic() + PATIENCE;
    struct tt_daemon_counts counts;

    do {
        fixture_nap();
        counts = fixture_counts(fixture);
    } while ((counts.running || counts.queued) && tt_monotonic() < until);
    assert_int_equal(counts.running + counts.queued, 0);
}

static void wait_until_ready(struct fixture *fixture)
{
    struct tt_error err = {0};

    for (tt_time until = tt_monotonic() + PATIENCE;
         tt_daemon_ready(fixture->daemon, &err) < 0 && tt_monotonic() < until;)
        fixture_nap();
}

static void reload(struct week *week, int note)
{
    struct fixture *fixture = week->fixture;
    struct tt_findings findings = {0};
    struct tt_error err = {0};
    struct tt_config *config;

    write_config(fixture, tt_web_port(week->web), note);
    config = tt_config_read(&fixture->arena, fixture->config, &findings, &err);
    assert_non_null(config);
    tt_serve_reload(fixture->daemon, config);
    wait_until_ready(fixture);
}

static void push_and_reload(struct week *week, int number)
{
    push(week->fixture, number);
    reload(week, 100 + number);
}

static void pass_a_step(struct week *week, int step)
{
    struct fixture *fixture = week->fixture;
    const char *calm = tt_printf(&fixture->arena, "%s/calm", fixture->place), *offers;
    struct tt_error err = {0};
    tt_time at;

    if (step % 2)
        fixture_write_file(calm, "");
    else
        unlink(calm);
    if (step % PUSH_EACH == 0)
        push_and_reload(week, step / PUSH_EACH);
    deliver(week);
    if (tt_daemon_offers(fixture->daemon, &fixture->arena, "fleet", &offers, &at, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(tt_daemon_check(fixture->daemon, "fleet", "d-01", "somebody", &err), 0);
    add_history(fixture);
    atomic_fetch_add(&fixture->moved, STEP);
    wake_all(fixture->daemon);
    settle(fixture);
    look_around(week);
}

/* What the steps took goes with them. */
static void pass_days(struct week *week, int from, int to)
{
    struct tt_arena kept = week->fixture->arena;

    for (int step = from * STEPS_A_DAY; step < to * STEPS_A_DAY; step++) {
        tt_arena_init(&week->fixture->arena);
        pass_a_step(week, step);
        tt_arena_release(&week->fixture->arena);
    }
    week->fixture->arena = kept;
}

static void start(struct week *week)
{
    struct fixture *fixture = week->fixture;
    struct tt_web_options options = {.state_folder = fixture->state};
    struct tt_error err = {0};

    write_program(fixture);
    write_config(fixture, 1, 99);
    push(fixture, 99);
    fixture_start(fixture);
    if (tt_web_start(&options, fixture->daemon, &week->web, &err) < 0)
        fail_msg("%s", err.message);
    wait_until_ready(fixture);
}

static void memory_is_flat_over_a_week(void **state)
{
    struct week week = {.fixture = *state};
    struct fixture *fixture = week.fixture;
    struct tt_daemon_counts full, end;
    size_t before, after;

    start(&week);
    pass_days(&week, 0, FULL_AFTER);
    assert_true(tt_daemon_newest_event(fixture->daemon) > TT_EVENTS_KEPT);
    before = allocated_at_rest();
    full = fixture_counts(fixture);
    pass_days(&week, FULL_AFTER, DAYS);
    after = allocated_at_rest();
    end = fixture_counts(fixture);
    print_message("%zu bytes after %d days, %zu after %d\n", before, FULL_AFTER, after, DAYS);

    /* all of it went on meanwhile */
    assert_true(end.runs_done - full.runs_done > 600);
    assert_true(end.runs_failed > full.runs_failed && end.runs_held > full.runs_held);
    assert_true(end.recoveries > full.recoveries && end.drifts > full.drifts);
    assert_true(end.deliveries > full.deliveries && end.probes_failed > full.probes_failed);
    assert_true(end.notifications > full.notifications);
    assert_true(end.notifications_failed > full.notifications_failed);
    assert_true(after <= before + SLACK);

    tt_serve_stop(fixture->daemon);
    tt_web_stop(week.web);
    tt_serve_free(fixture->daemon);
    fixture->daemon = NULL;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_flat_over_a_week, fixture_set_up,
                                        fixture_tear_down),
    };

    (void)argc;
    if (!tt_streq(getenv("GLIBC_TUNABLES"), EXACT)) {
        setenv("GLIBC_TUNABLES", EXACT, 1);
        execv("/proc/self/exe", argv);
    }
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
