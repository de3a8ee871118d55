/*
 * Scenarios: every folder of tests/scenarios/ is a behaviour, told in the first line of about.txt.
 *
 * desired/ (or desired.json) and world.json (with memory.json and options.json, if they are there)
 * are planned: the form in which runs are recorded (reconciler/recording.h). The plan must be
 * expected/plan.json and, as text, expected/plan.txt, and hold to every law. With TT_UPDATE=1 in
 * the environment the expected files are written instead; read their diff. With TT_SCENARIOS the
 * recordings of another folder are held to the same.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "model/desired_json.h"
#include "model/plan_json.h"
#include "reconciler/plan_text.h"
#include "reconciler/planner/told.h"
#include "reconciler/recording.h"
#include "specs/specs.h"
#include "support/laws.h"

#define FOLDER "tests/scenarios"
#define LIMIT  (16u * 1024 * 1024)
#define ROUNDS 6

struct scenario {
    struct tt_arena *arena;
    const char *name;
    struct tt_recording recording;
    struct tt_case what;
    struct tt_plan *plan;
};

/* --- reading -------------------------------------------------------------------------------- */

static const char *folder_of_all(void)
{
    const char *other = getenv("TT_SCENARIOS");

    return other ? other : TT_SOURCE_DIR "/" FOLDER;
}

static char *path_of(struct scenario *s, const char *file)
{
    return tt_printf(s->arena, "%s/%s/%s", folder_of_all(), s->name, file);
}

/* NULL when there is no such file. */
static char *read_file(struct scenario *s, const char *file, size_t *ret_size)
{
    struct tt_error err = {0};
    char *text;

    if (tt_file_read(s->arena, path_of(s, file), LIMIT, &text, ret_size, &err) < 0)
        return NULL;
    return text;
}

static int read_desired(struct scenario *s, struct tt_error *err)
{
    struct tt_specs_request request = {.repository = TT_SOURCE_DIR,
                                       .path = tt_printf(s->arena, FOLDER "/%s/desired", s->name),
                                       .worktree = true,
                                       .world = s->what.world};
    struct tt_findings findings = {0};
    struct tt_desired *desired = NULL;

    if (tt_specs_load(s->arena, &request, &desired, &findings, err) < 0)
        return -1;
    if (!desired) {
        tt_findings_print(stderr, &findings, false);
        return tt_fail(err, TT_ERR_SPEC, "the specs are wrong");
    }
    s->what.desired = desired;
    return 0;
}

/* The specs come last: what a snapshot offers, they may use. */
static int read_inputs(struct scenario *s, struct tt_error *err)
{
    if (tt_recording_read(s->arena, path_of(s, "."), &s->recording, err) < 0)
        return -1;
    s->what.desired = s->recording.desired;
    s->what.world = s->recording.world;
    s->what.memory = &s->recording.memory;
    s->what.options = &s->recording.options;
    s->what.now = s->recording.now;
    return s->what.desired ? 0 : read_desired(s, err);
}

/* --- comparing ------------------------------------------------------------------------------ */

/* The first line that differs, with the one before it. */
static void print_difference(const char *file, const char *expected, const char *found)
{
    int line = 1;

    while (*expected && *found) {
        size_t a = strcspn(expected, "\n"), b = strcspn(found, "\n");

        if (a != b || strncmp(expected, found, a) != 0)
            break;
        expected += a + (expected[a] == '\n');
        found += b + (found[b] == '\n');
        line++;
    }
    print_error("  %s:%d\n    expected: %.*s\n    found:    %.*s\n", file, line,
                (int)strcspn(expected, "\n"), expected, (int)strcspn(found, "\n"), found);
}

static int compare(struct scenario *s, const char *file, const char *found, struct tt_error *err)
{
    size_t size;
    const char *expected;

    if (getenv("TT_UPDATE")) {
        if (tt_make_folders(path_of(s, "expected"), 0755, err) < 0)
            return -1;
        return tt_file_write(path_of(s, file), found, strlen(found), 0644, err);
    }
    expected = read_file(s, file, &size);
    if (!expected)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no %s: write it with TT_UPDATE=1", file);
    if (strcmp(expected, found) == 0)
        return 0;
    print_difference(file, expected, found);
    return tt_fail(err, TT_ERR_CONFLICT, "%s differs", file);
}

static int compare_plan(struct scenario *s, struct tt_error *err)
{
    TT_BUF_AUTO text = {0};

    if (tt_planner_plan(s->arena, s->what.desired, s->what.world, s->what.memory, s->what.now,
                        s->what.options, &s->plan, err) < 0)
        return -1;
    tt_plan_text(&text, s->plan, s->what.desired, false);
    if (compare(s, "expected/plan.txt", tt_buf_text(&text), err) < 0)
        return -1;
    return compare(s, "expected/plan.json", tt_plan_to_json(s->arena, s->plan), err);
}

/* What is desired survives being written and read, and plans the same. */
static int check_desired_json(struct scenario *s, struct tt_error *err)
{
    const char *text = tt_desired_to_json(s->arena, s->what.desired);
    struct tt_desired *again;
    struct tt_plan *plan;

    if (tt_desired_from_json(s->arena, text, strlen(text), "desired", &again, err) < 0)
        return -1;
    if (strcmp(text, tt_desired_to_json(s->arena, again)) != 0)
        return tt_fail(err, TT_ERR_CONFLICT, "what is desired changes by being written");
    if (tt_planner_plan(s->arena, again, s->what.world, s->what.memory, s->what.now,
                        s->what.options, &plan, err) < 0)
        return -1;
    if (strcmp(tt_plan_to_json(s->arena, plan), tt_plan_to_json(s->arena, s->plan)) != 0)
        return tt_fail(err, TT_ERR_CONFLICT, "what is desired plans another way when read back");
    return 0;
}

static int run_scenario(struct tt_arena *arena, const char *name, struct tt_error *err)
{
    struct scenario s = {.arena = arena, .name = name};
    size_t size;
    const char *about = read_file(&s, "about.txt", &size);

    if (!about || !*about)
        return tt_fail(err, TT_ERR_NOT_FOUND, "about.txt does not tell the behaviour");
    if (read_inputs(&s, err) < 0 || compare_plan(&s, err) < 0 || check_desired_json(&s, err) < 0)
        return -1;
    /* the laws look at the world alone; from here on the pools are there */
    s.what.world = tt_told_world(arena, s.what.world, s.what.memory);
    return tt_laws_check(arena, &s.what, ROUNDS, 20261123, err);
}

static int is_scenario(const struct dirent *entry)
{
    return !strchr(entry->d_name, '.') /* the index is no scenario */;
}

static void test_scenarios(void **state)
{
    struct dirent **entries;
    int count = scandir(folder_of_all(), &entries, is_scenario, alphasort);
    int failed = 0;

    (void)state;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        struct tt_error err = {0};
        struct tt_arena arena;

        tt_arena_init(&arena);
        if (run_scenario(&arena, entries[i]->d_name, &err) < 0) {
            print_error("%s: %s\n", entries[i]->d_name, err.message);
            failed++;
        }
        tt_arena_release(&arena);
        free(entries[i]);
    }
    free(entries);
    print_message("%d scenarios, %d failed\n", count, failed);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
