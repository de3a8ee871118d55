/*
 * The commit that was applied last to each deployment: what drift is measured from.
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
