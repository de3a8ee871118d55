/*
 * Turns: a schedule by tokens.
 *
 * Rounds: every create that finds room is given it, the urgent ones first; every departure that
 * finds capacity is given it. A replacement comes before what it replaces; only with no surge, or
 * when nothing else is possible, is it the other way round. What failed serves nobody and takes no
 * capacity.
 */
#include "reconciler/planner/turns.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reconciler/planner/turns_schedule.h"

/* --- what there is -------------------------------------------------------------------------- */

static int max(int a, int b)
{
    return a > b ? a : b;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* The tokens that lie ready: what is there now beyond what must remain. */
static int spare(const struct tt_schedule *s, int now, int wanted)
{
    return now - min(now, max(0, wanted - s->change->service->unavailable));
}

static void count_tokens(struct tt_schedule *s)
{
    const struct tt_service_view *service = s->change->service;
    int machines = (int)service->machines.count;
    int healthy = 0;

    TT_EACH (machine, &service->machines)
        healthy += machine->healthy;
    tt_tokens_free(s->arena, &s->room, max(machines, service->wanted + service->surge) - machines);
    tt_tokens_free(s->arena, &s->health, spare(s, healthy, service->wanted));
    s->capacity = TT_NEW_ARRAY(s->arena, s->change->links.count, struct tt_tokens);
    TT_EACH (link, &s->change->links) {
        int wanted = tt_service_count_behind(service->spec, link->balancer->spec);
        int serving = 0, lost = 0;

        TT_EACH (machine, &service->machines) {
            serving += tt_link_serves(link, machine);
            lost += tt_link_is_lost(link, machine);
        }
        tt_tokens_free(s->arena, &s->capacity[link - s->change->links.items],
                       spare(s, serving, wanted) - lost);
    }
}

struct tt_tokens *tt_capacity_of(struct tt_schedule *s, const struct tt_link *link)
{
    return &s->capacity[link - s->change->links.items];
}

/* --- arrivals ------------------------------------------------------------------------------- */

int tt_zones_before(const struct tt_balancer_view *balancer, const char *zone)
{
    if (!balancer->zones_first || !zone || tt_strings_has(balancer->cloud->zones, zone))
        return TT_NO_STEP;
    return balancer->steps->zones_first;
}

static int enroll(struct tt_schedule *s, const struct tt_arrival *arrival,
                  const struct tt_joining *joining, int ready)
{
    const struct tt_balancer_view *balancer = joining->link->balancer;
    const char *zone = arrival->machine ? arrival->machine->server->zone : arrival->create->zone;
    int step = tt_emit_enroll(s->emitter, s->change->service, arrival, joining);

    tt_emit_after(s->emitter, step, ready);
    tt_emit_after(s->emitter, step, balancer->steps->create);
    tt_emit_after(s->emitter, step, tt_zones_before(balancer, zone));
    if (arrival->machine && !arrival->start)
        *TT_VEC_ADD(s->arena, &balancer->steps->enrolls) = step;
    if (joining->gain)
        tt_tokens_make(s->arena, tt_capacity_of(s, joining->link), step);
    *TT_VEC_ADD(s->arena, &s->turns->enrolls) = step;
    return step;
}

static void welcome_existing(struct tt_schedule *s, const struct tt_arrival *arrival)
{
    int ready = TT_NO_STEP;

    if (arrival->start) {
        ready = tt_emit_start(s->emitter, s->change->service, arrival->machine);
        tt_tokens_make(s->arena, &s->health, ready);
        TT_EACH (link, &s->change->links)
            if (!link->balancer->replaced && tt_link_enrolled(link, arrival->machine))
                tt_tokens_make(s->arena, tt_capacity_of(s, link), ready);
    }
    TT_EACH (joining, &arrival->joins)
        enroll(s, arrival, joining, ready);
}

static void create(struct tt_schedule *s, struct tt_comer *comer)
{
    const struct tt_create *what = comer->arrival->create;
    struct tt_indices own = {0};
    int step = tt_emit_create(s->emitter, s->change->service, what);

    if (comer->predecessor && comer->predecessor->scheduled)
        *TT_VEC_ADD(s->arena, &own) = comer->predecessor->delete;
    tt_emit_after(s->emitter, step, tt_tokens_take(&s->room, &own));
    if (what->because == TT_BECAUSE_MISSING)
        tt_emit_after_all(s->emitter, step, s->first);
    TT_EACH (joining, &comer->arrival->joins)
        tt_emit_after(s->emitter, step, tt_zones_before(joining->link->balancer, what->zone));
    tt_tokens_make(s->arena, &s->health, step);
    TT_EACH (joining, &comer->arrival->joins)
        *TT_VEC_ADD(s->arena, &comer->enrolls) = enroll(s, comer->arrival, joining, step);
    *TT_VEC_ADD(s->arena, &comer->enrolls) = step;
    *TT_VEC_ADD(s->arena, &s->turns->creates) = step;
    comer->create = step;
    comer->scheduled = true;
}

/* --- the rounds ----------------------------------------------------------------------------- */

static int urgency(enum tt_because because)
{
    switch (because) {
    case TT_BECAUSE_MISSING:
    case TT_BECAUSE_FAILED:
        return 0;
    case TT_BECAUSE_ZONE_VIOLATION:
        return 1;
    case TT_BECAUSE_OUTDATED:
        return 2;
    default:
        return 3;
    }
}

static int by_urgency(const void *a, const void *b)
{
    const struct tt_create *one = ((const struct tt_comer *)a)->arrival->create;
    const struct tt_create *other = ((const struct tt_comer *)b)->arrival->create;
    int order = urgency(one->because) - urgency(other->because);

    return order ? order : one->slot - other->slot;
}

/* The failed first, then what is replaced (its replacement must not stay beside it), then by
 * slot. */
static int by_cost(const void *a, const void *b)
{
    const struct tt_machine *one = ((const struct tt_leaver *)a)->departure->machine;
    const struct tt_machine *other = ((const struct tt_leaver *)b)->departure->machine;
    int order = one->healthy - other->healthy;

    if (!order)
        order = (other->fate == TT_FATE_REPLACE) - (one->fate == TT_FATE_REPLACE);
    if (!order)
        order = one->slot - other->slot;
    return order ? order : strcmp(one->server->id, other->server->id);
}

static void gather(struct tt_schedule *s)
{
    const struct tt_service_change *change = s->change;

    s->comers = TT_NEW_ARRAY(s->arena, change->arrivals.count, struct tt_comer);
    s->leavers = TT_NEW_ARRAY(s->arena, change->departures.count, struct tt_leaver);
    TT_EACH (arrival, &change->arrivals)
        if (arrival->create)
            s->comers[s->comer_count++].arrival = arrival;
    TT_EACH (departure, &change->departures)
        if (departure->delete)
            s->leavers[s->leaver_count++].departure = departure;
    qsort(s->comers, s->comer_count, sizeof(*s->comers), by_urgency);
    qsort(s->leavers, s->leaver_count, sizeof(*s->leavers), by_cost);
}

static int by_machine(const void *key, const void *item)
{
    const struct tt_leaver *leaver = *(struct tt_leaver *const *)item;

    return (key > (const void *)leaver->departure->machine) -
           (key < (const void *)leaver->departure->machine);
}

static int by_address(const void *a, const void *b)
{
    const struct tt_leaver *one = *(struct tt_leaver *const *)a,
                           *other = *(struct tt_leaver *const *)b;

    return (one->departure->machine > other->departure->machine) -
           (one->departure->machine < other->departure->machine);
}

/* Ties each create to the departure of what it replaces. */
static void pair(struct tt_schedule *s)
{
    struct tt_leaver **index = TT_NEW_ARRAY(s->arena, s->leaver_count, struct tt_leaver *);

    for (size_t i = 0; i < s->leaver_count; i++)
        index[i] = &s->leavers[i];
    qsort(index, s->leaver_count, sizeof(*index), by_address);
    for (size_t i = 0; i < s->comer_count; i++) {
        struct tt_comer *comer = &s->comers[i];
        struct tt_leaver **found = comer->arrival->create->replaces
                                       ? bsearch(comer->arrival->create->replaces, index,
                                                 s->leaver_count, sizeof(*index), by_machine)
                                       : NULL;

        if (found) {
            comer->predecessor = *found;
            (*found)->successor = comer;
        }
    }
    for (size_t i = 0; i < s->leaver_count; i++)
        s->leavers[i].stuck = tt_is_stuck(s, s->leavers[i].departure->machine);
}

static bool create_round(struct tt_schedule *s)
{
    bool progress = false;

    for (size_t i = 0; i < s->comer_count && tt_tokens_left(&s->room); i++) {
        const struct tt_leaver *predecessor = s->comers[i].predecessor;

        if (s->comers[i].scheduled || (predecessor && predecessor->stuck))
            continue;
        create(s, &s->comers[i]);
        progress = true;
    }
    return progress;
}

static bool departure_round(struct tt_schedule *s, bool break_first)
{
    bool progress = false;

    for (size_t i = 0; i < s->leaver_count; i++) {
        struct tt_leaver *leaver = &s->leavers[i];
        const struct tt_machine *machine = leaver->departure->machine;
        bool waits = leaver->successor && !leaver->successor->scheduled;

        if (leaver->scheduled || leaver->stuck || (waits && machine->healthy && !break_first) ||
            !tt_has_capacity(s, leaver))
            continue;
        tt_schedule_departure(s, leaver);
        progress = true;
    }
    return progress;
}

static void run_rounds(struct tt_schedule *s)
{
    bool break_first = s->change->service->surge == 0;

    for (;;) {
        bool created = create_round(s);
        bool departed = departure_round(s, break_first);

        if (created || departed)
            continue;
        if (break_first && !tt_catch_up(s))
            break;
        break_first = !break_first;
    }
    for (size_t i = 0; i < s->leaver_count; i++)
        if (!s->leavers[i].scheduled)
            tt_keep_serving(s, &s->leavers[i]);
}

/* A service that is to go: nothing is scarce. */
static void take_down(struct tt_schedule *s)
{
    for (size_t i = 0; i < s->leaver_count; i++) {
        struct tt_indices before = {0}, before_delete = {0};

        TT_EACH (balancer, &s->change->service->deployment->balancers)
            if ((*balancer)->replaced)
                TT_EACH (index, &(*balancer)->steps->deletes)
                    *TT_VEC_ADD(s->arena, &before_delete) = *index;
        tt_depart(s, &s->leavers[i], &before, &before_delete);
    }
}

void tt_turns(struct tt_emitter *emitter, struct tt_service_change *change,
              const struct tt_indices *first, struct tt_turns *ret_turns)
{
    struct tt_schedule s = {
        .emitter = emitter,
        .arena = emitter->view->arena,
        .change = change,
        .first = first,
        .turns = ret_turns,
    };
    bool scarce = change->service->spec && change->service->deployment->running;

    *ret_turns = (struct tt_turns){0};
    if (!change->arrivals.count && !change->departures.count)
        return;
    gather(&s);
    pair(&s);
    if (scarce) {
        count_tokens(&s);
        TT_EACH (arrival, &change->arrivals)
            if (arrival->machine)
                welcome_existing(&s, arrival);
        run_rounds(&s);
    } else {
        take_down(&s);
    }
    TT_EACH (departure, &change->departures)
        if (!departure->delete)
            tt_leave_only(&s, departure);
    if (scarce)
        tt_report_waiting(&s);
}
