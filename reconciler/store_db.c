/*
 * Statements, transactions and errors of the store.
 *
 * Every write is one transaction that begins IMMEDIATE, so that two processes wait for each other
 * at its beginning, where SQLite's busy timeout covers it, and never in the middle.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/store_db.h"

int tt_store_fail_damaged(const struct tt_store *store, const char *how, struct tt_error *err)
{
    tt_fail(err, TT_ERR_INTERNAL,
            "the store %s is damaged (%s); it holds only history: trimtab apply --without-store "
            "sets it aside and goes on with a new one",
            store->path, how);
    if (err)
        snprintf(err->code, sizeof(err->code), "%s", TT_STORE_DAMAGED);
    return -1;
}

static bool is_full(int code, int number)
{
    return (code & 0xff) == SQLITE_FULL ||
           ((code & 0xff) == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT ||
                                              number == EFBIG || code == SQLITE_IOERR_WRITE));
}

int tt_store_fail(struct tt_store *store, struct tt_error *err)
{
    int code = sqlite3_extended_errcode(store->db);
    int number = sqlite3_system_errno(store->db);

    if (is_full(code, number))
        return tt_fail(err, TT_ERR_INTERNAL,
                       "cannot write the store %s: the disk is full or a quota is reached; make "
                       "room and run the command again",
                       store->path);
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return tt_store_fail_damaged(store, sqlite3_errmsg(store->db), err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return tt_fail(err, TT_ERR_UNAVAILABLE,
                       "the store %s is in use by another process; try again", store->path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return tt_fail(err, TT_ERR_INTERNAL,
                       "cannot write the store %s: %s; check the permissions of the file and its "
                       "folder",
                       store->path, number ? strerror(number) : sqlite3_errmsg(store->db));
    default:
        return tt_fail(err, TT_ERR_INTERNAL, "the store %s failed: %s", store->path,
                       sqlite3_errmsg(store->db));
    }
}

int tt_store_exec(struct tt_store *store, const char *sql, struct tt_error *err)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return tt_store_fail(store, err);
    return 0;
}

void tt_store_finish(sqlite3_stmt **statement)
{
    if (!*statement)
        return;
    sqlite3_reset(*statement);
    sqlite3_clear_bindings(*statement);
    *statement = NULL;
}

void tt_store_forget_prepared(struct tt_store *store)
{
    for (size_t i = 0; i < store->prepared_count; i++)
        sqlite3_finalize(store->prepared[i].statement);
    free(store->prepared);
    store->prepared = NULL;
    store->prepared_count = 0;
}

const char *tt_store_text(struct tt_arena *arena, sqlite3_stmt *statement, int column)
{
    return tt_strdup(arena, (const char *)sqlite3_column_text(statement, column));
}

/* The analyzer does not see that our callers have begun ARGS. */
static int bind_all(sqlite3_stmt *statement, const char *format, va_list args)
{
    int result = SQLITE_OK;

    for (int i = 1; *format && result == SQLITE_OK; format++, i++) {
        if (*format == 'i') {
            int64_t number = va_arg(args, int64_t); /* NOLINT(clang-analyzer-valist.*) */

            result = sqlite3_bind_int64(statement, i, number);
        } else if (*format == 't') {
            tt_time time = va_arg(args, tt_time); /* NOLINT(clang-analyzer-valist.*) */

            result = time == TT_TIME_UNKNOWN ? sqlite3_bind_null(statement, i)
                                             : sqlite3_bind_int64(statement, i, time);
        } else {
            const char *text = va_arg(args, const char *); /* NOLINT(clang-analyzer-valist.*) */

            result = sqlite3_bind_text(statement, i, text, -1, SQLITE_TRANSIENT);
        }
    }
    return result;
}

/* The statement of SQL; NULL: it cannot be prepared. */
static sqlite3_stmt *find_prepared(struct tt_store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    struct tt_prepared *more;

    for (size_t i = 0; i < store->prepared_count; i++)
        if (store->prepared[i].sql == sql) {
            if (sqlite3_stmt_busy(store->prepared[i].statement))
                abort();
            return store->prepared[i].statement;
        }
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK)
        return NULL;
    more = realloc(store->prepared, (store->prepared_count + 1) * sizeof(*more));
    if (!more)
        abort();
    store->prepared = more;
    more[store->prepared_count++] = (struct tt_prepared){sql, statement};
    return statement;
}

static int prepare(struct tt_store *store, sqlite3_stmt **ret_statement, struct tt_error *err,
                   const char *sql, const char *format, va_list args)
{
    sqlite3_stmt *statement = find_prepared(store, sql);

    if (!statement || bind_all(statement, format, args) != SQLITE_OK)
        return tt_store_fail(store, err);
    *ret_statement = statement;
    return 0;
}

int tt_store_prepare(struct tt_store *store, sqlite3_stmt **ret_statement, struct tt_error *err,
                     const char *sql, const char *format, ...)
{
    va_list args;
    int result;

    va_start(args, format);
    result = prepare(store, ret_statement, err, sql, format, args);
    va_end(args);
    return result;
}

int tt_store_step(struct tt_store *store, sqlite3_stmt *statement, struct tt_error *err)
{
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        return tt_store_fail(store, err);
    }
}

int tt_store_run(struct tt_store *store, struct tt_error *err, const char *sql, const char *format,
                 ...)
{
    TT_STATEMENT_AUTO *statement = NULL;
    va_list args;
    int result;

    va_start(args, format);
    result = prepare(store, &statement, err, sql, format, args);
    va_end(args);
    if (result < 0)
        return -1;
    while ((result = tt_store_step(store, statement, err)) > 0)
        ;
    return result;
}

static int transact(struct tt_store *store,
                    int (*work)(struct tt_store *store, void *self, struct tt_error *err),
                    void *self, struct tt_error *err)
{
    if (tt_store_run(store, err, "BEGIN IMMEDIATE", "") < 0)
        return -1;
    if (work(store, self, err) == 0 && tt_store_run(store, err, "COMMIT", "") == 0)
        return 0;
    /* some errors have rolled back by themselves */
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

static int transact_lightly(struct tt_store *store,
                            int (*work)(struct tt_store *store, void *self, struct tt_error *err),
                            void *self, struct tt_error *err)
{
    int result;

    if (tt_store_exec(store, "PRAGMA synchronous = NORMAL", err) < 0)
        return -1;
    result = transact(store, work, self, err);
    if (tt_store_exec(store, "PRAGMA synchronous = FULL", result < 0 ? NULL : err) < 0)
        return -1;
    return result;
}

int tt_store_transact_lightly(struct tt_store *store,
                              int (*work)(struct tt_store *store, void *self, struct tt_error *err),
                              void *self, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = transact_lightly(store, work, self, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}

int tt_store_transact(struct tt_store *store,
                      int (*work)(struct tt_store *store, void *self, struct tt_error *err),
                      void *self, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = transact(store, work, self, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}
