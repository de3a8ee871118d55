/*
 * Held plans: kept with the run that a guard held, until that run is forgotten. That one is
 * approved is part of the beginning of the run that carries it out: see store_runs.c.
 */
#include "reconciler/store_db.h"

int tt_store_keep_held(struct tt_store *store, const struct tt_held_plan *held,
                       struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result =
        tt_store_run(store, err,
                     "INSERT OR REPLACE INTO held(run, repository, path, branch, plan) "
                     "VALUES(?, ?, ?, ?, ?)",
                     "issss", held->run, held->repository, held->path, held->branch, held->plan);
    pthread_mutex_unlock(&store->lock);
    return result < 0 ? tt_wrap(err, "cannot keep the plan that is held") : 0;
}

static int read_held(struct tt_store *store, struct tt_arena *arena, int64_t run,
                     struct tt_held_plan *ret_held, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int found;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT repository, path, branch, plan FROM held WHERE run = ?", "i",
                         run) < 0)
        return -1;
    found = tt_store_step(store, statement, err);
    if (found < 0)
        return -1;
    if (!found)
        return tt_fail(err, TT_ERR_NOT_FOUND, "no plan of run %lld is kept: plan again",
                       (long long)run);
    *ret_held = (struct tt_held_plan){
        .run = run,
        .repository = tt_store_text(arena, statement, 0),
        .path = tt_store_text(arena, statement, 1),
        .branch = tt_store_text(arena, statement, 2),
        .plan = tt_store_text(arena, statement, 3),
    };
    return 0;
}

int tt_store_read_held(struct tt_store *store, struct tt_arena *arena, int64_t run,
                       struct tt_held_plan *ret_held, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = read_held(store, arena, run, ret_held, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}

static int find_held(struct tt_store *store, const char *repository, const char *deployment,
                     int64_t *ret_run, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int found;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT held.run FROM held JOIN runs ON runs.id = held.run "
                         "WHERE held.run = (SELECT max(id) FROM runs WHERE deployments = ?) "
                         "AND held.approver IS NULL AND held.repository = ?",
                         "ss", deployment, repository) < 0)
        return -1;
    found = tt_store_step(store, statement, err);
    if (found >= 0)
        *ret_run = found ? sqlite3_column_int64(statement, 0) : 0;
    return found < 0 ? -1 : 0;
}

int tt_store_find_held(struct tt_store *store, const char *repository, const char *deployment,
                       int64_t *ret_run, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = find_held(store, repository, deployment, ret_run, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}
