/*
 * Apply: carries out the steps of a plan.
 *
 * Workers start steps whose `after` steps are done, at most PARALLELISM calls at once. A step has
 * two halves: its call, and its wait (a machine boots, a member comes into service, a drain ends).
 * Waits are not polled one by one: one shared observation answers all of them. A failed step stops
 * what depends on it and nothing else; held steps are left out, and so is what depends on them.
 */
#ifndef TT_RECONCILER_APPLY_H
#define TT_RECONCILER_APPLY_H

#include <stdatomic.h>

#include "model/plan.h"
#include "reconciler/clouds.h"
#include "reconciler/store.h"

enum tt_step_state {
    TT_STEP_STATE_WAITING, /* for the steps before it */
    TT_STEP_STATE_RUNNING,
    TT_STEP_STATE_DONE,
    TT_STEP_STATE_FAILED,
    TT_STEP_STATE_SKIPPED, /* depends on a failed or held step, or the run was stopped */
    TT_STEP_STATE_HELD,
};

struct tt_step_progress {
    enum tt_step_state state;
    tt_time began, ended; /* monotonic; 0: not yet */
    const char *server;   /* in the outcome: the machine that it made; NULL: none */
    const char *note;     /* what a running step waits for; "" */
    struct tt_error error;
};

struct tt_apply_request {
    const struct tt_desired *desired;
    const struct tt_world
        *world; /* the plan was made from it, completed by memory (planner/told.h) */
    const struct tt_plan *plan;
    const struct tt_clouds *clouds;
    const struct tt_clock *clock;
    struct tt_store *store; /* NULL: no journal */
    int64_t run;            /* the run's number in the store */
    int64_t lock;        /* the token of its lock: once it is lost, nothing is changed; 0: none */
    bool allow_vanished; /* vm-static machines that fail, and left Git, are forgotten */
    int parallelism;
    const atomic_bool *stop; /* set by a signal: start nothing more */
    /* NULL, or told of every change of a step's state and note; called by one thread at a time */
    void (*progress)(void *self, int step, const struct tt_step_progress *progress);
    void *progress_self;
};

struct tt_apply_outcome {
    int done, failed, skipped, held;
    bool stopped; /* steps were left out: by the stop flag, or without a journal or the lock */
    struct tt_step_progress *steps; /* one for each step of the plan */
    struct tt_error store_error;    /* class NONE, or why the memory could not be kept */
};

/* How many machines of DESIRED's deployments an earlier run asked for so short a time before the
 * observation of WORLD began, at SEEN by the wall clock as it is now, that it may not have them
 * yet. -1: the journal cannot be read. */
int tt_apply_count_unseen(struct tt_store *store, const struct tt_desired *desired,
                          const struct tt_world *world, tt_time seen, struct tt_error *err);

/* Fails only when nothing could be started at all; failed steps are in the outcome. */
int tt_apply(struct tt_arena *arena, const struct tt_apply_request *request,
             struct tt_apply_outcome *ret_outcome, struct tt_error *err);

#endif
