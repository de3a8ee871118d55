/*
 * Zones: even shares with the fewest moves, against an exhaustive search over all even shares.
 */
#include "reconciler/planner/zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ZONES 4

static int moves_of(const struct tt_zone_share *items, size_t count, const int *targets)
{
    int moves = 0;

    for (size_t i = 0; i < count; i++)
        if (items[i].available && items[i].kept > targets[i])
            moves += items[i].kept - targets[i];
    return moves;
}

/* The fewest moves over every way to give the larger share. */
static int fewest_moves(const struct tt_zone_share *items, size_t count, int servers)
{
    int available = 0, fewest = 1000;

    for (size_t i = 0; i < count; i++)
        available += items[i].available;
    for (unsigned larger = 0; larger < 1u << count; larger++) {
        int targets[ZONES] = {0};
        int sum = 0, moves;

        for (size_t i = 0; i < count; i++) {
            targets[i] = items[i].available ? servers / available + (int)(larger >> i & 1) : 0;
            sum += targets[i];
        }
        moves = moves_of(items, count, targets);
        if (sum == servers && moves < fewest)
            fewest = moves;
    }
    return fewest;
}

static void check(struct tt_zone_share *items, size_t count, int servers)
{
    struct tt_zone_shares shares = {.items = items, .count = count, .capacity = count};
    int targets[ZONES] = {0};
    int sum = 0, least = 1000, most = 0;

    tt_zones_spread(&shares, servers);
    for (size_t i = 0; i < count; i++) {
        if (!items[i].available)
            continue;
        targets[i] = items[i].target;
        sum += targets[i];
        least = targets[i] < least ? targets[i] : least;
        most = targets[i] > most ? targets[i] : most;
    }
    assert_int_equal(sum, servers);
    assert_true(most - least <= 1);
    assert_int_equal(moves_of(items, count, targets), fewest_moves(items, count, servers));
}

static void test_fewest_moves(void **state)
{
    static const char *const names[ZONES] = {"a", "b", "c", "d"};
    const int most = 5;

    (void)state;
    for (int code = 0; code < most * most * most * most * 8; code++) {
        struct tt_zone_share items[ZONES] = {0};
        int rest = code, kept = 0;

        for (size_t i = 0; i < ZONES; i++) {
            items[i] = (struct tt_zone_share){
                .name = names[i], .available = i < 3 || code % 2, .kept = rest % most};
            kept += items[i].available ? items[i].kept : 0;
            rest /= most;
        }
        check(items, ZONES, kept + rest / 2);
    }
}

static void test_take_prefers_the_own_zone(void **state)
{
    struct tt_zone_share items[] = {
        {.name = "a", .available = true, .target = 2},
        {.name = "b", .available = true, .target = 1},
        {.name = "c", .available = false},
    };
    struct tt_zone_shares shares = {.items = items, .count = 3, .capacity = 3};

    (void)state;
    assert_string_equal(tt_zones_take(&shares, "b"), "b");
    assert_string_equal(tt_zones_take(&shares, "b"), "a");
    assert_string_equal(tt_zones_take(&shares, "c"), "a");
}

static void test_no_zone_is_available(void **state)
{
    struct tt_zone_share items[] = {{.name = "a", .available = false}};
    struct tt_zone_shares shares = {.items = items, .count = 1, .capacity = 1};

    (void)state;
    tt_zones_spread(&shares, 3);
    assert_null(tt_zones_take(&shares, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fewest_moves),
        cmocka_unit_test(test_take_prefers_the_own_zone),
        cmocka_unit_test(test_no_zone_is_available),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
