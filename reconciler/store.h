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
/* A store in memory, for a run that goes on without the file: empty, and nobody else sees it. */
int tt_store_open_memory(struct tt_store **ret_store, struct tt_error *err);
void tt_store_close(struct tt_store *store);

/* True when an error of the store says that its file is damaged. */
bool tt_store_is_damage(const struct tt_error *err);
/* Looks through the whole file, where opening it saw only its head. */
int tt_store_check(struct tt_store *store, struct tt_error *err);
/* Renames FOLDER's damaged store, which is not open; *RET_KEPT (in ARENA): what it is called now.
 */
int tt_store_set_aside(const char *folder, tt_time now, struct tt_arena *arena,
                       const char **ret_kept, struct tt_error *err);

/* From now on the age of leases and recoveries of this boot of the host is told by CLOCK's steady
 * time, so that setting the wall clock changes none; CLOCK is borrowed. */
void tt_store_use_clock(struct tt_store *store, const struct tt_clock *clock);

/* A step of a run, as history keeps it. */
struct tt_step_record {
    int step;                            /* its place in the plan, from 0 */
    const char *action, *subject, *text; /* text: "create web-0 in zone a" */
    const char *account, *region, *server;
    /* "waiting", "running", "done", "failed", "skipped", "held"; of a run that was cut short also
     * "called" (its call was made, that it took effect was not seen) and "interrupted" */
    const char *state;
    tt_time began, ended;      /* 0: not */
    const char *class, *error; /* of a failed step and one that was left out; NULL: none */
};

/* A run of a command that may change something. */
struct tt_run_record {
    int64_t id;
    tt_time began, ended; /* ended 0: it runs, or was cut short */
    const char *command;  /* "apply" */
    const char *trigger;  /* who or what asked for it: "command line"; NULL: unknown */
    const char *user, *host;
    int64_t pid;
    const char *revision;
    const char *deployments; /* "blog, shop" */
    /* "done", "failed", "held", "stopped", "running", and "interrupted" of a process that is dead
     */
    const char *result;
    int done, failed, skipped, held; /* of one that runs, or was cut short: so far */
    int64_t approves;                /* the held run whose plan it carries out; 0: none */
    const char *approver;            /* of a held run: who approved it; NULL: nobody yet */
    tt_time approved;                /* when */
    int64_t approved_by;             /* the run that carries it out */
    TT_VEC(struct tt_step_record) steps;
};

typedef TT_VEC(struct tt_run_record) tt_run_records;

/* Records that a run begins: its command, trigger, revision and beginning, this process, and the
 * steps of PLAN (NULL: none). Runs past what is kept go. One that carries out a held plan
 * (APPROVES) approves it in the name of APPROVER: CONFLICT, and nothing is recorded, when somebody
 * has. */
int tt_store_begin_run(struct tt_store *store, const struct tt_run_record *record,
                       const struct tt_plan *plan, int64_t *ret_run, struct tt_error *err);
/* The end of some STEPS of a run that goes on (their step, state, ended, class, error and server).
 * A crash of the process does not take it back, that of the host may. */
int tt_store_end_steps(struct tt_store *store, int64_t run, const struct tt_step_record *steps,
                       size_t count, struct tt_error *err);
/* Its end: when, result, counts, and the end of each of its steps. */
int tt_store_end_run(struct tt_store *store, const struct tt_run_record *record,
                     struct tt_error *err);

/* The last MOST runs, the newest first, without their steps. */
int tt_store_read_runs(struct tt_store *store, struct tt_arena *arena, int most,
                       tt_run_records *ret_runs, struct tt_error *err);
/* One run with its steps. NOT_FOUND: there is none, or it is not kept any more. */
int tt_store_read_run(struct tt_store *store, struct tt_arena *arena, int64_t run,
                      struct tt_run_record *ret_record, struct tt_error *err);
/* How many runs are kept from now on; the others go at once. Kept in the store itself. */
int tt_store_keep_runs(struct tt_store *store, int count, struct tt_error *err);

/* The plan of a run that a guard held, until the run is forgotten. */
struct tt_held_plan {
    int64_t run;
    const char *repository; /* absolute */
    const char *path;       /* of the specs in it; NULL: its root */
    const char *branch;     /* whose newest commit it was made for; NULL: none's */
    const char *plan;       /* the steps that are held, as JSON */
};

int tt_store_keep_held(struct tt_store *store, const struct tt_held_plan *held,
                       struct tt_error *err);
/* NOT_FOUND: no plan of RUN is kept. */
int tt_store_read_held(struct tt_store *store, struct tt_arena *arena, int64_t run,
                       struct tt_held_plan *ret_held, struct tt_error *err);
/* The plan of DEPLOYMENT that waits for approval, made from the folder REPOSITORY by the last run
 * of that deployment. *RET_RUN 0: none waits. */
int tt_store_find_held(struct tt_store *store, const char *repository, const char *deployment,
                       int64_t *ret_run, struct tt_error *err);

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
/* CONFLICT: the lock of TOKEN was lost. TOKEN 0: there is none. */
int tt_store_check_lock(struct tt_store *store, int64_t token, struct tt_error *err);
int tt_store_unlock(struct tt_store *store, int64_t token, struct tt_error *err);
/* 1: DEPLOYMENT is locked, by RET_HOLDER (its strings in ARENA); 0: it is not. */
int tt_store_read_lock(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                       struct tt_lock_holder *ret_holder, struct tt_error *err);
/* Takes DEPLOYMENT's lock away from whoever holds it (`unlock`). NOT_FOUND: it is not locked. */
int tt_store_break_lock(struct tt_store *store, const char *deployment, struct tt_error *err);

