/*
 * The store: history, locks, the journal of intents and the memory of the planner, in one SQLite
 * file (WAL). Losing it loses history, never correctness. Every function is safe from several
 * threads and several processes.
 */
#ifndef TT_RECONCILER_STORE_H
#define TT_RECONCILER_STORE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/memory.h"
#include "model/plan.h"

struct tt_store;

/* Opens or makes FOLDER/store.db. Errors: INTERNAL (disk full, not writable, corrupt: the message
 * names the file and the way out). */
int tt_store_open(const char *folder, struct tt_store **ret_store, struct tt_error *err);
void tt_store_close(struct tt_store *store);

/* A run of a command that may change something. */
struct tt_run_record {
    int64_t id;
    tt_time began, ended; /* ended 0: running, or it crashed */
    const char *command;  /* "apply" */
    const char *revision;
    const char *result; /* "done", "failed", "held", "stopped", "running" */
    int done, failed, skipped;
};

int tt_store_begin_run(struct tt_store *store, const char *command, const char *revision,
                       tt_time now, int64_t *ret_run, struct tt_error *err);
int tt_store_end_run(struct tt_store *store, const struct tt_run_record *record,
                     struct tt_error *err);

/* Locks of deployments, each with an owner and a lease that its holder renews. */
struct tt_lock_holder {
    const char *deployment;
    const char *host, *user, *command;
    int64_t pid;
    tt_time since, expires;
    int64_t token; /* grows with every taking */
};

/* Takes the locks of all DEPLOYMENTS or none. CONFLICT when one is held by somebody alive: the
 * message says who, since when, and how to go on. */
int tt_store_lock(struct tt_store *store, const struct tt_strings *deployments, const char *command,
                  tt_time now, tt_time lease, int64_t *ret_token, struct tt_error *err);
int tt_store_renew(struct tt_store *store, int64_t token, tt_time now, tt_time lease,
                   struct tt_error *err);
int tt_store_unlock(struct tt_store *store, int64_t token, struct tt_error *err);
/* 1: DEPLOYMENT is locked, by RET_HOLDER (its strings in ARENA); 0: it is not. */
int tt_store_read_lock(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                       struct tt_lock_holder *ret_holder, struct tt_error *err);
/* Takes DEPLOYMENT's lock away from whoever holds it (`unlock`). NOT_FOUND: it is not locked. */
int tt_store_break_lock(struct tt_store *store, const char *deployment, struct tt_error *err);

/* The journal: an intent before a call that changes a cloud, its outcome after it. The intent to
 * delete a server takes it out of what is known. */
int tt_store_intent(struct tt_store *store, int64_t run, int step, const struct tt_step *what,
                    const char *incarnation, tt_time now, int64_t *ret_intent,
                    struct tt_error *err);
int tt_store_outcome(struct tt_store *store, int64_t intent, const char *outcome, tt_time now,
                     struct tt_error *err);

/* The planner's memory. Recoveries older than an hour before NOW are left out. */
int tt_store_load_memory(struct tt_store *store, struct tt_arena *arena, tt_time now,
                         struct tt_memory *ret_memory, struct tt_error *err);
int tt_store_add_recovery(struct tt_store *store, const struct tt_recovery *recovery,
                          struct tt_error *err);
/* Replaces what is known of DEPLOYMENT's servers. */
int tt_store_set_known(struct tt_store *store, const char *deployment,
                       const struct tt_known_server *servers, size_t count, struct tt_error *err);

#endif
