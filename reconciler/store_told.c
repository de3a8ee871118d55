/*
 * What machines that cannot tell their pool were told (planner/told.h).
 */
#include "reconciler/store_db.h"

int tt_store_load_told(struct tt_store *store, struct tt_arena *arena, tt_told_members *ret_told,
                       struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    tt_told_members told = {0};
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT account, region, machine, service, address, port FROM told "
                         "ORDER BY account, region, machine, service, address, port",
                         "") < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(arena, &told) = (struct tt_told_member){
            .account = tt_store_text(arena, statement, 0),
            .region = tt_store_text(arena, statement, 1),
            .machine = tt_store_text(arena, statement, 2),
            .service = tt_store_text(arena, statement, 3),
            .address = tt_store_text(arena, statement, 4),
            .port = sqlite3_column_int(statement, 5),
        };
    if (more == 0)
        *ret_told = told;
    return more;
}

/* The arguments of one call, for its transaction. */
struct telling {
    const struct tt_told_member *member;
    bool joined;
};

static int set_told(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct telling *telling = self;
    const struct tt_told_member *member = telling->member;

    return tt_store_run(store, err,
                        telling->joined
                            ? "INSERT OR REPLACE INTO told VALUES(?, ?, ?, ?, ?, ?)"
                            : "DELETE FROM told WHERE account = ? AND region = ? AND machine = ? "
                              "AND service = ? AND address = ? AND port = ?",
                        "sssssi", member->account, member->region, member->machine, member->service,
                        member->address, (int64_t)member->port);
}

int tt_store_set_told(struct tt_store *store, const struct tt_told_member *member, bool joined,
                      struct tt_error *err)
{
    struct telling telling = {.member = member, .joined = joined};

    return tt_store_transact(store, set_told, &telling, err);
}

static int forget(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct tt_told_member *member = self;

    return tt_store_run(store, err,
                        "DELETE FROM told WHERE account = ? AND region = ? AND machine = ?", "sss",
                        member->account, member->region, member->machine);
}

int tt_store_forget_told(struct tt_store *store, const char *account, const char *region,
                         const char *machine, struct tt_error *err)
{
    struct tt_told_member member = {.account = account, .region = region, .machine = machine};

    return tt_store_transact(store, forget, &member, err);
}
