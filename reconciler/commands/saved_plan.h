/*
 * Saved plan: a plan from a file is carried out exactly, or refused.
 */
#ifndef TT_COMMANDS_SAVED_PLAN_H
#define TT_COMMANDS_SAVED_PLAN_H

#include "reconciler/commands/session.h"

/* Reads FILE, and sets those options of SESSION that the plan was made with. */
int tt_saved_plan_read(struct tt_session *session, const char *file, struct tt_plan **ret_plan,
                       struct tt_error *err);

/* The same of a plan's TEXT, which errors call NAME. */
int tt_saved_plan_parse(struct tt_session *session, const char *text, size_t size, const char *name,
                        struct tt_plan **ret_plan, struct tt_error *err);

/* SAVED against FRESH, planned from the world as it is now: every saved step must still be planned,
 * and no other step for the services and balancers that SAVED touches, unless the world is the very
 * same one (a plan with --target has a part of their steps). CONFLICT tells what differs. A step
 * that a guard holds no more is released in SAVED. APPROVED: somebody has let these very steps pass
 * the guards. */
int tt_saved_plan_check(struct tt_arena *arena, struct tt_plan *saved, const struct tt_plan *fresh,
                        bool approved, struct tt_error *err);

#endif
