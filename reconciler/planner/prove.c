/*
 * Prove: closures, floors, and what the spec allows them to be.
 */
#include "reconciler/planner/prove.h"

#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "reconciler/planner/closure.h"
#include "reconciler/planner/prove_weigh.h"

static bool takes_anything(const struct tt_question *q)
{
    TT_EACH (index, q->own)
        if (q->weights[(size_t)*index - q->begin] < 0)
            return true;
    return q->balancer->zones_last;
}

/* --- closures ------------------------------------------------------------------------------- */

/* Marks every step that STEP waits for, and itself. */
static void mark_before(const struct tt_question *q, bool *marks, int step)
{
    struct tt_indices stack = {0};

    *TT_VEC_ADD(q->scratch, &stack) = step;
    while (stack.count) {
        int top = stack.items[--stack.count];

        if (marks[(size_t)top - q->begin])
            continue;
        marks[(size_t)top - q->begin] = true;
        TT_EACH (index, &q->steps->items[top].after)
            if (!marks[(size_t)*index - q->begin])
                *TT_VEC_ADD(q->scratch, &stack) = *index;
    }
}

/* Marks every step that waits for a marked one; the steps are sorted. */
static void mark_after(const struct tt_question *q, bool *marks)
{
    for (size_t i = q->begin; i < q->end; i++)
        TT_EACH (index, &q->steps->items[i].after)
            if (marks[(size_t)*index - q->begin])
                marks[i - q->begin] = true;
}

/* The part of the step graph that a lightest down-set is sought in. */
struct part {
    int *local; /* by step, from begin: its node */
    bool *wanted;
    int *weights; /* by node */
    struct tt_indices *needs, *misses;
    long base; /* what is forced weighs */
};

/* A withdraw takes nothing while its member has not joined: WANTED steps miss their enroll. */
static void miss_enrolls(const struct tt_question *q, const bool *forced, struct part *part)
{
    TT_EACH (rejoin, &q->rejoins) {
        size_t withdraw = (size_t)rejoin->withdraw - q->begin;
        size_t enroll = (size_t)rejoin->enroll - q->begin;
        bool is_node = part->wanted[enroll];

        if (forced && forced[enroll])
            continue;
        if (forced && forced[withdraw]) {
            part->base++;
            if (is_node)
                part->weights[part->local[enroll]]--;
        } else if (part->wanted[withdraw] && is_node) {
            *TT_VEC_ADD(q->scratch, &part->misses[part->local[withdraw]]) = part->local[enroll];
        } else if (part->wanted[withdraw]) {
            part->weights[part->local[withdraw]]++;
        }
    }
}

/* The lightest down-set that contains FORCED and nothing of BARRED; NULL is none. */
static long lightest(struct tt_question *q, const bool *forced, const bool *barred,
                     struct tt_strings *ret_culprits)
{
    size_t total = q->end - q->begin, count = 0;
    struct part part = {0};
    int *back;
    bool *inside;
    long least;

    if (!forced && !takes_anything(q))
        return 0;
    part.wanted = TT_NEW_ARRAY(q->scratch, total, bool);
    part.local = TT_NEW_ARRAY(q->scratch, total, int);
    part.weights = TT_NEW_ARRAY(q->scratch, total, int);
    back = TT_NEW_ARRAY(q->scratch, total, int);
    for (size_t i = 0; i < total; i++) {
        if (forced && forced[i])
            part.base += q->weights[i];
        else if (q->weights[i] < 0 && !(barred && barred[i]))
            mark_before(q, part.wanted, (int)(i + q->begin));
    }
    for (size_t i = 0; i < total; i++)
        if (part.wanted[i] && !(forced && forced[i])) {
            back[count] = (int)i;
            part.weights[count] = q->weights[i];
            part.local[i] = (int)count++;
        }
    part.needs = TT_NEW_ARRAY(q->scratch, count, struct tt_indices);
    part.misses = TT_NEW_ARRAY(q->scratch, count, struct tt_indices);
    inside = TT_NEW_ARRAY(q->scratch, count, bool);
    for (size_t i = 0; i < count; i++)
        TT_EACH (index, &q->steps->items[(size_t)back[i] + q->begin].after)
            if (!forced || !forced[(size_t)*index - q->begin])
                *TT_VEC_ADD(q->scratch, &part.needs[i]) = part.local[(size_t)*index - q->begin];
    miss_enrolls(q, forced, &part);
    least = tt_closure_least(q->scratch, count, part.weights, part.needs, part.misses, inside);
    for (size_t i = 0; i < count; i++)
        if (inside[i] && part.weights[i] < 0)
            tt_strings_add(q->scratch, ret_culprits,
                           tt_printf(q->scratch, "s%zu", (size_t)back[i] + q->begin + 1));
    return part.base + least;
}

