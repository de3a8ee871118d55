/*
 * History and the journal.
 */
#include "base/str.h"
#include "reconciler/store_db.h"

/* The arguments of one call, for its transaction. */
struct writing {
    const struct tt_run_record *record;
    int64_t run, intent;
    int step;
    const struct tt_step *what;
    const char *command, *revision, *incarnation, *outcome;
    tt_time now;
    int64_t id; /* of the new row */
};

static int begin_run(struct tt_store *store, void *self, struct tt_error *err)
{
    struct writing *writing = self;

    if (tt_store_run(store, err,
                     "INSERT INTO runs(began, ended, command, revision, result, done, failed, "
                     "skipped) VALUES(?, 0, ?, ?, 'running', 0, 0, 0)",
                     "iss", (int64_t)writing->now, writing->command, writing->revision) < 0)
        return -1;
    writing->id = sqlite3_last_insert_rowid(store->db);
    return 0;
}

int tt_store_begin_run(struct tt_store *store, const char *command, const char *revision,
                       tt_time now, int64_t *ret_run, struct tt_error *err)
{
    struct writing writing = {.command = command, .revision = revision, .now = now};

    if (tt_store_transact(store, begin_run, &writing, err) < 0)
        return tt_wrap(err, "cannot record the run");
    *ret_run = writing.id;
    return 0;
}

static int end_run(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct tt_run_record *record = ((struct writing *)self)->record;

    if (tt_store_run(store, err,
                     "UPDATE runs SET ended = ?, result = ?, done = ?, failed = ?, skipped = ? "
                     "WHERE id = ?",
                     "isiiii", (int64_t)record->ended, record->result, (int64_t)record->done,
                     (int64_t)record->failed, (int64_t)record->skipped, record->id) < 0)
        return -1;
    if (!sqlite3_changes(store->db))
        return tt_fail(err, TT_ERR_NOT_FOUND, "the store has no run %lld", (long long)record->id);
    return 0;
}

int tt_store_end_run(struct tt_store *store, const struct tt_run_record *record,
                     struct tt_error *err)
{
    struct writing writing = {.record = record};

    if (tt_store_transact(store, end_run, &writing, err) < 0)
        return tt_wrap(err, "cannot record the end of the run");
    return 0;
}

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

static int add_intent(struct tt_store *store, void *self, struct tt_error *err)
{
    struct writing *writing = self;
    const struct tt_step *what = writing->what;
    struct tt_arena scratch = {0};
    int result = tt_store_run(
        store, err,
        "INSERT INTO journal(run, step, at, action, subject, account, region, server, machine, "
        "incarnation, because) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "iiissssssss", writing->run, (int64_t)writing->step, (int64_t)writing->now,
        tt_action_words[what->action], tt_subject_text(&scratch, &what->subject), what->account,
        what->region, what->server, what->machine, writing->incarnation,
        tt_because_words[what->because]);

    writing->id = sqlite3_last_insert_rowid(store->db);
    tt_arena_release(&scratch);
    return result < 0 ? -1 : forget_server(store, what, err);
}

int tt_store_intent(struct tt_store *store, int64_t run, int step, const struct tt_step *what,
                    const char *incarnation, tt_time now, int64_t *ret_intent, struct tt_error *err)
{
    struct writing writing = {
        .run = run, .step = step, .what = what, .incarnation = incarnation, .now = now};

    if (tt_store_transact(store, add_intent, &writing, err) < 0)
        return -1;
    *ret_intent = writing.id;
    return 0;
}

static int set_outcome(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct writing *writing = self;

    if (tt_store_run(store, err, "UPDATE journal SET ended = ?, outcome = ? WHERE id = ?", "isi",
                     (int64_t)writing->now, writing->outcome, writing->intent) < 0)
        return -1;
    if (!sqlite3_changes(store->db))
        return tt_fail(err, TT_ERR_NOT_FOUND, "the store has no intent %lld",
                       (long long)writing->intent);
    return 0;
}

int tt_store_outcome(struct tt_store *store, int64_t intent, const char *outcome, tt_time now,
                     struct tt_error *err)
{
    struct writing writing = {.intent = intent, .outcome = outcome, .now = now};

    return tt_store_transact(store, set_outcome, &writing, err);
}
