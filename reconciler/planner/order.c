/*
 * Order: the edges between services, balancers and zones of one deployment.
 *
 * Within a service turns.h orders. Here: balancers' machines before the services that start, a
 * service's creates before its dependents', zones before their members and after them, the old
 * machine of a balancer after every member has followed, and all of it the other way round when
 * the deployment stops.
 */
#include "reconciler/planner/order.h"

#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "reconciler/planner/turns.h"

#define MANY_PAIRS 65536 /* of steps that wait for each other */

struct ordering {
    struct tt_emitter *emitter;
    struct tt_deployment_change *change;
    struct tt_turns *turns; /* parallel to the change's services */
};

static void emit_balancers(struct ordering *o, struct tt_indices *ret_missing)
{
    TT_EACH (balancer, &o->change->deployment->balancers) {
        tt_emit_balancer(o->emitter, *balancer);
        if ((*balancer)->create && (*balancer)->because == TT_BECAUSE_MISSING)
            *TT_VEC_ADD(o->emitter->view->arena, ret_missing) = (*balancer)->steps->create;
    }
    TT_EACH (lent, &o->change->deployment->lent)
        tt_emit_balancer(o->emitter, &(*lent)->balancer);
}

/* Marks wait for nothing, and nothing waits for them. */
static void emit_tags(struct ordering *o)
{
    TT_EACH (change, &o->change->services)
        TT_EACH (machine, &change->service->machines)
            if (machine->tag)
                tt_emit_tag(o->emitter, change->service, machine);
}

/* The first of STEPS that waits for no other of them. */
static int find_first(struct ordering *o, const struct tt_indices *steps)
{
    const struct tt_steps *all = &o->emitter->steps;
    bool *among = TT_NEW_ARRAY(o->emitter->view->arena, all->count, bool);
    int first = TT_NO_STEP;

    TT_EACH (index, steps)
        among[*index] = true;
    TT_EACH (index, steps) {
        bool waits = false;

        TT_EACH (earlier, &all->items[*index].after)
            waits = waits || among[*earlier];
        if (!waits && (first == TT_NO_STEP || *index < first))
            first = *index;
    }
    return first;
}

/* Every step of LATER waits for every step of EARLIER. Where these are very many pairs only the
 * first of LATER does, and the others wait for it: that is no less, and a plan of a size that can
 * be read. */
static void wait_for_all(struct ordering *o, const struct tt_indices *later,
                         const struct tt_indices *earlier)
{
    int first = TT_NO_STEP;

    if (later->count > 1 && earlier->count > MANY_PAIRS / later->count)
        first = find_first(o, later);
    if (first == TT_NO_STEP) {
        TT_EACH (index, later)
            tt_emit_after_all(o->emitter, *index, earlier);
        return;
    }
    tt_emit_after_all(o->emitter, first, earlier);
    TT_EACH (index, later)
        if (*index != first)
            tt_emit_after(o->emitter, *index, first);
}

static struct tt_turns *turns_of(struct ordering *o, const char *service)
{
    TT_EACH (change, &o->change->services)
        if (strcmp(change->service->name, service) == 0)
            return &o->turns[change - o->change->services.items];
    return NULL;
}

/* Start order by dependsOn; stop order is its reverse. */
static void order_dependencies(struct ordering *o)
{
    bool stopping = !o->change->deployment->running;

    TT_EACH (change, &o->change->services) {
        struct tt_turns *own = &o->turns[change - o->change->services.items];

        if (!change->service->spec)
            continue;
        TT_EACH (dependency, &change->service->spec->depends_on) {
            struct tt_turns *other = turns_of(o, (*dependency)->name);

            if (!other)
                continue;
            if (stopping)
                wait_for_all(o, &other->leaves, &own->deletes);
            else
                wait_for_all(o, &own->creates, &other->creates);
        }
    }
}

/* The old machine goes when every member that exists has followed. */
static void order_switch(struct ordering *o, const struct tt_balancer_steps *steps)
{
    wait_for_all(o, &steps->fences, &steps->enrolls);
    tt_emit_after_all(o->emitter, steps->move, &steps->enrolls);
    wait_for_all(o, &steps->deletes, &steps->enrolls);
}

/* A machine that goes without another in its place: after the services that go, and after those
 * of its members that stay have joined elsewhere. */
static void order_removal(struct ordering *o, const struct tt_balancer_view *balancer)
{
    bool stopping = !o->change->deployment->running;

    TT_EACH (change, &o->change->services) {
        const struct tt_turns *turns = &o->turns[change - o->change->services.items];

        if (stopping) /* deletes are among what leaves */
            wait_for_all(o, &balancer->steps->deletes, &turns->leaves);
        else
            wait_for_all(o, &balancer->steps->deletes, &turns->enrolls);
    }
}

/* True when a machine of an attached service stays in a zone that the balancer is to leave; the
 * deletes of those that go come back with it. */
