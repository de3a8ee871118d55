/*
 * Covers serve/queue.c: merging, one run at a time, limits, back-off, removal, pausing, and a
 * simulated week of 1,000 deployments of which ten always fail.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/queue.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

static const struct tt_queue_options calm = {
    .limit = 2, .check = 0, .backoff = 10 * SECOND, .longest_backoff = 60 * SECOND, .seed = 7};

static void expect_next(struct tt_queue *queue, tt_time now, const char *key, unsigned triggers)
{
    unsigned found = 0;
    const char *next = tt_queue_next(queue, now, &found);

    if (!key) {
        assert_null(next);
        return;
    }
    assert_non_null(next);
    assert_string_equal(next, key);
    assert_int_equal(found, triggers);
}

static void triggers_merge(void **state)
{
    struct tt_queue *queue = tt_queue_new(&calm);

    (void)state;
    tt_queue_add(queue, "shop/web", TT_TRIGGER_PUSH, 0);
    tt_queue_trigger(queue, "shop/web", TT_TRIGGER_ASKED, 5);
    expect_next(queue, 10, "shop/web", TT_TRIGGER_PUSH | TT_TRIGGER_ASKED);
    expect_next(queue, 10, NULL, 0);
    /* while it runs it is triggered twice: one more run */
    tt_queue_trigger(queue, "shop/web", TT_TRIGGER_PUSH, 11);
    tt_queue_trigger(queue, "shop/web", TT_TRIGGER_PUSH, 12);
    expect_next(queue, 13, NULL, 0);
    tt_queue_done(queue, "shop/web", false, 20);
    expect_next(queue, 20, "shop/web", TT_TRIGGER_PUSH);
    tt_queue_done(queue, "shop/web", false, 30);
    expect_next(queue, INT64_C(1) << 40, NULL, 0);
    assert_true(tt_queue_wake(queue) == TT_TIME_UNKNOWN);
    assert_false(tt_queue_trigger(queue, "shop/other", TT_TRIGGER_PUSH, 40));
    tt_queue_free(queue);
}

static void limit_and_order(void **state)
{
    struct tt_queue *queue = tt_queue_new(&calm);

    (void)state;
    tt_queue_add(queue, "c", TT_TRIGGER_PUSH, 0);
    tt_queue_add(queue, "a", TT_TRIGGER_PUSH, 0);
    tt_queue_add(queue, "b", TT_TRIGGER_PUSH, 0);
    tt_queue_trigger(queue, "c", TT_TRIGGER_ASKED, 1); /* keeps its turn */
    expect_next(queue, 1, "c", TT_TRIGGER_PUSH | TT_TRIGGER_ASKED);
    expect_next(queue, 1, "a", TT_TRIGGER_PUSH);
    assert_int_equal(tt_queue_waiting(queue, 1), 1);
    expect_next(queue, 1, NULL, 0);
    assert_true(tt_queue_wake(queue) == TT_TIME_UNKNOWN);
    tt_queue_done(queue, "a", false, 2);
    expect_next(queue, 2, "b", TT_TRIGGER_PUSH);
    tt_queue_free(queue);
}

static void put_off_is_no_failure(void **state)
{
    struct tt_queue *queue = tt_queue_new(&calm);
    struct tt_queue_state at;

    (void)state;
    tt_queue_add(queue, "a", TT_TRIGGER_PUSH, 0);
    expect_next(queue, 0, "a", TT_TRIGGER_PUSH);
    tt_queue_put_off(queue, "a", 5);
    assert_true(tt_queue_read(queue, "a", 1, &at));
    assert_false(at.running);
    assert_int_equal(at.failures, 0);
    assert_int_equal(tt_queue_running(queue), 0);
    assert_true(tt_queue_wake(queue) == 5);
    expect_next(queue, 4, NULL, 0);
    expect_next(queue, 5, "a", TT_TRIGGER_PUSH); /* what was asked stays asked */
    tt_queue_done(queue, "a", true, 6);
    expect_next(queue, 6 + 10 * SECOND, "a", TT_TRIGGER_PUSH);
    tt_queue_put_off(queue, "a", 20 * SECOND); /* nor does it forgive one */
    assert_true(tt_queue_read(queue, "a", 20 * SECOND, &at));
    assert_int_equal(at.failures, 1);
    expect_next(queue, 20 * SECOND, "a", TT_TRIGGER_PUSH);
    tt_queue_remove(queue, "a");
    tt_queue_put_off(queue, "a", 30 * SECOND);
    assert_false(tt_queue_read(queue, "a", 30 * SECOND, &at));
    tt_queue_free(queue);
}

