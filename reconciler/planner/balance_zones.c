/*
 * Balance zones: with scope data-center the zones are those of the spec. With scope regional they
 * are nobody's to take away: the balancer balances to the whole region, so it only gets the zones
 * that its members are in and that it lacks, as one does that had scope data-center before.
 */
#include "reconciler/planner/balance_zones.h"

static bool contains_all(const struct tt_strings *a, const struct tt_strings *b)
{
    TT_EACH (item, b)
        if (!tt_strings_has(a, *item))
            return false;
    return true;
}

static void add_zone(struct tt_view *view, struct tt_strings *zones, const char *zone)
{
    if (zone && !tt_strings_has(zones, zone))
        tt_strings_add(view->arena, zones, zone);
}

static void add_zones_of(struct tt_view *view, const struct tt_balancer_view *balancer,
                         const struct tt_service_view *service, struct tt_strings *zones)
{
    TT_EACH (machine, &service->machines)
        if (machine->placement >= 0 && !machine->barred &&
            (machine->fate == TT_FATE_KEEP || machine->fate == TT_FATE_START) &&
            tt_balancer_covers(balancer->spec, machine->account->name, machine->region->name))
            add_zone(view, zones, machine->server->zone);
    TT_EACH (create, &service->creates) {
        const struct tt_placement *placement = &service->spec->placements.items[create->placement];

        if (tt_balancer_covers(balancer->spec, placement->account->name, placement->region))
            add_zone(view, zones, create->zone);
    }
}

/* The zones of a regional balancer and those of its members; one without any has no such notion. */
static const struct tt_strings *regional_zones(struct tt_view *view,
                                               const struct tt_balancer_view *balancer)
{
    struct tt_strings *zones = TT_NEW(view->arena, struct tt_strings);

    if (!balancer->cloud->zones->count)
        return balancer->cloud->zones;
    TT_EACH (zone, balancer->cloud->zones)
        tt_strings_add(view->arena, zones, *zone);
    TT_EACH (service, &balancer->deployment->services)
        if ((*service)->spec && !(*service)->blocked &&
            tt_service_is_behind((*service)->spec, balancer->spec))
            add_zones_of(view, balancer, *service, zones);
    tt_strings_sort(zones);
    return zones;
}

void tt_balance_zones(struct tt_view *view)
{
    TT_EACH (deployment, &view->deployments)
        TT_EACH (item, &(*deployment)->balancers) {
            struct tt_balancer_view *balancer = *item;

            if (!balancer->spec || !(*deployment)->running || balancer->unseen ||
                balancer->blocked || !balancer->cloud || !balancer->cloud->zones)
                continue;
            balancer->zones = balancer->spec->scope == TT_SCOPE_DATA_CENTER
                                  ? &balancer->spec->zones
                                  : regional_zones(view, balancer);
            balancer->zones_first = !contains_all(balancer->cloud->zones, balancer->zones);
            balancer->zones_last = !contains_all(balancer->zones, balancer->cloud->zones);
        }
}
