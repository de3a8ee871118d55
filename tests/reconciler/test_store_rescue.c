/*
 * Covers reconciler/store_rescue.c: a store that is damaged, and one in memory instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "reconciler/store.h"
#include "support/store_fixture.h"

#define HOUR (INT64_C(3600) * 1000)

static void a_damaged_file_says_the_way_out(void **state)
{
    struct store_fixture *f = *state;
    const char *garbage = "this is no database, and long enough to be taken for one: 0123456789";
    const char *kept;
    char *text;

    assert_int_equal(tt_file_write(f->file, garbage, strlen(garbage), 0600, NULL), 0);
    assert_int_equal(tt_store_open(f->folder, &f->store, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_INTERNAL);
    assert_non_null(strstr(f->err.message, f->file));
    assert_non_null(strstr(f->err.message, "apply --without-store"));
    assert_true(tt_store_is_damage(&f->err));
    /* what that does: the file is kept as it is, and another takes its place */
    assert_int_equal(tt_store_set_aside(f->folder, 1000, &f->arena, &kept, &f->err), 0);
    assert_int_equal(tt_file_read(&f->arena, kept, 1000, &text, NULL, NULL), 0);
    assert_string_equal(text, garbage);
    store_open(f);
    assert_int_equal(tt_store_check(f->store, &f->err), 0);
}

static void a_store_in_memory_does_all_but_last(void **state)
{
    struct store_fixture *f = *state;
    struct tt_run_record record = {.command = "apply"};
    struct tt_step step = {.action = TT_STEP_CREATE_SERVER,
                           .subject = {TT_SUBJECT_SERVICE, "storefront", "web", 0}};
    int64_t token, run, intent;

    assert_int_equal(tt_store_open_memory(&f->store, &f->err), 0);
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 1000, HOUR, &token, &f->err), 0);
    assert_int_equal(tt_store_begin_run(f->store, &record, NULL, &run, &f->err), 0);
    assert_int_equal(tt_store_intent(f->store,
                                     &(struct tt_intent){.run = run, .what = &step, .lock = token},
                                     1, &intent, &f->err),
                     0);
    assert_int_equal(tt_store_unlock(f->store, token, &f->err), 0);
    tt_store_close(f->store);
    f->store = NULL;
    assert_int_equal(access(f->file, F_OK), -1);
}

static void a_file_damaged_inside_is_reported(void **state)
{
    struct store_fixture *f = *state;
    struct tt_memory memory;
    char garbage[4096];
    struct stat st;
    int fd;

    store_open(f);
    tt_store_close(f->store);
    f->store = NULL;
    fd = open(f->file, O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    memset(garbage, 0x5a, sizeof(garbage));
    for (off_t at = 4096; at < st.st_size; at += 4096)
        assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at), sizeof(garbage));
    close(fd);
    if (tt_store_open(f->folder, &f->store, &f->err) == 0) {
        assert_int_equal(tt_store_check(f->store, &f->err), -1);
        assert_true(tt_store_is_damage(&f->err));
        assert_int_equal(tt_store_load_memory(f->store, &f->arena, 0, &memory, &f->err), -1);
    }
    assert_non_null(strstr(f->err.message, "is damaged"));
    assert_non_null(strstr(f->err.message, "--without-store"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_damaged_file_says_the_way_out),
        TEST(a_file_damaged_inside_is_reported),
        TEST(a_store_in_memory_does_all_but_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
