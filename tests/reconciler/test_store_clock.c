/*
 * Covers reconciler/store_locks.c, store_memory.c and store_journal.c under a wall clock that is
 * set: leases, recoveries and intents of this boot of the host grow old by its steady clock, those
 * of another by the wall clock within bounds; and an intent without its lock is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "reconciler/store.h"

#define LEASE 60000
#define HOUR  (INT64_C(3600) * 1000)
#define YEAR  (365 * 24 * HOUR)
#define NOW   (INT64_C(1800000000) * 1000)

struct fixture {
    struct tt_arena arena;
    char folder[64];
    struct tt_store *store;
    struct tt_error err;
    struct tt_strings one; /* a deployment */
    tt_time now, steady;
    struct tt_clock clock;
};

static tt_time now_of(void *self)
{
    return ((struct fixture *)self)->now;
}

static tt_time steady_of(void *self)
{
    return ((struct fixture *)self)->steady;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->folder, sizeof(f->folder), "/tmp/tt-store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    tt_strings_add(&f->arena, &f->one, "storefront");
    f->now = NOW;
    f->steady = 1000;
    f->clock = (struct tt_clock){.now = now_of, .steady = steady_of, .self = f};
    assert_int_equal(tt_store_open(f->folder, &f->store, &f->err), 0);
    tt_store_use_clock(f->store, &f->clock);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tt_store_close(f->store);
    assert_int_equal(tt_remove_tree(f->folder, NULL), 0);
    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

/* Past our own code: as if another host, or an earlier boot of this one, had written. */
static void execute(struct fixture *f, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(tt_printf(&f->arena, "%s/store.db", f->folder), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int take(struct fixture *f, int64_t *ret_token)
{
    f->err = (struct tt_error){0};
    return tt_store_lock(f->store, &f->one, "apply", f->now, LEASE, ret_token, &f->err);
}

static void a_lease_lasts_as_long_whatever_the_clock_says(void **state)
{
    struct fixture *f = *state;
    int64_t token, other;

    assert_int_equal(take(f, &token), 0);
    f->now += YEAR; /* set ahead: nobody takes it away */
    assert_int_equal(take(f, &other), -1);
    f->now -= 2 * YEAR; /* set back: nobody waits for years */
    f->steady += LEASE - 1;
    assert_int_equal(take(f, &other), -1);
    f->steady += 1;
    assert_int_equal(take(f, &other), 0);
}

static void a_renewed_lease_lasts_from_then(void **state)
{
    struct fixture *f = *state;
    int64_t token, other;

    assert_int_equal(take(f, &token), 0);
    f->steady += LEASE - 1;
    assert_int_equal(tt_store_renew(f->store, token, f->now - YEAR, LEASE, &f->err), 0);
    f->steady += LEASE - 1;
    assert_int_equal(take(f, &other), -1);
    f->steady += 1;
    assert_int_equal(take(f, &other), 0);
}

static void a_lease_of_a_wrong_clock_is_cut(void **state)
{
    struct fixture *f = *state;
    int64_t token;

    assert_int_equal(take(f, &token), 0);
    execute(f, "UPDATE locks SET host = 'elsewhere', boot = 'another', "
               "expires = expires + 31536000000");
    assert_int_equal(take(f, &token), -1);
    f->now += LEASE - 1;
    assert_int_equal(take(f, &token), -1);
    f->now += 1;
    assert_int_equal(take(f, &token), 0);
}

static void an_intent_needs_its_lock(void **state)
{
    struct fixture *f = *state;
    struct tt_step step = {.action = TT_STEP_CREATE_SERVER,
                           .subject = {TT_SUBJECT_SERVICE, "storefront", "web", 0}};
    struct tt_intent intent = {.run = 1, .what = &step};
    int64_t other, id;

    assert_int_equal(take(f, &intent.lock), 0);
    assert_int_equal(tt_store_intent(f->store, &intent, f->now, &id, &f->err), 0);
    f->steady += LEASE; /* run out, and nobody has it: no harm */
    assert_int_equal(tt_store_intent(f->store, &intent, f->now, &id, &f->err), 0);
    assert_int_equal(tt_store_check_lock(f->store, intent.lock, &f->err), 0);
    assert_int_equal(take(f, &other), 0);
    assert_int_equal(tt_store_intent(f->store, &intent, f->now, &id, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_CONFLICT);
    assert_int_equal(tt_store_check_lock(f->store, intent.lock, &f->err), -1);
    assert_int_equal(tt_store_check_lock(f->store, other, &f->err), 0);
}

static tt_time time_of_intent(struct fixture *f)
{
    tt_open_intents open = {0};

    assert_int_equal(tt_store_read_open(f->store, &f->arena, &f->one, &open, &f->err), 0);
    assert_int_equal(open.count, 1);
    return open.items[0].at;
}

static void an_intent_is_as_old_as_the_steady_clock_says(void **state)
{
    struct fixture *f = *state;
    struct tt_step step = {.action = TT_STEP_CREATE_SERVER,
                           .subject = {TT_SUBJECT_SERVICE, "storefront", "web", 0}};
    struct tt_intent intent = {.run = 1, .what = &step};
    int64_t id;

    assert_int_equal(tt_store_intent(f->store, &intent, f->now, &id, &f->err), 0);
    f->steady += 5000;
    f->now -= YEAR;
    assert_int_equal(time_of_intent(f), f->now - 5000);
    execute(f, "UPDATE journal SET boot = 'another'");
    assert_int_equal(time_of_intent(f), NOW);
}

static size_t count_recoveries(struct fixture *f)
{
    struct tt_memory memory = {0};

    assert_int_equal(tt_store_load_memory(f->store, &f->arena, f->now, &memory, &f->err), 0);
    return memory.recoveries.count;
}

static void add_recovery(struct fixture *f)
{
    const struct tt_recovery recovery = {"storefront", "edge", f->now};

    assert_int_equal(tt_store_add_recovery(f->store, &recovery, &f->err), 0);
}

static void a_recovery_counts_for_an_hour_whatever_the_clock_says(void **state)
{
    struct fixture *f = *state;

    add_recovery(f);
    f->now += YEAR;
    add_recovery(f);
    f->now -= 2 * YEAR;
    add_recovery(f);
    assert_int_equal(count_recoveries(f), 3);
    f->steady += HOUR - 1;
    assert_int_equal(count_recoveries(f), 3);
    f->steady += 1;
    assert_int_equal(count_recoveries(f), 0);
}

/* Written before the host started again with a clock that was set back meanwhile. */
static void a_recovery_of_the_future_counts_from_now_on(void **state)
{
    struct fixture *f = *state;

    add_recovery(f);
    execute(f, "UPDATE recoveries SET boot = 'another', at = at + 31536000000");
    assert_int_equal(count_recoveries(f), 1);
    f->now += HOUR - 1;
    assert_int_equal(count_recoveries(f), 1);
    f->now += 1;
    assert_int_equal(count_recoveries(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lease_lasts_as_long_whatever_the_clock_says),
        TEST(a_renewed_lease_lasts_from_then),
        TEST(a_lease_of_a_wrong_clock_is_cut),
        TEST(an_intent_needs_its_lock),
        TEST(an_intent_is_as_old_as_the_steady_clock_says),
        TEST(a_recovery_counts_for_an_hour_whatever_the_clock_says),
        TEST(a_recovery_of_the_future_counts_from_now_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
