/*
 * Bounds: sums over the placements, maxUnavailable and maxSurge.
 */
#include "bounds.h"

int tt_bounds_members(const struct tt_service *service, const struct tt_balancer *balancer, int now)
{
    int wanted = 0, least;

    if (!service->deployment->running)
        return 0;
    TT_EACH (placement, &service->placements)
        if (tt_balancer_covers(balancer, placement->account->name, placement->region))
            wanted += placement->count;
    least = wanted - tt_amount_down(service->max_unavailable, tt_service_count(service));
    if (least < 0)
        least = 0;
    return now < least ? now : least;
}

int tt_bounds_machines(const struct tt_service *service, int now)
{
    int total = tt_service_count(service);
    int surge = tt_amount_up(service->max_surge, total);

    if (!surge && !tt_amount_down(service->max_unavailable, total))
        surge = 1;
    return now > total + surge ? now : total + surge;
}
