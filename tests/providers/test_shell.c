/*
 * Running programs of this host: arguments, input, bounded output, time, environment. Covers
 * providers/shell/.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/shell/shell.h"

struct shell_test {
    struct tt_arena arena;
    struct tt_error err;
    struct tt_run_result result;
};

static int begin(void **state)
{
    *state = calloc(1, sizeof(struct shell_test));
    return *state ? 0 : -1;
}

static int end(void **state)
{
    struct shell_test *test = *state;

    tt_arena_release(&test->arena);
    free(test);
    return 0;
}

static int run(struct shell_test *test, const struct tt_shell_request *request)
{
    return tt_shell_run(request, &test->arena, &test->result, &test->err);
}

/* Runs SCRIPT with sh and ARGUMENT as $1. */
static int run_script(struct shell_test *test, const char *script, const char *argument,
                      const char *input, tt_time timeout)
{
    const char *argv[] = {"sh", "-c", script, "sh", argument, NULL};

    return run(test, &(struct tt_shell_request){.argv = argv, .input = input, .timeout = timeout});
}

static void test_arguments_are_not_interpreted(void **state)
{
    struct shell_test *test = *state;
    const char *argv[] = {"printf", "%s|", "$(id)", "a b", "; exit 3", "", NULL};

    assert_int_equal(run(test, &(struct tt_shell_request){.argv = argv}), 0);
    assert_int_equal(test->result.exit_code, 0);
    assert_string_equal(test->result.output, "$(id)|a b|; exit 3||");
    assert_string_equal(test->result.errors, "");
}

static void test_exit_and_errors_are_told(void **state)
{
    struct shell_test *test = *state;

    assert_int_equal(run_script(test, "echo out; echo why >&2; exit 22", "", NULL, 0), 0);
    assert_int_equal(test->result.exit_code, 22);
    assert_string_equal(test->result.output, "out\n");
    assert_string_equal(test->result.errors, "why\n");
    assert_int_equal(run_script(test, "kill -KILL $$", "", NULL, 0), 0);
    assert_int_equal(test->result.exit_code, 128 + SIGKILL);
}

static void test_input_is_given(void **state)
{
    struct shell_test *test = *state;
    char *large = tt_alloc(&test->arena, 300001);

    memset(large, 'x', 300000);
    assert_int_equal(run_script(test, "cat", "", large, 0), 0);
    assert_string_equal(test->result.output, large);
    assert_int_equal(run_script(test, "cat", "", NULL, 0), 0);
    assert_string_equal(test->result.output, "");
    assert_int_equal(run_script(test, "exec <&-; sleep 0.05", "", large, 0), 0);
    assert_int_equal(test->result.exit_code, 0);
}

static void test_output_is_bounded(void **state)
{
    struct shell_test *test = *state;

    assert_int_equal(
        run_script(test, "head -c 3000000 /dev/zero | tr '\\0' y; echo end >&2", "", NULL, 0), 0);
    assert_int_equal(test->result.exit_code, 0);
    assert_int_equal(strlen(test->result.output), TT_SHELL_MAX_OUTPUT);
    assert_string_equal(test->result.errors, "end\n");
}

static void test_time_ends_the_whole_group(void **state)
{
    struct shell_test *test = *state;
    char folder[] = "/tmp/trimtab-shell-XXXXXX";
    tt_time before = tt_monotonic();
    char *path, *text;

    assert_non_null(mkdtemp(folder));
    path = tt_printf(&test->arena, "%s/late", folder);
    assert_int_equal(run_script(test, "(sleep 1; echo late >\"$1\") & sleep 30", path, NULL, 200),
                     -1);
    assert_int_equal(test->err.class, TT_ERR_TIMEOUT);
    assert_non_null(strstr(test->err.message, "0.2 s"));
    assert_true(tt_monotonic() - before < 10000);
    tt_clock_real()->sleep(tt_clock_real()->self, 1200);
    assert_int_equal(tt_file_read(&test->arena, path, 100, &text, NULL, NULL), -1);
    assert_int_equal(tt_remove_tree(folder, &test->err), 0);
}

static void test_what_stays_in_the_background_is_not_waited_for(void **state)
{
    struct shell_test *test = *state;
    tt_time before = tt_monotonic();

    assert_int_equal(run_script(test, "sleep 5 & echo done", "", NULL, 0), 0);
    assert_string_equal(test->result.output, "done\n");
    assert_true(tt_monotonic() - before < 4000);
}

