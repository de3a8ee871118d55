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
#include "reconciler/planner/tokens.h"

/* A departure that deletes, while it is scheduled. */
struct leaver {
    const struct tt_departure *departure;
    struct comer *successor; /* the create that replaces it; NULL: none */
    bool stuck;              /* it serves where nothing can be told now: it waits */
    bool scheduled;
    int delete;
};

/* An arrival that creates, while it is scheduled. */
struct comer {
    const struct tt_arrival *arrival;
    struct leaver *predecessor; /* NULL: none */
    bool scheduled;
    int create;
    struct tt_indices enrolls;
};

struct schedule {
    struct tt_emitter *emitter;
    struct tt_arena *arena;
    const struct tt_service_change *change;
    const struct tt_indices *first;
    struct tt_turns *turns;
    struct tt_tokens room;
    struct tt_tokens health;    /* capacity over all */
    struct tt_tokens *capacity; /* capacity behind the balancer of link I */
    struct comer *comers;
    size_t comer_count;
    struct leaver *leavers;
    size_t leaver_count;
};

/* --- what there is -------------------------------------------------------------------------- */

static int max(int a, int b)
{
    return a > b ? a : b;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

static int wanted_behind(const struct schedule *s, const struct tt_link *link)
{
    int count = 0;

    TT_EACH (placement, &s->change->service->spec->placements)
        if (tt_balancer_covers(link->balancer->spec, placement->account->name, placement->region))
            count += placement->count;
    return count;
}

/* The tokens that lie ready: what is there now beyond what must remain. */
static int spare(const struct schedule *s, int now, int wanted)
{
    return now - min(now, max(0, wanted - s->change->service->unavailable));
}

static void count_tokens(struct schedule *s)
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
        int serving = 0;

        TT_EACH (machine, &service->machines)
            serving += tt_link_serves(link, machine);
        tt_tokens_free(s->arena, &s->capacity[link - s->change->links.items],
                       spare(s, serving, wanted_behind(s, link)));
    }
}

static struct tt_tokens *capacity_of(struct schedule *s, const struct tt_link *link)
{
    return &s->capacity[link - s->change->links.items];
}

/* --- arrivals ------------------------------------------------------------------------------- */

/* The set-zones that a member in ZONE must wait for. */
static int zones_before(const struct tt_balancer_view *balancer, const char *zone)
{
    if (!balancer->zones_first || !zone || tt_strings_has(balancer->cloud->zones, zone))
        return TT_NO_STEP;
    return balancer->steps->zones_first;
}

static int enroll(struct schedule *s, const struct tt_arrival *arrival,
                  const struct tt_joining *joining, int ready)
{
    const struct tt_balancer_view *balancer = joining->link->balancer;
    const char *zone = arrival->machine ? arrival->machine->server->zone : arrival->create->zone;
    int step = tt_emit_enroll(s->emitter, s->change->service, arrival, joining);

    tt_emit_after(s->emitter, step, ready);
    tt_emit_after(s->emitter, step, balancer->steps->create);
    tt_emit_after(s->emitter, step, zones_before(balancer, zone));
    if (arrival->machine && !arrival->start)
        *TT_VEC_ADD(s->arena, &balancer->steps->enrolls) = step;
    if (joining->gain)
        tt_tokens_make(s->arena, capacity_of(s, joining->link), step);
    *TT_VEC_ADD(s->arena, &s->turns->enrolls) = step;
    return step;
}

static void welcome_existing(struct schedule *s, const struct tt_arrival *arrival)
{
    int ready = TT_NO_STEP;

    if (arrival->start) {
        ready = tt_emit_start(s->emitter, s->change->service, arrival->machine);
        tt_tokens_make(s->arena, &s->health, ready);
        TT_EACH (link, &s->change->links)
            if (!link->balancer->replaced && tt_link_enrolled(link, arrival->machine))
                tt_tokens_make(s->arena, capacity_of(s, link), ready);
    }
    TT_EACH (joining, &arrival->joins)
        enroll(s, arrival, joining, ready);
}

