/*
 * Covers the daemon with a thousand deployments of one repository in simulated clouds, through
 * daemon.h: all are started, ten of them fail again and again, a push that touches one starts that
 * one alone, and nobody waits for those that fail.
 *
 * Those that fail and as good as fifty others, with the one that is touched, are planned and
 * applied by the real program, each among the specs of all thousand. For the rest a script stands,
 * which says that all is done: what it costs to plan and apply is measured elsewhere.
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
#include "model/json.h"
#include "tests/serve/support/fixture.h"

#define DEPLOYMENTS 1000
#define A_FILE      100
#define FAILING     10 /* those whose names end with 00 */
#define FIRST_REAL  501
#define LAST_REAL   549
#define LIMIT       10
#define TOUCHED     "d-0501"
#define NO_ZONE     "d-0300" /* asks for a zone that does not exist */
#define NO_CLOUD    "d-0600" /* is in a cloud that cannot be read */
#define PATIENCE    INT64_C(120000)

/* Notes each run's deployment before it begins; the fetches of the daemon are real, too. */
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
                  "case $name in d-05[0-4]*|*00) exec %s \"$@\" ;; esac\n",
                  TT_BINARY_DIR "/trimtab", fixture->place, TT_BINARY_DIR "/trimtab"));
    assert_int_equal(chmod(fixture->program, 0700), 0);
}

/* One cloud for all, whose servers boot at once, and one that cannot be read. */
static void write_clouds(struct fixture *fixture)
{
    const char *folder = tt_printf(&fixture->arena, "%s/sim", fixture->state);

    fixture_write_file(tt_printf(&fixture->arena, "%s/cloud.yaml", fixture->tree),
                       "apiVersion: trimtab/v1\nkind: Account\nmetadata: {name: cloud}\n"
                       "spec: {provider: sim, regions: [r]}\n---\n"
                       "apiVersion: trimtab/v1\nkind: Account\nmetadata: {name: broken}\n"
                       "spec: {provider: sim, regions: [r]}\n");
    assert_int_equal(tt_make_folders(folder, 0700, NULL), 0);
    fixture_write_file(
        tt_printf(&fixture->arena, "%s/cloud.json", folder),
        "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-07-01T00:00:00Z\",\n"
        " \"accounts\": [{\"name\": \"cloud\", \"provider\": \"sim\", \"regions\": [\n"
        "  {\"name\": \"r\", \"zones\": [{\"name\": \"z\", \"state\": \"available\"}]}]}],\n"
        " \"sim\": {\"options\": {\"boot\": \"0s\"}}}\n");
    fixture_write_file(tt_printf(&fixture->arena, "%s/broken.json", folder), "no cloud");
}

static void write_specs(struct fixture *fixture, int first, int count_of_first)
{
    TT_BUF_AUTO text = {0};

    for (int i = first; i < first + A_FILE; i++) {
        bool fails = i % A_FILE == 0, unseen = fails && i % (2 * A_FILE) == 0;

        tt_buf_addf(&text,
                    "apiVersion: trimtab/v1\nkind: Deployment\nmetadata: {name: d-%04d}\n---\n"
                    "apiVersion: trimtab/v1\nkind: Service\nmetadata: {name: web}\n"
                    "spec:\n  deployment: d-%04d\n  server: {template: t}\n  port: 80\n"
                    "  placements: [{account: %s, region: r%s, count: %d}]\n---\n",
                    i, i, unseen ? "broken" : "cloud", fails && !unseen ? ", zones: [nowhere]" : "",
                    i == first ? count_of_first : 1);
    }
    fixture_write_file(tt_printf(&fixture->arena, "%s/%04d.yaml", fixture->tree, first),
                       tt_buf_text(&text));
}

static void push(struct fixture *fixture)
{
    fixture_git(fixture, "add", "-A", NULL);
    fixture_git(fixture, "commit", "-q", "-m", "another", NULL);
    fixture_git(fixture, "push", "-q", fixture->bare, "HEAD:main", NULL);
}

/* --- what was to be seen -----------------------------------------------------------------------
 */

static bool fails(const char *name)
{
    return tt_streq(name + strlen(name) - 2, "00");
}

/* The names of those that ran, in the order in which they began. */
static struct tt_strings read_runs(struct fixture *fixture)
{
    struct tt_strings names = {0};
    char *text = NULL, *rest;

    if (tt_file_read(&fixture->arena, tt_printf(&fixture->arena, "%s/ran", fixture->place), 1 << 24,
                     &text, NULL, NULL) < 0)
        return names;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        tt_strings_add(&fixture->arena, &names, line);
    return names;
}

