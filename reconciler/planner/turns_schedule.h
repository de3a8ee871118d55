/*
 * The schedule of one service while its turns are taken: what turns.c (rounds, arrivals),
 * turns_depart.c (departures), turns_catch_up.c (the last resort) and turns_waiting.c (who got no
 * turn) share.
 */
#ifndef TT_PLANNER_TURNS_SCHEDULE_H
#define TT_PLANNER_TURNS_SCHEDULE_H

#include "reconciler/planner/tokens.h"
#include "reconciler/planner/turns.h"

/* A departure that deletes, while it is scheduled. */
struct tt_leaver {
    const struct tt_departure *departure;
    struct tt_comer *successor; /* the create that replaces it; NULL: none */
    bool stuck;                 /* it serves where nothing can be told now: it waits */
    bool scheduled;
    int delete;
    int *catch_ups; /* by link: the enroll where it was missing, or TT_NO_STEP; NULL: none */
};

/* An arrival that creates, while it is scheduled. */
struct tt_comer {
    const struct tt_arrival *arrival;
    struct tt_leaver *predecessor; /* NULL: none */
    bool scheduled;
    int create;
    struct tt_indices enrolls;
};

struct tt_schedule {
    struct tt_emitter *emitter;
    struct tt_arena *arena;
    const struct tt_service_change *change;
    const struct tt_indices *first;
    struct tt_turns *turns;
    struct tt_tokens room;
    struct tt_tokens health;    /* capacity over all */
    struct tt_tokens *capacity; /* capacity behind the balancer of link I */
    struct tt_comer *comers;
    size_t comer_count;
    struct tt_leaver *leavers;
    size_t leaver_count;
};

struct tt_tokens *tt_capacity_of(struct tt_schedule *s, const struct tt_link *link);

/* True when the machine serves through a balancer that cannot be changed now. */
bool tt_is_stuck(const struct tt_schedule *s, const struct tt_machine *machine);

/* True when LEAVER serves behind LINK when its turn to depart comes. */
bool tt_will_serve(const struct tt_schedule *s, const struct tt_leaver *leaver,
                   const struct tt_link *link);

/* True when the capacity that LEAVER takes with it is there to be taken. */
bool tt_has_capacity(struct tt_schedule *s, const struct tt_leaver *leaver);

/* The last resort, when nobody can come or go: enrols one that goes later where it is missing and
 * another one's turn waits for capacity. False: there is no such one. */
bool tt_catch_up(struct tt_schedule *s);

/* True when BALANCER balances to ZONE, now or after its zones were set. */
bool tt_balances_to(const struct tt_balancer_view *balancer, const char *zone);

/* The set-zones that a member in ZONE must wait for. */
int tt_zones_before(const struct tt_balancer_view *balancer, const char *zone);

/* Takes the capacity and emits the departure. */
void tt_schedule_departure(struct tt_schedule *s, struct tt_leaver *leaver);

/* Emits a departure's steps: it leaves its balancers after BEFORE, then it is deleted, after
 * BEFORE_DELETE, too. */
void tt_depart(struct tt_schedule *s, struct tt_leaver *leaver, const struct tt_indices *before,
               const struct tt_indices *before_delete);

/* What must wait goes on serving, through a balancer's new machine, too. */
void tt_keep_serving(struct tt_schedule *s, const struct tt_leaver *leaver);

/* Reports who got no turn, and what it waits for (waiting, limits-too-tight). */
void tt_report_waiting(struct tt_schedule *s);

/* Entries that go while their machine stays: after it joined elsewhere. */
void tt_leave_only(struct tt_schedule *s, const struct tt_departure *departure);

#endif
