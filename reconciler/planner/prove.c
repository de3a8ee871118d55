/*
 * Prove: weights of steps, phases of balancers, floors.
 */
#include "reconciler/planner/prove.h"

#include <limits.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "reconciler/planner/closure.h"
#include "reconciler/planner/members.h"

/* One service behind one balancer. */
struct question {
    struct tt_arena *scratch;
    const struct tt_steps *steps; /* of the whole plan */
    size_t begin, end;            /* those of the deployment */
    const struct tt_service_view *service;
    struct tt_balancer_view *balancer;
    const struct tt_server *old;  /* the machine that serves now; NULL: cloud, or none */
    int switch_over;              /* the step after which another machine serves; -1: none */
    const char *new;              /* that machine; NULL: made by the plan, or none */
    const struct tt_indices *own; /* the steps of the service */
    int *weights;                 /* by step, from begin; all zero between questions */
};

/* --- the phases ----------------------------------------------------------------------------- */

/* The in-service members of a machine; one that boots has fewer than any other. */
static int pool_size(const struct tt_machine *machine)
{
    const struct tt_pool *pool = tt_region_pool(machine->region, machine->server->id);
    int count = machine->server->state == TT_SERVER_PENDING ? -INT_MAX : 0;

    if (pool)
        TT_EACH (member, &pool->members)
            count += member->state == TT_MEMBER_IN_SERVICE;
    return count;
}

static bool is_deleted(const struct question *q, const char *server)
{
    for (size_t i = q->begin; i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_DELETE_SERVER &&
            tt_streq(q->steps->items[i].server, server))
            return true;
    return false;
}

/* The machine that has the balancer's address; without one the fullest that does not boot, of
 * equals the oldest. */
static const struct tt_server *find_old(const struct question *q)
{
    const struct tt_balancer_view *b = q->balancer;
    const struct tt_machine *best = NULL;

    if (b->fixed || b->cloud)
        return b->fixed;
    if (b->spec->address && b->region)
        TT_EACH (address, &b->region->addresses)
            TT_EACH (machine, &b->machines)
                if (strcmp(address->address, b->spec->address) == 0 &&
                    tt_streq(address->server, machine->server->id))
                    return machine->server;
    TT_EACH (machine, &b->machines) {
        int size = pool_size(machine), most = best ? pool_size(best) : INT_MIN;

        if (size > most || (size == most && machine->server->created_at < best->server->created_at))
            best = machine;
    }
    return best ? best->server : NULL;
}

static bool is_of_balancer(const struct question *q, const struct tt_step *step)
{
    return step->subject.kind == TT_SUBJECT_LOAD_BALANCER &&
           strcmp(step->subject.name, q->balancer->name) == 0;
}

static void find_phases(struct question *q)
{
    const char *stays = NULL;

    q->old = find_old(q);
    q->switch_over = -1;
    if (!q->old || q->balancer->fixed)
        return;
    TT_EACH (machine, &q->balancer->machines)
        if (machine->server != q->old && !is_deleted(q, machine->server->id))
            stays = machine->server->id;
    for (size_t i = q->begin; i < q->end; i++) {
        const struct tt_step *step = &q->steps->items[i];

        if (!is_of_balancer(q, step))
            continue;
        if (step->action == TT_STEP_MOVE_ADDRESS && !tt_streq(step->machine, q->old->id)) {
            q->switch_over = (int)i;
            q->new = step->machine;
            return;
        }
        if (step->action == TT_STEP_DELETE_SERVER && tt_streq(step->server, q->old->id)) {
            q->switch_over = (int)i;
            q->new = stays;
        }
    }
}

/* --- weights -------------------------------------------------------------------------------- */

static bool waits_for(const struct question *q, const struct tt_step *step, enum tt_action action,
                      const char *server)
{
    TT_EACH (index, &step->after) {
        const struct tt_step *other = &q->steps->items[*index];

        if (other->action == action && tt_streq(other->server, server))
            return true;
    }
    return false;
}

/* True when the plan itself enrols the member that STEP withdraws, and STEP waits for that. */
static bool was_enrolled(const struct question *q, const struct tt_step *step)
{
    TT_EACH (index, &step->after) {
        const struct tt_step *other = &q->steps->items[*index];

        if (other->action == TT_STEP_ENROLL && tt_streq(other->server, step->server) &&
            tt_streq(other->balancer, step->balancer) && tt_streq(other->address, step->address))
            return true;
    }
    return false;
}

