/*
 * The inside of apply: one run of a plan, shared by its parts.
 *
 *   apply.c           a run: its threads, its beginning, its end
 *   apply_queue.h     which step may start, what its end means for others
 *   apply_observer.h  looks at the clouds for all steps that wait
 *   apply_try.c       one step's call: journal, tries, what to do about each class of error
 *   apply_call.h      the call of each action
 *   apply_ends.c      how steps ended, for history
 *   apply_find.c      what a step speaks of: specs, machines, addresses
 *   apply_wait.c      when a step's wait is over
 *   apply_known.c     what the run leaves for the next one's memory
 *   apply_told.c      and what machines that cannot tell their pool were told
 *   apply_lent.c      and what vm-static machines were
 *
 * Who may touch what: a step belongs to the worker that calls it or to the observer while it waits,
 * and is handed over under the lock. What a step found out (`made`) is written and read by others
 * under the lock. The arena, the queue, the counters and every step's progress are under the lock.
 */
#ifndef TT_RECONCILER_APPLY_RUN_H
#define TT_RECONCILER_APPLY_RUN_H

#include <pthread.h>

#include "reconciler/apply.h"

#define TT_INCARNATION_LENGTH 12
#define TT_TOKEN_LENGTH       32

/* Where a VM balancer reaches a member. */
struct tt_endpoint {
    char address[64];
    int port;
};

struct tt_step_run {
    int open_before; /* steps before it that are not done */
    int *dependents;
    int dependent_count;
    int machine_maker; /* the step that makes the machine of this one's balancer; -1: none */
    int server_maker;  /* the step before it that makes or starts its server; -1: none */
    /* 0, then 1 for the settings of a balancer's new machine */
    int stage;
    /* the machine of create-server and start-server */
    struct {
        const char *server;
        const char *private_address, *public_address;
        bool seen;
        const char *zone;       /* another one than the plan's, which has no room; NULL: none */
        struct tt_strings full; /* zones that refused it */
    } made;
    int blind_looks;  /* observations in a row that could not tell */
    tt_time deadline; /* of its wait, by the steady clock; 0: none yet */
    char incarnation[TT_INCARNATION_LENGTH + 1];
    char token[TT_TOKEN_LENGTH + 1];
    int64_t resumed; /* the open intent of an earlier run that this create takes up; 0: none */
    int64_t intent;  /* its own, while its machine was made and not seen yet; 0: none */
};

struct tt_apply_run {
    const struct tt_apply_request *request;
    const struct tt_plan *plan;
    char salt[TT_TOKEN_LENGTH + 1]; /* of this run alone */
    struct tt_step_run *steps;

    pthread_mutex_t lock;
    pthread_cond_t queued;  /* for the workers: there is something to call, or the run is over */
    pthread_cond_t waiting; /* for the observer: a step waits, or the run is over */
    struct tt_arena *arena;
    struct tt_step_progress *progress;
    int *queue; /* a ring of steps whose call may be made */
    int queue_head, queue_count;
    int *ends;      /* a stack of steps whose end is yet to be told to their dependents */
    int *unwritten; /* steps that were called and ended, and history does not know it yet */
    int unwritten_count;
    int *watched; /* steps that wait */
    int watched_count;
    struct tt_join *joins; /* members that want to join a balancer's machine: apply_join.c */
    pthread_cond_t joined; /* for these: some were told, or nobody tells any more */
    int begun_waits;       /* grows with every new wait */
    int open;              /* steps that are queued, called or waiting */
    bool alone;   /* the clock chooses: one thread does everything, and none waits for another */
    bool stopped; /* a step was left out because of the stop flag, or of what closed the run */
    const char *closed; /* why nothing may be started any more; NULL: it may */
};

enum tt_progress_word {
    TT_GO_DONE,
    TT_GO_WAIT, /* look again */
    TT_GO_ON,   /* the wait is over, the next stage's call follows */
    TT_GO_FAILED,
};

/* apply_queue.c. Sets a field of `made` to a copy of TEXT that lives as long as the run; reads one
 * that may belong to a step still under way. */
void tt_apply_set(struct tt_apply_run *run, const char **field, const char *text);
const char *tt_apply_get(const struct tt_apply_run *run, const char *const *field);
void tt_apply_note(struct tt_apply_run *run, int step, const char *note);
/* Takes a step on after a call or a look; under the lock. */
void tt_apply_proceed(struct tt_apply_run *run, int step, enum tt_progress_word word,
                      const struct tt_error *err);

/* apply_intents.c. Resolves what earlier runs left open; before anything is called. */
int tt_apply_resolve(struct tt_apply_run *run, struct tt_error *err);
/* What the machine of a create is made from: the same words ask for the same machine. */
char *tt_apply_request_name(struct tt_arena *arena, const struct tt_apply_run *run,
                            const struct tt_step *step);