static bool zone_stays_used(struct ordering *o, const struct tt_balancer_view *balancer,
                            struct tt_indices *ret_leaving)
{
    TT_EACH (change, &o->change->services) {
        const struct tt_turns *turns = &o->turns[change - o->change->services.items];
        size_t inside = 0, going = 0;

        if (!change->service->spec || !tt_service_is_behind(change->service->spec, balancer->spec))
            continue;
        TT_EACH (machine, &change->service->machines)
            inside +=
                tt_balancer_covers(balancer->spec, machine->account->name, machine->region->name) &&
                machine->server->zone &&
                !tt_strings_has(&balancer->spec->zones, machine->server->zone);
        for (size_t i = 0; i < turns->deletes.count; i++) {
            const struct tt_machine *machine = turns->leaving.items[i];

            if (!tt_balancer_covers(balancer->spec, machine->account->name,
                                    machine->region->name) ||
                !machine->server->zone ||
                tt_strings_has(&balancer->spec->zones, machine->server->zone))
                continue;
            *TT_VEC_ADD(o->emitter->view->arena, ret_leaving) = turns->deletes.items[i];
            going++;
        }
        if (going < inside)
            return true;
    }
    return false;
}

/* The withdraws from BALANCER, by the id of the server. */
static void index_withdraws(struct ordering *o, const struct tt_balancer_view *balancer,
                            struct tt_map *ret_steps)
{
    const struct tt_steps *steps = &o->emitter->steps;

    tt_map_init(ret_steps, o->emitter->view->arena);
    for (size_t i = 0; i < steps->count; i++) {
        struct tt_step *step = &steps->items[i];

        if (step->action == TT_STEP_WITHDRAW && step->server && !step->machine &&
            strcmp(step->subject.deployment, o->change->deployment->name) == 0 &&
            strcmp(step->balancer, balancer->name) == 0)
            tt_map_put(ret_steps, step->server, step);
    }
}

/* True when a member of ours, wanted or not, stays in a zone that the balancer is to leave; the
 * withdraws of those that leave come back with it. */
static bool zone_keeps_member(struct ordering *o, const struct tt_balancer_view *balancer,
                              struct tt_indices *ret_leaving)
{
    struct tt_map withdraws;

    index_withdraws(o, balancer, &withdraws);
    TT_EACH (member, &balancer->cloud->members) {
        const struct tt_server *server = tt_region_find_server(balancer->region, member->server);
        const struct tt_step *withdraw;

        if (!server || !server->zone || tt_strings_has(&balancer->spec->zones, server->zone) ||
            !tt_streq(server->tags.owner, o->emitter->view->desired->owner))
            continue;
        withdraw = tt_map_get(&withdraws, server->id);
        if (withdraw)
            *TT_VEC_ADD(o->emitter->view->arena, ret_leaving) =
                (int)(withdraw - o->emitter->steps.items);
        else if (member->state == TT_MEMBER_IN_SERVICE && server->state != TT_SERVER_GONE)
            return true;
    }
    return false;
}

static void order_zones(struct ordering *o, struct tt_balancer_view *balancer)
{
    struct tt_indices leaving = {0};
    int step;

    if (!balancer->zones_last || zone_stays_used(o, balancer, &leaving) ||
        zone_keeps_member(o, balancer, &leaving))
        return;
    step = tt_emit_zones_last(o->emitter, balancer);
    tt_emit_after(o->emitter, step, balancer->steps->zones_first);
    tt_emit_after_all(o->emitter, step, &leaving);
}

static void emit_strays(struct ordering *o)
{
    TT_EACH (stray, &o->change->strays)
        TT_EACH (leaving, &stray->leaves) {
            int step = tt_emit_withdraw(o->emitter, NULL, stray, leaving);

            tt_emit_after(o->emitter, step, leaving->balancer->steps->switch_over);
        }
}

static void order_deployment(struct tt_emitter *emitter, struct tt_deployment_change *change)
{
    struct ordering o = {.emitter = emitter, .change = change};
    struct tt_indices missing = {0};

    o.turns = TT_NEW_ARRAY(emitter->view->arena, change->services.count, struct tt_turns);
    emit_balancers(&o, &missing);
    TT_EACH (service, &change->services)
        tt_turns(emitter, service, &missing, &o.turns[service - change->services.items]);
    emit_tags(&o);
    emit_strays(&o);
    order_dependencies(&o);
    TT_EACH (balancer, &change->deployment->balancers) {
        if ((*balancer)->spec && change->deployment->running)
            order_switch(&o, (*balancer)->steps);
        else
            order_removal(&o, *balancer);
        order_zones(&o, *balancer);
    }
}

void tt_order(struct tt_view *view, struct tt_changes *changes, struct tt_steps *ret_steps)
{
    struct tt_emitter emitter = {.view = view};

    TT_EACH (change, &changes->deployments)
        order_deployment(&emitter, change);
    *ret_steps = emitter.steps;
}
