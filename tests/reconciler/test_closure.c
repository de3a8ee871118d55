/*
 * Closure against brute force: every subset of small random graphs.
 */
#include "reconciler/planner/closure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NODES 12
#define CASES 3000

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static long weight_of(unsigned set, const int *weights, size_t count)
{
    long sum = 0;

    for (size_t i = 0; i < count; i++)
        if (set & (1u << i))
            sum += weights[i];
    return sum;
}

static bool is_closed(unsigned set, const struct tt_indices *needs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (set & (1u << i))
            TT_EACH (need, &needs[i])
                if (!(set & (1u << *need)))
                    return false;
    return true;
}

static long missed_by(unsigned set, const struct tt_indices *misses, size_t count)
{
    long sum = 0;

    for (size_t i = 0; i < count; i++)
        if (set & (1u << i))
            TT_EACH (miss, &misses[i])
                sum += !(set & (1u << *miss));
    return sum;
}

static long by_brute_force(const int *weights, const struct tt_indices *needs,
                           const struct tt_indices *misses, size_t count)
{
    long least = 0;

    for (unsigned set = 0; set < 1u << count; set++) {
        long weight = weight_of(set, weights, count) + missed_by(set, misses, count);

        if (weight < least && is_closed(set, needs, count))
            least = weight;
    }
    return least;
}

/* With MISSING, some nodes are missed, too: by any other, whether earlier or later. */
static void compare(uint32_t random, bool missing)
{
    for (int i = 0; i < CASES; i++) {
        size_t count = 1 + next_random(&random) % NODES;
        int weights[NODES];
        struct tt_indices needs[NODES] = {0}, misses[NODES] = {0};
        bool inside[NODES];
        struct tt_arena arena;
        unsigned set = 0;
        long least;

        tt_arena_init(&arena);
        for (size_t node = 0; node < count; node++) {
            weights[node] = (int)(next_random(&random) % 7) - 3;
            for (size_t other = 0; other < node; other++)
                if (next_random(&random) % 4 == 0)
                    *TT_VEC_ADD(&arena, &needs[node]) = (int)other;
            if (missing && next_random(&random) % 2)
                *TT_VEC_ADD(&arena, &misses[node]) = (int)(next_random(&random) % count);
        }
        least = tt_closure_least(&arena, count, weights, needs, missing ? misses : NULL, inside);
        assert_int_equal(least, by_brute_force(weights, needs, misses, count));
        for (size_t node = 0; node < count; node++)
            set |= (unsigned)inside[node] << node;
        assert_true(is_closed(set, needs, count));
        assert_int_equal(weight_of(set, weights, count) + missed_by(set, misses, count), least);
        tt_arena_release(&arena);
    }
}

static void test_random_graphs(void **state)
{
    (void)state;
    compare(20261123, false);
}

static void test_random_graphs_that_miss(void **state)
{
    (void)state;
    compare(20261130, true);
}

/* A withdraw (1) without its enroll (0) takes nothing, with it what it brought. */
static void test_nothing_is_taken_that_never_came(void **state)
{
    struct tt_indices needs[3] = {0}, misses[3] = {0};
    int weights[3] = {1, -1, -1};
    struct tt_arena arena;
    bool inside[3];

    (void)state;
    tt_arena_init(&arena);
    *TT_VEC_ADD(&arena, &misses[1]) = 0;
    assert_int_equal(tt_closure_least(&arena, 2, weights, needs, misses, inside), 0);
    assert_false(inside[1]);
    assert_int_equal(tt_closure_least(&arena, 2, weights, needs, NULL, NULL), -1);
    *TT_VEC_ADD(&arena, &needs[2]) = 1; /* one that leaves after it counts alone */
    assert_int_equal(tt_closure_least(&arena, 3, weights, needs, misses, inside), -1);
    assert_true(inside[1] && inside[2] && !inside[0]);
    tt_arena_release(&arena);
}

static void test_nothing_is_empty(void **state)
{
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena);
    assert_int_equal(tt_closure_least(&arena, 0, NULL, NULL, NULL, NULL), 0);
    tt_arena_release(&arena);
}

/* A hundred thousand steps in a row neither overflow a stack nor take forever. */
static void test_long_chain(void **state)
{
    const size_t count = 100000;
    struct tt_indices *needs;
    struct tt_arena arena;
    int *weights;

    (void)state;
    tt_arena_init(&arena);
    weights = TT_NEW_ARRAY(&arena, count, int);
    needs = TT_NEW_ARRAY(&arena, count, struct tt_indices);
    for (size_t i = 0; i < count; i++) {
        weights[i] = i % 2 ? -1 : 1;
        if (i)
            *TT_VEC_ADD(&arena, &needs[i]) = (int)i - 1;
    }
    assert_int_equal(tt_closure_least(&arena, count, weights, needs, NULL, NULL), 0);
    weights[count - 1] = -3;
    assert_int_equal(tt_closure_least(&arena, count, weights, needs, NULL, NULL), -2);
    tt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_empty),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_random_graphs_that_miss),
        cmocka_unit_test(test_nothing_is_taken_that_never_came),
        cmocka_unit_test(test_long_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
