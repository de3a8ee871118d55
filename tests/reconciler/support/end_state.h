/*
 * End state: what a world must look like once a plan was carried out, told from what is desired
 * alone (design.md §5). Law 1 shows that a planner is content with its work; this shows that it
 * has a reason to be.
 */
#ifndef TT_TESTS_END_STATE_H
#define TT_TESTS_END_STATE_H

#include "playground.h"

/* P is the world after every step of its plan. Nothing is checked when something was out of reach:
 * a region that was not observed, a problem that is an error or a warning, or something that is
 * waited for. */
int tt_end_state_check(struct tt_playground *p, struct tt_error *err);

#endif
