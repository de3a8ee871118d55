/*
 * Covers specs/ as a whole: each folder of tests/specs/invalid is a set of bad specs (input/) with
 * the exact errors that are printed for them (expected.txt). TT_UPDATE=1 writes the expectations
 * anew; read their diff before it is committed. Every code of design.md §4 has to occur.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/words.h"
#include "model/world_json.h"
#include "support/repo.h"

#define CASES TT_SOURCE_DIR "/tests/specs/invalid"

static const char *const codes[] = {"scope-global-cloud",
                                    "scope-zone-vm",
                                    "zones-required",
                                    "zones-forbidden",
                                    "provider-lacks-cloud-balancer",
                                    "recovery-on-static",
                                    "zone-conflict",
                                    "balancer-no-region",
                                    "wrong-deployment",
                                    "provider-lacks-address",
                                    "provider-makes-no-machines",
                                    "unknown-reference",
                                    "duplicate-name",
                                    "duplicate-key",
                                    "unknown-key",
                                    "unknown-kind",
                                    "unknown-value",
                                    "unsupported-version",
                                    "bad-type",
                                    "missing-key",
                                    "out-of-range",
                                    "secret-in-git",
                                    "dependency-cycle",
                                    "yaml-syntax",
                                    NULL};

static struct tt_strings list_cases(struct tt_arena *arena)
{
    struct tt_strings names = {0};
    DIR *folder = opendir(CASES);
    const struct dirent *entry;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            tt_strings_add(arena, &names, tt_strdup(arena, entry->d_name));
    closedir(folder);
    tt_strings_sort(&names);
    return names;
}

/* The world of a case that has one beside its input. */
static const struct tt_world *read_world(struct tt_arena *arena, const char *name)
{
    struct tt_error err = {0};
    struct tt_world *world;
    char *text;
    size_t size;

    if (tt_file_read(arena, tt_printf(arena, CASES "/%s/world.json", name), SIZE_MAX, &text, &size,
                     &err) < 0)
        return NULL;
    if (tt_world_from_json(arena, text, size, name, &world, &err) < 0)
        fail_msg("%s", err.message);
    return world;
}

static const char *run(struct tt_arena *arena, const char *name, struct tt_findings *findings)
{
    char *folder = tt_test_folder(arena);
    struct tt_specs_request request = {
        .repository = folder, .worktree = true, .world = read_world(arena, name)};
    struct tt_desired *desired = NULL;
    struct tt_error err = {0};

    tt_test_copy(tt_printf(arena, CASES "/%s/input", name), folder);
    if (tt_specs_load(arena, &request, &desired, findings, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    tt_test_remove(folder);
    if (desired)
        fail_msg("%s is accepted", name);
    return tt_test_print(arena, findings);
}

static void compare(struct tt_arena *arena, const char *name, const char *actual)
{
    const char *path = tt_printf(arena, CASES "/%s/expected.txt", name);
    struct tt_error err = {0};
    char *expected;

    if (getenv("TT_UPDATE")) {
        if (tt_file_write(path, actual, strlen(actual), 0644, &err) < 0)
            fail_msg("%s", err.message);
        return;
    }
    if (tt_file_read(arena, path, SIZE_MAX, &expected, NULL, &err) < 0)
        fail_msg("%s", err.message);
    if (strcmp(expected, actual) != 0)
        fail_msg("%s\n--- expected\n%s--- actual\n%s", name, expected, actual);
}

static void test_every_case(void **state)
{
    struct tt_arena arena;
    struct tt_strings names, seen = {0};

    (void)state;
    tt_arena_init(&arena);
    names = list_cases(&arena);
    assert_true(names.count >= 23);
    TT_EACH (name, &names) {
        struct tt_findings findings = {0};

        compare(&arena, *name, run(&arena, *name, &findings));
        TT_EACH (finding, &findings) {
            assert_true(tt_word_find(codes, finding->code) >= 0);
            assert_non_null(finding->mark.file);
            assert_true(finding->mark.line > 0 && finding->mark.column > 0);
            tt_strings_add(&arena, &seen, finding->code);
        }
    }
    for (const char *const *code = codes; *code; code++)
        if (!tt_strings_has(&seen, *code))
            fail_msg("no case shows %s", *code);
    tt_arena_release(&arena);
}

/* Law 10: what a case marks as secret is in no expectation. */
static void test_no_secret_is_printed(void **state)
{
    struct tt_arena arena;
    struct tt_strings names;

    (void)state;
    tt_arena_init(&arena);
    names = list_cases(&arena);
    TT_EACH (name, &names) {
        struct tt_findings findings = {0};

        if (strstr(run(&arena, *name, &findings), "hunter2"))
            fail_msg("%s prints a secret", *name);
    }
    tt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case),
        cmocka_unit_test(test_no_secret_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
