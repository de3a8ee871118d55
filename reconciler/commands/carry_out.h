/*
 * Carry out: the steps of the session's plan as a run of the store, with progress and a summary.
 */
#ifndef TT_COMMANDS_CARRY_OUT_H
#define TT_COMMANDS_CARRY_OUT_H

#include "reconciler/commands/session.h"
#include "reconciler/commands/signals.h"

/* The clouds and the store are open, the locks are held. Returns the exit code. */
int tt_carry_out(struct tt_session *session, const struct tt_strings *deployments,
                 struct tt_signals *signals);

#endif
