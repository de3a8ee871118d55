/*
 * Zones: the allowed zones of a placement, and how many servers each is to have.
 */
#ifndef TT_PLANNER_ZONES_H
#define TT_PLANNER_ZONES_H

#include "reconciler/planner/view.h"

struct tt_zone_share {
    const char *name;
    bool available;
    int kept;    /* machines that stay as they are */
    int movable; /* machines that are replaced anyway: outdated, failed */
    int target;  /* how many the zone is to have; only of an available one */
    int given;   /* kept and new ones assigned so far */
};

struct tt_zone_shares {
    struct tt_zone_share *items; /* by name */
    size_t count;
    size_t capacity;
};

/* The zones of REGION in which servers of PLACEMENT may be: its own (default: all) that every
 * data-center balancer of the service in that account and region has, too. */
void tt_zones_allowed(struct tt_arena *arena, const struct tt_service *service,
                      const struct tt_placement *placement, const struct tt_region *region,
                      struct tt_zone_shares *ret_shares);

/* NULL: not an allowed zone. */
struct tt_zone_share *tt_zones_find(const struct tt_zone_shares *shares, const char *zone);

/* Spreads COUNT servers evenly over the available zones: the zones that get one more are those
 * where that saves a move. */
void tt_zones_spread(struct tt_zone_shares *shares, int count);

/* The zone for a new server: PREFERRED when it wants one more, else the one that wants most; NULL:
 * none is available. Counts it. */
const char *tt_zones_take(struct tt_zone_shares *shares, const char *preferred);

#endif
