/*
 * Apply, of a plan that is there already.
 */
#ifndef TT_COMMANDS_APPLY_SAVED_H
#define TT_COMMANDS_APPLY_SAVED_H

#include "reconciler/commands/session.h"

/* The way of apply: specs, locks, world, a fresh plan, SAVED in its place when it is still good
 * (NULL: the fresh one), approval, steps. Returns the exit code. */
int tt_apply_saved(struct tt_session *session, struct tt_plan *saved);

#endif