static void create(struct schedule *s, struct comer *comer)
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
        tt_emit_after(s->emitter, step, zones_before(joining->link->balancer, what->zone));
    tt_tokens_make(s->arena, &s->health, step);
    TT_EACH (joining, &comer->arrival->joins)
        *TT_VEC_ADD(s->arena, &comer->enrolls) = enroll(s, comer->arrival, joining, step);
    *TT_VEC_ADD(s->arena, &comer->enrolls) = step;
    *TT_VEC_ADD(s->arena, &s->turns->creates) = step;
    comer->create = step;
    comer->scheduled = true;
}

/* --- departures ----------------------------------------------------------------------------- */

/* True when the machine serves through a balancer that can be told nothing now. */
static bool is_stuck(const struct schedule *s, const struct tt_machine *machine)
{
    TT_EACH (link, &s->change->links)
        if ((!link->usable || link->balancer->settling) && tt_link_serves(link, machine))
            return true;
    return false;
}

static bool has_capacity(struct schedule *s, const struct tt_machine *machine)
{
    if (machine->healthy && !tt_tokens_left(&s->health))
        return false;
    TT_EACH (link, &s->change->links)
        if (tt_link_serves(link, machine) && !tt_tokens_left(capacity_of(s, link)))
            return false;
    return true;
}

/* Emits a departure's steps: it leaves its balancers after BEFORE, then it is deleted. */
static void depart(struct schedule *s, struct leaver *leaver, const struct tt_indices *before,
                   const struct tt_indices *before_delete)
{
    const struct tt_departure *departure = leaver->departure;
    int step = tt_emit_delete(s->emitter, s->change->service, departure);

    TT_EACH (leaving, &departure->leaves) {
        int leave = tt_emit_withdraw(s->emitter, s->change->service, departure, leaving);

        tt_emit_after_all(s->emitter, leave, before);
        if (leaving->balancer->replaced)
            tt_emit_after(s->emitter, leave, leaving->balancer->steps->switch_over);
        tt_emit_after(s->emitter, step, leave);
        *TT_VEC_ADD(s->arena, &s->turns->leaves) = leave;
    }
    tt_emit_after_all(s->emitter, step, before);
    tt_emit_after_all(s->emitter, step, before_delete);
    *TT_VEC_ADD(s->arena, &s->turns->leaves) = step;
    *TT_VEC_ADD(s->arena, &s->turns->deletes) = step;
    *TT_VEC_ADD(s->arena, &s->turns->leaving) = departure->machine;
    leaver->delete = step;
    leaver->scheduled = true;
    tt_tokens_make(s->arena, &s->room, step);
}

/* Enrols a machine that goes later, or not yet, in its balancer's new machine. */
static int follow(struct schedule *s, const struct tt_departure *departure,
                  const struct tt_link *link)
{
    int step = tt_emit_enroll_departing(s->emitter, s->change->service, departure, link);

    tt_emit_after(s->emitter, step, link->balancer->steps->create);
    *TT_VEC_ADD(s->arena, &link->balancer->steps->enrolls) = step;
    return step;
}

/* What must wait goes on serving, through a balancer's new machine, too. */
static void keep_serving(struct schedule *s, const struct leaver *leaver)
{
    TT_EACH (link, &s->change->links)
        if (link->usable && link->balancer->replaced &&
            tt_link_serves(link, leaver->departure->machine) &&
            tt_link_entry(link, leaver->departure->machine) < 0)
            follow(s, leaver->departure, link);
}

/* A serving machine that departs after its balancer got another one must be in the new one's pool
 * until its own replacement is; one whose capacity was to spare goes with the old pool. */
static void bridge(struct schedule *s, const struct tt_departure *departure,
                   const struct tt_link *link, int token, struct tt_indices *before,
                   struct tt_indices *before_delete)
{
    const struct tt_balancer_view *balancer = link->balancer;
    int entry = tt_link_entry(link, departure->machine);
    int step, leave;

    TT_EACH (index, &balancer->steps->deletes)
        *TT_VEC_ADD(s->arena, before_delete) = *index;
    if (token == TT_FREE_TOKEN)
        return;
    if (entry >= 0) {
        if (tt_roster_state(&link->target, entry) == TT_MEMBER_DRAINING)
            *TT_VEC_ADD(s->arena, before) = follow(s, departure, link);
        return;
    }
    step = follow(s, departure, link);
    leave = tt_emit_withdraw(s->emitter, s->change->service, departure,
                             &(struct tt_leaving){.balancer = link->balancer});
    s->emitter->steps.items[leave].address = s->emitter->steps.items[step].address;
    tt_emit_after(s->emitter, leave, step);
    tt_emit_after(s->emitter, leave, balancer->steps->switch_over);
    tt_emit_after(s->emitter, leave, token);
    *TT_VEC_ADD(s->arena, before_delete) = leave;
    *TT_VEC_ADD(s->arena, &s->turns->leaves) = leave;
}

