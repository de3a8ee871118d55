/*
 * Probes that failed: what observe goes on counting from (observe_memory.h).
 */
#include "reconciler/store_db.h"

#define DAY (INT64_C(24) * 3600 * 1000)

static int load(struct tt_store *store, struct tt_arena *arena, tt_time now,
                tt_failing_ports *ports, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;
    int more;

    if (tt_store_prepare(store, &statement, err,
                         "SELECT account, region, server, port, failures, at FROM failing "
                         "WHERE at > ? ORDER BY account, region, server, port",
                         "i", (int64_t)(now - DAY)) < 0)
        return -1;
    while ((more = tt_store_step(store, statement, err)) > 0)
        *TT_VEC_ADD(arena, ports) = (struct tt_failing_port){
            .account = tt_store_text(arena, statement, 0),
            .region = tt_store_text(arena, statement, 1),
            .server = tt_store_text(arena, statement, 2),
            .port = sqlite3_column_int(statement, 3),
            .failures = sqlite3_column_int(statement, 4),
            .at = sqlite3_column_int64(statement, 5),
        };
    return more;
}

int tt_store_load_failing(struct tt_store *store, struct tt_arena *arena, tt_time now,
                          tt_failing_ports *ret_ports, struct tt_error *err)
{
    tt_failing_ports ports = {0};
    int result;

    pthread_mutex_lock(&store->lock);
    result = load(store, arena, now, &ports, err);
    pthread_mutex_unlock(&store->lock);
    if (result == 0)
        *ret_ports = ports;
    return result;
}

/* The arguments of one call, for its transaction. */
struct setting {
    const tt_failing_ports *ports;
    tt_time now;
};

static int set_failing(struct tt_store *store, void *self, struct tt_error *err)
{
    const struct setting *setting = self;

    if (tt_store_run(store, err, "DELETE FROM failing WHERE at < ?", "i",
                     (int64_t)(setting->now - DAY)) < 0)
        return -1;
    TT_EACH (port, setting->ports)
        if (port->failures
                ? tt_store_run(store, err,
                               "INSERT OR REPLACE INTO failing VALUES(?, ?, ?, ?, ?, ?)", "sssiii",
                               port->account, port->region, port->server, (int64_t)port->port,
                               (int64_t)port->failures, (int64_t)port->at) < 0
                : tt_store_run(store, err,
                               "DELETE FROM failing WHERE account = ? AND region = ? AND "
                               "server = ? AND port = ?",
                               "sssi", port->account, port->region, port->server,
                               (int64_t)port->port) < 0)
            return -1;
    return 0;
}

int tt_store_set_failing(struct tt_store *store, const tt_failing_ports *ports, tt_time now,
                         struct tt_error *err)
{
    struct setting setting = {.ports = ports, .now = now};

    return ports->count ? tt_store_transact(store, set_failing, &setting, err) : 0;
}
