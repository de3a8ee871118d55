/*
 * Locks of deployments. A lock ends when its holder gives it up, when its lease runs out, or at
 * once when the holder is a process of this host that is dead. A lease of this boot of the host
 * runs out by its steady clock. One of elsewhere that ends later than a new one would was written
 * by a clock that goes wrong: it is cut to the length of a new one.
 */
#include <inttypes.h>

#include "base/str.h"
#include "reconciler/store_db.h"

/* The arguments of one call, for its transaction. */
struct locking {
    const struct tt_strings *deployments;
    const char *deployment; /* of break_lock */
    const char *command;
    tt_time now, lease;
    struct tt_arena *arena;
    int64_t token;
    const char *too_long; /* a deployment whose lease is to be cut; NULL: none */
};

struct row {
    struct tt_lock_holder holder;
    struct tt_process process;
    bool steady; /* its end is known by the steady clock, too */
    tt_time steady_end;
};

/* 1: DEPLOYMENT's row was read, 0: there is none. */
static int read_row(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                    struct row *ret_row, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int found;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT token, host, boot, namespace, pid, started, user, command, since, "
                         "expires, steady_end FROM locks WHERE deployment = ?",
                         "s", deployment) < 0)
        return -1;
    found = tt_store_step(store, statement, err);
    if (found <= 0)
        return found;
    *ret_row = (struct row){
        .holder = {.deployment = deployment,
                   .token = sqlite3_column_int64(statement, 0),
                   .host = tt_store_text(arena, statement, 1),
                   .pid = sqlite3_column_int64(statement, 4),
                   .user = tt_store_text(arena, statement, 6),
                   .command = tt_store_text(arena, statement, 7),
                   .since = sqlite3_column_int64(statement, 8),
                   .expires = sqlite3_column_int64(statement, 9)},
        .process = {.host = tt_store_text(arena, statement, 1),
                    .boot = tt_store_text(arena, statement, 2),
                    .space = tt_store_text(arena, statement, 3),
                    .pid = sqlite3_column_int64(statement, 4),
                    .started = tt_store_text(arena, statement, 5)},
        .steady = sqlite3_column_type(statement, 10) != SQLITE_NULL,
        .steady_end = sqlite3_column_int64(statement, 10),
    };
    return 1;
}

static int refuse(struct tt_arena *arena, const struct tt_lock_holder *holder, struct tt_error *err)
{
    tt_fail(err, TT_ERR_CONFLICT,
            "deployment %s is locked by %s@%s (%s, process %" PRId64 ") since %s; wait for it to "
            "end, or when that host is gone, until %s or run: trimtab unlock %s",
            holder->deployment, holder->user, holder->host, holder->command, holder->pid,
            tt_time_format(arena, holder->since), tt_time_format(arena, holder->expires),
            holder->deployment);
    return -1;
}

/* How long the lease of ROW lasts from now on. */
static tt_time time_left(const struct tt_store *store, const struct locking *locking,
                         const struct row *row)
{
    if (store->clock && row->steady && tt_streq(row->process.boot, store->self.boot))
        return row->steady_end - tt_clock_steady(store->clock);
    return row->holder.expires - locking->now;
}

static int check_free(struct tt_store *store, struct locking *locking, const char *deployment,
                      struct tt_error *err)
{
    struct row row;
    int found = read_row(store, locking->arena, deployment, &row, err);
    tt_time left;

    if (found <= 0)
        return found;
    left = time_left(store, locking, &row);
    if (left <= 0 || tt_process_is_dead(&row.process, &store->self))
        return 0;
    if (left > locking->lease) {
        locking->too_long = deployment;
        left = locking->lease;
    }
    row.holder.expires = locking->now + left;
    return refuse(locking->arena, &row.holder, err);
}

static int next_token(struct tt_store *store, int64_t *ret_token, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;

    if (tt_store_run(store, err, "UPDATE tokens SET last = last + 1", "") < 0 ||
        tt_store_prepare(store, &statement, err, "SELECT last FROM tokens", "") < 0 ||
        tt_store_step(store, statement, err) < 0)
        return -1;
    *ret_token = sqlite3_column_int64(statement, 0);
    return 0;
}

/* The end of a new lease by the steady clock; UNKNOWN: there is none. */
static tt_time steady_end(const struct tt_store *store, const struct locking *locking)
{
    return store->clock ? tt_clock_steady(store->clock) + locking->lease : TT_TIME_UNKNOWN;
}

