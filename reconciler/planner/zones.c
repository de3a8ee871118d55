/*
 * Zones: allowed ones and even shares.
 *
 * COUNT servers over K zones make shares of q and q + 1. Every machine above its zone's share must
 * move, so the larger shares go where more machines are: first counting those that would otherwise
 * stay untouched, then those that are replaced anyway (moving them costs nothing, but staying is
 * calmer), then by name. No other choice of shares has fewer moves: a zone saves at most one move
 * by its larger share, and exactly when it has more than q machines.
 */
#include "reconciler/planner/zones.h"

#include <string.h>

#include "base/str.h"

static bool is_allowed(const struct tt_service *service, const struct tt_placement *placement,
                       const char *zone)
{
    if (placement->zones.count && !tt_strings_has(&placement->zones, zone))
        return false;
    TT_EACH (item, &service->balancers) {
        const struct tt_balancer *balancer = *item;

        if (balancer->scope == TT_SCOPE_DATA_CENTER &&
            tt_balancer_covers(balancer, placement->account->name, placement->region) &&
            !tt_strings_has(&balancer->zones, zone))
            return false;
    }
    return true;
}

void tt_zones_allowed(struct tt_arena *arena, const struct tt_service *service,
                      const struct tt_placement *placement, const struct tt_region *region,
                      struct tt_zone_shares *ret_shares)
{
    *ret_shares = (struct tt_zone_shares){0};
    TT_EACH (zone, &region->zones)
        if (is_allowed(service, placement, zone->name))
            *TT_VEC_ADD(arena, ret_shares) = (struct tt_zone_share){
                .name = zone->name,
                .available = zone->state == TT_ZONE_AVAILABLE,
            };
}

struct tt_zone_share *tt_zones_find(const struct tt_zone_shares *shares, const char *zone)
{
    TT_EACH (share, shares)
        if (tt_streq(share->name, zone))
            return share;
    return NULL;
}

/* True when A gains more than B by the larger share QUOTIENT + 1. */
static bool gains_more(const struct tt_zone_share *a, const struct tt_zone_share *b, int quotient)
{
    bool a_saves = a->kept > quotient, b_saves = b->kept > quotient;
    int a_all = a->kept + a->movable, b_all = b->kept + b->movable;

    if (a_saves != b_saves)
        return a_saves;
    if ((a_all > quotient) != (b_all > quotient))
        return a_all > quotient;
    return a_all > b_all;
}

void tt_zones_spread(struct tt_zone_shares *shares, int count)
{
    int available = 0, quotient, rest;

    TT_EACH (share, shares)
        available += share->available;
    if (!available)
        return;
    quotient = count / available;
    rest = count % available;
    TT_EACH (share, shares)
        share->target = share->available ? quotient : 0;
    for (; rest; rest--) {
        struct tt_zone_share *best = NULL;

        TT_EACH (share, shares)
            if (share->available && share->target == quotient &&
                (!best || gains_more(share, best, quotient)))
                best = share;
        best->target++; /* cppcheck-suppress nullPointer ; REST is less than what is available */
    }
}

const char *tt_zones_take(struct tt_zone_shares *shares, const char *preferred)
{
    struct tt_zone_share *best = NULL;

    TT_EACH (share, shares) {
        if (!share->available)
            continue;
        if (tt_streq(share->name, preferred) && share->given < share->target) {
            best = share;
            break;
        }
        if (!best || share->target - share->given > best->target - best->given)
            best = share;
    }
    if (!best)
        return NULL;
    best->given++;
    return best->name;
}
