/*
 * Diff of entries: what stands in a balancer's roster and belongs to no machine that stays.
 */
#ifndef TT_PLANNER_DIFF_ENTRIES_H
#define TT_PLANNER_DIFF_ENTRIES_H

#include "reconciler/planner/diff.h"

/* Which entries of each balancer's target roster are as wanted. */
struct tt_roster_ticks {
    const struct tt_deployment_view *deployment;
    bool **ticked; /* of balancer I, entry J */
};

void tt_ticks_init(struct tt_roster_ticks *ticks, struct tt_arena *arena,
                   const struct tt_deployment_view *deployment);
void tt_ticks_mark(struct tt_roster_ticks *ticks, const struct tt_balancer_view *balancer,
                   int entry);

/* False when a server could stand in a region that was not observed. */
bool tt_diff_sees_everything(const struct tt_view *view);

/* Adds a leaving for each entry that is not ticked and ours to withdraw; reports foreign-member.
 * EVERYTHING_SEEN: as tt_diff_sees_everything says, which is the same for every deployment. */
void tt_diff_entries(struct tt_view *view, const struct tt_roster_ticks *ticks,
                     bool everything_seen, struct tt_deployment_change *change);

/* Adds departures of what the deployment's lent machines were told. */
void tt_diff_lent(struct tt_view *view, bool everything_seen, struct tt_deployment_change *change);

#endif