static void failing_backs_off(void **state)
{
    struct tt_queue *queue = tt_queue_new(&calm);
    struct tt_queue_state at;
    tt_time waits[] = {10, 20, 40, 60, 60}, now = 0;

    (void)state;
    tt_queue_add(queue, "a", TT_TRIGGER_PUSH, 0);
    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        expect_next(queue, now, "a", TT_TRIGGER_PUSH); /* what was asked stays asked */
        tt_queue_done(queue, "a", true, now);
        assert_true(tt_queue_wake(queue) == now + waits[i] * SECOND);
        expect_next(queue, now + waits[i] * SECOND - 1, NULL, 0);
        now += waits[i] * SECOND;
    }
    assert_true(tt_queue_read(queue, "a", now - 1, &at));
    assert_int_equal(at.failures, 5);
    assert_false(at.waiting);
    /* a push may mend it: now, and from the first wait on */
    tt_queue_trigger(queue, "a", TT_TRIGGER_PUSH, now - 5000);
    expect_next(queue, now - 5000, "a", TT_TRIGGER_PUSH);
    /* and so does one while it runs */
    tt_queue_trigger(queue, "a", TT_TRIGGER_PUSH, now - 4000);
    tt_queue_done(queue, "a", true, now - 3000);
    expect_next(queue, now - 3000, "a", TT_TRIGGER_PUSH);
    tt_queue_done(queue, "a", false, now);
    assert_true(tt_queue_read(queue, "a", now, &at));
    assert_int_equal(at.failures, 0);
    tt_queue_free(queue);
}

/* Nobody waits for a year because the clock was a year ahead. */
/* A replacement that fails looks as what was to be replaced did: that ends no wait. */
static void a_reminder_shortens_no_back_off(void **state)
{
    struct tt_queue *queue = tt_queue_new(&calm);

    (void)state;
    tt_queue_add(queue, "shop/web", 0, 0);
    tt_queue_remind(queue, "shop/web", TT_TRIGGER_RECOVERY, 5);
    expect_next(queue, 5, "shop/web", TT_TRIGGER_RECOVERY);
    tt_queue_done(queue, "shop/web", true, 10);
    tt_queue_remind(queue, "shop/web", TT_TRIGGER_RECOVERY, 20);
    expect_next(queue, 5 * SECOND, NULL, 0);
    expect_next(queue, 11 * SECOND, "shop/web", TT_TRIGGER_RECOVERY);
    /* one that comes while it runs counts after it */
    tt_queue_remind(queue, "shop/web", TT_TRIGGER_RECOVERY, 12 * SECOND);
    tt_queue_done(queue, "shop/web", false, 13 * SECOND);
    expect_next(queue, 13 * SECOND, "shop/web", TT_TRIGGER_RECOVERY);
    tt_queue_done(queue, "shop/web", true, 14 * SECOND);
    /* whoever triggers it waits for nothing */
    assert_false(tt_queue_remind(queue, "shop/other", TT_TRIGGER_RECOVERY, 15 * SECOND));
    tt_queue_trigger(queue, "shop/web", TT_TRIGGER_ASKED, 15 * SECOND);
    expect_next(queue, 15 * SECOND, "shop/web", TT_TRIGGER_RECOVERY | TT_TRIGGER_ASKED);
    tt_queue_free(queue);
}

