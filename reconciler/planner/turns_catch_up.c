/*
 * Turns: the last resort.
 *
 * A run that ended half-way can leave two machines in a slot of which neither is in all its
 * balancers: the old one never joined the balancer that the new one serves in, and the other way
 * round. Then neither can go, and none can be made while there is no room. So one of those that go
 * is enrolled where it is missing, and stays until its turn comes: like any member that joins it
 * makes capacity, and when it departs it takes it again.
 */
#include "reconciler/planner/turns_schedule.h"

bool tt_balances_to(const struct tt_balancer_view *balancer, const char *zone)
{
    const struct tt_cloud_balancer *cloud = balancer->cloud;

    return !cloud || !cloud->zones || !zone || tt_strings_has(cloud->zones, zone) ||
           (balancer->zones && tt_strings_has(balancer->zones, zone));
}

/* True when LEAVER can be enrolled behind LINK, where it does not serve. */
static bool can_join(const struct tt_schedule *s, const struct tt_leaver *leaver,
                     const struct tt_link *link)
{
    const struct tt_machine *machine = leaver->departure->machine;
    const struct tt_balancer_view *balancer = link->balancer;
    int entry;

    if (!link->usable || balancer->create || balancer->replaced || balancer->settling ||
        machine->barred || tt_will_serve(s, leaver, link) || !tt_link_takes(link, machine) ||
        !tt_balances_to(balancer, machine->server->zone) ||
        (!balancer->cloud && !tt_member_address(balancer, machine)))
        return false;
    entry = tt_link_entry(link, machine);
    return entry < 0 || tt_roster_state(&link->target, entry) == TT_MEMBER_DRAINING;
}

static bool may_catch_up(const struct tt_leaver *leaver)
{
    return !leaver->scheduled && !leaver->stuck && !leaver->catch_ups &&
           leaver->departure->machine->healthy;
}

/* By link: somebody who goes can be enrolled there. */
static bool *find_joinable(const struct tt_schedule *s)
{
    bool *joinable = TT_NEW_ARRAY(s->arena, s->change->links.count, bool);

    for (size_t i = 0; i < s->leaver_count; i++)
        for (size_t k = 0; may_catch_up(&s->leavers[i]) && k < s->change->links.count; k++)
            joinable[k] |= can_join(s, &s->leavers[i], &s->change->links.items[k]);
    return joinable;
}

/* True when LEAVER could go, were everybody enrolled where JOINABLE says. */
static bool could_go(struct tt_schedule *s, const struct tt_leaver *leaver, const bool *joinable)
{
    if (leaver->scheduled || leaver->stuck ||
        (leaver->departure->machine->healthy && !tt_tokens_left(&s->health)))
        return false;
    for (size_t k = 0; k < s->change->links.count; k++) {
        const struct tt_link *link = &s->change->links.items[k];

        if (tt_will_serve(s, leaver, link) && !joinable[k] &&
            !tt_tokens_left(tt_capacity_of(s, link)))
            return false;
    }
    return true;
}

/* By link: an enroll there brings somebody, who serves there, nearer to going. */
static bool *find_needed(struct tt_schedule *s)
{
    bool *joinable = find_joinable(s);
    bool *needed = TT_NEW_ARRAY(s->arena, s->change->links.count, bool);

    for (size_t i = 0; i < s->leaver_count; i++) {
        const struct tt_leaver *leaver = &s->leavers[i];

        if (!could_go(s, leaver, joinable))
            continue;
        for (size_t k = 0; k < s->change->links.count; k++) {
            const struct tt_link *link = &s->change->links.items[k];

            needed[k] |= tt_will_serve(s, leaver, link) && !tt_tokens_left(tt_capacity_of(s, link));
        }
    }
    return needed;
}

static bool helps(const struct tt_schedule *s, const struct tt_leaver *leaver, const bool *needed)
{
    for (size_t k = 0; k < s->change->links.count; k++)
        if (needed[k] && can_join(s, leaver, &s->change->links.items[k]))
            return true;
    return false;
}

static void join(struct tt_schedule *s, struct tt_leaver *leaver)
{
    const struct tt_departure *departure = leaver->departure;

    leaver->catch_ups = TT_NEW_ARRAY(s->arena, s->change->links.count, int);
    for (size_t i = 0; i < s->change->links.count; i++)
        leaver->catch_ups[i] = TT_NO_STEP;
    TT_EACH (link, &s->change->links) {
        int step;

        if (!can_join(s, leaver, link))
            continue;
        step = tt_emit_enroll_departing(s->emitter, s->change->service, departure, link);
        tt_emit_after(s->emitter, step,
                      tt_zones_before(link->balancer, departure->machine->server->zone));
        tt_tokens_make(s->arena, tt_capacity_of(s, link), step);
        *TT_VEC_ADD(s->arena, &s->turns->enrolls) = step;
        leaver->catch_ups[link - s->change->links.items] = step;
    }
}

bool tt_catch_up(struct tt_schedule *s)
{
    const bool *needed = find_needed(s);

    for (size_t i = 0; i < s->leaver_count; i++)
        if (may_catch_up(&s->leavers[i]) && helps(s, &s->leavers[i], needed)) {
            join(s, &s->leavers[i]);
            return true;
        }
    return false;
}