static int take_locks(struct tt_store *store, void *self, struct tt_error *err)
{
    struct locking *locking = self;
    const struct tt_process *process = &store->self;

    TT_EACH (deployment, locking->deployments)
        if (check_free(store, locking, *deployment, err) < 0)
            return -1;
    if (next_token(store, &locking->token, err) < 0)
        return -1;
    TT_EACH (deployment, locking->deployments)
        if (tt_store_run(store, err,
                         "INSERT OR REPLACE INTO locks(deployment, token, host, boot, namespace, "
                         "pid, started, user, command, since, expires, steady_end) "
                         "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         "sisssisssiit", *deployment, locking->token, process->host, process->boot,
                         process->space, process->pid, process->started, store->user,
                         locking->command, (int64_t)locking->now,
                         (int64_t)(locking->now + locking->lease), steady_end(store, locking)) < 0)
            return -1;
    return 0;
}

static int cut_lease(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct locking *locking = self;

    return tt_store_run(store, err,
                        "UPDATE locks SET expires = ?, steady_end = NULL WHERE deployment = ?",
                        "is", (int64_t)(locking->now + locking->lease), locking->too_long);
}

int tt_store_lock(struct tt_store *store, const struct tt_strings *deployments, const char *command,
                  tt_time now, tt_time lease, int64_t *ret_token, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct locking locking = {
        .deployments = deployments,
        .command = command,
        .now = now,
        .lease = lease,
        .arena = &scratch,
    };
    int result = tt_store_transact(store, take_locks, &locking, err);

    if (result == 0)
        *ret_token = locking.token;
    else if (locking.too_long)
        tt_store_transact(store, cut_lease, &locking, NULL);
    tt_arena_release(&scratch);
    return result;
}

static int fail_lost(struct tt_error *err)
{
    return tt_fail(err, TT_ERR_CONFLICT,
                   "the lock was lost: its lease ran out or somebody took it away");
}

static int renew_locks(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct locking *locking = self;

    if (tt_store_run(store, err, "UPDATE locks SET expires = ?, steady_end = ? WHERE token = ?",
                     "iti", (int64_t)(locking->now + locking->lease), steady_end(store, locking),
                     locking->token) < 0)
        return -1;
    return sqlite3_changes(store->db) ? 0 : fail_lost(err);
}

int tt_store_renew(struct tt_store *store, int64_t token, tt_time now, tt_time lease,
                   struct tt_error *err)
{
    struct locking locking = {.token = token, .now = now, .lease = lease};

    return tt_store_transact(store, renew_locks, &locking, err);
}

int tt_store_require_lock(struct tt_store *store, int64_t token, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int found;

    if (!token)
        return 0;
    if (tt_store_prepare(store, &statement, err, "SELECT 1 FROM locks WHERE token = ?", "i",
                         token) < 0)
        return -1;
    found = tt_store_step(store, statement, err);
    return found == 0 ? fail_lost(err) : found < 0 ? -1 : 0;
}

int tt_store_check_lock(struct tt_store *store, int64_t token, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = tt_store_require_lock(store, token, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}

static int free_locks(struct tt_store *store, void *self, struct tt_error *err)
{
    return tt_store_run(store, err, "DELETE FROM locks WHERE token = ?", "i",
                        ((struct locking *)self)->token);
}

int tt_store_unlock(struct tt_store *store, int64_t token, struct tt_error *err)
{
    struct locking locking = {.token = token};

    return tt_store_transact(store, free_locks, &locking, err);
}

static int break_lock(struct tt_store *store, void *self, struct tt_error *err)
{
    const char *deployment = ((struct locking *)self)->deployment;

    if (tt_store_run(store, err, "DELETE FROM locks WHERE deployment = ?", "s", deployment) < 0)
        return -1;
    if (!sqlite3_changes(store->db))
        return tt_fail(err, TT_ERR_NOT_FOUND, "deployment %s is not locked", deployment);
    return 0;
}

int tt_store_break_lock(struct tt_store *store, const char *deployment, struct tt_error *err)
{
    struct locking locking = {.deployment = deployment};

    return tt_store_transact(store, break_lock, &locking, err);
}

int tt_store_read_lock(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                       struct tt_lock_holder *ret_holder, struct tt_error *err)
{
    struct row row;
    int found;

    pthread_mutex_lock(&store->lock);
    found = read_row(store, arena, deployment, &row, err);
    pthread_mutex_unlock(&store->lock);
    if (found > 0)
        *ret_holder = row.holder;
    return found;
}
