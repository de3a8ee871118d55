/*
 * Turns: in which order the servers of one service come and go.
 *
 * Two things are scarce. *Room*: a service has at most max(now, count + maxSurge) machines.
 * *Capacity*: behind each balancer, and over all, at least min(now, count - maxUnavailable)
 * healthy servers serve. Both are counted in tokens. What is free at the start lies ready; a
 * deletion makes a token of room, a server that begins to serve one of capacity. Every create must
 * take room and every departure of a serving server capacity; taking a token that a step makes is
 * waiting for that step. So in every prefix of every execution as many tokens have been made as
 * taken: the limits hold by construction, and prove.h checks them by other means.
 */
#ifndef TT_PLANNER_TURNS_H
#define TT_PLANNER_TURNS_H

#include "reconciler/planner/diff.h"
#include "reconciler/planner/emit.h"

/* The steps of one service that others wait for. */
struct tt_turns {
    struct tt_indices creates;
    struct tt_indices enrolls;
    struct tt_indices leaves; /* the first steps of departures */
    struct tt_indices deletes;
    TT_VEC(const struct tt_machine *) leaving; /* the machines of deletes, in the same order */
};

/* Emits the steps of CHANGE. FIRST: steps that every create of a missing server waits for. What
 * cannot happen before something else changes is left out and reported (waiting). */
void tt_turns(struct tt_emitter *emitter, struct tt_service_change *change,
              const struct tt_indices *first, struct tt_turns *ret_turns);

#endif
