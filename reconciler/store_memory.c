/*
 * The planner's memory. Recoveries of this boot of the host are as old as its steady clock says,
 * those of another as the wall clock does.
 */
#include "base/str.h"
#include "reconciler/store_db.h"

#define HOUR (INT64_C(3600) * 1000)

struct reading {
    struct tt_arena *arena;
    tt_time now;
    bool future; /* a recovery that is yet to come was read */
    struct tt_memory memory;
};

/* How long ago the recovery of STATEMENT's row was. */
static tt_time age_of(const struct tt_store *store, struct reading *reading,
                      sqlite3_stmt *statement)
{
    const char *boot = (const char *)sqlite3_column_text(statement, 3);
    tt_time age = reading->now - sqlite3_column_int64(statement, 2);

    if (store->clock && tt_streq(boot, store->self.boot))
        return tt_clock_steady(store->clock) - sqlite3_column_int64(statement, 4);
    if (age >= 0)
        return age;
    reading->future = true;
    return 0;
}

static int load_recoveries(struct tt_store *store, struct reading *reading, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT deployment, balancer, at, boot, steady FROM recoveries "
                         "ORDER BY at, deployment, balancer",
                         "") < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0) {
        tt_time age = age_of(store, reading, statement);

        if (age < HOUR)
            *TT_VEC_ADD(reading->arena, &reading->memory.recoveries) = (struct tt_recovery){
                .deployment = tt_store_text(reading->arena, statement, 0),
                .balancer = tt_store_text(reading->arena, statement, 1),
                .at = reading->now - age,
            };
    }
    return more;
}

/* Recoveries that are yet to come grow old from now on. */
static int end_future(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct reading *reading = self;

    return tt_store_run(store, err, "UPDATE recoveries SET at = ? WHERE at > ? AND boot IS NOT ?",
                        "iis", (int64_t)reading->now, (int64_t)reading->now,
                        store->clock ? store->self.boot : "");
}

static int load_servers(struct tt_store *store, struct reading *reading, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT deployment, account, region, id FROM servers "
                         "ORDER BY deployment, account, region, id",
                         "") < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(reading->arena, &reading->memory.servers) = (struct tt_known_server){
            .deployment = tt_store_text(reading->arena, statement, 0),
            .account = tt_store_text(reading->arena, statement, 1),
            .region = tt_store_text(reading->arena, statement, 2),
            .id = tt_store_text(reading->arena, statement, 3),
        };
    return more;
}

static int load_known(struct tt_store *store, struct reading *reading, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(store, &statement, err, "SELECT deployment FROM known ORDER BY deployment",
                         "") < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        tt_strings_add(reading->arena, &reading->memory.deployments,
                       tt_store_text(reading->arena, statement, 0));
    return more;
}

int tt_store_load_memory(struct tt_store *store, struct tt_arena *arena, tt_time now,
                         struct tt_memory *ret_memory, struct tt_error *err)
{
    struct reading reading = {.arena = arena, .now = now};
    int result;

    pthread_mutex_lock(&store->lock);
    result = load_recoveries(store, &reading, err);
    if (result == 0)
        result = load_servers(store, &reading, err);
    if (result == 0)
        result = load_known(store, &reading, err);
    if (result == 0)
        result = tt_store_load_told(store, arena, &reading.memory.told, err);
    if (result == 0)
        result = tt_store_load_lent(store, arena, &reading.memory.lent, err);
    pthread_mutex_unlock(&store->lock);
    if (result == 0 && reading.future)
        result = tt_store_transact(store, end_future, &reading, err);
    if (result == 0)
        *ret_memory = reading.memory;
    return result;
}

/* Those that nobody will count any more go with the next one that comes. */
static int add_recovery(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct tt_recovery *recovery = self;
    const char *boot = store->clock ? store->self.boot : "";
    int64_t steady = store->clock ? tt_clock_steady(store->clock) : 0;

    if (tt_store_run(store, err, "DELETE FROM recoveries WHERE boot IS NOT ? AND at < ?", "si",
                     boot, (int64_t)(recovery->at - 24 * HOUR)) < 0 ||
        tt_store_run(store, err, "DELETE FROM recoveries WHERE boot IS ? AND steady < ?", "si",
                     boot, steady - 24 * HOUR) < 0)
        return -1;
    return tt_store_run(store, err,
                        "INSERT INTO recoveries(deployment, balancer, at, boot, steady) "
                        "VALUES(?, ?, ?, ?, ?)",
                        "ssisi", recovery->deployment, recovery->balancer, (int64_t)recovery->at,
                        boot, steady);
}

int tt_store_add_recovery(struct tt_store *store, const struct tt_recovery *recovery,
                          struct tt_error *err)
{
    struct tt_recovery copy = *recovery;

    return tt_store_transact(store, add_recovery, &copy, err);
}

struct known {
    const char *deployment;
    const struct tt_known_server *servers;
    size_t count;
};

static int set_known(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct known *known = self;

    if (tt_store_run(store, err, "DELETE FROM servers WHERE deployment = ?", "s",
                     known->deployment) < 0 ||
        tt_store_run(store, err, "INSERT OR IGNORE INTO known VALUES(?)", "s", known->deployment) <
            0)
        return -1;
    for (size_t i = 0; i < known->count; i++) {
        const struct tt_known_server *server = &known->servers[i];

        if (tt_store_run(store, err, "INSERT OR IGNORE INTO servers VALUES(?, ?, ?, ?)", "ssss",
                         known->deployment, server->account, server->region, server->id) < 0)
            return -1;
    }
    return 0;
}

int tt_store_set_known(struct tt_store *store, const char *deployment,
                       const struct tt_known_server *servers, size_t count, struct tt_error *err)
{
    struct known known = {.deployment = deployment, .servers = servers, .count = count};

    return tt_store_transact(store, set_known, &known, err);
}