static void test_environment_is_small(void **state)
{
    struct shell_test *test = *state;
    const char *argv[] = {"env", NULL};
    struct tt_shell_request request = {.argv = argv, .folder = "/"};

    tt_strings_add(&test->arena, &request.environment, "COLOUR=green");
    tt_strings_add(&test->arena, &request.environment, "HOME=/nowhere");
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "hush", 1), 0);
    assert_int_equal(run(test, &request), 0);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_non_null(strstr(test->result.output, "COLOUR=green\n"));
    assert_non_null(strstr(test->result.output, "HOME=/nowhere\n"));
    assert_non_null(strstr(test->result.output, "PATH="));
    assert_null(strstr(test->result.output, "hush"));
}

static void test_no_descriptor_is_inherited(void **state)
{
    struct shell_test *test = *state;
    int fd = dup(0); /* not close-on-exec */
    int high = fcntl(0, F_DUPFD, 100);

    assert_true(fd >= 0 && high >= 100);
    assert_int_equal(run_script(test,
                                "for f in 3 4 5 6 7 8 9 100; do [ ! -e /proc/$$/fd/$f ] || "
                                "echo $f; done",
                                "", NULL, 0),
                     0);
    assert_string_equal(test->result.output, "");
    close(fd);
    close(high);
}

static void test_folder_is_where_it_runs(void **state)
{
    struct shell_test *test = *state;
    const char *argv[] = {"pwd", NULL};

    assert_int_equal(run(test, &(struct tt_shell_request){.argv = argv, .folder = "/usr"}), 0);
    assert_string_equal(test->result.output, "/usr\n");
    assert_int_equal(run(test, &(struct tt_shell_request){.argv = argv, .folder = "/no-such"}), -1);
    assert_int_equal(test->err.class, TT_ERR_NOT_FOUND);
}

static void test_missing_program_is_not_found(void **state)
{
    struct shell_test *test = *state;
    const char *argv[] = {"no-such-program", NULL}, *folder[] = {"/usr", NULL};

    assert_int_equal(run(test, &(struct tt_shell_request){.argv = argv}), -1);
    assert_int_equal(test->err.class, TT_ERR_NOT_FOUND);
    assert_non_null(strstr(test->err.message, "no-such-program"));
    assert_int_equal(run(test, &(struct tt_shell_request){.argv = folder}), -1);
    assert_int_equal(test->err.class, TT_ERR_DENIED);
    assert_null(tt_shell_find(&test->arena, "no-such-program"));
    assert_null(tt_shell_find(&test->arena, "/usr"));
    assert_non_null(tt_shell_find(&test->arena, "sh"));
}

/* A folder of PATH has the name, but nothing that may be executed: as if it were not there. */
static void test_what_may_not_be_executed_is_not_the_program(void **state)
{
    struct shell_test *test = *state;
    const char *argv[] = {"trimtab-no-such-tool", NULL};
    const char *before = tt_strdup(&test->arena, getenv("PATH"));
    char folder[] = "/tmp/trimtab-shell-XXXXXX";

    assert_non_null(mkdtemp(folder));
    assert_int_equal(
        tt_file_write(tt_printf(&test->arena, "%s/%s", folder, argv[0]), "x", 1, 0600, &test->err),
        0);
    setenv("PATH", tt_printf(&test->arena, "%s:%s", folder, before), 1);
    assert_int_equal(run(test, &(struct tt_shell_request){.argv = argv}), -1);
    setenv("PATH", before, 1);
    tt_remove_tree(folder, NULL);
    assert_int_equal(test->err.class, TT_ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_arguments_are_not_interpreted),
        TEST(test_exit_and_errors_are_told),
        TEST(test_input_is_given),
        TEST(test_output_is_bounded),
        TEST(test_time_ends_the_whole_group),
        TEST(test_what_stays_in_the_background_is_not_waited_for),
        TEST(test_environment_is_small),
        TEST(test_no_descriptor_is_inherited),
        TEST(test_folder_is_where_it_runs),
        TEST(test_missing_program_is_not_found),
        TEST(test_what_may_not_be_executed_is_not_the_program),
    };

    return cmocka_run_group_tests_name("shell", tests, NULL, NULL);
}
