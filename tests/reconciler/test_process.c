/*
 * Covers reconciler/process.c: who is alive.
 */
#include "reconciler/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void this_process_is_alive(void **state)
{
    struct tt_process self, other;
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena);
    self = other = tt_process_self(&arena);
    assert_true(self.pid == getpid());
    assert_true(self.started[0] && self.boot[0] && self.space[0]);
    assert_false(tt_process_is_dead(&self, &self));
    other.started = "12";
    assert_true(tt_process_is_dead(&other, &self));
    tt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(this_process_is_alive)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
