/*
 * Covers durations.h: each duration counts once, within the first bound that it does not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/durations.h"

static void each_counts_within_its_bound(void **state)
{
    struct tt_durations durations = {0};

    (void)state;
    tt_durations_add(&durations, 0);
    tt_durations_add(&durations, 1000); /* a bound is within itself */
    tt_durations_add(&durations, 1001);
    tt_durations_add(&durations, 3600000);
    tt_durations_add(&durations, 3600001);
    assert_int_equal(durations.within[0], 2);
    assert_int_equal(durations.within[1], 1);
    assert_int_equal(durations.within[2], 0);
    assert_int_equal(durations.within[TT_DURATION_BOUNDS - 1], 1);
    assert_int_equal(durations.within[TT_DURATION_BOUNDS], 1);
    assert_int_equal(durations.sum, 0 + 1000 + 1001 + 3600000 + 3600001);
}

static void bounds_are_whole_seconds_and_grow(void **state)
{
    (void)state;
    for (int i = 0; i < TT_DURATION_BOUNDS; i++) {
        assert_int_equal(tt_duration_bounds[i] % 1000, 0);
        assert_true(i == 0 || tt_duration_bounds[i] > tt_duration_bounds[i - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_counts_within_its_bound),
        cmocka_unit_test(bounds_are_whole_seconds_and_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
