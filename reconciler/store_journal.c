/*
 * The journal: what is about to be asked of a cloud, and what came of it.
 */
#include "base/str.h"
#include "reconciler/store_db.h"

/* The arguments of one call, for its transaction. */
struct writing {
    const struct tt_intent *what;
    int64_t intent;
    const char *outcome;
    bool known;
    tt_time now;
    int64_t id; /* of the new row */
};

/* What we are about to delete must not look vanished to the next run, should this one crash. */
static int forget_server(struct tt_store *store, const struct tt_step *what, struct tt_error *err)
{
    if (what->action != TT_STEP_DELETE_SERVER)
        return 0;
    return tt_store_run(store, err,
                        "DELETE FROM servers WHERE deployment = ? AND account = ? AND region = ? "
                        "AND id = ?",
                        "ssss", what->subject.deployment, what->account, what->region,
                        what->server);
}

static int add_row(struct tt_store *store, struct writing *writing, struct tt_arena *scratch,
                   struct tt_error *err)
{
    const struct tt_intent *intent = writing->what;
    const struct tt_step *what = intent->what;

    if (tt_store_run(store, err,
                     "INSERT INTO journal(run, step, at, action, subject, deployment, account, "
                     "region, server, machine, incarnation, token, request, because, open, boot, "
                     "steady) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
                     "iiissssssssssssi", intent->run, (int64_t)intent->step, (int64_t)writing->now,
                     tt_action_words[what->action], tt_subject_text(scratch, &what->subject),
                     what->subject.deployment, what->account, what->region, what->server,
                     what->machine, intent->incarnation, intent->token, intent->request,
                     tt_because_words[what->because], store->clock ? store->self.boot : NULL,
                     store->clock ? (int64_t)tt_clock_steady(store->clock) : INT64_C(0)) < 0)
        return -1;
    writing->id = sqlite3_last_insert_rowid(store->db);
    return tt_store_run(store, err,
                        "UPDATE steps SET state = 'running', began = ? "
                        "WHERE run = ? AND step = ? AND state = 'waiting'",
                        "iii", (int64_t)writing->now, intent->run, (int64_t)intent->step);
}

static int add_intent(struct tt_store *store, void *self, struct tt_error *err)
{
    struct writing *writing = self;
    struct tt_arena scratch = {0};
    int result = tt_store_require_lock(store, writing->what->lock, err);

    if (result == 0)
        result = add_row(store, writing, &scratch, err);
    tt_arena_release(&scratch);
    if (result == 0 && writing->what->lends)
        result = tt_store_lend(store, writing->what->lends, writing->id, writing->now, err);
    return result < 0 ? -1 : forget_server(store, writing->what->what, err);
}

int tt_store_intent(struct tt_store *store, const struct tt_intent *what, tt_time now,
                    int64_t *ret_intent, struct tt_error *err)
{
    struct writing writing = {.what = what, .now = now};

    if (tt_store_transact(store, add_intent, &writing, err) < 0)
        return -1;
    *ret_intent = writing.id;
    return 0;
}

static int write_outcome(struct tt_store *store, const struct writing *writing,
                         struct tt_error *err)
{
    if (tt_store_run(store, err, "UPDATE journal SET ended = ?, outcome = ?, open = ? WHERE id = ?",
                     "isii", (int64_t)writing->now, writing->outcome, (int64_t)!writing->known,
                     writing->intent) < 0)
        return -1;
    if (!sqlite3_changes(store->db))
        return tt_fail(err, TT_ERR_NOT_FOUND, "the store has no intent %lld",
                       (long long)writing->intent);
    return 0;
}

static int set_outcome(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct writing *writing = self;

    if (write_outcome(store, writing, err) < 0)
        return -1;
    return writing->known ? tt_store_have_lent(store, writing->intent, err) : 0;
}

int tt_store_outcome(struct tt_store *store, int64_t intent, const char *outcome, bool known,
                     tt_time now, struct tt_error *err)
{
    struct writing writing = {.intent = intent, .outcome = outcome, .known = known, .now = now};

    return tt_store_transact(store, set_outcome, &writing, err);
}

static int resolve_intent(struct tt_store *store, void *self, struct tt_error *err)
{
    return write_outcome(store, self, err);
}

int tt_store_resolve_intent(struct tt_store *store, int64_t intent, const char *how, tt_time now,
                            struct tt_error *err)
{
    struct writing writing = {.intent = intent, .outcome = how, .known = true, .now = now};

    return tt_store_transact(store, resolve_intent, &writing, err);
}

/* The arguments of tt_store_close_intents. */
struct closing {
    const int64_t *intents;
    size_t count;
};

static int close_all(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct closing *closing = self;

    for (size_t i = 0; i < closing->count; i++)
        if (tt_store_run(store, err, "UPDATE journal SET open = 0 WHERE id = ?", "i",
                         closing->intents[i]) < 0)
            return -1;
    return 0;
}

int tt_store_close_intents(struct tt_store *store, const int64_t *intents, size_t count,
                           struct tt_error *err)
{
    struct closing closing = {.intents = intents, .count = count};

    return tt_store_transact(store, close_all, &closing, err);
}

/* --- what is open ---------------------------------------------------------------------------- */

/* When it was written, by the wall clock as it is now: that may have been set since. */
static tt_time time_of(const struct tt_store *store, sqlite3_stmt *statement)
{
    const struct tt_clock *clock = store->clock;

    if (!clock || !tt_streq((const char *)sqlite3_column_text(statement, 9), store->self.boot))
        return sqlite3_column_int64(statement, 1);
    return clock->now(clock->self) - (tt_clock_steady(clock) - sqlite3_column_int64(statement, 10));
}

static int read_open_of(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                        tt_open_intents *intents, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(
            store, &statement, err,
            "SELECT id, at, action, subject, account, region, incarnation, token, "
            "request, boot, steady FROM journal WHERE open = 1 AND deployment = ? ORDER BY id",
            "s", deployment) < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(arena, intents) = (struct tt_open_intent){
            .id = sqlite3_column_int64(statement, 0),
            .at = time_of(store, statement),
            .action = tt_store_text(arena, statement, 2),
            .subject = tt_store_text(arena, statement, 3),
            .account = tt_store_text(arena, statement, 4),
            .region = tt_store_text(arena, statement, 5),
            .incarnation = tt_store_text(arena, statement, 6),
            .token = tt_store_text(arena, statement, 7),
            .request = tt_store_text(arena, statement, 8),
        };
    return more;
}

int tt_store_read_open(struct tt_store *store, struct tt_arena *arena,
                       const struct tt_strings *deployments, tt_open_intents *ret_intents,
                       struct tt_error *err)
{
    tt_open_intents intents = {0};
    int result = 0;

    pthread_mutex_lock(&store->lock);
    TT_EACH (deployment, deployments)
        if (result == 0)
            result = read_open_of(store, arena, *deployment, &intents, err);
    pthread_mutex_unlock(&store->lock);
    if (result == 0)
        *ret_intents = intents;
    return result;
}
