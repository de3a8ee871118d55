/*
 * Picture: a deployment as people look at it: its balancers, the services behind them, their
 * servers by zone, and what differs from what Git asks for, by class, as desired and as observed.
 * Commands with --save keep it, and the daemon's pages are made from it, so that a page costs what
 * one deployment costs, however large the world is.
 *
 * Format trimtab.picture/v1:
 *   {"format", "revision", "takenAt",
 *    "deployments": [{"name", "state", "orphan",
 *      "balancers": [{"name", "type", "scope", "software", "account", "region", "orphan", "word",
 *                     "machine", "address", "urls", "listeners", "zones"}],
 *      "services": [{"name", "orphan", "wanted", "healthy", "behind": [{"balancer", "serving",
 * "wanted"}], "zones": [{"account", "region", "zone", "state", "servers": [{"slot", "id", "name",
 * "word", "address", "serves"}]}]}]}], "drift": [{"class", "kind", "name", "slot", "action",
 * "because", "reason", "held", "differs": [{"what", "desired", "observed"}]}]} "word" is how a
 * machine fares: passing, up (nobody checks its health), failing, failed, pending, stopped; missing
 * where there is none yet, unknown where nobody could look. Of balancers in a cloud it is up,
 * missing or unknown.
 */
#ifndef TT_COMMANDS_PICTURE_H
#define TT_COMMANDS_PICTURE_H

#include <jansson.h>

#include "reconciler/commands/applied.h"
#include "reconciler/planner/view.h"

/* The deployments that SESSION's plan is about. DRIFT NULL: what the plan's steps tell. */
json_t *tt_picture_json(struct tt_session *session, const struct tt_drift *drift);

/* With --save: keeps the plan, its picture and the watch list (reconciler/watch_list.h); false
 * after complaining. DRIFT as above. */
bool tt_session_save(struct tt_session *session, const struct tt_drift *drift);

/* picture_drift.c: each resource of DRIFT once for each cause. */
json_t *tt_picture_drift(const struct tt_view *view, const struct tt_drift *drift);

/* What STEP sets right: [{"what", "desired", "observed"}]. VIEW is of the specs that ask for it,
 * and balanced. */
json_t *tt_picture_differences(const struct tt_view *view, const struct tt_step *step);

/* "http 80 to 8080" */
const char *tt_picture_listener(struct tt_arena *arena, const struct tt_listener *listener);

/* How SERVER fares, in one word. */
const char *tt_picture_word(const struct tt_server *server);

#endif
