/*
 * Replay: what a plan is made from survives being written and read, and the same bytes come out.
 */
#ifndef TT_TESTS_REPLAY_LAW_H
#define TT_TESTS_REPLAY_LAW_H

#include "laws.h"

/* PLAN is that of WHAT, whose world is sorted. */
int tt_replay_law_check(struct tt_arena *arena, const struct tt_case *what,
                        const struct tt_plan *plan, struct tt_error *err);

#endif