/* How often NAME ran; NULL: how many runs there were of those that do not fail. */
static int ran(struct fixture *fixture, const char *name)
{
    struct tt_strings names = read_runs(fixture);
    int count = 0;

    TT_EACH (each, &names)
        count += name ? tt_streq(*each, name) : !fails(*each);
    return count;
}

/* Runs of those that fail before the last one of those that do not had begun. */
static int failing_before_all_began(struct fixture *fixture)
{
    struct tt_strings names = read_runs(fixture);
    int failing = 0, before = 0;

    TT_EACH (name, &names) {
        failing += fails(*name);
        before = fails(*name) ? before : failing;
    }
    return before;
}

/* The servers of NAME that the simulated cloud has. */
static int servers_of(struct fixture *fixture, const char *name)
{
    const char *tag = tt_printf(&fixture->arena, "\"trimtab:deployment\": \"%s\"", name);
    char *text = NULL;
    int count = 0;

    assert_int_equal(tt_file_read(&fixture->arena,
                                  tt_printf(&fixture->arena, "%s/sim/cloud.json", fixture->state),
                                  1 << 26, &text, NULL, NULL),
                     0);
    for (char *at = text; (at = strstr(at, tag)); at++)
        count++;
    return count;
}

static bool is_of(const struct tt_daemon_event *event, const char *name)
{
    json_t *object = json_loads(event->json, 0, NULL);
    bool same = tt_streq(json_string_value(json_object_get(object, "deployment")), name);

    json_decref(object);
    return same;
}

/* Runs of others that began after NAME was queued and before its run did. */
static int began_before(struct fixture *fixture, uint64_t since, const char *name)
{
    struct tt_daemon_events events;
    bool queued = false;
    int count = 0;

    tt_daemon_events(fixture->daemon, &fixture->arena, since, 0, &events);
    assert_int_equal(events.items[0].number, since + 1); /* none was pushed out */
    TT_EACH (event, &events) {
        bool begins = tt_streq(event->type, "run-began");

        if (is_of(event, name) && begins)
            return count;
        queued = queued || (is_of(event, name) && tt_streq(event->type, "queued"));
        count += queued && begins;
    }
    fail_msg("%s did not run", name);
    return 0;
}

static void wait_for_good_runs(struct fixture *fixture, uint64_t done)
{
    tt_time until = tt_monotonic() + PATIENCE;

    while (fixture_counts(fixture).runs_done < done && tt_monotonic() < until)
        fixture_nap();
    assert_int_equal(fixture_counts(fixture).runs_done, done);
    assert_int_equal(ran(fixture, NULL), done);
}

/* --- the test ----------------------------------------------------------------------------------
 */

static void one_push_of_a_thousand_is_one_run(void **state)
{
    struct fixture *fixture = *state;
    uint64_t good = DEPLOYMENTS - FAILING, event;

    write_program(fixture);
    write_clouds(fixture);
    fixture_write_file(fixture->config,
                       tt_printf(&fixture->arena,
                                 "repositories:\n  - {name: fleet, url: %s, poll: 500ms}\n"
                                 "runs: {limit: %d, check: 24h, backoff: 500ms, "
                                 "longestBackoff: 4s}\n",
                                 fixture->bare, LIMIT));
    for (int first = 1; first <= DEPLOYMENTS; first += A_FILE)
        write_specs(fixture, first, 1);
    push(fixture);
    fixture_start(fixture);
    wait_for_good_runs(fixture, good);
    /* those that fail had one turn each; what runs at the same time may be noted in any order */
    assert_in_range(failing_before_all_began(fixture), 0, FAILING + LIMIT);
    for (int i = FIRST_REAL; i <= LAST_REAL; i++)
        assert_int_equal(servers_of(fixture, tt_printf(&fixture->arena, "d-%04d", i)), 1);

    event = tt_daemon_newest_event(fixture->daemon);
    write_specs(fixture, FIRST_REAL, 2);
    push(fixture);
    wait_for_good_runs(fixture, good + 1);
    assert_int_equal(ran(fixture, TOUCHED), 2);
    assert_int_equal(servers_of(fixture, TOUCHED), 2);
    assert_in_range(began_before(fixture, event, TOUCHED), 0, FAILING);

    /* tried again, each at its own pace, which touches nobody else */
    fixture_wait_for_failures(fixture, NO_ZONE, 3);
    fixture_wait_for_failures(fixture, NO_CLOUD, 3);
    fixture_expect_message(fixture, NO_ZONE,
                           "Service/" NO_ZONE "/web: cloud/r has no zone nowhere");
    fixture_expect_message(fixture, NO_CLOUD, "broken/r was not observed");
    assert_int_equal(fixture_counts(fixture).runs_done, good + 1);
    assert_int_equal(ran(fixture, NULL), good + 1);
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
