/*
 * A store in a folder of its own, for a test.
 */
#ifndef TT_TESTS_STORE_FIXTURE_H
#define TT_TESTS_STORE_FIXTURE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "reconciler/store.h"

struct store_fixture {
    struct tt_arena arena;
    char folder[64];
    char *file;             /* where the store is, once it was opened */
    struct tt_store *store; /* NULL: not open */
    struct tt_error err;
    struct tt_strings one; /* a deployment */
};

/* For cmocka: the folder, without a store in it; and its end. */
int store_setup(void **state);
int store_teardown(void **state);

/* Fails the test when it cannot be opened. */
void store_open(struct store_fixture *f);

#endif
