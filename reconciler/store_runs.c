/*
 * History, written: runs and their steps. As many runs are kept as the store's setting says; what
 * is still open in the journal of older ones stays there until it is resolved.
 */
#include "base/str.h"
#include "reconciler/plan_text.h"
#include "reconciler/store_db.h"

#define KEEP_RUNS INT64_C(1000)

/* The arguments of one call, for its transaction. */
struct writing {
    const struct tt_run_record *record;
    const struct tt_plan *plan;
    int64_t keep;
    int64_t id; /* of the new run */
};

/* --- what is kept ---------------------------------------------------------------------------- */

static int read_keep(struct tt_store *store, int64_t *ret_keep, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int found;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT value FROM settings WHERE name = 'keep-runs'", "") < 0)
        return -1;
    found = tt_store_step(store, statement, err);
    if (found < 0)
        return -1;
    *ret_keep = found ? sqlite3_column_int64(statement, 0) : KEEP_RUNS;
    return 0;
}

/* Numbers of runs are never used again, so that the last ones are the highest. */
static int drop_runs(struct tt_store *store, int64_t keep, struct tt_error *err)
{
    static const char *const statements[] = {
        "DELETE FROM journal WHERE open = 0 AND run <= (SELECT max(id) FROM runs) - ?",
        "DELETE FROM steps WHERE run <= (SELECT max(id) FROM runs) - ?",
        "DELETE FROM held WHERE run <= (SELECT max(id) FROM runs) - ?",
        "DELETE FROM runs WHERE id <= (SELECT max(id) FROM runs) - ?",
    };

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        if (tt_store_run(store, err, statements[i], "i", keep) < 0)
            return -1;
    return 0;
}

static int keep_runs(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct writing *writing = self;

    if (tt_store_run(store, err, "INSERT OR REPLACE INTO settings VALUES('keep-runs', ?)", "i",
                     writing->keep) < 0)
        return -1;
    return drop_runs(store, writing->keep, err);
}

int tt_store_keep_runs(struct tt_store *store, int count, struct tt_error *err)
{
    struct writing writing = {.keep = count};

    return tt_store_transact(store, keep_runs, &writing, err);
}

/* --- the beginning --------------------------------------------------------------------------- */

static const char *deployments_of(struct tt_arena *arena, const struct tt_plan *plan)
{
    struct tt_strings names = {0};

    TT_EACH (step, &plan->steps)
        if (!names.count || !tt_strings_has(&names, step->subject.deployment))
            tt_strings_add(arena, &names, step->subject.deployment);
    return tt_strings_join(arena, &names, "");
}

static int add_steps(struct tt_store *store, struct writing *writing, struct tt_arena *scratch,
                     struct tt_error *err)
{
    for (size_t i = 0; i < writing->plan->steps.count; i++) {
        const struct tt_step *step = &writing->plan->steps.items[i];

        if (tt_store_run(store, err,
                         "INSERT INTO steps(run, step, action, subject, text, account, region, "
                         "server, state) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         "iisssssss", writing->id, (int64_t)i, tt_action_words[step->action],
                         tt_subject_text(scratch, &step->subject), tt_step_text(scratch, step),
                         step->account, step->region, step->server,
                         step->held ? "held" : "waiting") < 0)
            return -1;
    }
    return 0;
}

/* Once: who comes second is told of the first. */
static int approve(struct tt_store *store, const struct writing *writing, struct tt_error *err)
{
    const struct tt_run_record *record = writing->record;

    if (tt_store_run(store, err,
                     "UPDATE held SET approver = ?, approved = ?, approving = ? "
                     "WHERE run = ? AND approver IS NULL",
                     "siii", record->approver, (int64_t)record->began, writing->id,
                     record->approves) < 0)
        return -1;
    return sqlite3_changes(store->db) ? 0
                                      : tt_fail(err, TT_ERR_CONFLICT,
                                                "the plan of run %lld was approved by somebody "
                                                "else meanwhile",
                                                (long long)record->approves);
}

static int add_run(struct tt_store *store, struct writing *writing, struct tt_arena *scratch,
                   struct tt_error *err)
{
    const struct tt_run_record *record = writing->record;
    const struct tt_process *self = &store->self;