/* After STEP's own intent was written: the one that it takes up is closed. */
int tt_apply_close_resumed(struct tt_apply_run *run, int step, struct tt_error *err);
/* After a look: closes the intents of those STEPS whose machine was seen, or failed to come. */
void tt_apply_close_seen(struct tt_apply_run *run, const int *steps, int count);

/* apply_try.c. A worker's whole business with a step's stage: DONE, WAIT or FAILED with ERR. */
enum tt_progress_word tt_apply_try(struct tt_apply_run *run, int step, struct tt_error *err);

/* apply_ends.c. Tells history which steps ended since the last time. Not under the lock. */
void tt_apply_write_ends(struct tt_apply_run *run);

/* apply_step.c. The call alone, once: DONE, WAIT or FAILED with ERR. */
enum tt_progress_word tt_apply_call(struct tt_apply_run *run, int step, struct tt_arena *scratch,
                                    struct tt_error *err);

/* apply_wait.c. What WORLD says of a step that waits; *RET_NOTE: what it waits for. */
enum tt_progress_word tt_apply_check(struct tt_apply_run *run, int step,
                                     const struct tt_world *world, const char **ret_note,
                                     struct tt_error *err);
/* How long a step may wait. */
tt_time tt_apply_patience(const struct tt_apply_run *run, int step);
/* One observation for the waits of STEPS. */
struct tt_world *tt_apply_observe(struct tt_apply_run *run, struct tt_arena *scratch,
                                  const int *steps, int count);

/* apply_find.c. Fills the makers of all steps. */
void tt_apply_find_makers(struct tt_arena *arena, struct tt_apply_run *run);
/* NULL: Git has no such thing. */
const struct tt_service *tt_apply_service(const struct tt_apply_run *run,
                                          const struct tt_step *step);
const struct tt_balancer *tt_apply_balancer(const struct tt_apply_run *run,
                                            const struct tt_step *step);
const struct tt_placement *tt_apply_placement(const struct tt_service *service,
                                              const struct tt_step *step);
/* The id of the balancer's machine of a step; NULL: a cloud balancer, or none. */
const char *tt_apply_machine(const struct tt_apply_run *run, const struct tt_step *step);
/* The id of the server that a step is about, its own or one made by a step before it; NULL: none.
 */
const char *tt_apply_server(const struct tt_apply_run *run, int step);
/* The provider's name for the cloud balancer of a step; NULL: Git has no such balancer. */
const char *tt_apply_cloud_name(const struct tt_apply_run *run, const struct tt_step *step);

/* The pool's own word for the service of a member that joins or leaves; NULL: it is in no pool that
 * we know. */
const char *tt_apply_pool_service(const struct tt_apply_run *run, const struct tt_step *step,
                                  const char *machine, const struct tt_endpoint *endpoint,
                                  struct tt_arena *arena);
/* apply_told.c. Keeps that STEP's member joined or left a machine that cannot tell its pool. */
void tt_apply_tell(const struct tt_apply_run *run, int step);
/* Forgets what MEMORY has of machines that are not what they were. */
int tt_apply_forget_told(const struct tt_apply_run *run, const struct tt_memory *memory,
                         struct tt_error *err);

/* apply_lent.c. True when STEP tells a vm-static machine of a member: what is to be taken back once
 * no LoadBalancer names it. RET_LENT's strings live as long as ARENA. */
bool tt_apply_lends(const struct tt_apply_run *run, int step, struct tt_arena *arena,
                    struct tt_lent_member *ret_lent);
/* Keeps that the member of the withdraw STEP is in the pool of its machine no more. */
void tt_apply_return(const struct tt_apply_run *run, int step);
/* True when STEP's balancer is vm-dynamic, as far as Git knows it. */
bool tt_apply_is_dynamic(const struct tt_apply_run *run, const struct tt_step *step);

/* The server that STEP names, as the plan's world has it; NULL: it has none. */
const struct tt_server *tt_apply_known_server(const struct tt_apply_run *run,
                                              const struct tt_step *step);
/* False for NULL. */
bool tt_apply_is_dead(const struct tt_server *server);

int tt_apply_endpoint(const struct tt_apply_run *run, int step, struct tt_endpoint *ret_endpoint,
                      struct tt_error *err);
/* The address of a balancer's machine; NULL: unknown. */
const char *tt_apply_machine_address(const struct tt_apply_run *run, const struct tt_step *step,
                                     const char *machine);

/* apply_known.c. Leaves the servers that exist now in the store. */
int tt_apply_remember(const struct tt_apply_run *run, struct tt_error *err);

#endif
