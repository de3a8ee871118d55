/*
 * History: one life of a fleet, drawn from a seed: commits, runs of trimtab, and what goes wrong in
 * between and in the middle. The real planner, apply and store are at work; only the cloud, the
 * clock and chance are made.
 *
 *   history.c   the life itself: commits and runs until the faults stop, then to the end
 *   commits.c   what a commit desires
 *   process.c   one run of trimtab, with its own view of the clock
 *   faults.c    what the cloud does to a call, and a crash
 *   storage.c   what happens to the store, and what its journal must say
 *   humans.c    what people and misfortune do behind our back
 *   truth.c     what the simulated cloud really has
 *   referee.c   the laws, held against that at each call; it knows nothing of the planner
 *   referee_end.c   and in the end
 *   simulate.c  many histories on all cores, shrinking, telling
 *   torture.c   instead of chance: each call of each of many applies fails in each way
 */
#ifndef TT_TESTS_SIMULATE_HISTORY_H
#define TT_TESTS_SIMULATE_HISTORY_H

#include <stdint.h>

#include "base/str.h"
#include "providers/intercept.h"
#include "providers/sim/sim.h"
#include "reconciler/apply.h"

enum fault_kind {
    FAULT_THROTTLE,
    FAULT_UNAVAILABLE,
    FAULT_TIMEOUT_BEFORE,
    FAULT_TIMEOUT_AFTER,
    FAULT_DENIED,
    FAULT_CRASH,
    FAULT_SECOND_RUN,
    FAULT_LOST_STORE,
    FAULT_DEATH,
    FAULT_VANISH,
    FAULT_TAGS,
    FAULT_MEMBERS,
    FAULT_FOREIGN,
    FAULT_ZONE,
    FAULT_CAPACITY,
    FAULT_REGION,
    FAULT_POOL,
    FAULT_LATE,
    FAULT_PARTIAL,
    FAULT_STORE_CRASH,
    FAULT_STORE_FULL,
    FAULT_PAUSE,
    FAULT_CLOCK,
    FAULT_HEALTH,
    FAULT_ADDRESS,
    FAULT_LB_ZONES,
    FAULT_COPY,
    FAULT_KINDS,
};

#define LEASE 60000 /* ms, of a lock */

extern const char *const fault_words[];

/* What to leave out, for shrinking. */
struct limits {
    unsigned without; /* bits of enum fault_kind */
    int faults;       /* only the first so many happen */
    int commits;
};

/* What spoils one call, or one commit of the store, of a run. */
enum spoil_kind {
    SPOIL_NOTHING,
    SPOIL_ERROR,      /* the call fails and had no effect */
    SPOIL_LOST_REPLY, /* it had its effect, and the answer does not come */
    SPOIL_HALF,       /* half of its effect */
    SPOIL_CRASH_BEFORE,
    SPOIL_CRASH_AFTER,
    SPOIL_STORE_CRASH_BEFORE,
    SPOIL_STORE_CRASH_AFTER,
    SPOIL_STORE_FULL,
};

struct spoil {
    enum spoil_kind kind;
    enum tt_error_class class; /* of ERROR */
    int nth;                   /* from 1 */
    int calls, commits;        /* that went by */
    bool struck;
};

/* What Git says: a handful of numbers from which the desired world is built. */
struct commit {
    int number;
    bool running;
    int count[2][2]; /* service, account; -1: no such placement */
    int version[2];
    unsigned zones; /* of the cloud balancer; 0: regional */
    bool edge;
    int fixed; /* the vm-static balancer is machine old-1 or old-2; 0: there is none */
    int surge, unavailable;
    int max_destroy;
};

