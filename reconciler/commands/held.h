/*
 * Held plans: kept when a guard holds steps of a run, and taken up again when somebody approves.
 */
#ifndef TT_COMMANDS_HELD_H
#define TT_COMMANDS_HELD_H

#include "reconciler/commands/session.h"

/* Keeps what is held of the session's plan with RUN. */
int tt_held_keep(struct tt_session *session, int64_t run, struct tt_error *err);

/* The plan of the held RUN with its steps let go; sets the options of SESSION that it was made
 * with. Errors: NOT_FOUND (no such run), CONFLICT (not held, approved already, a newer commit has
 * come). */
int tt_held_take(struct tt_session *session, int64_t run, struct tt_plan **ret_plan,
                 struct tt_error *err);

#endif
