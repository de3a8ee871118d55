/*
 * Commands on a machine, through a real sshd: arguments, input, output, ends, time, connections.
 * Covers providers/shell/ssh.c, ssh_exec.c and ssh_quote.c.
 */
#include <pthread.h>
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
#include "support/sshd.h"

struct ssh_test {
    struct sshd sshd;
    struct tt_ssh *ssh;
    struct tt_arena arena;
    struct tt_error err;
    struct tt_run_result result;
};

static int begin(void **state)
{
    struct ssh_test *test = calloc(1, sizeof(*test));

    assert_non_null(test);
    *state = test;
    if (!sshd_start(&test->sshd, NULL))
        return 0;
    test->ssh = tt_ssh_new(&(struct tt_ssh_settings){
        .port = test->sshd.port, .key = test->sshd.key, .known_hosts = test->sshd.known_hosts});
    return 0;
}

static int end(void **state)
{
    struct ssh_test *test = *state;

    tt_ssh_free(test->ssh);
    sshd_stop(&test->sshd);
    tt_arena_release(&test->arena);
    free(test);
    return 0;
}

static struct ssh_test *ready(void **state)
{
    struct ssh_test *test = *state;

    if (!test->ssh)
        skip();
    return test;
}

static int run(struct ssh_test *test, const char *const *argv, const char *input, tt_time timeout)
{
    struct tt_ssh_target target = sshd_target(&test->sshd);

    test->err = (struct tt_error){0};
    return tt_ssh_run(test->ssh, &target,
                      &(struct tt_run_request){.argv = argv, .input = input, .timeout = timeout},
                      &test->arena, &test->result, &test->err);
}

static int run_script(struct ssh_test *test, const char *script, const char *input, tt_time timeout)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};

    return run(test, argv, input, timeout);
}

static void must_run(struct ssh_test *test, const char *script, const char *input)
{
    if (run_script(test, script, input, 20000) < 0)
        fail_msg("%s", test->err.message);
}

/* --- arguments ------------------------------------------------------------------------------ */

static void expect_line(const char *expected, const char *const *argv)
{
    TT_BUF_AUTO line = {0};

    tt_ssh_quote(&line, argv);
    assert_string_equal(tt_buf_text(&line), expected);
}

static void test_quoting(void **state)
{
    (void)state;
    expect_line("'a' 'b c'", (const char *const[]){"a", "b c", NULL});
    expect_line("''", (const char *const[]){"", NULL});
    expect_line("''\\'''", (const char *const[]){"'", NULL});
    expect_line("'it'\\''s' '$(id)' '`id`'", (const char *const[]){"it's", "$(id)", "`id`", NULL});
    expect_line("'a\nb\\' '-n'", (const char *const[]){"a\nb\\", "-n", NULL});
}

static void add_hex(struct tt_buf *text, const char *bytes)
{
    for (; *bytes; bytes++)
        tt_buf_addf(text, "%02x", (unsigned char)*bytes);
    tt_buf_add(text, "\n");
}

/* The machine says in hexadecimal what reached it. */
static void expect_unchanged(struct ssh_test *test, const char *const *arguments, size_t count)
{
    static const char script[] =
        "for a; do printf %s \"$a\" | od -An -v -tx1 | tr -d ' \\n'; echo; done";
    const char **argv = TT_NEW_ARRAY(&test->arena, count + 5, const char *);
    TT_BUF_AUTO expected = {0};

    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = script;
    argv[3] = "sh";
    for (size_t i = 0; i < count; i++) {
        argv[4 + i] = arguments[i];
        add_hex(&expected, arguments[i]);
    }
    if (run(test, argv, NULL, 20000) < 0)
        fail_msg("%s", test->err.message);
    assert_string_equal(test->result.output, tt_buf_text(&expected));
}

static void test_hostile_arguments_arrive_unchanged(void **state)
{
    struct ssh_test *test = ready(state);
    char all[256];
    const char *arguments[] = {all,       "",          "'",           "''",           "\\",
                               "\\'",     "'\\''",     "$(touch /x)", "`id`",         "; id",
                               "| id",    "&& id",     "&",           "> /x",         "$HOME",
                               "${IFS}",  "*",         "~",           "a\nid\n",      "\r",
                               "\t",      "#",         "!!",          "!x",           "-e",
                               "--",      "\"$(id)\"", "$'\\n'",      "{a,b}",        "[a-z]",
                               "\x1b[0m", "\xff\xfe",  "caf\xc3\xa9", "a'b\"c`d$e\\f"};

    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    expect_unchanged(test, arguments, sizeof(arguments) / sizeof(arguments[0]));
}

