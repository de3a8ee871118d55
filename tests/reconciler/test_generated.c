/*
 * Every law on some generated cases; ./dev prove runs as many as one likes. A case that fails is
 * shrunk and its seed printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/hunt.h"

#define CASES 4000

static void test_laws(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CASES; seed++)
        if (!tt_hunt_holds(seed)) {
            tt_hunt_report(seed);
            fail_msg("a law is broken by the case of seed %llu", (unsigned long long)seed);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_laws)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
