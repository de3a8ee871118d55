/*
 * Covers serve/runner.c: what a child says and how it ends, that it is stopped when somebody asks
 * or its time is over, and that its end and its time are kept, too, where the host has no more
 * descriptors for a handle of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/runner.h"

#define PIPES 5 /* descriptors that a child costs before there is a handle of it */

/* What one child said and came to. */
struct told {
    struct tt_runner runner;
    struct tt_buf lines, errors;
    int code;
    bool had_handle; /* when it said its first line */
    bool stops;      /* it is to be stopped then */
};

static bool is_handle(int fd)
{
    char path[64], target[64];
    ssize_t size;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    size = readlink(path, target, sizeof(target) - 1);
    target[size > 0 ? size : 0] = '\0';
    return strstr(target, "pidfd") != NULL;
}

static void on_line(void *self, const char *line, size_t length)
{
    struct told *told = self;

    for (int fd = 0; fd < 256; fd++)
        told->had_handle = told->had_handle || is_handle(fd);
    tt_buf_addn(&told->lines, line, length);
    tt_buf_add(&told->lines, "|");
    if (told->stops)
        tt_runner_stop(&told->runner);
}

/* Runs SCRIPT by sh, for so many seconds at most. */
static void run(struct told *told, const char *script, int seconds)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    struct tt_runner_request request = {.program = "/bin/sh",
                                        .argv = argv,
                                        .environment = environment,
                                        .seconds = seconds,
                                        .line = on_line,
                                        .self = told};
    struct tt_error err = {0};

    tt_runner_init(&told->runner);
    if (tt_runner_run(&told->runner, &request, &told->code, &told->errors, &err) < 0)
        fail_msg("%s", err.message);
}

static void release(struct told *told)
{
    tt_runner_release(&told->runner);
    tt_buf_release(&told->lines);
    tt_buf_release(&told->errors);
}

/* Leaves this process so many more descriptors; the limit before that. */
static struct rlimit leave_descriptors(int count)
{
    struct rlimit before, limit;
    int fd = 0;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (; count > 0; fd++)
        count -= fcntl(fd, F_GETFD) < 0 && errno == EBADF;
    limit = before;
    limit.rlim_cur = (rlim_t)fd;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void a_child_is_heard_to_its_end(void **state)
{
    struct told told = {0};

    (void)state;
    run(&told, "echo one; echo no >&2; printf two; exit 7", 0);
    assert_string_equal(tt_buf_text(&told.lines), "one|two|");
    assert_string_equal(tt_buf_text(&told.errors), "no\n");
    assert_int_equal(told.code, 7);
    assert_true(told.had_handle);
    release(&told);
}

static void one_that_is_asked_to_stop_may_say_more(void **state)
{
    struct told told = {.stops = true};

    (void)state;
    run(&told, "trap 'kill $!; echo stopped; exit 3' TERM; echo here; sleep 60 & wait; echo never",
        0);
    assert_string_equal(tt_buf_text(&told.lines), "here|stopped|");
    assert_int_equal(told.code, 3);
    release(&told);
}

static void its_time_is_kept(void **state)
{
    struct told told = {0};

    (void)state;
    run(&told, "echo here; exec sleep 60", 1);
    assert_int_equal(told.code, 128 + SIGTERM);
    assert_true(told.had_handle);
    release(&told);
}

static void its_time_is_kept_without_a_handle(void **state)
{
    struct told told = {0};
    struct rlimit before = leave_descriptors(PIPES);

    (void)state;
    run(&told, "echo here; exec sleep 60", 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(told.had_handle);
    assert_string_equal(tt_buf_text(&told.lines), "here|");
    assert_int_equal(told.code, 128 + SIGTERM);
    release(&told);
}

/* What it has started may hold its output open: that is not waited for. */
static void its_end_is_seen_without_a_handle(void **state)
{
    struct told told = {0};
    struct rlimit before = leave_descriptors(PIPES);
    pid_t sleeper;

    (void)state;
    run(&told, "sleep 60 & echo $!; exit 4", 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    sleeper = atoi(tt_buf_text(&told.lines));
    assert_true(sleeper > 1);
    assert_int_equal(kill(sleeper, SIGKILL), 0);
    assert_false(told.had_handle);
    assert_int_equal(told.code, 4);
    release(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_heard_to_its_end),
        cmocka_unit_test(one_that_is_asked_to_stop_may_say_more),
        cmocka_unit_test(its_time_is_kept),
        cmocka_unit_test(its_time_is_kept_without_a_handle),
        cmocka_unit_test(its_end_is_seen_without_a_handle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
