/*
 * Slots: one machine for each, and the lowest free ones for new servers.
 */
#ifndef TT_PLANNER_SLOTS_H
#define TT_PLANNER_SLOTS_H

#include "reconciler/planner/view.h"

/* What place.h knows of a machine beside its fate. */
struct tt_standing {
    bool outdated;
    bool outside; /* of its allowed zones, or of every placement */
    bool extra;   /* it stands beside the slot's keeper and is waited for: it fills no place */
    const struct tt_machine *awaits; /* the extra that boots and is to take its place */
};

/* Resolves slots that several machines fill: the healthiest stays, the others are to be removed.
 * A new machine that still boots beside the old one it replaces is waited for: then both stay,
 * the new one as an extra. One that is frozen or named by an error stays and fills a place like any
 * other. STANDINGS are parallel to the service's machines. */
void tt_slots_resolve(struct tt_view *view, struct tt_service_view *service,
                      struct tt_standing *standings);

/* After the fates are known: an extra goes with the machine that it was to replace. */
void tt_slots_finish(struct tt_service_view *service, const struct tt_standing *standings);

/* True when another machine that fills a place stays in MACHINE's slot, or an earlier one is
 * replaced there: a replacement of MACHINE needs another slot. */
bool tt_slot_is_shared(const struct tt_service_view *service, const struct tt_standing *standings,
                       const struct tt_machine *machine);

/* A walk over the lowest free slots of a service. */
struct tt_slot_walk {
    const struct tt_service_view *service;
    size_t machine; /* the next one by slot */
    int next;
    int skip; /* free ones to leave out: unseen servers may fill them */
};

void tt_slot_walk_init(struct tt_slot_walk *walk, const struct tt_view *view,
                       const struct tt_service_view *service);
int tt_slot_walk_next(struct tt_slot_walk *walk);

#endif