    if (tt_store_run(store, err,
                     "INSERT INTO runs(began, ended, command, revision, result, done, failed, "
                     "skipped, trigger, user, host, boot, namespace, pid, started, deployments) "
                     "VALUES(?, 0, ?, ?, 'running', 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "isssssssiss", (int64_t)record->began, record->command, record->revision,
                     record->trigger, store->user, self->host, self->boot, self->space, self->pid,
                     self->started,
                     writing->plan ? deployments_of(scratch, writing->plan) : NULL) < 0)
        return -1;
    writing->id = sqlite3_last_insert_rowid(store->db);
    if (record->approves && approve(store, writing, err) < 0)
        return -1;
    return writing->plan ? add_steps(store, writing, scratch, err) : 0;
}

static int begin_run(struct tt_store *store, void *self, struct tt_error *err)
{
    struct writing *writing = self;
    struct tt_arena scratch = {0};
    int64_t keep;
    int result = add_run(store, writing, &scratch, err);

    tt_arena_release(&scratch);
    if (result < 0 || read_keep(store, &keep, err) < 0)
        return -1;
    return drop_runs(store, keep, err);
}

int tt_store_begin_run(struct tt_store *store, const struct tt_run_record *record,
                       const struct tt_plan *plan, int64_t *ret_run, struct tt_error *err)
{
    struct writing writing = {.record = record, .plan = plan};

    if (tt_store_transact(store, begin_run, &writing, err) < 0)
        return tt_wrap(err, "cannot record the run");
    *ret_run = writing.id;
    return 0;
}

/* --- the end of steps ------------------------------------------------------------------------- */

/* The arguments of tt_store_end_steps. */
struct ending {
    int64_t run;
    const struct tt_step_record *steps;
    size_t count;
};

static int end_some(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct ending *ending = self;

    for (size_t i = 0; i < ending->count; i++) {
        const struct tt_step_record *step = &ending->steps[i];

        if (tt_store_run(store, err,
                         "UPDATE steps SET state = ?, ended = ?, class = ?, error = ?, "
                         "server = coalesce(?, server) WHERE run = ? AND step = ?",
                         "sisssii", step->state, (int64_t)step->ended, step->class, step->error,
                         step->server, ending->run, (int64_t)step->step) < 0)
            return -1;
    }
    return 0;
}

int tt_store_end_steps(struct tt_store *store, int64_t run, const struct tt_step_record *steps,
                       size_t count, struct tt_error *err)
{
    struct ending ending = {.run = run, .steps = steps, .count = count};

    return tt_store_transact_lightly(store, end_some, &ending, err);
}

/* --- the end --------------------------------------------------------------------------------- */

static int end_steps(struct tt_store *store, const struct tt_run_record *record,
                     struct tt_error *err)
{
    TT_EACH (step, &record->steps)
        if (tt_store_run(store, err,
                         "UPDATE steps SET state = ?, began = ?, ended = ?, class = ?, error = ?, "
                         "server = coalesce(?, server) WHERE run = ? AND step = ?",
                         "siisssii", step->state, (int64_t)step->began, (int64_t)step->ended,
                         step->class, step->error, step->server, record->id,
                         (int64_t)step->step) < 0)
            return -1;
    return 0;
}

static int end_run(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct tt_run_record *record = ((struct writing *)self)->record;

    if (tt_store_run(store, err,
                     "UPDATE runs SET ended = ?, result = ?, done = ?, failed = ?, skipped = ?, "
                     "held = ? WHERE id = ?",
                     "isiiiii", (int64_t)record->ended, record->result, (int64_t)record->done,
                     (int64_t)record->failed, (int64_t)record->skipped, (int64_t)record->held,
                     record->id) < 0)
        return -1;
    if (!sqlite3_changes(store->db))
        return tt_fail(err, TT_ERR_NOT_FOUND, "the store has no run %lld", (long long)record->id);
    return end_steps(store, record, err);
}

int tt_store_end_run(struct tt_store *store, const struct tt_run_record *record,
                     struct tt_error *err)
{
    struct writing writing = {.record = record};

    if (tt_store_transact(store, end_run, &writing, err) < 0)
        return tt_wrap(err, "cannot record the end of the run");
    return 0;
}
