/*
 * Applied: which commit was applied last to each deployment, and what differs from it.
 */
#ifndef TT_COMMANDS_APPLIED_H
#define TT_COMMANDS_APPLIED_H

#include "base/map.h"
#include "reconciler/commands/session.h"

/* After an apply of the session's plan: writes down its commit for those of DEPLOYMENTS that are
 * whole, which nothing is left to do for. OUTCOME NULL: there was nothing to do at all. */
void tt_note_applied(struct tt_session *session, const struct tt_strings *deployments,
                     const struct tt_apply_outcome *outcome);

/* One step that drift asks for, and why the world differs: "failed", "missing", "changed",
 * "foreign", or "ours", a change in Git that is not applied yet. */
struct tt_drift_item {
    const struct tt_step *step;
    const char *class;
    const struct tt_desired *desired; /* the specs that ask for it */
};
struct tt_drift {
    TT_VEC(struct tt_drift_item) items;
};

/* Reads specs, world and memory as tt_session_prepare does, and finds the drift of each deployment
 * from the commit that was applied last to it; where none is known, and with --worktree, --world
 * and a --rev of another commit, from what the specs say. False: exit with 1. */
bool tt_find_drift(struct tt_session *session, struct tt_drift *ret_drift);

/* The session's plan as drift: "ours" where its commit is not the one that was applied last. */
void tt_drift_of_plan(struct tt_session *session, struct tt_drift *ret_drift);

/* True for the first ITEM that concerns a resource, for each class and cause: it tells of the
 * others. What merely differs, each by itself. TOLD has those that were told. */
bool tt_drift_is_first(struct tt_map *told, struct tt_arena *scratch,
                       const struct tt_drift_item *item);

#endif
