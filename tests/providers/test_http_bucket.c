/*
 * The bucket: its rate, its burst, its floor.
 * Covers providers/http/bucket.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "providers/http/bucket.h"
#include "tests/providers/support/jumping.h"

static void test_bucket_holds_the_rate(void **state)
{
    struct jumping jumping;
    struct tt_bucket bucket;
    tt_time began;

    (void)state;
    jumping_init(&jumping);
    began = jumping.now;
    tt_bucket_init(&bucket, &jumping.clock, 5, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(tt_bucket_take(&bucket), 0);
    for (int i = 0; i < 50; i++)
        tt_bucket_take(&bucket);
    assert_true(jumping.now - began >= 10000 && jumping.now - began < 10500);
    for (int i = 0; i < 30; i++)
        tt_bucket_throttled(&bucket);
    assert_true(tt_bucket_rate(&bucket) > 0.1);
    jumping.now -= 3600000; /* a clock that was set back fills and drains nothing */
    assert_true(tt_bucket_take(&bucket) < 60000);
    tt_bucket_release(&bucket);
    jumping_release(&jumping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bucket_holds_the_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
