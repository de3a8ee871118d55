/*
 * The tables of the store. Each version of the file adds to the one before: a new file goes through
 * all of them, an older one through those it has not seen.
 */
#include "reconciler/store_db.h"

static const char *const versions[] = {
    /* 1 */
    "CREATE TABLE runs("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, began INTEGER NOT NULL, ended INTEGER NOT NULL,"
    " command TEXT NOT NULL, revision TEXT, result TEXT NOT NULL,"
    " done INTEGER NOT NULL, failed INTEGER NOT NULL, skipped INTEGER NOT NULL);"
    "CREATE TABLE journal("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, step INTEGER NOT NULL,"
    " at INTEGER NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,"
    " account TEXT, region TEXT, server TEXT, machine TEXT, incarnation TEXT, because TEXT,"
    " ended INTEGER, outcome TEXT);"
    "CREATE INDEX journal_by_run ON journal(run, step);"
    "CREATE TABLE locks("
    " deployment TEXT PRIMARY KEY, token INTEGER NOT NULL, host TEXT NOT NULL,"
    " boot TEXT NOT NULL, namespace TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL,"
    " user TEXT NOT NULL, command TEXT NOT NULL, since INTEGER NOT NULL,"
    " expires INTEGER NOT NULL);"
    "CREATE TABLE tokens(last INTEGER NOT NULL);"
    "INSERT INTO tokens VALUES(0);"
    "CREATE TABLE recoveries("
    " deployment TEXT NOT NULL, balancer TEXT NOT NULL, at INTEGER NOT NULL);"
    "CREATE INDEX recoveries_by_time ON recoveries(at);"
    "CREATE TABLE known(deployment TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE servers("
    " deployment TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL,"
    " PRIMARY KEY(deployment, account, region, id)) WITHOUT ROWID;",
    /* 2: who ran what on which steps; what an intent was about; what was applied last */
    "ALTER TABLE runs ADD COLUMN trigger TEXT;"
    "ALTER TABLE runs ADD COLUMN user TEXT;"
    "ALTER TABLE runs ADD COLUMN host TEXT;"
    "ALTER TABLE runs ADD COLUMN boot TEXT;"
    "ALTER TABLE runs ADD COLUMN namespace TEXT;"
    "ALTER TABLE runs ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE runs ADD COLUMN started TEXT;"
    "ALTER TABLE runs ADD COLUMN deployments TEXT;"
    "ALTER TABLE runs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE steps("
    " run INTEGER NOT NULL, step INTEGER NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,"
    " text TEXT NOT NULL, account TEXT, region TEXT, server TEXT, state TEXT NOT NULL,"
    " began INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0, class TEXT, error TEXT,"
    " PRIMARY KEY(run, step)) WITHOUT ROWID;"
    "ALTER TABLE journal ADD COLUMN deployment TEXT;"
    "ALTER TABLE journal ADD COLUMN token TEXT;"
    "ALTER TABLE journal ADD COLUMN request TEXT;"
    "ALTER TABLE journal ADD COLUMN open INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX journal_open ON journal(deployment) WHERE open = 1;"
    "CREATE TABLE applied("
    " deployment TEXT PRIMARY KEY, revision TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE settings(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
    /* 3: probes that failed */
    "CREATE TABLE failing("
    " account TEXT NOT NULL, region TEXT NOT NULL, server TEXT NOT NULL, port INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY(account, region, server, port)) WITHOUT ROWID;",
    /* 4: plans that a guard held, and who approved them */
    "CREATE TABLE held("
    " run INTEGER PRIMARY KEY, repository TEXT NOT NULL, path TEXT, branch TEXT,"
    " plan TEXT NOT NULL, approver TEXT, approved INTEGER, approving INTEGER);",
    /* 5: times by the steady clock of a boot of the host */
    "ALTER TABLE locks ADD COLUMN steady_end INTEGER;"
    "ALTER TABLE recoveries ADD COLUMN boot TEXT;"
    "ALTER TABLE recoveries ADD COLUMN steady INTEGER;",
    /* 6: pools of machines that cannot tell theirs */
    "CREATE TABLE told("
    " account TEXT NOT NULL, region TEXT NOT NULL, machine TEXT NOT NULL, service TEXT NOT NULL,"
    " address TEXT NOT NULL, port INTEGER NOT NULL,"
    " PRIMARY KEY(account, region, machine, service, address, port)) WITHOUT ROWID;",
    /* 7: what vm-static machines were told */
    "CREATE TABLE lent("
    " account TEXT NOT NULL, region TEXT NOT NULL, machine TEXT NOT NULL, service TEXT NOT NULL,"
    " address TEXT NOT NULL, port INTEGER NOT NULL, balancer TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY(account, region, machine, service, address, port)) WITHOUT ROWID;",
    /* 8: whose telling may still come; the times of intents by the steady clock, too */
    "ALTER TABLE lent ADD COLUMN intent INTEGER;"
    "ALTER TABLE journal ADD COLUMN boot TEXT;"
    "ALTER TABLE journal ADD COLUMN steady INTEGER;",
};

#define NEWEST ((int)(sizeof(versions) / sizeof(versions[0])))

static int read_version(struct tt_store *store, int *ret_version, struct tt_error *err)
{
    TT_STATEMENT_AUTO *statement = NULL;

    if (tt_store_prepare(store, &statement, err, "PRAGMA user_version", "") < 0 ||
        tt_store_step(store, statement, err) < 0)
        return -1;
    *ret_version = sqlite3_column_int(statement, 0);
    return 0;
}

/* Within a transaction: another process may have made the tables meanwhile. */
static int upgrade(struct tt_store *store, void *self, struct tt_error *err)
{
    char pragma[64];
    int version;

    (void)self;
    if (read_version(store, &version, err) < 0)
        return -1;
    for (; version < NEWEST; version++)
        if (tt_store_exec(store, versions[version], err) < 0)
            return -1;
    sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version = %d", version);
    return tt_store_exec(store, pragma, err);
}

int tt_store_check_schema(struct tt_store *store, struct tt_error *err)
{
    int version;

    if (read_version(store, &version, err) < 0)
        return -1;
    if (version < NEWEST && tt_store_transact(store, upgrade, NULL, err) < 0)
        return -1;
    if (version > NEWEST)
        return tt_fail(err, TT_ERR_INTERNAL,
                       "the store %s has format %d and this trimtab knows %d: use the newer "
                       "trimtab that made it",
                       store->path, version, NEWEST);
    return 0;
}
