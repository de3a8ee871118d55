/*
 * Covers base/child.c: whether a child has ended, and how.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"

/* A child that ends with CODE once END is closed. */
static pid_t start(int code, int *ret_end)
{
    int ends[2];
    char nothing;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[1]);
        _exit(read(ends[0], &nothing, 1) == 0 ? code : 99);
    }
    close(ends[0]);
    *ret_end = ends[1];
    return pid;
}

static void await_end(pid_t pid)
{
    for (int i = 0; !tt_child_has_ended(pid); i++) {
        assert_true(i < 10000);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void the_end_is_seen_and_the_code_is_kept(void **state)
{
    int end;
    pid_t pid = start(7, &end);

    (void)state;
    assert_false(tt_child_has_ended(pid));
    close(end);
    await_end(pid);
    assert_true(tt_child_has_ended(pid));
    assert_int_equal(tt_child_reap(pid), 7);
}

static void reaping_waits_for_the_end(void **state)
{
    int end;
    pid_t pid = start(0, &end);

    (void)state;
    close(end);
    assert_int_equal(tt_child_reap(pid), 0);
}

static void a_signal_is_told_as_a_shell_tells_it(void **state)
{
    int end;
    pid_t pid = start(0, &end);

    (void)state;
    kill(pid, SIGKILL);
    await_end(pid);
    assert_int_equal(tt_child_reap(pid), 128 + SIGKILL);
    close(end);
}

/* As where SIGCHLD is ignored: nobody can tell how it ended, and nobody waits for ever. */
static void one_that_is_not_ours_is_not_waited_for(void **state)
{
    int end;
    pid_t pid = start(0, &end);

    (void)state;
    close(end);
    assert_int_equal(tt_child_reap(pid), 0);
    assert_true(tt_child_has_ended(pid));
    errno = 0;
    assert_int_equal(tt_child_reap(pid), -1);
    assert_int_equal(errno, ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_seen_and_the_code_is_kept),
        cmocka_unit_test(reaping_waits_for_the_end),
        cmocka_unit_test(a_signal_is_told_as_a_shell_tells_it),
        cmocka_unit_test(one_that_is_not_ours_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