/* A look that finds what then fails is no success. */
static void a_first_part_forgets_no_failure(void **state)
{
    struct tt_queue *queue = tt_queue_new(&calm);
    struct tt_queue_state seen;

    (void)state;
    tt_queue_add(queue, "shop/web", 0, 0);
    tt_queue_trigger(queue, "shop/web", TT_TRIGGER_RECOVERY, 0);
    for (int failures = 1; failures <= 3; failures++) {
        expect_next(queue, failures * MINUTE, "shop/web", TT_TRIGGER_RECOVERY);
        tt_queue_go_on(queue, "shop/web", TT_TRIGGER_RECOVERY, failures * MINUTE);
        expect_next(queue, failures * MINUTE, "shop/web", TT_TRIGGER_RECOVERY);
        tt_queue_done(queue, "shop/web", true, failures * MINUTE);
        assert_true(tt_queue_read(queue, "shop/web", failures * MINUTE, &seen));
        assert_int_equal(seen.failures, failures);
    }
    expect_next(queue, 4 * MINUTE, "shop/web", TT_TRIGGER_RECOVERY);
    tt_queue_go_on(queue, "shop/web", TT_TRIGGER_RECOVERY, 4 * MINUTE);
    expect_next(queue, 4 * MINUTE, "shop/web", TT_TRIGGER_RECOVERY);
    tt_queue_done(queue, "shop/web", false, 4 * MINUTE);
    assert_true(tt_queue_read(queue, "shop/web", 4 * MINUTE, &seen));
    assert_int_equal(seen.failures, 0);
    tt_queue_free(queue);
}

static void a_clock_set_back_delays_nothing(void **state)
{
    const tt_time year = INT64_C(365) * 24 * 3600 * SECOND;
    struct tt_queue *queue = tt_queue_new(&calm);

    (void)state;
    tt_queue_add(queue, "a", TT_TRIGGER_PUSH, year);
    expect_next(queue, year, "a", TT_TRIGGER_PUSH);
    tt_queue_done(queue, "a", true, year);
    tt_queue_add(queue, "b", TT_TRIGGER_PUSH, year);
    expect_next(queue, 1000, "b", TT_TRIGGER_PUSH);
    assert_true(tt_queue_wake(queue) == 1000 + 10 * SECOND);
    expect_next(queue, 1000 + 10 * SECOND - 1, NULL, 0);
    expect_next(queue, 1000 + 10 * SECOND, "a", TT_TRIGGER_PUSH);
    tt_queue_free(queue);
}

static void removal_and_pause(void **state)
{
    struct tt_queue *queue = tt_queue_new(&calm);
    struct tt_queue_state at;

    (void)state;
    tt_queue_add(queue, "a", TT_TRIGGER_PUSH, 0);
    tt_queue_add(queue, "b", TT_TRIGGER_PUSH, 0);
    tt_queue_pause(queue, "b", true);
    expect_next(queue, 0, "a", TT_TRIGGER_PUSH);
    expect_next(queue, 0, NULL, 0);
    tt_queue_remove(queue, "a"); /* runs: goes at the end */
    tt_queue_trigger(queue, "a", TT_TRIGGER_PUSH, 1);
    tt_queue_done(queue, "a", false, 2);
    assert_false(tt_queue_read(queue, "a", 2, &at));
    tt_queue_trigger(queue, "b", TT_TRIGGER_ASKED, 3);
    expect_next(queue, 3, NULL, 0);
    tt_queue_pause(queue, "b", false);
    expect_next(queue, 3, "b", TT_TRIGGER_PUSH | TT_TRIGGER_ASKED);
    tt_queue_done(queue, "b", false, 4);
    tt_queue_remove(queue, "b");
    tt_queue_remove(queue, "b");
    assert_int_equal(tt_queue_count(queue), 0);
    tt_queue_free(queue);
}

/* --- a week ------------------------------------------------------------------------------------
 */

#define DEPLOYMENTS 1000
#define LIMIT       8
#define RUN         (500 * (tt_time)1)

struct week {
    struct tt_queue *queue;
    tt_time ends[LIMIT];
    char *runs[LIMIT]; /* keys; NULL: free */
    long done, failed;
    tt_time last[DEPLOYMENTS], longest; /* between two runs of one that works */
};

static int number_of(const char *key)
{
    return atoi(key + 2);
}

