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

/* True when somebody other than LEAVER waits for capacity behind LINK. */
static bool is_waited_for(struct tt_schedule *s, const struct tt_leaver *leaver,
                          const struct tt_link *link)
{
    if (tt_tokens_left(tt_capacity_of(s, link)))
        return false;
    for (size_t i = 0; i < s->leaver_count; i++) {
        const struct tt_leaver *other = &s->leavers[i];

        if (other != leaver && !other->scheduled && !other->stuck && tt_will_serve(s, other, link))
            return true;
    }
    return false;
}

static bool helps(struct tt_schedule *s, const struct tt_leaver *leaver)
{
    TT_EACH (link, &s->change->links)
        if (can_join(s, leaver, link) && is_waited_for(s, leaver, link))
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
    for (size_t i = 0; i < s->leaver_count; i++) {
        struct tt_leaver *leaver = &s->leavers[i];

        if (leaver->scheduled || leaver->stuck || leaver->catch_ups ||
            !leaver->departure->machine->healthy || !helps(s, leaver))
            continue;
        join(s, leaver);
        return true;
    }
    return false;
}
