/*
 * Covers poll_child.c: what the daemon makes of a child that fetches and then does not tidy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/str.h"
#include "serve/poll.h"
#include "tests/serve/support/fixture.h"

struct answer {
    int result;
    const char *revision, *warning;
    struct tt_error err;
};

/* Of a child that does what the shell makes of SCRIPT. */
static struct answer fetch(struct fixture *fixture, const char *script)
{
    const char *program = tt_printf(&fixture->arena, "%s/child", fixture->place);
    struct tt_repository_config repository = {.name = "fleet", .url = "file:///fleet.git"};
    struct tt_config config = {.text = ""};
    struct answer answer = {0};
    struct tt_runner runner;

    fixture_write_file(program, tt_printf(&fixture->arena, "#!/bin/sh\n%s\n", script));
    assert_int_equal(chmod(program, 0700), 0);
    tt_runner_init(&runner);
    answer.result =
        tt_poll_fetch_by_child(&fixture->arena, program, fixture->place, &config, &repository,
                               &runner, &answer.revision, &answer.warning, &answer.err);
    tt_runner_release(&runner);
    return answer;
}

static void what_was_fetched_counts(void **state)
{
    struct answer answer = fetch(*state, "echo 1234");

    assert_int_equal(answer.result, 0);
    assert_string_equal(answer.revision, "1234");
    assert_null(answer.warning);

    answer = fetch(*state, "echo 1234; echo 'trimtab: cannot make one pack of many' >&2");
    assert_int_equal(answer.result, 0);
    assert_string_equal(answer.revision, "1234");
    assert_string_equal(answer.warning, "cannot make one pack of many");

    answer = fetch(*state, "echo 1234; kill -KILL $$");
    assert_int_equal(answer.result, 0);
    assert_string_equal(answer.revision, "1234");
    assert_string_equal(answer.warning, "fetched, but then ended with code 137");

    answer = fetch(*state, "kill -KILL $$");
    assert_int_equal(answer.result, -1);
    assert_string_equal(answer.err.message, "cannot fetch file:///fleet.git: ended with code 137");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_fetched_counts, fixture_set_up, fixture_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