static void test_random_arguments_arrive_unchanged(void **state)
{
    static const char nasty[] = "'\"\\`$(){}[]<>|&;*?!~# \t\n-aZ0=%^";
    struct ssh_test *test = ready(state);
    unsigned seed = 1;

    for (int round = 0; round < 10; round++) {
        const char *arguments[40];

        for (size_t i = 0; i < 40; i++) {
            size_t length = (size_t)rand_r(&seed) % 60;
            char *text = tt_alloc(&test->arena, length + 1);

            for (size_t j = 0; j < length; j++)
                text[j] = round % 2 ? nasty[(size_t)rand_r(&seed) % (sizeof(nasty) - 1)]
                                    : (char)(1 + rand_r(&seed) % 255);
            arguments[i] = text;
        }
        expect_unchanged(test, arguments, 40);
    }
}

static void test_a_line_too_long_is_refused(void **state)
{
    struct ssh_test *test = ready(state);
    char *much = tt_alloc(&test->arena, 200001);

    memset(much, 'x', 200000);
    assert_int_equal(run(test, (const char *const[]){"/bin/true", much, NULL}, NULL, 5000), -1);
    assert_int_equal(test->err.class, TT_ERR_SPEC);
}

/* --- input, output, ends -------------------------------------------------------------------- */

static void test_input(void **state)
{
    struct ssh_test *test = ready(state);
    char *much = tt_alloc(&test->arena, 5000001);

    must_run(test, "cat", "one\ntwo");
    assert_string_equal(test->result.output, "one\ntwo");
    must_run(test, "cat", NULL);
    assert_string_equal(test->result.output, "");
    memset(much, 'x', 5000000);
    must_run(test, "wc -c", much);
    assert_int_equal(atoi(test->result.output), 5000000);
    must_run(test, "exit 3", much); /* it does not read */
    assert_int_equal(test->result.exit_code, 3);
}

static void test_output_is_bounded(void **state)
{
    struct ssh_test *test = ready(state);

    must_run(test,
             "head -c 3000000 /dev/zero | tr '\\0' o; head -c 2000000 /dev/zero | tr '\\0' e >&2",
             NULL);
    assert_int_equal(strlen(test->result.output), TT_SSH_MAX_OUTPUT);
    assert_int_equal(strlen(test->result.errors), TT_SSH_MAX_OUTPUT);
    must_run(test, "echo out; echo err >&2", NULL);
    assert_string_equal(test->result.output, "out\n");
    assert_string_equal(test->result.errors, "err\n");
}

static void test_exit_codes_and_signals(void **state)
{
    struct ssh_test *test = ready(state);

    must_run(test, "exit 0", NULL);
    assert_int_equal(test->result.exit_code, 0);
    must_run(test, "exit 22", NULL);
    assert_int_equal(test->result.exit_code, 22);
    must_run(test, "exit 255", NULL);
    assert_int_equal(test->result.exit_code, 255);
    must_run(test, "kill -TERM $$", NULL);
    assert_int_equal(test->result.exit_code, 128 + 15);
    must_run(test, "kill -KILL $$", NULL);
    assert_int_equal(test->result.exit_code, 128 + 9);
}

static void test_a_command_that_is_not_there(void **state)
{
    struct ssh_test *test = ready(state);

    assert_int_equal(run(test, (const char *const[]){"/no/such", NULL}, NULL, 5000), -1);
    assert_int_equal(test->err.class, TT_ERR_NOT_FOUND);
    assert_string_equal(test->err.message, "127.0.0.1 has no /no/such");
    must_run(test, "exit 127", NULL); /* its own affair */
    assert_int_equal(test->result.exit_code, 127);
}

/* --- time ----------------------------------------------------------------------------------- */

