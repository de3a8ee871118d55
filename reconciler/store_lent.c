/*
 * What vm-static machines were told (planner/lent.h). A row whose intent has no outcome stays
 * though nobody finds it in the pool: its run may be slow rather than dead, have lost its lock, and
 * tell the machine yet.
 */
#include "reconciler/store_db.h"

#define MAY_COME_FOR (INT64_C(7) * 24 * 3600 * 1000)

int tt_store_load_lent(struct tt_store *store, struct tt_arena *arena, tt_lent_members *ret_lent,
                       struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    tt_lent_members lent = {0};
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT account, region, machine, service, address, port, balancer "
                         "FROM lent ORDER BY account, region, machine, service, address, port",
                         "") < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(arena, &lent) = (struct tt_lent_member){
            .balancer = tt_store_text(arena, statement, 6),
            .member = {.account = tt_store_text(arena, statement, 0),
                       .region = tt_store_text(arena, statement, 1),
                       .machine = tt_store_text(arena, statement, 2),
                       .service = tt_store_text(arena, statement, 3),
                       .address = tt_store_text(arena, statement, 4),
                       .port = sqlite3_column_int(statement, 5)},
        };
    if (more == 0)
        *ret_lent = lent;
    return more;
}

int tt_store_read_lent(struct tt_store *store, struct tt_arena *arena, tt_lent_members *ret_lent,
                       struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&store->lock);
    result = tt_store_load_lent(store, arena, ret_lent, err);
    pthread_mutex_unlock(&store->lock);
    return result;
}

int tt_store_lend(struct tt_store *store, const struct tt_lent_member *lent, int64_t intent,
                  tt_time now, struct tt_error *err)
{
    const struct tt_told_member *member = &lent->member;

    return tt_store_run(store, err,
                        "INSERT OR REPLACE INTO lent(account, region, machine, service, address, "
                        "port, balancer, at, intent) VALUES(?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))",
                        "sssssisii", member->account, member->region, member->machine,
                        member->service, member->address, (int64_t)member->port, lent->balancer,
                        (int64_t)now, intent);
}

int tt_store_have_lent(struct tt_store *store, int64_t intent, struct tt_error *err)
{
    return tt_store_run(store, err, "UPDATE lent SET intent = NULL WHERE intent = ?", "i", intent);
}

/* What was told before SEEN is no longer there; what may be told yet counts from UNTOLD on. */
static int take_back(struct tt_store *store, const struct tt_told_member *member, tt_time seen,
                     tt_time untold, struct tt_error *err)
{
    return tt_store_run(store, err,
                        "DELETE FROM lent WHERE account = ? AND region = ? AND machine = ? "
                        "AND service = ? AND address = ? AND port = ? "
                        "AND at < iif(intent, ?, ?)",
                        "sssssiii", member->account, member->region, member->machine,
                        member->service, member->address, (int64_t)member->port, (int64_t)untold,
                        (int64_t)seen);
}

/* The arguments of one call, for its transaction. */
struct lending {
    const tt_lent_members *known, *gone;
    tt_time seen;
    int64_t lock;
};

static int set_lent(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct lending *lending = self;

    if (tt_store_require_lock(store, lending->lock, err) < 0)
        return -1;
    TT_EACH (lent, lending->known)
        if (tt_store_lend(store, lent, 0, lending->seen, err) < 0)
            return -1;
    TT_EACH (lent, lending->gone)
        if (take_back(store, &lent->member, lending->seen, lending->seen - MAY_COME_FOR, err) < 0)
            return -1;
    return 0;
}

int tt_store_set_lent(struct tt_store *store, const tt_lent_members *known,
                      const tt_lent_members *gone, tt_time seen, int64_t lock, struct tt_error *err)
{
    struct lending lending = {.known = known, .gone = gone, .seen = seen, .lock = lock};

    if (!known->count && !gone->count)
        return 0;
    return tt_store_transact(store, set_lent, &lending, err);
}

static int return_lent(struct tt_store *store, void *self, struct tt_error *err)
{
    return take_back(store, self, INT64_MAX, INT64_MAX, err);
}

int tt_store_return_lent(struct tt_store *store, const struct tt_told_member *member,
                         struct tt_error *err)
{
    struct tt_told_member copy = *member;

    return tt_store_transact(store, return_lent, &copy, err);
}
