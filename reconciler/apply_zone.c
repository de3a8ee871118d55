/*
 * Another zone for a server whose own has no room: one that the specs allow, when the servers stay
 * spread evenly. The next plan finds it as even as the one before, and nothing moves back.
 */
#include <limits.h>

#include "base/str.h"
#include "reconciler/apply_call.h"
#include "reconciler/planner/zones.h"

static bool is_deleted(const struct tt_apply_run *run, const char *server)
{
    TT_EACH (step, &run->plan->steps)
        if (step->action == TT_STEP_DELETE_SERVER && !step->held && tt_streq(step->server, server))
            return true;
    return false;
}

/* How many each zone has in the end: what stays, and what this run makes. */
static void count_servers(const struct tt_call *call, const struct tt_service *service,
                          const struct tt_region *region, struct tt_zone_shares *shares)
{
    const struct tt_apply_run *run = call->run;
    struct tt_zone_share *share;

    TT_EACH (server, &region->servers) {
        share = tt_zones_find(shares, server->zone);
        if (share && server->state != TT_SERVER_GONE &&
            tt_streq(server->tags.owner, run->request->desired->owner) &&
            tt_streq(server->tags.deployment, service->deployment->name) &&
            tt_streq(server->tags.service, service->name) && !is_deleted(run, server->id))
            share->given++;
    }
    TT_EACH (step, &run->plan->steps) {
        const struct tt_step_run *state = &run->steps[step - run->plan->steps.items];

        share = tt_zones_find(shares, state->made.zone ? state->made.zone : step->zone);
        if (share && step->action == TT_STEP_CREATE_SERVER && !step->held &&
            step->subject.kind == TT_SUBJECT_SERVICE &&
            tt_streq(step->subject.deployment, service->deployment->name) &&
            tt_streq(step->subject.name, service->name) &&
            tt_streq(step->account, call->step->account) &&
            tt_streq(step->region, call->step->region))
            share->given++;
    }
}

static bool is_even(const struct tt_zone_shares *shares)
{
    int least = INT_MAX, most = 0;

    TT_EACH (share, shares) {
        if (!share->available)
            continue;
        least = share->given < least ? share->given : least;
        most = share->given > most ? share->given : most;
    }
    return most - least <= 1;
}

/* The zone with the fewest servers that has not refused and leaves all even; NULL: none. */
static const char *choose(const struct tt_call *call, struct tt_zone_shares *shares,
                          const char *from)
{
    struct tt_zone_share *own = tt_zones_find(shares, from), *best = NULL;

    if (!own)
        return NULL;
    TT_EACH (share, shares)
        if (share->available && share != own &&
            !tt_strings_has(&call->state->made.full, share->name) &&
            (!best || share->given < best->given))
            best = share;
    if (!best)
        return NULL;
    own->given--;
    best->given++;
    return is_even(shares) ? best->name : NULL;
}

bool tt_call_other_zone(const struct tt_call *call, const struct tt_service *service,
                        const struct tt_placement *placement)
{
    struct tt_apply_run *run = call->run;
    const struct tt_region *region =
        tt_world_region(run->request->world, call->step->account, call->step->region);
    const char *from, *to = NULL;
    struct tt_zone_shares shares;

    if (!region || !call->step->zone)
        return false;
    tt_zones_allowed(call->scratch, service, placement, region, &shares);
    /* one at a time: where the others of this run go counts */
    pthread_mutex_lock(&run->lock);
    from = call->state->made.zone ? call->state->made.zone : call->step->zone;
    tt_strings_add(run->arena, &call->state->made.full, from);
    count_servers(call, service, region, &shares);
    to = choose(call, &shares, from);
    if (to)
        call->state->made.zone = to;
    pthread_mutex_unlock(&run->lock);
    if (to)
        tt_apply_note(run, call->index,
                      tt_printf(call->scratch, "no room in %s, trying %s", from, to));
    return to != NULL;
}
