/*
 * Saved plan: a plan from a file is carried out exactly, or refused.
 */
#ifndef TT_COMMANDS_SAVED_PLAN_H
#define TT_COMMANDS_SAVED_PLAN_H

#include "reconciler/commands/session.h"

int tt_saved_plan_read(struct tt_session *session, const char *file, struct tt_plan **ret_plan,
                       struct tt_error *err);

/* SAVED against FRESH, planned from the world as it is now: the steps must be the same (guards may
 * have been opened in between). CONFLICT names the first that differs. */
int tt_saved_plan_check(struct tt_arena *arena, const struct tt_plan *saved,
                        const struct tt_plan *fresh, struct tt_error *err);

#endif
