/*
 * The commit that was applied last to each deployment, what drift is measured from; and what was
 * done to it since in the name of others.
 */
#include "reconciler/store_db.h"

/* The arguments of one call, for its transaction. */
struct applying {
    const struct tt_strings *deployments;
    const char *revision;
    tt_time now;
};

static int set_applied(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct applying *applying = self;

    TT_EACH (deployment, applying->deployments)
        if (tt_store_run(store, err, "INSERT OR REPLACE INTO applied VALUES(?, ?, ?)", "ssi",
                         *deployment, applying->revision, (int64_t)applying->now) < 0)
            return -1;
    return 0;
}

int tt_store_set_applied(struct tt_store *store, const struct tt_strings *deployments,
                         const char *revision, tt_time now, struct tt_error *err)
{
    struct applying applying = {.deployments = deployments, .revision = revision, .now = now};

    return tt_store_transact(store, set_applied, &applying, err);
}

static int read_applied(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                        const char **ret_revision, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int found;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT revision FROM applied WHERE deployment = ?", "s", deployment) < 0)
        return -1;
    found = tt_store_step(store, statement, err);
    if (found >= 0)
        *ret_revision = found ? tt_store_text(arena, statement, 0) : NULL;
    return found < 0 ? -1 : 0;
}

int tt_store_read_applied(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                          const char **ret_revision, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = read_applied(store, arena, deployment, ret_revision, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}

static int read_done(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                     tt_done_steps *done, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT steps.subject, steps.text FROM applied JOIN runs "
                         "ON runs.began >= applied.at AND runs.revision IS NOT applied.revision "
                         "JOIN steps ON steps.run = runs.id WHERE applied.deployment = ? "
                         "AND steps.state = 'done' AND substr(steps.subject, "
                         "instr(steps.subject, '/'), length(applied.deployment) + 2) "
                         "= '/' || applied.deployment || '/' ORDER BY steps.run, steps.step",
                         "s", deployment) < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(arena, done) = (struct tt_done_step){
            .subject = tt_store_text(arena, statement, 0),
            .text = tt_store_text(arena, statement, 1),
        };
    return more;
}

int tt_store_read_done(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                       tt_done_steps *ret_done, struct tt_error *err)
{
    tt_done_steps done = {0};
    int result;

    pthread_mutex_lock(&store->lock);
    result = read_done(store, arena, deployment, &done, err);
    pthread_mutex_unlock(&store->lock);
    if (result == 0)
        *ret_done = done;
    return result;
}