static void end_runs(struct week *week, tt_time now)
{
    for (int i = 0; i < LIMIT; i++) {
        int number;

        if (!week->runs[i] || week->ends[i] > now)
            continue;
        number = number_of(week->runs[i]);
        tt_queue_done(week->queue, week->runs[i], number % 100 == 0, now);
        if (number % 100 == 0) {
            week->failed++;
        } else {
            if (now - week->last[number] > week->longest)
                week->longest = now - week->last[number];
            week->last[number] = now;
            week->done++;
        }
        free(week->runs[i]);
        week->runs[i] = NULL;
    }
}

static void start_runs(struct week *week, tt_time now)
{
    unsigned triggers;
    const char *key;

    while ((key = tt_queue_next(week->queue, now, &triggers))) {
        int slot = 0;

        while (week->runs[slot])
            assert_in_range(++slot, 0, LIMIT - 1);
        for (int i = 0; i < LIMIT; i++)
            assert_false(week->runs[i] && strcmp(week->runs[i], key) == 0);
        week->runs[slot] = strdup(key);
        week->ends[slot] = now + RUN;
    }
}

static tt_time next_moment(const struct week *week)
{
    tt_time next = tt_queue_wake(week->queue);

    for (int i = 0; i < LIMIT; i++)
        if (week->runs[i] && (next == TT_TIME_UNKNOWN || week->ends[i] < next))
            next = week->ends[i];
    return next;
}

static void a_week(void **state)
{
    struct week week = {0};
    struct tt_queue_options options = {.limit = LIMIT,
                                       .check = 10 * MINUTE,
                                       .backoff = 10 * SECOND,
                                       .longest_backoff = 10 * MINUTE,
                                       .jitter = 10,
                                       .seed = 42};
    tt_time now = 0, end = 7 * 24 * 60 * MINUTE;
    size_t used = 0;
    bool measured = false;
    char key[32];

    (void)state;
    week.queue = tt_queue_new(&options);
    for (int i = 0; i < DEPLOYMENTS; i++) {
        snprintf(key, sizeof(key), "r/%d", i);
        tt_queue_add(week.queue, key, TT_TRIGGER_PUSH, 0);
    }
    while (now < end) {
        end_runs(&week, now);
        start_runs(&week, now);
        if (!measured && now > 60 * MINUTE) {
            used = mallinfo2().uordblks;
            measured = true;
        }
        now = next_moment(&week);
    }
    /* nobody who works waits longer than the interval, its jitter and the turn of the others */
    assert_true(week.longest < 13 * MINUTE);
    assert_true(week.done > 990L * 7 * 24 * 5);
    /* those that fail try on, no more often than the longest wait */
    assert_true(week.failed > 10L * 7 * 24 * 5 && week.failed < 10L * 7 * 24 * 8);
    assert_true(mallinfo2().uordblks <= used + 4096);
    tt_queue_free(week.queue);
    for (int i = 0; i < LIMIT; i++)
        free(week.runs[i]);
}

static void first_checks_are_spread(void **state)
{
    struct tt_queue_options options = calm;
    struct tt_queue *queue;
    char key[32];
    size_t half;

    (void)state;
    options.check = 10 * MINUTE;
    queue = tt_queue_new(&options);
    for (int i = 0; i < DEPLOYMENTS; i++) {
        snprintf(key, sizeof(key), "r/%d", i);
        tt_queue_add(queue, key, 0, 0);
    }
    half = tt_queue_waiting(queue, 5 * MINUTE);
    assert_true(half > 400 && half < 600);
    assert_int_equal(tt_queue_waiting(queue, 10 * MINUTE), DEPLOYMENTS);
    /* a shorter interval counts at once */
    options.check = MINUTE;
    tt_queue_set_options(queue, &options, 0);
    assert_int_equal(tt_queue_waiting(queue, MINUTE), DEPLOYMENTS);
    tt_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triggers_merge),
        cmocka_unit_test(limit_and_order),
        cmocka_unit_test(put_off_is_no_failure),
        cmocka_unit_test(failing_backs_off),
        cmocka_unit_test(a_reminder_shortens_no_back_off),
        cmocka_unit_test(a_first_part_forgets_no_failure),
        cmocka_unit_test(a_clock_set_back_delays_nothing),
        cmocka_unit_test(removal_and_pause),
        cmocka_unit_test(first_checks_are_spread),
        cmocka_unit_test(a_week),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
