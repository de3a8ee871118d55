/*
 * Emit: steps as they are made, with the edges between them.
 *
 * A step is known by its index here until the plan is sorted. NO_STEP (-1) stands for "nothing to
 * wait for" wherever an index is asked for.
 */
#ifndef TT_PLANNER_EMIT_H
#define TT_PLANNER_EMIT_H

#include "reconciler/planner/diff.h"
#include "reconciler/planner/view.h"

#define TT_NO_STEP (-1)

struct tt_steps {
    struct tt_step *items;
    size_t count;
    size_t capacity;
};

/* Indices of steps. */
struct tt_indices {
    int *items;
    size_t count;
    size_t capacity;
};

/* The steps of one balancer. */
struct tt_balancer_steps {
    int create;
    struct tt_indices fences;
    int move;
    struct tt_indices deletes;
    int switch_over; /* the step at which its clients reach the new machine */
    int zones_first;
    struct tt_indices enrolls; /* of existing machines: the switch waits for them */
};

struct tt_emitter {
    struct tt_view *view;
    struct tt_steps steps;
};

/* STEP waits for EARLIER; each pair once. */
void tt_emit_after(struct tt_emitter *emitter, int step, int earlier);
void tt_emit_after_all(struct tt_emitter *emitter, int step, const struct tt_indices *earlier);

/* Each makes one step and returns its index. */
int tt_emit_create(struct tt_emitter *emitter, const struct tt_service_view *service,
                   const struct tt_create *create);
int tt_emit_start(struct tt_emitter *emitter, const struct tt_service_view *service,
                  const struct tt_machine *machine);
/* The mark of a slot on a machine that has none. */
int tt_emit_tag(struct tt_emitter *emitter, const struct tt_service_view *service,
                const struct tt_machine *machine);
int tt_emit_delete(struct tt_emitter *emitter, const struct tt_service_view *service,
                   const struct tt_departure *departure);
int tt_emit_enroll(struct tt_emitter *emitter, const struct tt_service_view *service,
                   const struct tt_arrival *arrival, const struct tt_joining *joining);
/* The enrolment of a machine that departs later: in a balancer's new machine, or where it was
 * missing. */
int tt_emit_enroll_departing(struct tt_emitter *emitter, const struct tt_service_view *service,
                             const struct tt_departure *departure, const struct tt_link *link);
/* SERVICE is NULL for a stray entry. */
int tt_emit_withdraw(struct tt_emitter *emitter, const struct tt_service_view *service,
                     const struct tt_departure *departure, const struct tt_leaving *leaving);

/* The steps of a balancer itself, as balance.h decided; fills balancer->steps. */
void tt_emit_balancer(struct tt_emitter *emitter, struct tt_balancer_view *balancer);

/* The set-zones that takes out the zones that are no longer wanted. */
int tt_emit_zones_last(struct tt_emitter *emitter, struct tt_balancer_view *balancer);

#endif
