/*
 * History, read. A run that never ended is `running` while its process may live, else
 * `interrupted`; what is known of the steps that it was at comes from the journal.
 */
#include "base/str.h"
#include "reconciler/store_db.h"

/* Steps that ended so; as long as the run has no end, it has no counts. */
#define COUNT(STATE)                                                                               \
    "iif(ended, runs." STATE ", (SELECT count(*) FROM steps WHERE steps.run = runs.id AND "        \
    "steps.state = '" STATE "'))"
#define COLUMNS                                                                                    \
    "id, began, ended, command, trigger, user, host, pid, revision, deployments, result, " COUNT(  \
        "done") ", " COUNT("failed") ", skipped, runs.held, "                                      \
                                     "boot, namespace, started, approver, approved, approving, "   \
                                     "(SELECT h.run FROM held h WHERE h.approving = runs.id)"
#define ROWS "runs LEFT JOIN held ON held.run = runs.id"

static bool is_interrupted(const struct tt_run_record *record, struct tt_arena *arena,
                           sqlite3_stmt *row, const struct tt_process *self)
{
    struct tt_process process = {
        .host = record->host ? record->host : "",
        .boot = tt_store_text(arena, row, 15),
        .space = tt_store_text(arena, row, 16),
        .pid = record->pid,
        .started = tt_store_text(arena, row, 17),
    };

    if (record->ended)
        return false;
    return !process.boot || !process.started || tt_process_is_dead(&process, self);
}

static struct tt_run_record read_row(struct tt_arena *arena, sqlite3_stmt *row,
                                     const struct tt_process *self)
{
    struct tt_run_record record = {
        .id = sqlite3_column_int64(row, 0),
        .began = sqlite3_column_int64(row, 1),
        .ended = sqlite3_column_int64(row, 2),
        .command = tt_store_text(arena, row, 3),
        .trigger = tt_store_text(arena, row, 4),
        .user = tt_store_text(arena, row, 5),
        .host = tt_store_text(arena, row, 6),
        .pid = sqlite3_column_int64(row, 7),
        .revision = tt_store_text(arena, row, 8),
        .deployments = tt_store_text(arena, row, 9),
        .result = tt_store_text(arena, row, 10),
        .done = sqlite3_column_int(row, 11),
        .failed = sqlite3_column_int(row, 12),
        .skipped = sqlite3_column_int(row, 13),
        .held = sqlite3_column_int(row, 14),
        .approver = tt_store_text(arena, row, 18),
        .approved = sqlite3_column_int64(row, 19),
        .approved_by = sqlite3_column_int64(row, 20),
        .approves = sqlite3_column_int64(row, 21),
    };

    if (is_interrupted(&record, arena, row, self))
        record.result = "interrupted";
    return record;
}

static int read_runs(struct tt_store *store, struct tt_arena *arena, int most,
                     tt_run_records *ret_runs, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT " COLUMNS " FROM " ROWS " ORDER BY id DESC LIMIT ?", "i",
                         (int64_t)most) < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(arena, ret_runs) = read_row(arena, statement, &store->self);
    return more;
}

int tt_store_read_runs(struct tt_store *store, struct tt_arena *arena, int most,
                       tt_run_records *ret_runs, struct tt_error *err)
{
    tt_run_records runs = {0};
    int result;

    pthread_mutex_lock(&store->lock);
    result = read_runs(store, arena, most, &runs, err);
    pthread_mutex_unlock(&store->lock);
    if (result == 0)
        *ret_runs = runs;
    return result;
}

/* --- one run --------------------------------------------------------------------------------- */

/* What the journal says of a step whose run was cut short. */
static const char *state_of(const struct tt_run_record *record, const char *state,
                            const char *outcome)
{
    if (!tt_streq(record->result, "interrupted") || !tt_streq(state, "running"))
        return state;
    return tt_streq(outcome, "done") ? "called" : "interrupted";
}

static int read_steps(struct tt_store *store, struct tt_arena *arena, struct tt_run_record *record,
                      struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT step, action, subject, text, account, region, server, state, "
                         "began, ended, class, error, (SELECT outcome FROM journal WHERE "
                         "journal.run = steps.run AND journal.step = steps.step "
                         "ORDER BY journal.id DESC LIMIT 1) "
                         "FROM steps WHERE run = ? ORDER BY step",
                         "i", record->id) < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(arena, &record->steps) = (struct tt_step_record){
            .step = sqlite3_column_int(statement, 0),
            .action = tt_store_text(arena, statement, 1),
            .subject = tt_store_text(arena, statement, 2),
            .text = tt_store_text(arena, statement, 3),
            .account = tt_store_text(arena, statement, 4),
            .region = tt_store_text(arena, statement, 5),
            .server = tt_store_text(arena, statement, 6),
            .state = state_of(record, tt_store_text(arena, statement, 7),
                              tt_store_text(arena, statement, 12)),
            .began = sqlite3_column_int64(statement, 8),
            .ended = sqlite3_column_int64(statement, 9),
            .class = tt_store_text(arena, statement, 10),
            .error = tt_store_text(arena, statement, 11),
        };
    return more;
}

static int read_run(struct tt_store *store, struct tt_arena *arena, int64_t run,
                    struct tt_run_record *record, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int found;

    if (tt_store_prepare(store, &statement, err, "SELECT " COLUMNS " FROM " ROWS " WHERE id = ?",
                         "i", run) < 0)
        return -1;
    found = tt_store_step(store, statement, err);
    if (found < 0)
        return -1;
    if (!found)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no run %lld: trimtab history lists them",
                       (long long)run);
    *record = read_row(arena, statement, &store->self);
    return read_steps(store, arena, record, err);
}

int tt_store_read_run(struct tt_store *store, struct tt_arena *arena, int64_t run,
                      struct tt_run_record *ret_record, struct tt_error *err)
{
    struct tt_run_record record = {0};
    int result;

    pthread_mutex_lock(&store->lock);
    result = read_run(store, arena, run, &record, err);
    pthread_mutex_unlock(&store->lock);
    if (result == 0)
        *ret_record = record;
    return result;
}