/* The journal: an intent before a call that changes a cloud, on the disk when this returns; its
 * outcome after it. The intent to delete a server takes it out of what is known. */
struct tt_intent {
    int64_t run;
    int step;
    const struct tt_step *what;
    /* of a machine to be made; NULL: none. REQUEST tells one request for it from another */
    const char *incarnation, *token, *request;
    int64_t lock;                       /* the token of the lock under which it is done; 0: none */
    const struct tt_lent_member *lends; /* what a vm-static machine is told by it; NULL: nothing */
};

/* CONFLICT: the lock was lost, somebody else may be at work: nothing may be changed. */

int tt_store_intent(struct tt_store *store, const struct tt_intent *what, tt_time now,
                    int64_t *ret_intent, struct tt_error *err);
/* KNOWN: false when it may have had its effect or not, or that is not to be seen yet; the intent
 * then stays open. */
int tt_store_outcome(struct tt_store *store, int64_t intent, const char *outcome, bool known,
                     tt_time now, struct tt_error *err);

/* What came of an INTENT of an earlier run, which may be slow rather than dead. */
int tt_store_resolve_intent(struct tt_store *store, int64_t intent, const char *how, tt_time now,
                            struct tt_error *err);

/* Their effect was seen, or will never be: INTENTS stay open no longer. All of them or none. */
int tt_store_close_intents(struct tt_store *store, const int64_t *intents, size_t count,
                           struct tt_error *err);

/* An intent without a known outcome: its run was cut short, or lost the answer, or did not see what
 * it had made. */
struct tt_open_intent {
    int64_t id;
    tt_time at;         /* by the wall clock as it is now */
    const char *action; /* "create-server" */
    const char *subject;
    const char *account, *region;
    const char *incarnation, *token, *request; /* NULL: it makes no machine */
};

typedef TT_VEC(struct tt_open_intent) tt_open_intents;

/* Those of DEPLOYMENTS, the oldest first. */
int tt_store_read_open(struct tt_store *store, struct tt_arena *arena,
                       const struct tt_strings *deployments, tt_open_intents *ret_intents,
                       struct tt_error *err);

/* The commit that was applied last and whole to a deployment. *RET_REVISION NULL: none is known. */
int tt_store_set_applied(struct tt_store *store, const struct tt_strings *deployments,
                         const char *revision, tt_time now, struct tt_error *err);
int tt_store_read_applied(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                          const char **ret_revision, struct tt_error *err);

/* A step that was done, as history keeps it. */
struct tt_done_step {
    const char *subject, *text;
};

typedef TT_VEC(struct tt_done_step) tt_done_steps;

/* What runs of other commits did to DEPLOYMENT since the commit was applied that is known for it.
 */
int tt_store_read_done(struct tt_store *store, struct tt_arena *arena, const char *deployment,
                       tt_done_steps *ret_done, struct tt_error *err);

/* The planner's memory. Recoveries older than an hour before NOW are left out; those of the future,
 * from before the wall clock was set back and the host started again, happened now. */
int tt_store_load_memory(struct tt_store *store, struct tt_arena *arena, tt_time now,
                         struct tt_memory *ret_memory, struct tt_error *err);
int tt_store_add_recovery(struct tt_store *store, const struct tt_recovery *recovery,
                          struct tt_error *err);
/* What a machine that cannot tell its pool was told: MEMBER joined, or left. */
int tt_store_set_told(struct tt_store *store, const struct tt_told_member *member, bool joined,
                      struct tt_error *err);
/* What it was told is not to be relied on any more. */
int tt_store_forget_told(struct tt_store *store, const char *account, const char *region,
                         const char *machine, struct tt_error *err);
/* What vm-static machines were told, as the memory has it. */
int tt_store_read_lent(struct tt_store *store, struct tt_arena *arena, tt_lent_members *ret_lent,
                       struct tt_error *err);
/* Adds KNOWN, which were seen in pools, and takes out GONE, those that were told before SEEN: what
 * was told since is in no pool of that time, nor is what a run without a known outcome may tell
 * yet. CONFLICT: LOCK was lost, so that what was seen may be old; nothing is changed. */
int tt_store_set_lent(struct tt_store *store, const tt_lent_members *known,
                      const tt_lent_members *gone, tt_time seen, int64_t lock,
                      struct tt_error *err);
/* Its machine dropped MEMBER. */
int tt_store_return_lent(struct tt_store *store, const struct tt_told_member *member,
                         struct tt_error *err);
/* Probes that failed within the day before NOW, sorted. */
int tt_store_load_failing(struct tt_store *store, struct tt_arena *arena, tt_time now,
                          tt_failing_ports *ret_ports, struct tt_error *err);
/* Adds PORTS or replaces them; those without failures are forgotten, as those older than a day. */
int tt_store_set_failing(struct tt_store *store, const tt_failing_ports *ports, tt_time now,
                         struct tt_error *err);
/* Replaces what is known of DEPLOYMENT's servers. */
int tt_store_set_known(struct tt_store *store, const char *deployment,
                       const struct tt_known_server *servers, size_t count, struct tt_error *err);

#endif
