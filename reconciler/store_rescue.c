/*
 * When the store cannot be used and the user wants to go on: a damaged file is set aside, to be
 * looked at by a person, and a store in memory takes the place of one that cannot be written.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "reconciler/store_db.h"

bool tt_store_is_damage(const struct tt_error *err)
{
    return strcmp(err->code, TT_STORE_DAMAGED) == 0;
}

static int check(struct tt_store *store, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    const char *verdict;

    if (tt_store_prepare(store, &statement, err, "PRAGMA quick_check(1)", "") < 0 ||
        tt_store_step(store, statement, err) < 0)
        return -1;
    verdict = (const char *)sqlite3_column_text(statement, 0);
    return tt_streq(verdict, "ok") ? 0 : tt_store_fail_damaged(store, verdict, err);
}

int tt_store_check(struct tt_store *store, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = check(store, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* Its log goes with it: together they may still tell a person something. */
static int move(struct tt_arena *arena, const char *folder, const char *name, const char *suffix,
                struct tt_error *err)
{
    const char *from = tt_printf(arena, "%s/%s", folder, name);

    if (rename(from, tt_printf(arena, "%s.%s", from, suffix)) < 0 && errno != ENOENT)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot set the damaged store %s aside", from);
    return 0;
}

int tt_store_set_aside(const char *folder, tt_time now, struct tt_arena *arena,
                       const char **ret_kept, struct tt_error *err)
{
    const char *suffix =
        tt_printf(arena, "damaged-%s-%lld", tt_time_format(arena, now), (long long)getpid());

    if (move(arena, folder, "store.db", suffix, err) < 0 ||
        move(arena, folder, "store.db-wal", suffix, err) < 0)
        return -1;
    unlink(tt_printf(arena, "%s/store.db-shm", folder));
    *ret_kept = tt_printf(arena, "%s/store.db.%s", folder, suffix);
    return 0;
}