static void test_time_is_over(void **state)
{
    struct ssh_test *test = ready(state);
    tt_time began = tt_monotonic();

    assert_int_equal(run_script(test, "sleep 3", NULL, 300), -1);
    assert_int_equal(test->err.class, TT_ERR_TIMEOUT);
    assert_true(tt_monotonic() - began < 2000);
    must_run(test, "echo on", NULL); /* by another session */
    assert_string_equal(test->result.output, "on\n");
}

static void test_what_stays_in_the_background_is_not_waited_for(void **state)
{
    struct ssh_test *test = ready(state);
    tt_time began = tt_monotonic();

    must_run(test, "sleep 4 & echo begun", NULL);
    assert_string_equal(test->result.output, "begun\n");
    assert_true(tt_monotonic() - began < 3000);
    must_run(test, "echo on", NULL);
}

static void test_a_lost_connection_leaves_the_outcome_unknown(void **state)
{
    struct ssh_test *test = ready(state);

    assert_int_equal(run_script(test, "kill -KILL $PPID; sleep 3", NULL, 10000), -1);
    assert_int_equal(test->err.class, TT_ERR_TIMEOUT);
    must_run(test, "echo on", NULL);
}

/* --- connections ---------------------------------------------------------------------------- */

static void test_one_connection_serves_many_commands(void **state)
{
    struct ssh_test *test = ready(state);
    tt_time began;
    int logged;

    must_run(test, "true", NULL);
    logged = sshd_logged(&test->sshd, "Accepted publickey");
    began = tt_monotonic();
    for (int i = 0; i < 50; i++)
        must_run(test, "true", NULL);
    print_message("a command on an open connection: %.1f ms\n",
                  (double)(tt_monotonic() - began) / 50);
    assert_int_equal(sshd_logged(&test->sshd, "Accepted publickey"), logged);
}

static void test_a_connection_that_died_idle_is_made_again(void **state)
{
    struct ssh_test *test = ready(state);

    must_run(test, "true", NULL);
    sshd_restart(&test->sshd);
    must_run(test, "echo on", NULL);
    assert_string_equal(test->result.output, "on\n");
}

struct worker {
    struct ssh_test *test;
    int number;
    int wrong;
};

static void *work(void *self)
{
    struct worker *worker = self;
    struct tt_ssh_target target = sshd_target(&worker->test->sshd);

    for (int i = 0; i < 10; i++) {
        char text[32];
        const char *argv[] = {"/bin/echo", text, NULL};
        struct tt_run_result result = {0};
        struct tt_error err = {0};
        struct tt_arena arena;

        tt_arena_init(&arena);
        snprintf(text, sizeof(text), "%d-%d", worker->number, i);
        if (tt_ssh_run(worker->test->ssh, &target,
                       &(struct tt_run_request){.argv = argv, .timeout = 30000}, &arena, &result,
                       &err) < 0 ||
            strncmp(result.output, text, strlen(text)) != 0)
            worker->wrong++;
        tt_arena_release(&arena);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    enum { COUNT = 24 };
    struct ssh_test *test = ready(state);
    struct worker workers[COUNT];
    pthread_t threads[COUNT];

    for (int i = 0; i < COUNT; i++) {
        workers[i] = (struct worker){.test = test, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    assert_true(sshd_logged(&test->sshd, "Accepted publickey") <= TT_SSH_MOST_AT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoting),
        cmocka_unit_test_setup_teardown(test_many_threads, begin, end),
        cmocka_unit_test_setup_teardown(test_hostile_arguments_arrive_unchanged, begin, end),
        cmocka_unit_test_setup_teardown(test_random_arguments_arrive_unchanged, begin, end),
        cmocka_unit_test_setup_teardown(test_a_line_too_long_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_input, begin, end),
        cmocka_unit_test_setup_teardown(test_output_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(test_exit_codes_and_signals, begin, end),
        cmocka_unit_test_setup_teardown(test_a_command_that_is_not_there, begin, end),
        cmocka_unit_test_setup_teardown(test_time_is_over, begin, end),
        cmocka_unit_test_setup_teardown(test_what_stays_in_the_background_is_not_waited_for, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_a_lost_connection_leaves_the_outcome_unknown, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_one_connection_serves_many_commands, begin, end),
        cmocka_unit_test_setup_teardown(test_a_connection_that_died_idle_is_made_again, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
