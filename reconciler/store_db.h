/*
 * The inside of the store: one SQLite connection, used by one thread at a time, and its errors.
 *
 *   store.c        opens, makes and checks the file
 *   store_db.c     statements, transactions, errors
 *   store_schema.c its tables, and how older ones become these
 *   store_runs.c   history, written
 *   store_history.c history, read
 *   store_held.c   plans that wait for approval
 *   store_journal.c the journal of intents
 *   store_applied.c the commits that were applied
 *   store_locks.c  locks of deployments
 *   store_memory.c the planner's memory
 *   store_rescue.c what to do when the file is damaged or cannot be written
 */
#ifndef TT_RECONCILER_STORE_DB_H
#define TT_RECONCILER_STORE_DB_H

#include <pthread.h>
#include <sqlite3.h>

#include "reconciler/process.h"
#include "reconciler/store.h"

/* A statement that was prepared once, and its SQL. */
struct tt_prepared {
    const char *sql;
    sqlite3_stmt *statement;
};

struct tt_store {
    sqlite3 *db;
    char *path;
    struct tt_arena arena;
    struct tt_process self; /* who has it open */
    const char *user;
    const struct tt_clock *clock; /* NULL: ages are told by the wall clock */
    pthread_mutex_t lock;
    struct tt_prepared *prepared;
    size_t prepared_count;
};

#define TT_STORE_DAMAGED "store-damaged" /* the code of such an error */

/* Reports what SQLite said last, with the file and the way out. */
int tt_store_fail(struct tt_store *store, struct tt_error *err);
int tt_store_fail_damaged(const struct tt_store *store, const char *how, struct tt_error *err);

/* Runs SQL without parameters. */
int tt_store_exec(struct tt_store *store, const char *sql, struct tt_error *err);

/* A statement under way, until it is finished; bound in one go: FORMAT has one letter for each
 * parameter, i (int64_t), t (tt_time, TT_TIME_UNKNOWN is SQL's NULL) or s (const char *, NULL is
 * SQL's). SQL is a literal, told from others
 * by its address, as it is prepared once for the life of the store; one statement of it is under
 * way at a time. */
int tt_store_prepare(struct tt_store *store, sqlite3_stmt **ret_statement, struct tt_error *err,
                     const char *sql, const char *format, ...);

/* A part of tt_store_load_memory: under the lock. */
int tt_store_load_told(struct tt_store *store, struct tt_arena *arena, tt_told_members *ret_told,
                       struct tt_error *err);
int tt_store_load_lent(struct tt_store *store, struct tt_arena *arena, tt_lent_members *ret_lent,
                       struct tt_error *err);

/* Parts of tt_store_intent and tt_store_outcome: in their transactions. INTENT 0: it was seen to be
 * so. */
int tt_store_lend(struct tt_store *store, const struct tt_lent_member *lent, int64_t intent,
                  tt_time now, struct tt_error *err);
int tt_store_have_lent(struct tt_store *store, int64_t intent, struct tt_error *err);

/* 1: a row, 0: the end, -1: an error. */
int tt_store_step(struct tt_store *store, sqlite3_stmt *statement, struct tt_error *err);

/* Prepares, runs to the end and finishes one statement that gives no rows. */
int tt_store_run(struct tt_store *store, struct tt_error *err, const char *sql, const char *format,
                 ...);

/* A whole transaction: takes the store's lock, begins (for writing), calls WORK and commits, or
 * rolls back when it fails. */
int tt_store_transact(struct tt_store *store,
                      int (*work)(struct tt_store *store, void *self, struct tt_error *err),
                      void *self, struct tt_error *err);

/* The same, but what it wrote is on the disk only with the next whole one: a crash of the host may
 * take it back, that of the process does not. */
int tt_store_transact_lightly(struct tt_store *store,
                              int (*work)(struct tt_store *store, void *self, struct tt_error *err),
                              void *self, struct tt_error *err);

void tt_store_finish(sqlite3_stmt **statement);

/* Before the connection is closed. */
void tt_store_forget_prepared(struct tt_store *store);

/* A column as text in ARENA; NULL where SQL has NULL. */
const char *tt_store_text(struct tt_arena *arena, sqlite3_stmt *statement, int column);

/* store_locks.c. Within a transaction. */
int tt_store_require_lock(struct tt_store *store, int64_t token, struct tt_error *err);

/* store_schema.c. Makes the tables of a new file and brings those of an older one up to date. */
int tt_store_check_schema(struct tt_store *store, struct tt_error *err);

#define TT_STATEMENT_AUTO __attribute__((cleanup(tt_store_finish))) sqlite3_stmt

#endif
