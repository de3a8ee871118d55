/*
 * Ask: a person says yes, or nothing is done.
 */
#ifndef TT_COMMANDS_ASK_H
#define TT_COMMANDS_ASK_H

#include "reconciler/commands/session.h"
#include "reconciler/commands/signals.h"

/* True with --auto-approve, or when the answer to QUESTION on the terminal is 'yes'; a signal
 * counts as no (SIGNALS may be NULL). Complains where nobody can answer. */
bool tt_ask(const struct tt_session *session, const struct tt_signals *signals,
            const char *question);

#endif
