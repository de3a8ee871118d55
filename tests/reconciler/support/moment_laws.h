/*
 * Moment laws: what must hold of one step at the moment when it is carried out (design.md §§5, 7).
 */
#ifndef TT_TESTS_MOMENT_LAWS_H
#define TT_TESTS_MOMENT_LAWS_H

#include "playground.h"

/* STEP is about to be carried out in P: only healthy servers are enrolled, and only in zones that
 * the balancer has; a zone is taken out after its members; a server is deleted after it left every
 * pool that can be told; nobody else's membership ends. */
int tt_moment_laws_check(struct tt_playground *p, size_t step, struct tt_error *err);

#endif
