/*
 * Store fixture: made before a test, and removed after it whatever the test did to the folder.
 */
#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

int store_setup(void **state)
{
    struct store_fixture *f = calloc(1, sizeof(*f));

    snprintf(f->folder, sizeof(f->folder), "/tmp/tt-store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->file = tt_printf(&f->arena, "%s/store.db", f->folder);
    tt_strings_add(&f->arena, &f->one, "storefront");
    *state = f;
    return 0;
}

int store_teardown(void **state)
{
    struct store_fixture *f = *state;

    tt_store_close(f->store);
    chmod(f->folder, 0700);
    assert_int_equal(tt_remove_tree(f->folder, NULL), 0);
    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

void store_open(struct store_fixture *f)
{
    if (tt_store_open(f->folder, &f->store, &f->err) < 0)
        fail_msg("%s", f->err.message);
}
