/*
 * Covers the daemon with a thousand deployments of one repository, through daemon.h: all are
 * started, ten of them fail again and again, a push that touches one starts that one alone and is
 * not delayed by those that fail. Their runs are a script that notes their names: what it costs to
 * plan and apply is measured elsewhere.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/serve/support/fixture.h"

#define DEPLOYMENTS 1000
#define FAILING     10 /* those whose names end with 00 */
#define A_FILE      100
#define PATIENCE    INT64_C(60000)

/* What stands for a run: the fetches of the daemon are real. */
static void write_program(struct fixture *fixture)
{
    fixture->program = tt_printf(&fixture->arena, "%s/run", fixture->place);
    fixture_write_file(
        fixture->program,
        tt_printf(&fixture->arena,
                  "#!/bin/sh\n"
                  "case $1 in serve) exec %s \"$@\" ;; esac\n"
                  "for word; do\n"
                  "    case $word in --target=Deployment/*) name=${word#*/} ;; esac\n"
                  "done\n"
                  "echo \"$name\" >>%s/ran\n"
                  "case $name in *00) echo no >&2 && exit 1 ;; esac\n",
                  TT_BINARY_DIR "/trimtab", fixture->place));
    assert_int_equal(chmod(fixture->program, 0700), 0);
}

static void write_specs(struct fixture *fixture, int first, int count_of_first)
{
    TT_BUF_AUTO text = {0};

    for (int i = first; i < first + A_FILE; i++)
        tt_buf_addf(&text,
                    "apiVersion: trimtab/v1\nkind: Deployment\nmetadata: {name: d-%04d}\n---\n"
                    "apiVersion: trimtab/v1\nkind: Service\nmetadata: {name: web}\n"
                    "spec:\n  deployment: d-%04d\n  server: {template: t}\n  port: 80\n"
                    "  placements: [{account: cloud, region: r, count: %d}]\n---\n",
                    i, i, i == first ? count_of_first : 1);
    fixture_write_file(tt_printf(&fixture->arena, "%s/%04d.yaml", fixture->tree, first),
                       tt_buf_text(&text));
}

static void push(struct fixture *fixture)
{
    fixture_git(fixture, "add", "-A", NULL);
    fixture_git(fixture, "commit", "-q", "-m", "another", NULL);
    fixture_git(fixture, "push", "-q", fixture->bare, "HEAD:main", NULL);
}

/* How often NAME ran; NULL: how many runs there were but of those that fail. */
static int ran(struct fixture *fixture, const char *name)
{
    char *text = NULL, *rest, *line;
    int count = 0;

    if (tt_file_read(&fixture->arena, tt_printf(&fixture->arena, "%s/ran", fixture->place), 1 << 24,
                     &text, NULL, NULL) < 0)
        return 0;
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        count += name ? strcmp(line, name) == 0 : strcmp(line + strlen(line) - 2, "00") != 0;
    return count;
}

static void wait_for_good_runs(struct fixture *fixture, uint64_t done)
{
    tt_time until = tt_monotonic() + PATIENCE;

    while (fixture_counts(fixture).runs_done < done && tt_monotonic() < until)
        fixture_nap();
    assert_int_equal(fixture_counts(fixture).runs_done, done);
}

static void one_push_of_a_thousand_is_one_run(void **state)
{
    struct fixture *fixture = *state;
    struct tt_daemon_counts counts;
    uint64_t good = DEPLOYMENTS - FAILING;

    write_program(fixture);
    fixture_write_file(fixture->config,
                       tt_printf(&fixture->arena,
                                 "repositories:\n  - {name: fleet, url: %s, poll: 500ms}\n"
                                 "runs: {limit: 10, check: 24h, backoff: 200ms, "
                                 "longestBackoff: 1s}\n",
                                 fixture->bare));
    fixture_write_file(tt_printf(&fixture->arena, "%s/cloud.yaml", fixture->tree),
                       "apiVersion: trimtab/v1\nkind: Account\nmetadata: {name: cloud}\n"
                       "spec: {provider: sim, regions: [r]}\n");
    for (int first = 1; first <= DEPLOYMENTS; first += A_FILE)
        write_specs(fixture, first, 1);
    push(fixture);
    fixture_start(fixture);
    wait_for_good_runs(fixture, good);
    assert_int_equal(ran(fixture, NULL), good);

    write_specs(fixture, 501, 2);
    push(fixture);
    wait_for_good_runs(fixture, good + 1);
    assert_int_equal(ran(fixture, "d-0501"), 2);
    assert_int_equal(ran(fixture, NULL), good + 1);
    for (tt_time until = tt_monotonic() + PATIENCE;
         ran(fixture, "d-0300") < 3 && tt_monotonic() < until;)
        fixture_nap();
    assert_true(ran(fixture, "d-0300") >= 3); /* tried again, at its own pace */
    assert_true(fixture_deployment(fixture, "d-0300")->failures >= 2);
    counts = fixture_counts(fixture);
    assert_int_equal(counts.runs_done, good + 1);
    assert_true(counts.runs_failed >= (uint64_t)2 * FAILING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_push_of_a_thousand_is_one_run, fixture_set_up,
                                        fixture_tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
