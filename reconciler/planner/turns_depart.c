/*
 * Turns: how a server departs: what it takes, what it leaves, what it must wait for.
 */
#include <string.h>

#include "base/str.h"
#include "reconciler/planner/turns_schedule.h"

/* True when MACHINE may serve through a balancer's machine that exists and whose pool nobody could
 * read: one that boots again, or is not reached for a moment. */
static bool may_serve_unread(const struct tt_link *link, const struct tt_machine *machine)
{
    return !link->usable && !link->balancer->cloud && link->balancer->serving &&
           !link->serving.pool && machine->healthy && tt_link_takes(link, machine);
}

/* True when the machine serves, or may, through a balancer that can be told nothing now. */
bool tt_is_stuck(const struct tt_schedule *s, const struct tt_machine *machine)
{
    TT_EACH (link, &s->change->links)
        if (may_serve_unread(link, machine) ||
            ((!link->usable || link->balancer->settling) && tt_link_serves(link, machine)))
            return true;
    return false;
}

bool tt_will_serve(const struct tt_schedule *s, const struct tt_leaver *leaver,
                   const struct tt_link *link)
{
    return tt_link_serves(link, leaver->departure->machine) ||
           (leaver->catch_ups && leaver->catch_ups[link - s->change->links.items] != TT_NO_STEP);
}

bool tt_has_capacity(struct tt_schedule *s, const struct tt_leaver *leaver)
{
    if (leaver->departure->machine->healthy && !tt_tokens_left(&s->health))
        return false;
    TT_EACH (link, &s->change->links)
        if (tt_will_serve(s, leaver, link) && !tt_tokens_left(tt_capacity_of(s, link)))
            return false;
    return true;
}

/* The enroll at BALANCER of one that was missing there; TT_NO_STEP: it was not. */
static int catch_up_at(const struct tt_schedule *s, const struct tt_leaver *leaver,
                       const struct tt_balancer_view *balancer)
{
    TT_EACH (link, &s->change->links)
        if (leaver->catch_ups && link->balancer == balancer)
            return leaver->catch_ups[link - s->change->links.items];
    return TT_NO_STEP;
}

static void leave_balancer(struct tt_schedule *s, const struct tt_leaver *leaver,
                           const struct tt_leaving *leaving, const struct tt_indices *before)
{
    int step = tt_emit_withdraw(s->emitter, s->change->service, leaver->departure, leaving);

    tt_emit_after_all(s->emitter, step, before);
    tt_emit_after(s->emitter, step, catch_up_at(s, leaver, leaving->balancer));
    if (leaving->balancer->replaced)
        tt_emit_after(s->emitter, step, leaving->balancer->steps->switch_over);
    tt_emit_after(s->emitter, leaver->delete, step);
    *TT_VEC_ADD(s->arena, &s->turns->leaves) = step;
}

/* Emits a departure's steps: it leaves its balancers after BEFORE, then it is deleted. */
void tt_depart(struct tt_schedule *s, struct tt_leaver *leaver, const struct tt_indices *before,
               const struct tt_indices *before_delete)
{
    const struct tt_departure *departure = leaver->departure;
    int step = tt_emit_delete(s->emitter, s->change->service, departure);

    leaver->delete = step;
    TT_EACH (leaving, &departure->leaves)
        leave_balancer(s, leaver, leaving, before);
    TT_EACH (link, &s->change->links) {
        int joined = catch_up_at(s, leaver, link->balancer);

        if (joined != TT_NO_STEP && tt_link_entry(link, departure->machine) < 0)
            leave_balancer(s, leaver,
                           &(struct tt_leaving){
                               .balancer = link->balancer,
                               .address = s->emitter->steps.items[joined].address,
                           },
                           before);
    }
    tt_emit_after_all(s->emitter, step, before);
    tt_emit_after_all(s->emitter, step, before_delete);
    *TT_VEC_ADD(s->arena, &s->turns->leaves) = step;
    *TT_VEC_ADD(s->arena, &s->turns->deletes) = step;
    *TT_VEC_ADD(s->arena, &s->turns->leaving) = departure->machine;
    leaver->scheduled = true;
    tt_tokens_make(s->arena, &s->room, step);
}

/* Enrols a machine that goes later, or not yet, in its balancer's new machine. */
static int follow(struct tt_schedule *s, const struct tt_departure *departure,
                  const struct tt_link *link)
{
    int step = tt_emit_enroll_departing(s->emitter, s->change->service, departure, link);

    tt_emit_after(s->emitter, step, link->balancer->steps->create);
    *TT_VEC_ADD(s->arena, &link->balancer->steps->enrolls) = step;
    return step;
}

/* What must wait goes on serving, through a balancer's new machine, too. */
void tt_keep_serving(struct tt_schedule *s, const struct tt_leaver *leaver)
{
    const struct tt_machine *machine = leaver->departure->machine;

    TT_EACH (link, &s->change->links) {
        int entry = tt_link_entry(link, machine);

        if (link->usable && link->balancer->replaced && tt_link_serves(link, machine) &&
            (entry < 0 || tt_roster_state(&link->target, entry) == TT_MEMBER_DRAINING))
            follow(s, leaver->departure, link);
    }
}

/* A serving machine that departs after its balancer got another one must be in the new one's pool
 * until its own replacement is; one whose capacity was to spare goes with the old pool. */
static void bridge(struct tt_schedule *s, const struct tt_departure *departure,
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

void tt_schedule_departure(struct tt_schedule *s, struct tt_leaver *leaver)
{
    const struct tt_machine *machine = leaver->departure->machine;
    const struct tt_comer *successor = leaver->successor;
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
        bool serves = tt_will_serve(s, leaver, link);
        int token = serves ? tt_tokens_take(tt_capacity_of(s, link), own) : TT_FREE_TOKEN;

        *TT_VEC_ADD(s->arena, &before) = token;
        if (link->balancer->replaced &&
            tt_balancer_covers(link->balancer->spec, machine->account->name, machine->region->name))
            bridge(s, leaver->departure, link, token, &before, &before_delete);
    }
    tt_depart(s, leaver, &before, &before_delete);
}

/* Entries that go while their machine stays: after it joined elsewhere. */
void tt_leave_only(struct tt_schedule *s, const struct tt_departure *departure)
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
