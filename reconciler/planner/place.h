/*
 * Place: which machine fills which slot, and in which zone a new one starts.
 *
 * Within the allowed zones of a placement the servers are spread evenly (counts differ by one at
 * most) with the fewest moves; duplicates of a slot are resolved to one; scaling down picks who
 * goes (design.md §5).
 */
#ifndef TT_PLANNER_PLACE_H
#define TT_PLANNER_PLACE_H

#include "reconciler/planner/view.h"

/* Gives every service's machine its fate and every service its creates; marks what is frozen or
 * barred; reports what stands in the way (no-such-zone, no-such-template, no-zone-available,
 * no-public-address, zone-impaired, orphan). A service that an error names keeps what it has. */
void tt_place(struct tt_view *view);

#endif
