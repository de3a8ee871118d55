/*
 * Settle: looks at the world until what an earlier run began is to be seen and has come up, or
 * has had its time.
 */
#ifndef TT_COMMANDS_SETTLE_H
#define TT_COMMANDS_SETTLE_H

#include "reconciler/commands/session.h"
#include "reconciler/commands/signals.h"

/* Sets the session's world; says what it waits for. A signal ends the wait. Only machines of
 * DEPLOYMENTS, whose locks are held, count: those of others may be somebody's who is at work. */
void tt_settle(struct tt_session *session, const struct tt_strings *deployments,
               const struct tt_signals *signals);

#endif
