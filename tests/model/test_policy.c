/*
 * Covers model/policy.c and model/policy_json.c: when change windows are open, times of day, JSON
 * both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/policy_json.h"

static bool is_open(struct tt_change_window window, const char *time)
{
    struct tt_policy policy = {.windows = {&window, 1, 1}};
    tt_time now = 0;

    assert_int_equal(tt_time_parse(time, &now), 0);
    return tt_window_open(&policy, now);
}

/* 2026-11-23 is a Monday. */
static void test_within_a_day(void **state)
{
    const struct tt_change_window office = {.days = 0x1, .from = 9 * 60, .to = 17 * 60};

    (void)state;
    assert_false(is_open(office, "2026-11-23T08:59:59Z"));
    assert_true(is_open(office, "2026-11-23T09:00:00Z"));
    assert_true(is_open(office, "2026-11-23T16:59:59Z"));
    assert_false(is_open(office, "2026-11-23T17:00:00Z"));
    assert_false(is_open(office, "2026-11-24T12:00:00Z"));
}

static void test_over_midnight(void **state)
{
    const struct tt_change_window sunday = {.days = 0x40, .from = 22 * 60, .to = 4 * 60};

    (void)state;
    assert_false(is_open(sunday, "2026-11-22T03:00:00Z")); /* Saturday's night */
    assert_true(is_open(sunday, "2026-11-22T22:00:00Z"));
    assert_true(is_open(sunday, "2026-11-23T03:59:59Z"));
    assert_false(is_open(sunday, "2026-11-23T04:00:00Z"));
    assert_false(is_open(sunday, "2026-11-23T22:00:00Z"));
}

static void test_whole_days(void **state)
{
    const struct tt_change_window all = {.days = 0x1, .to = 24 * 60};

    (void)state;
    assert_true(is_open(all, "2026-11-23T00:00:00Z"));
    assert_true(is_open(all, "2026-11-23T23:59:59Z"));
    assert_false(is_open(all, "2026-11-24T00:00:00Z"));
    assert_true(tt_window_open(&(struct tt_policy){0}, 0)); /* no windows: always */
}

static void test_times_of_day(void **state)
{
    static const char *const wrong[] = {"",      "9:00",  "09:60", "24:01",
                                        "25:00", "ab:cd", "09-00", "09:000"};

    (void)state;
    assert_int_equal(tt_day_time_parse("00:00"), 0);
    assert_int_equal(tt_day_time_parse("09:30"), 9 * 60 + 30);
    assert_int_equal(tt_day_time_parse("24:00"), 24 * 60);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(tt_day_time_parse(wrong[i]), -1);
}

static void test_json(void **state)
{
    struct tt_change_window windows[] = {{0x11, 60, 120}, {TT_ALL_DAYS, 0, 24 * 60}};
    const struct tt_policy policy = {TT_ON_PUSH_APPLY,     true, TT_ON_DRIFT_REPORT,
                                     TT_ON_FAILURE_REPORT, true, {windows, 2, 2}};
    json_t *root = json_pack("{s:o}", "policy", tt_policy_write(&policy));
    json_t *empty = json_object();
    struct tt_json json = {.value = root};
    struct tt_policy read, none;
    struct tt_error err = {0};
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena);
    assert_int_equal(tt_policy_read(&arena, &json, &read, &err), 0);
    assert_true(read.on_push_given);
    assert_int_equal(read.on_push, TT_ON_PUSH_APPLY);
    assert_int_equal(read.on_drift, TT_ON_DRIFT_REPORT);
    assert_int_equal(read.on_failure, TT_ON_FAILURE_REPORT);
    assert_true(read.suspend);
    assert_int_equal(read.windows.count, 2);
    assert_memory_equal(read.windows.items, windows, sizeof(windows));
    json.value = empty;
    assert_int_equal(tt_policy_read(&arena, &json, &none, &err), 0);
    assert_false(none.on_push_given);
    assert_int_equal(none.on_drift, TT_ON_DRIFT_REPAIR);
    assert_int_equal(none.windows.count, 0);
    json_decref(empty);
    json_decref(root);
    tt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_within_a_day), cmocka_unit_test(test_over_midnight),
        cmocka_unit_test(test_whole_days),   cmocka_unit_test(test_times_of_day),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
