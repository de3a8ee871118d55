/*
 * Covers poll_tidy.c: the packs of many fetches become one, nothing is lost, and what was replaced
 * stays for a while.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <git2.h>

#include "base/str.h"
#include "serve/poll.h"
#include "tests/serve/support/fixture.h"

#define FETCHES 20
#define HOUR    INT64_C(3600000)

#define PACKS       700
#define TURNS       3 /* that these need */
#define DESCRIPTORS 600

static size_t count(struct fixture *fixture, const char *clone, const char *ending)
{
    glob_t found;
    size_t number;

    glob(tt_printf(&fixture->arena, "%s/objects/pack/*%s", clone, ending), 0, NULL, &found);
    number = found.gl_pathc;
    globfree(&found);
    return number;
}

static void many_packs_become_one(void **state)
{
    struct fixture *fixture = *state;
    const char *clone = tt_printf(&fixture->arena, "%s/clone.git", fixture->place);
    struct tt_repository_config repository = {
        .name = "fleet", .url = fixture->bare, .branch = "main"};
    const char *revision = NULL;
    struct tt_error err = {0};
    tt_time now;

    for (int i = 1; i <= FETCHES; i++) {
        fixture_push(fixture, i, 1, 1);
        assert_int_equal(tt_poll_fetch(&fixture->arena, &repository, clone, 0, &revision, &err), 0);
    }
    assert_int_equal(count(fixture, clone, ".idx"), FETCHES);
    now = tt_clock_real()->now(tt_clock_real()->self); /* the pushes took their time */

    assert_int_equal(tt_poll_tidy(&fixture->arena, clone, now, &err), 0);
    assert_int_equal(count(fixture, clone, ".idx"), FETCHES + 1); /* who reads them reads on */
    assert_int_equal(tt_poll_tidy(&fixture->arena, clone, now, &err), 0);
    assert_int_equal(count(fixture, clone, ".idx"), FETCHES + 1); /* nothing is done twice */

    assert_int_equal(tt_poll_tidy(&fixture->arena, clone, now + HOUR, &err), 0);
    assert_int_equal(count(fixture, clone, ".idx"), 1);
    assert_int_equal(count(fixture, clone, ".pack"), 1);
    assert_int_equal(count(fixture, clone, ".old"), 0);
    fixture_git(fixture, "-C", clone, "fsck", "--strict", "--no-progress", NULL);
    fixture_git(fixture, "-C", clone, "merge-base", "--is-ancestor",
                tt_printf(&fixture->arena, "%s~%d", revision, FETCHES - 1), revision, NULL);

    /* and it can be fetched into as before */
    fixture_push(fixture, 1, 2, 3);
    assert_int_equal(tt_poll_fetch(&fixture->arena, &repository, clone, 0, &revision, &err), 0);
    assert_int_equal(count(fixture, clone, ".idx"), 2);
    assert_int_equal(tt_poll_tidy(&fixture->arena, clone, now + HOUR, &err), 0);
    assert_int_equal(count(fixture, clone, ".idx"), 2); /* few */
}

/* A pack of its own for each of so many blobs. */
static void write_packs(const char *clone, int number)
{
    git_repository *repository = NULL;

    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 0);
    assert_int_equal(git_repository_init(&repository, clone, 1), 0);
    for (int i = 0; i < number; i++) {
        git_packbuilder *builder = NULL;
        git_oid id;

        assert_int_equal(git_blob_create_from_buffer(&id, repository, &i, sizeof(i)), 0);
        assert_int_equal(git_packbuilder_new(&builder, repository), 0);
        assert_int_equal(git_packbuilder_insert(builder, &id, NULL), 0);
        assert_int_equal(git_packbuilder_write(builder, NULL, 0, NULL, NULL), 0);
        git_packbuilder_free(builder);
    }
    git_repository_free(repository);
    git_libgit2_shutdown();
}

/* After a long time without tidying, there may be more packs than a process may have open. */
static void very_many_packs_become_one_in_turns(void **state)
{
    struct fixture *fixture = *state;
    const char *clone = tt_printf(&fixture->arena, "%s/clone.git", fixture->place);
    tt_time now = tt_clock_real()->now(tt_clock_real()->self) + HOUR;
    struct rlimit before, few;
    struct tt_error err = {0};

    write_packs(clone, PACKS);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = DESCRIPTORS;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < TURNS; i++)
        assert_int_equal(tt_poll_tidy(&fixture->arena, clone, now, &err), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(tt_poll_tidy(&fixture->arena, clone, now + HOUR, &err), 0);
    assert_int_equal(count(fixture, clone, ".idx"), 1);
    fixture_git(fixture, "-C", clone, "fsck", "--strict", "--no-progress", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_packs_become_one, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(very_many_packs_become_one_in_turns, fixture_set_up,
                                        fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
