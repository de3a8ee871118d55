/*
 * Site: one placement while it is worked on, and what can stand in its way.
 */
#ifndef TT_PLANNER_SITE_H
#define TT_PLANNER_SITE_H

#include "reconciler/planner/slots.h"
#include "reconciler/planner/surplus.h"
#include "reconciler/planner/view.h"
#include "reconciler/planner/zones.h"

/* One placement while it is worked on. */
struct tt_site {
    struct tt_view *view;
    struct tt_arena *scratch;
    struct tt_service_view *service;
    const struct tt_placement *placement;
    const struct tt_region *region;
    struct tt_standing *standings; /* parallel to the service's machines */
    struct tt_zone_shares zones;
    struct tt_candidate *candidates;
    size_t count;
    int missing; /* creates that replace nothing */
};

/* Reports an error that names SERVICE: nothing is planned for it. */
void tt_fail_service(struct tt_view *view, struct tt_service_view *service, const char *code,
                     const struct tt_mark *mark, const char *message);

/* no-such-zone, no-such-template, zone-impaired. */
void tt_site_check_zones(struct tt_site *site);
void tt_site_check_template(struct tt_site *site);
void tt_site_report_impaired(struct tt_site *site);

/* "the placement allows a, b; balancer edge allows b, c; aws/us has a (impaired)" */
const char *tt_site_zone_sides(struct tt_site *site);

/* Bars machines that a global balancer elsewhere cannot reach; then, when those that go as
 * duplicates are known, reports the others (no-public-address). */
void tt_bar_unreachable(struct tt_service_view *service);
/* Reports the machines that boot and are waited for. */
void tt_report_pending(struct tt_view *view, const struct tt_service_view *service);

void tt_report_unreachable(struct tt_view *view, const struct tt_service_view *service);

/* Marks the machines behind balancers that are unseen or blocked: those that are to be members by
 * the spec, and of a blocked one those that were seen as members, too. */
void tt_freeze(struct tt_view *view, struct tt_service_view *service);

/* Reports what left Git and is not removed (orphan). */
void tt_report_orphans(struct tt_view *view, const struct tt_deployment_view *deployment);

#endif
