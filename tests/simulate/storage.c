/*
 * Storage: the store of a run under SQLite's own hooks. Each commit may be the last thing that
 * happens, or not happen at all, or fail and let the run go on; from one on
 * the disk may be full until the run is over. And what the journal must say: no call changes a
 * cloud before its intent is committed.
 */
#include <sqlite3.h>

#include "reconciler/store_db.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/history.h"

/* True when this is the commit that is to be spoilt, in the way of KIND. */
static bool is_spoilt(struct process *p, enum spoil_kind kind)
{
    struct spoil *spoil = &p->history->spoil;

    if (spoil->kind != kind || ++spoil->commits != spoil->nth)
        return false;
    spoil->struck = true;
    return true;
}

/* Non-zero: the commit becomes a rollback. */
static int before_commit(void *self)
{
    struct process *p = self;

    if (p->crashed)
        return 1;
    if (is_spoilt(p, SPOIL_STORE_CRASH_BEFORE)) {
        process_crash(p, "before a commit of the store");
        return 1;
    }
    if (is_spoilt(p, SPOIL_STORE_FULL)) {
        say(p->history, "run %d: the store cannot be written", p->number);
        p->store_failed = true;
        return 1;
    }
    if (strikes(p->history, FAULT_STORE_CRASH, 4)) {
        process_crash(p, "before a commit of the store");
        return 1;
    }
    if (strikes(p->history, FAULT_STORE_FULL, 3)) {
        p->store_failed = true;
        if (roll(p->history, 2)) {
            say(p->history, "run %d: the store cannot be written", p->number);
            return 1;
        }
        say(p->history, "run %d: the disk is filling", p->number);
        disk_fill((int)roll(p->history, 6));
    }
    return 0;
}

static int after_commit(void *self, sqlite3 *db, const char *name, int pages)
{
    struct process *p = self;

    (void)db;
    (void)name;
    (void)pages;
    if (!p->crashed &&
        (is_spoilt(p, SPOIL_STORE_CRASH_AFTER) || strikes(p->history, FAULT_STORE_CRASH, 4)))
        process_crash(p, "after a commit of the store");
    return SQLITE_OK;
}

void storage_watch(struct process *process)
{
    sqlite3_commit_hook(process->store->db, before_commit, process);
    sqlite3_wal_hook(process->store->db, after_commit, process);
}

void storage_leave(struct process *process)
{
    sqlite3_commit_hook(process->store->db, NULL, NULL);
    sqlite3_wal_hook(process->store->db, NULL, NULL);
    disk_fill(-1);
}

/* The action whose step makes CALL; NULL: a look, or a command on a machine. */
static const char *action_of(const struct tt_call *call)
{
    static const int actions[] = {[TT_CALL_CREATE_SERVER] = TT_STEP_CREATE_SERVER,
                                  [TT_CALL_DELETE_SERVER] = TT_STEP_DELETE_SERVER,
                                  [TT_CALL_START_SERVER] = TT_STEP_START_SERVER,
                                  [TT_CALL_ENROLL] = TT_STEP_ENROLL,
                                  [TT_CALL_WITHDRAW] = TT_STEP_WITHDRAW,
                                  [TT_CALL_SET_ZONES] = TT_STEP_SET_ZONES,
                                  [TT_CALL_SET_LISTENERS] = TT_STEP_SET_LISTENERS,
                                  [TT_CALL_SET_HEALTH_CHECK] = TT_STEP_SET_HEALTH_CHECK,
                                  [TT_CALL_MOVE_ADDRESS] = TT_STEP_MOVE_ADDRESS,
                                  [TT_CALL_FENCE] = TT_STEP_FENCE,
                                  [TT_CALL_TAG] = TT_STEP_TAG};

    if (call->member == TT_CALL_OBSERVE || call->member == TT_CALL_RUN)
        return NULL;
    return tt_action_words[actions[call->member]];
}

/* The machine that the journal knows by its id before the call: one that exists. */
static const char *server_of(const struct tt_call *call)
{
    switch (call->member) {
    case TT_CALL_DELETE_SERVER:
    case TT_CALL_START_SERVER:
    case TT_CALL_FENCE:
        return call->object;
    case TT_CALL_WITHDRAW:
        return call->server;
    default:
        return NULL;
    }
}

static bool has_intent(struct process *p, const char *action, const char *server,
                       const char *incarnation)
{
    TT_STATEMENT_AUTO *statement = NULL;

    return tt_store_prepare(p->store, &statement, NULL,
                            "SELECT 1 FROM journal WHERE run = ? AND action = ?"
                            " AND server IS coalesce(?, server)"
                            " AND incarnation IS coalesce(?, incarnation) AND outcome IS NULL",
                            "isss", p->run, action, server, incarnation) == 0 &&
           tt_store_step(p->store, statement, NULL) == 1;
}

bool storage_announces(struct process *process, const struct tt_call *call)
{
    const char *action = action_of(call);
    bool known;

    if (!action)
        return true;
    pthread_mutex_lock(&process->store->lock);
    known =
        has_intent(process, action, server_of(call),
                   call->member == TT_CALL_CREATE_SERVER ? call->create->tags.incarnation : NULL);
    pthread_mutex_unlock(&process->store->lock);
    return known;
}
