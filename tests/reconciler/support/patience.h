/*
 * Patience: a plan that waits must wait for something that ends without it.
 */
#ifndef TT_TESTS_PATIENCE_H
#define TT_TESTS_PATIENCE_H

#include "laws.h"
#include "playground.h"

/* Holds a PLAN of WHAT that says that something waits to this: carried out, and planned again each
 * time what it waits for has happened, it leads to what is desired. Plans of which something stands
 * in the way that does not end by itself are let be. */
int tt_patience_check(struct tt_arena *arena, const struct tt_case *what,
                      const struct tt_plan *plan, struct tt_error *err);

/* True when PLAN says that something waits. */
bool tt_patience_waits(const struct tt_plan *plan);

#endif