struct history {
    uint64_t seed, dice, schedule;
    struct limits limits;
    bool tell, calm;
    int faults; /* that happened */
    struct tt_arena arena;
    tt_time now;
    tt_time clock_error;   /* of the host's wall clock */
    bool late;             /* new machines and marks are seen late */
    struct tt_clock clock; /* the cloud's */
    struct tt_sim *sim;
    const char *folder;     /* of the store */
    struct tt_store *store; /* left open by a run that ended well; NULL: none */
    struct commit commit;
    int runs, depth;
    struct process *holder; /* of the lock, as far as it knows */
    bool holder_died;       /* with the lock */
    int misfortunes;        /* what happened to the fleet without us: humans, deaths, late views */
    bool store_was_lost;
    tt_time recoveries[64];
    int recovery_count;
    struct tt_strings foreign; /* machines that were never ours */
    unsigned calls;
    struct spoil spoil;
    char broken[512]; /* the law that was broken first; "" */
};

/* One run of trimtab. */
struct process {
    struct history *history;
    int number;
    struct tt_clock clock;
    tt_time skew; /* a crashed run goes on alone, outside of time */
    bool crashed;
    atomic_bool stop;
    struct tt_store *store;
    bool store_failed; /* it refused a write */
    int64_t run;       /* in the store */
    int64_t token;
    bool holds;   /* the lock, as far as it knows */
    bool belated; /* its call was on its way while another run had its turn */
    tt_time renewed;
    int misfortunes; /* of the history when it observed */
    const struct tt_desired *desired;
    const struct tt_world *world;
    int owned, destroyed; /* machines when it observed; those it deleted though Git wants them */
    bool made;            /* it made a machine, which may replace another */
    char names[64][32];   /* of machines that it made */
    int name_count;
    int floors[2][2]; /* by balancer (lb, edge) and service: members that must stay in service */
    int most[2];      /* by service: live machines that there may be */
};

/* history.c. Makes the empty store with which histories begin; that its tables are made is seen
 * where one is lost. */
void history_make_store(const char *folder);
/* A cloud, a clock and an empty store, drawn from SEED. */
struct history *history_new(uint64_t seed, const struct limits *limits, bool tell,
                            const char *folder);
void history_free(struct history *h);
/* The faults stop, and after at most so many runs there is nothing to do. */
void history_converge(struct history *h, int rounds);
/* Plays the history of SEED; 0: every law held. */
int history_play(uint64_t seed, const struct limits *limits, bool tell, const char *folder,
                 char *ret_broken, size_t size, int *ret_faults);
unsigned roll(struct history *h, unsigned sides);
bool chance(struct history *h, unsigned per_mille);
/* Chance, where a fault of KIND is allowed; counts it. */
bool strikes(struct history *h, enum fault_kind kind, unsigned per_mille);
void say(struct history *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
void broke(struct history *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* commits.c */
void commit_draw(struct history *h);
struct tt_desired *commit_desired(struct history *h, struct tt_arena *arena);

/* process.c. Returns the steps of its plan; -1: it did not come so far. */
int process_run(struct history *h);
void history_close_store(struct history *h);

/* faults.c */
struct tt_provider *faults_decorate(struct tt_arena *arena, struct tt_provider *inner,
                                    struct process *process, const char *account);
/* From here on the run has no effect: no call passes, nothing is committed, its time is its own. */
void process_crash(struct process *process, const char *where);

/* storage.c. From watching on, the store's writes may fail, and the run crash before or after one.
 */
void storage_watch(struct process *process);
void storage_leave(struct process *process);
/* True when the journal announces CALL, or it is none that changes a cloud. */
bool storage_announces(struct process *process, const struct tt_call *call);

/* humans.c */
void humans_act(struct history *h);
/* Sets the wall clock of the host on which trimtab runs, a wrong one as likely as not. */
void humans_set_clock(struct history *h);
void humans_mend(struct history *h);

/* referee.c */
void referee_start(struct process *process);
void referee_before(struct process *process, const char *account, const struct tt_call *call,
                    struct tt_world *truth);
void referee_after(struct process *process, const char *account, const struct tt_call *call,
                   const struct tt_world *before, const struct tt_world *truth);

/* referee_end.c */
void referee_end(struct history *h);

#endif