static void schedule_departure(struct schedule *s, struct leaver *leaver)
{
    const struct tt_machine *machine = leaver->departure->machine;
    const struct comer *successor = leaver->successor;
    struct tt_indices before = {0}, before_delete = {0};
    const struct tt_indices *own = NULL;

    if (successor && successor->scheduled) {
        own = &successor->enrolls;
        *TT_VEC_ADD(s->arena, &before_delete) = successor->create;
        if (machine->healthy)
            TT_EACH (index, own)
                *TT_VEC_ADD(s->arena, &before) = *index;
    }
    if (machine->healthy)
        *TT_VEC_ADD(s->arena, &before) = tt_tokens_take(&s->health, own);
    TT_EACH (link, &s->change->links) {
        bool serves = tt_link_serves(link, machine);
        int token = serves ? tt_tokens_take(capacity_of(s, link), own) : TT_FREE_TOKEN;

        *TT_VEC_ADD(s->arena, &before) = token;
        if (link->balancer->replaced &&
            tt_balancer_covers(link->balancer->spec, machine->account->name, machine->region->name))
            bridge(s, leaver->departure, link, token, &before, &before_delete);
    }
    depart(s, leaver, &before, &before_delete);
}

/* Entries that go while their machine stays: after it joined elsewhere. */
static void leave_only(struct schedule *s, const struct tt_departure *departure)
{
    TT_EACH (leaving, &departure->leaves) {
        int step = tt_emit_withdraw(s->emitter, s->change->service, departure, leaving);

        if (leaving->balancer->replaced)
            tt_emit_after(s->emitter, step, leaving->balancer->steps->switch_over);
        TT_EACH (index, &s->turns->enrolls) {
            const struct tt_step *other = &s->emitter->steps.items[*index];

            if (departure->server && tt_streq(other->server, departure->server))
                tt_emit_after(s->emitter, step, *index);
        }
        *TT_VEC_ADD(s->arena, &s->turns->leaves) = step;
    }
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
    const struct tt_create *one = ((const struct comer *)a)->arrival->create;
    const struct tt_create *other = ((const struct comer *)b)->arrival->create;
    int order = urgency(one->because) - urgency(other->because);

    return order ? order : one->slot - other->slot;
}

/* The failed first, then what is replaced (its replacement must not stay beside it), then by
 * slot. */
static int by_cost(const void *a, const void *b)
{
    const struct tt_machine *one = ((const struct leaver *)a)->departure->machine;
    const struct tt_machine *other = ((const struct leaver *)b)->departure->machine;
    int order = one->healthy - other->healthy;

    if (!order)
        order = (other->fate == TT_FATE_REPLACE) - (one->fate == TT_FATE_REPLACE);
    if (!order)
        order = one->slot - other->slot;
    return order ? order : strcmp(one->server->id, other->server->id);
}

static void gather(struct schedule *s)
{
    const struct tt_service_change *change = s->change;

    s->comers = TT_NEW_ARRAY(s->arena, change->arrivals.count, struct comer);
    s->leavers = TT_NEW_ARRAY(s->arena, change->departures.count, struct leaver);
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
    const struct leaver *leaver = *(struct leaver *const *)item;

    return (key > (const void *)leaver->departure->machine) -
           (key < (const void *)leaver->departure->machine);
}

static int by_address(const void *a, const void *b)
{
    const struct leaver *one = *(struct leaver *const *)a, *other = *(struct leaver *const *)b;

    return (one->departure->machine > other->departure->machine) -
           (one->departure->machine < other->departure->machine);
}