static void answer(struct tt_question *q, struct tt_floor *floor, struct tt_strings *ret_culprits)
{
    size_t total = q->end - q->begin;
    struct tt_strings later_culprits = {0};
    const struct tt_server *new = NULL;
    long before, after, now;
    bool *barred, *forced;

    floor->now = tt_question_weigh(q, q->old, q->old ? q->old->id : NULL);
    if (q->switch_over < 0) {
        floor->floor = floor->now + (int)lightest(q, NULL, NULL, ret_culprits);
        floor->end = floor->now + (int)tt_question_sum(q);
        return;
    }
    barred = TT_NEW_ARRAY(q->scratch, total, bool);
    forced = TT_NEW_ARRAY(q->scratch, total, bool);
    barred[(size_t)q->switch_over - q->begin] = true;
    mark_after(q, barred);
    mark_before(q, forced, q->switch_over);
    before = floor->now + lightest(q, NULL, barred, ret_culprits);
    if (q->new)
        TT_EACH (machine, &q->balancer->machines)
            if (strcmp(machine->server->id, q->new) == 0)
                new = machine->server;
    now = tt_question_weigh(q, new, q->new);
    after = now + lightest(q, forced, NULL, &later_culprits);
    if (after < before)
        *ret_culprits = later_culprits;
    floor->floor = (int)(after < before ? after : before);
    if (q->cut >= 0 && floor->floor > 0) {
        tt_strings_add(q->scratch, ret_culprits, tt_printf(q->scratch, "s%d", q->cut + 1));
        floor->floor = 0;
    }
    floor->end = (int)(now + tt_question_sum(q));
}

/* --- every service behind every balancer ----------------------------------------------------- */

/* What the spec allows the floor to fall to. */
static int least_allowed(const struct tt_question *q, int now)
{
    int wanted;

    if (!q->service->deployment->running)
        return 0;
    wanted = tt_service_count_behind(q->service->spec, q->balancer->spec) - q->service->unavailable;
    if (wanted < 0)
        wanted = 0;
    return now < wanted ? now : wanted;
}

static int prove_pair(struct tt_arena *arena, struct tt_question *q, struct tt_floors *floors,
                      struct tt_error *err)
{
    struct tt_floor floor = {
        .deployment = q->service->deployment->name,
        .service = q->service->name,
        .balancer = q->balancer->name,
    };
    struct tt_strings culprits = {0};
    int allowed;

    tt_question_find_phases(q);
    answer(q, &floor, &culprits);
    tt_question_forget(q);
    *TT_VEC_ADD(arena, floors) = floor;
    allowed = least_allowed(q, floor.now);
    if (floor.floor < allowed)
        return tt_fail(err, TT_ERR_INTERNAL,
                       "the plan would let %s/%s fall to %d members behind %s, %d must serve "
                       "(steps %s): this is a bug in the planner",
                       floor.deployment, floor.service, floor.floor, floor.balancer, allowed,
                       tt_strings_join(q->scratch, &culprits, "none"));
    return 0;
}

/* The steps of one deployment, by the service they are about. */
struct ledger {
    const struct tt_steps *steps;
    size_t begin, end;
    struct tt_map services; /* name → struct tt_indices */
    int *weights;
};

static const struct tt_indices *steps_of(const struct ledger *ledger, const char *service)
{
    static const struct tt_indices none = {0};
    const struct tt_indices *own = tt_map_get(&ledger->services, service);

    return own ? own : &none;
}

static void fill_ledger(struct tt_arena *arena, struct ledger *ledger)
{
    tt_map_init(&ledger->services, arena);
    ledger->weights = TT_NEW_ARRAY(arena, ledger->end - ledger->begin, int);
    for (size_t i = ledger->begin; i < ledger->end; i++) {
        const struct tt_subject *subject = &ledger->steps->items[i].subject;
        struct tt_indices *own;

        if (subject->kind != TT_SUBJECT_SERVICE)
            continue;
        own = tt_map_get(&ledger->services, subject->name);
        if (!own) {
            own = TT_NEW(arena, struct tt_indices);
            tt_map_put(&ledger->services, subject->name, own);
        }
        *TT_VEC_ADD(arena, own) = (int)i;
    }
}

static int prove_service(struct tt_arena *arena, const struct tt_service_view *service,
                         const struct ledger *ledger, struct tt_floors *floors,
                         struct tt_error *err)
{
    int result = 0;

    TT_EACH (balancer, &service->deployment->balancers) {
        struct tt_arena scratch;
        struct tt_question q = {
            .scratch = &scratch,
            .steps = ledger->steps,
            .begin = ledger->begin,
            .end = ledger->end,
            .service = service,
            .balancer = *balancer,
            .own = steps_of(ledger, service->name),
            .weights = ledger->weights,
        };

        if (!(*balancer)->spec || (*balancer)->unseen || !service->spec ||
            !tt_service_is_behind(service->spec, (*balancer)->spec))
            continue;
        tt_arena_init(&scratch);
        result = prove_pair(arena, &q, floors, err);
        tt_arena_release(&scratch);
        if (result < 0)
            break;
    }
    return result;
}

int tt_prove(struct tt_arena *arena, const struct tt_view *view, const struct tt_steps *steps,
             struct tt_floors *ret_floors, struct tt_error *err)
{
    struct ledger ledger = {.steps = steps};

    TT_EACH (deployment, &view->deployments) {
        ledger.begin = ledger.end;
        while (ledger.end < steps->count &&
               strcmp(steps->items[ledger.end].subject.deployment, (*deployment)->name) == 0)
            ledger.end++;
        fill_ledger(arena, &ledger);
        TT_EACH (service, &(*deployment)->services)
            if (prove_service(arena, *service, &ledger, ret_floors, err) < 0)
                return -1;
    }
    return 0;
}