/* True when STEP withdraws the entry by which WHO is a wanted member. */
static bool is_wanted_entry(const struct question *q, const struct tt_step *step,
                            const struct tt_machine *who)
{
    const char *address = tt_member_address(q->balancer, who);

    return q->balancer->cloud ||
           (address && tt_streq(step->address,
                                tt_printf(q->scratch, "%s:%d", address, q->service->spec->port)));
}

/* True when MACHINE has an entry in ROSTER that is in service, before any step. */
static bool is_enrolled(const struct question *q, const struct tt_roster *roster,
                        const struct tt_machine *machine, const char *pool_service)
{
    int entry =
        tt_balancer_covers(q->balancer->spec, machine->account->name, machine->region->name)
            ? tt_roster_find(roster, machine->server, pool_service,
                             tt_member_address(q->balancer, machine), q->service->spec->port)
            : -1;

    return entry >= 0 && tt_roster_state(roster, entry) == TT_MEMBER_IN_SERVICE;
}

static bool serves(const struct question *q, const struct tt_roster *roster,
                   const struct tt_machine *machine, const char *pool_service)
{
    return machine->healthy && is_enrolled(q, roster, machine, pool_service);
}

static const struct tt_machine *find_machine(const struct question *q, const struct tt_step *step)
{
    const struct tt_machine *machines = q->service->machines.items;
    size_t low = 0, high = q->service->machines.count;

    while (step->server && low < high) {
        size_t middle = low + (high - low) / 2;

        if (machines[middle].slot < step->subject.slot)
            low = middle + 1;
        else
            high = middle;
    }
    for (; step->server && low < q->service->machines.count; low++)
        if (strcmp(machines[low].server->id, step->server) == 0)
            return &machines[low];
    return NULL;
}

/* What STEP does to the number of members of the machine (or cloud balancer) MACHINE. */
static int weigh(const struct question *q, const struct tt_step *step,
                 const struct tt_roster *roster, const char *machine, const char *pool_service)
{
    const struct tt_machine *who;
    bool here = tt_streq(step->balancer, q->balancer->name) && tt_streq(step->machine, machine);

    who = find_machine(q, step);
    switch (step->action) {
    case TT_STEP_START_SERVER:
        return who && is_enrolled(q, roster, who, pool_service);
    case TT_STEP_ENROLL:
        return here && (!who || !serves(q, roster, who, pool_service));
    case TT_STEP_WITHDRAW:
        return -(here && who && is_wanted_entry(q, step, who) &&
                 (was_enrolled(q, step) || serves(q, roster, who, pool_service)));
    case TT_STEP_DELETE_SERVER:
        return -(who && serves(q, roster, who, pool_service) &&
                 !waits_for(q, step, TT_STEP_WITHDRAW, step->server));
    default:
        return 0;
    }
}

/* A zone that is taken out takes the members with it that are still there. */
static int weigh_zones(const struct question *q, const struct tt_step *step,
                       const struct tt_roster *roster)
{
    int lost = 0;

    if (step->action != TT_STEP_SET_ZONES || !is_of_balancer(q, step))
        return 0;
    TT_EACH (machine, &q->service->machines)
        lost += machine->server->zone && !tt_strings_has(step->zones, machine->server->zone) &&
                serves(q, roster, machine, NULL) &&
                !waits_for(q, step, TT_STEP_DELETE_SERVER, machine->server->id);
    return -lost;
}

/* Weighs every step for the phase in which MACHINE serves; returns what serves there now. */
static int weigh_all(struct question *q, const struct tt_server *server, const char *machine)
{
    const char *pool_service = tt_pool_service(q->scratch, q->service);
    struct tt_roster roster = tt_roster_of(q->balancer, server);
    int now = 0;

    TT_EACH (member, &q->service->machines)
        now += serves(q, &roster, member, pool_service);
    TT_EACH (index, q->own)
        q->weights[(size_t)*index - q->begin] =
            weigh(q, &q->steps->items[*index], &roster, machine, pool_service);
    for (size_t i = q->begin; q->balancer->zones_last && i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_SET_ZONES)
            q->weights[i - q->begin] = weigh_zones(q, &q->steps->items[i], &roster);
    return now;
}

static bool takes_anything(const struct question *q)
{
    TT_EACH (index, q->own)
        if (q->weights[(size_t)*index - q->begin] < 0)
            return true;
    return q->balancer->zones_last;
}

/* --- closures ------------------------------------------------------------------------------- */

/* Marks every step that STEP waits for, and itself. */
static void mark_before(const struct question *q, bool *marks, int step)
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
static void mark_after(const struct question *q, bool *marks)
{
    for (size_t i = q->begin; i < q->end; i++)
        TT_EACH (index, &q->steps->items[i].after)
            if (marks[(size_t)*index - q->begin])
                marks[i - q->begin] = true;
}

