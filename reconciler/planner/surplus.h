/*
 * Surplus: which servers of a placement go when it has more than it wants.
 */
#ifndef TT_PLANNER_SURPLUS_H
#define TT_PLANNER_SURPLUS_H

#include "reconciler/planner/view.h"

/* How dispensable a machine is; the first goes first. */
enum tt_rank {
    TT_RANK_FAILED,
    TT_RANK_OUTSIDE, /* its zone is not allowed */
    TT_RANK_OUTDATED,
    TT_RANK_GOOD,
    TT_RANK_FIXED, /* frozen: it cannot go */
};

/* A machine that competes for a place. */
struct tt_candidate {
    struct tt_machine *machine;
    enum tt_rank rank;
    int zone; /* index of its allowed zone (its replacement's when that boots already); -1: none */
};

/* Moves the COUNT candidates that go to the front of CANDIDATES and returns how many could be
 * found: the failed, then those outside their zones, then the outdated, then from the fullest of
 * ZONES zones the newest. */
size_t tt_surplus_choose(struct tt_arena *scratch, struct tt_candidate *candidates, size_t total,
                         size_t zones, size_t count);

/* Orders two machines: the newer first, then the higher slot, then by id. */
int tt_newer_first(const struct tt_machine *a, const struct tt_machine *b);

#endif