/* Ties each create to the departure of what it replaces. */
static void pair(struct schedule *s)
{
    struct leaver **index = TT_NEW_ARRAY(s->arena, s->leaver_count, struct leaver *);

    for (size_t i = 0; i < s->leaver_count; i++)
        index[i] = &s->leavers[i];
    qsort(index, s->leaver_count, sizeof(*index), by_address);
    for (size_t i = 0; i < s->comer_count; i++) {
        struct comer *comer = &s->comers[i];
        struct leaver **found = comer->arrival->create->replaces
                                    ? bsearch(comer->arrival->create->replaces, index,
                                              s->leaver_count, sizeof(*index), by_machine)
                                    : NULL;

        if (found) {
            comer->predecessor = *found;
            (*found)->successor = comer;
        }
    }
    for (size_t i = 0; i < s->leaver_count; i++)
        s->leavers[i].stuck = is_stuck(s, s->leavers[i].departure->machine);
}

static bool create_round(struct schedule *s)
{
    bool progress = false;

    for (size_t i = 0; i < s->comer_count && tt_tokens_left(&s->room); i++) {
        const struct leaver *predecessor = s->comers[i].predecessor;

        if (s->comers[i].scheduled || (predecessor && predecessor->stuck))
            continue;
        create(s, &s->comers[i]);
        progress = true;
    }
    return progress;
}

static bool departure_round(struct schedule *s, bool break_first)
{
    bool progress = false;

    for (size_t i = 0; i < s->leaver_count; i++) {
        struct leaver *leaver = &s->leavers[i];
        const struct tt_machine *machine = leaver->departure->machine;
        bool waits = leaver->successor && !leaver->successor->scheduled;

        if (leaver->scheduled || leaver->stuck || (waits && machine->healthy && !break_first) ||
            !has_capacity(s, machine))
            continue;
        schedule_departure(s, leaver);
        progress = true;
    }
    return progress;
}

static void report_waiting(struct schedule *s)
{
    struct tt_view *view = s->emitter->view;
    const struct tt_service_view *service = s->change->service;
    struct tt_strings waiting = {0};

    for (size_t i = 0; i < s->leaver_count; i++)
        if (!s->leavers[i].scheduled)
            tt_strings_add(s->arena, &waiting,
                           tt_machine_text(s->arena, s->leavers[i].departure->machine->server));
    for (size_t i = 0; i < s->comer_count; i++)
        if (!s->comers[i].scheduled && !s->comers[i].predecessor)
            tt_strings_add(s->arena, &waiting,
                           tt_printf(s->arena, "slot %d", s->comers[i].arrival->create->slot));
    if (waiting.count)
        tt_view_problem(view, TT_SEVERITY_INFO, "waiting", tt_service_subject(view, service),
                        &service->spec->mark,
                        "%s waits for members that are not in service yet: changing it now would "
                        "leave fewer than maxUnavailable allows, or more than maxSurge",
                        tt_strings_join(s->arena, &waiting, ""));
}

static void run_rounds(struct schedule *s)
{
    bool break_first = s->change->service->surge == 0;

    for (;;) {
        bool created = create_round(s);
        bool departed = departure_round(s, break_first);

        if (created || departed)
            continue;
        if (break_first)
            break;
        break_first = true;
    }
    for (size_t i = 0; i < s->leaver_count; i++)
        if (!s->leavers[i].scheduled)
            keep_serving(s, &s->leavers[i]);
    report_waiting(s);
}

/* A service that is to go: nothing is scarce. */
static void take_down(struct schedule *s)
{
    for (size_t i = 0; i < s->leaver_count; i++) {
        struct tt_indices before = {0}, before_delete = {0};

        TT_EACH (balancer, &s->change->service->deployment->balancers)
            if ((*balancer)->replaced)
                TT_EACH (index, &(*balancer)->steps->deletes)
                    *TT_VEC_ADD(s->arena, &before_delete) = *index;
        depart(s, &s->leavers[i], &before, &before_delete);
    }
}

void tt_turns(struct tt_emitter *emitter, struct tt_service_change *change,
              const struct tt_indices *first, struct tt_turns *ret_turns)
{
    struct schedule s = {
        .emitter = emitter,
        .arena = emitter->view->arena,
        .change = change,
        .first = first,
        .turns = ret_turns,
    };

    *ret_turns = (struct tt_turns){0};
    if (!change->arrivals.count && !change->departures.count)
        return;
    gather(&s);
    pair(&s);
    if (change->service->spec && change->service->deployment->running) {
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
            leave_only(&s, departure);
}
