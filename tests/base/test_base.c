/*
 * Covers base/: words, maps, vectors, times and errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

static void the_nearest_word_is_found(void **state)
{
    static const char *const words[] = {"balancers", "placements", "health", NULL};

    (void)state;
    assert_string_equal(tt_nearest("balancer", words), "balancers");
    assert_string_equal(tt_nearest("helath", words), "health");
    assert_null(tt_nearest("colour", words));
}

static void labels_are_checked(void **state)
{
    (void)state;
    assert_true(tt_is_dns_label("web-1"));
    assert_false(tt_is_dns_label("-web"));
    assert_false(tt_is_dns_label("web-"));
    assert_false(tt_is_dns_label("Web"));
    assert_false(tt_is_dns_label(""));
    assert_false(
        tt_is_dns_label("a234567890123456789012345678901234567890123456789012345678901234"));
}

static void a_map_keeps_what_it_was_given(void **state)
{
    struct tt_arena arena;
    struct tt_map map;

    (void)state;
    tt_arena_init(&arena);
    tt_map_init(&map, &arena);
    assert_null(tt_map_get(&map, "k0"));
    for (int i = 0; i < 1000; i++)
        assert_null(tt_map_put(&map, tt_printf(&arena, "k%d", i), tt_printf(&arena, "v%d", i)));
    for (int i = 0; i < 1000; i++)
        assert_string_equal(tt_map_get(&map, tt_printf(&arena, "k%d", i)),
                            tt_printf(&arena, "v%d", i));
    assert_string_equal(tt_map_put(&map, "k7", tt_strdup(&arena, "new")), "v7");
    assert_string_equal(tt_map_get(&map, "k7"), "new");
    assert_int_equal(map.count, 1000);
    tt_arena_release(&arena);
}

static void a_vector_grows_in_order(void **state)
{
    TT_VEC(int) numbers = {0};
    struct tt_arena arena;
    int expected = 0;

    (void)state;
    tt_arena_init(&arena);
    TT_EACH (number, &numbers)
        fail_msg("an empty vector has %d", *number);
    for (int i = 0; i < 1000; i++)
        *TT_VEC_ADD(&arena, &numbers) = i;
    TT_EACH (number, &numbers)
        assert_int_equal(*number, expected++);
    assert_int_equal(expected, 1000);
    tt_arena_release(&arena);
}

static void times_are_read_and_written(void **state)
{
    struct tt_arena arena;
    tt_time time, other;

    (void)state;
    tt_arena_init(&arena);
    assert_int_equal(tt_time_parse("2024-02-29T23:59:59Z", &time), 0);
    assert_string_equal(tt_time_format(&arena, time), "2024-02-29T23:59:59Z");
    assert_int_equal(tt_time_parse("2024-03-01T01:59:59.500+02:00", &other), 0);
    assert_int_equal(other - time, 500);
    assert_int_equal(tt_time_parse("2024-03-01T01:59:59+0200", &other), 0);
    assert_int_equal(other, time);
    assert_int_equal(tt_time_parse("2024-03-01T01:59:59+02", &other), -1);
    assert_int_equal(tt_time_parse("2024-13-01T00:00:00Z", &time), -1);
    assert_int_equal(tt_time_parse("2024-01-01", &time), -1);
    assert_int_equal(tt_time_parse("", &time), -1);
    tt_arena_release(&arena);
}

static void durations_are_read_and_written(void **state)
{
    struct tt_arena arena;
    tt_time duration;

    (void)state;
    tt_arena_init(&arena);
    assert_int_equal(tt_duration_parse("90s", &duration), 0);
    assert_string_equal(tt_duration_format(&arena, duration), "90s");
    assert_int_equal(tt_duration_parse("60s", &duration), 0);
    assert_string_equal(tt_duration_format(&arena, duration), "1m");
    assert_string_equal(tt_duration_format(&arena, 0), "0s");
    assert_int_equal(tt_duration_parse("250ms", &duration), 0);
    assert_int_equal(duration, 250);
    assert_int_equal(tt_duration_parse("-1s", &duration), -1);
    assert_int_equal(tt_duration_parse("1 s", &duration), -1);
    assert_int_equal(tt_duration_parse("99999999999999999999s", &duration), -1);
    assert_int_equal(tt_duration_parse("31d", &duration), -1);
    tt_arena_release(&arena);
}

static void errors_gather_context(void **state)
{
    char long_text[4000];
    struct tt_error err = {0};

    (void)state;
    assert_int_equal(tt_fail(&err, TT_ERR_THROTTLED, "%s", "too fast"), -1);
    tt_wrap(&err, "server %d", 3);
    assert_string_equal(err.message, "server 3: too fast");
    assert_true(tt_error_is_retryable(&err));
    assert_string_equal(tt_error_class_name(err.class), "throttled");
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    tt_wrap(&err, "%s", long_text);
    assert_true(strlen(err.message) < sizeof(err.message));
    assert_int_equal(tt_fail(NULL, TT_ERR_SPEC, "nobody listens"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(labels_are_checked),
        cmocka_unit_test(a_map_keeps_what_it_was_given),
        cmocka_unit_test(a_vector_grows_in_order),
        cmocka_unit_test(times_are_read_and_written),
        cmocka_unit_test(durations_are_read_and_written),
        cmocka_unit_test(errors_gather_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