/* The lightest down-set that contains FORCED and nothing of BARRED; NULL is none. */
static long lightest(struct question *q, const bool *forced, const bool *barred,
                     struct tt_strings *ret_culprits)
{
    size_t total = q->end - q->begin, count = 0;
    int *local, *back, *weights;
    struct tt_indices *needs;
    bool *wanted, *inside;
    long least, base = 0;

    if (!forced && !takes_anything(q))
        return 0;
    wanted = TT_NEW_ARRAY(q->scratch, total, bool);
    local = TT_NEW_ARRAY(q->scratch, total, int);
    back = TT_NEW_ARRAY(q->scratch, total, int);
    weights = TT_NEW_ARRAY(q->scratch, total, int);
    for (size_t i = 0; i < total; i++) {
        if (forced && forced[i])
            base += q->weights[i];
        else if (q->weights[i] < 0 && !(barred && barred[i]))
            mark_before(q, wanted, (int)(i + q->begin));
    }
    for (size_t i = 0; i < total; i++)
        if (wanted[i] && !(forced && forced[i])) {
            back[count] = (int)i;
            weights[count] = q->weights[i];
            local[i] = (int)count++;
        }
    needs = TT_NEW_ARRAY(q->scratch, count, struct tt_indices);
    inside = TT_NEW_ARRAY(q->scratch, count, bool);
    for (size_t i = 0; i < count; i++)
        TT_EACH (index, &q->steps->items[(size_t)back[i] + q->begin].after)
            if (!forced || !forced[(size_t)*index - q->begin])
                *TT_VEC_ADD(q->scratch, &needs[i]) = local[(size_t)*index - q->begin];
    least = tt_closure_least(q->scratch, count, weights, needs, inside);
    for (size_t i = 0; i < count; i++)
        if (inside[i] && weights[i] < 0)
            tt_strings_add(q->scratch, ret_culprits,
                           tt_printf(q->scratch, "s%zu", (size_t)back[i] + q->begin + 1));
    return base + least;
}

static long sum(const struct question *q)
{
    long total = 0;

    TT_EACH (index, q->own)
        total += q->weights[(size_t)*index - q->begin];
    for (size_t i = q->begin; q->balancer->zones_last && i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_SET_ZONES)
            total += q->weights[i - q->begin];
    return total;
}

static void forget_weights(const struct question *q)
{
    TT_EACH (index, q->own)
        q->weights[(size_t)*index - q->begin] = 0;
    for (size_t i = q->begin; q->balancer->zones_last && i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_SET_ZONES)
            q->weights[i - q->begin] = 0;
}

static void answer(struct question *q, struct tt_floor *floor, struct tt_strings *ret_culprits)
{
    size_t total = q->end - q->begin;
    struct tt_strings later_culprits = {0};
    const struct tt_server *new = NULL;
    long before, after, now;
    bool *barred, *forced;

    floor->now = weigh_all(q, q->old, q->old ? q->old->id : NULL);
    if (q->switch_over < 0) {
        floor->floor = floor->now + (int)lightest(q, NULL, NULL, ret_culprits);
        floor->end = floor->now + (int)sum(q);
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
    now = weigh_all(q, new, q->new);
    after = now + lightest(q, forced, NULL, &later_culprits);
    if (after < before)
        *ret_culprits = later_culprits;
    floor->floor = (int)(after < before ? after : before);
    floor->end = (int)(now + sum(q));
}

/* --- every service behind every balancer ----------------------------------------------------- */

/* What the spec allows the floor to fall to. */
static int least_allowed(const struct question *q, int now)
{
    const struct tt_service *spec = q->service->spec;
    int wanted = 0;

    if (!q->service->deployment->running)
        return 0;
    TT_EACH (placement, &spec->placements)
        if (tt_balancer_covers(q->balancer->spec, placement->account->name, placement->region))
            wanted += placement->count;
    wanted -= q->service->unavailable;
    if (wanted < 0)
        wanted = 0;
    return now < wanted ? now : wanted;
}

static int prove_pair(struct tt_arena *arena, struct question *q, struct tt_floors *floors,
                      struct tt_error *err)
{
    struct tt_floor floor = {
        .deployment = q->service->deployment->name,
        .service = q->service->name,
        .balancer = q->balancer->name,
    };
    struct tt_strings culprits = {0};
    int allowed;

    find_phases(q);
    answer(q, &floor, &culprits);
    forget_weights(q);
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
        struct question q = {
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
