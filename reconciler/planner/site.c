/*
 * Site: what stands in the way of servers: zones, templates, addresses, balancers that cannot be
 * seen, and what left Git.
 */
#include "reconciler/planner/site.h"

#include <string.h>

#include "base/str.h"
#include "reconciler/planner/members.h"

void tt_fail_service(struct tt_view *view, struct tt_service_view *service, const char *code,
                     const struct tt_mark *mark, const char *message)
{
    service->blocked = true;
    tt_view_problem(view, TT_SEVERITY_ERROR, code, tt_service_subject(view, service), mark, "%s",
                    message);
}

void tt_site_check_zones(struct tt_site *site)
{
    const struct tt_placement *placement = site->placement;
    struct tt_arena *arena = site->view->arena;
    TT_EACH (zone, &placement->zones)
        if (!tt_region_zone(site->region, *zone))
            tt_fail_service(site->view, site->service, "no-such-zone", &placement->mark,
                            tt_printf(arena, "%s/%s has no zone %s; its zones: %s",
                                      placement->account->name, placement->region, *zone,
                                      tt_region_zones_text(arena, site->region)));
}

void tt_site_check_template(struct tt_site *site)
{
    const struct tt_placement *placement = site->placement;

    if (site->region->templates && placement->server.template &&
        !tt_strings_has(site->region->templates, placement->server.template))
        tt_fail_service(
            site->view, site->service, "no-such-template", &placement->mark,
            tt_printf(site->view->arena, "%s/%s has no template %s; its templates: %s",
                      placement->account->name, placement->region, placement->server.template,
                      tt_strings_join(site->view->arena, site->region->templates, "none")));
}

/* "zones of the placement: a, b; zones of edge: b, c; zones of the region: a (impaired)" */
const char *tt_site_zone_sides(struct tt_site *site)
{
    struct tt_arena *arena = site->view->arena;
    const struct tt_placement *placement = site->placement;
    struct tt_strings region = {0};
    TT_BUF_AUTO text = {0};

    TT_EACH (zone, &site->region->zones)
        tt_strings_add(arena, &region,
                       tt_printf(arena, "%s (%s)", zone->name, tt_zone_state_words[zone->state]));
    tt_buf_addf(&text, "the placement allows %s",
                tt_strings_join(arena, &placement->zones, "every zone"));
    TT_EACH (balancer, &site->service->spec->balancers)
        if ((*balancer)->scope == TT_SCOPE_DATA_CENTER &&
            tt_balancer_covers(*balancer, placement->account->name, placement->region))
            tt_buf_addf(&text, "; balancer %s allows %s", (*balancer)->name,
                        tt_strings_join(arena, &(*balancer)->zones, "none"));
    tt_buf_addf(&text, "; %s/%s has %s", placement->account->name, placement->region,
                tt_strings_join(arena, &region, "no zones"));
    return tt_strdup(arena, tt_buf_text(&text));
}

void tt_site_report_impaired(struct tt_site *site)
{
    TT_EACH (zone, &site->zones)
        if (!zone->available)
            tt_view_problem(site->view, TT_SEVERITY_WARNING, "zone-impaired",
                            tt_service_subject(site->view, site->service), &site->placement->mark,
                            "zone %s of %s/%s is impaired: no server of %s starts there",
                            zone->name, site->placement->account->name, site->placement->region,
                            site->service->name);
}

/* A balancer machine elsewhere reaches members by their public address alone. */
static bool needs_public_address(const struct tt_balancer_view *balancer,
                                 const struct tt_machine *machine)
{
    const struct tt_balancer *spec = balancer->spec;

    return tt_balancer_covers(spec, machine->account->name, machine->region->name) &&
           (strcmp(spec->account->name, machine->account->name) != 0 ||
            strcmp(spec->region, machine->region->name) != 0);
}

/* The first balancer that cannot reach MACHINE; NULL: all do. */
static const struct tt_balancer_view *unreachable_from(const struct tt_service_view *service,
                                                       const struct tt_machine *machine)
{
    if (!machine->healthy || machine->server->public_address || machine->placement < 0)
        return NULL;
    TT_EACH (balancer, &service->deployment->balancers)
        if ((*balancer)->spec && (*balancer)->spec->scope == TT_SCOPE_GLOBAL &&
            !(*balancer)->unseen && !(*balancer)->blocked &&
            tt_service_is_behind(service->spec, (*balancer)->spec) &&
            needs_public_address(*balancer, machine))
            return *balancer;
    return NULL;
}

void tt_bar_unreachable(struct tt_service_view *service)
{
    TT_EACH (machine, &service->machines)
        machine->barred = unreachable_from(service, machine) != NULL;
}

void tt_report_unreachable(struct tt_view *view, const struct tt_service_view *service)
{
    TT_EACH (machine, &service->machines) {
        const struct tt_balancer_view *balancer =
            machine->barred ? unreachable_from(service, machine) : NULL;

        if (balancer)
            tt_view_problem(
                view, TT_SEVERITY_ERROR, "no-public-address",
                tt_printf(view->arena, "Service/%s/%s/%d", service->deployment->name, service->name,
                          machine->slot),
                &service->spec->mark,
                "%s in %s/%s has no public address, and balancer %s in %s/%s can reach it "
                "by no other",
                tt_machine_text(view->arena, machine->server), machine->account->name,
                machine->region->name, balancer->name, balancer->spec->account->name,
                balancer->spec->region);
    }
}

void tt_report_pending(struct tt_view *view, const struct tt_service_view *service)
{
    TT_EACH (machine, &service->machines)
        if (machine->pending && machine->fate == TT_FATE_KEEP)
            tt_view_pending(view,
                            machine->slot < 0
                                ? tt_service_subject(view, service)
                                : tt_printf(view->arena, "%s/%d", tt_service_subject(view, service),
                                            machine->slot),
                            &service->spec->mark, machine->server, service->spec->health);
}

static bool freezes(const struct tt_service_view *service, const struct tt_balancer_view *balancer,
                    const struct tt_machine *machine)
{
    const char *account = machine->account->name, *region = machine->region->name;

    if (service->spec)
        return tt_view_is_behind(service, balancer, account, region);
    return balancer->unseen && tt_balancer_covers(balancer->spec, account, region);
}

/* True when MACHINE is a member of a blocked balancer as it was observed, whatever Git says. */
static bool is_member(const struct tt_balancer_view *balancer, const struct tt_machine *machine,
                      const char *pool_service)
{
    const struct tt_roster roster = {.cloud = balancer->cloud};

    if (roster.cloud)
        return balancer->region == machine->region &&
               tt_roster_find(&roster, machine->server, NULL, NULL, 0) >= 0;
    TT_EACH (own, &balancer->machines) {
        const struct tt_pool *pool = tt_region_pool(own->region, own->server->id);
        const char *address = own->region == machine->region ? machine->server->private_address
                                                             : machine->server->public_address;

        if (pool && address && tt_pool_reaches(pool, pool_service, address))
            return true;
    }
    return false;
}

void tt_freeze(struct tt_view *view, struct tt_service_view *service)
{
    TT_EACH (item, &service->deployment->balancers) {
        const struct tt_balancer_view *balancer = *item;
        const char *pool_service;

        if (!balancer->spec || (!balancer->unseen && !balancer->blocked))
            continue;
        pool_service = tt_pool_service(view->arena, service);
        TT_EACH (machine, &service->machines)
            machine->frozen = machine->frozen || freezes(service, balancer, machine) ||
                              (balancer->blocked && is_member(balancer, machine, pool_service));
    }
}

static void report_orphan(struct tt_view *view, const struct tt_deployment_view *deployment,
                          const char *subject, const struct tt_machine *machine)
{
    tt_view_problem(
        view, TT_SEVERITY_INFO, "orphan", subject, NULL,
        "%s in %s/%s left Git and is left alone: %s", tt_machine_text(view->arena, machine->server),
        machine->account->name, machine->region->name,
        deployment->spec ? "the deployment has prune: false" : "plan with --prune to delete it");
}

void tt_report_orphans(struct tt_view *view, const struct tt_deployment_view *deployment)
{
    if (deployment->prune)
        return;
    TT_EACH (service, &deployment->services)
        if (!(*service)->spec)
            TT_EACH (machine, &(*service)->machines)
                report_orphan(view, deployment,
                              machine->slot < 0
                                  ? tt_service_subject(view, *service)
                                  : tt_printf(view->arena, "%s/%d",
                                              tt_service_subject(view, *service), machine->slot),
                              machine);
    TT_EACH (balancer, &deployment->balancers)
        if (!(*balancer)->spec)
            TT_EACH (machine, &(*balancer)->machines)
                report_orphan(view, deployment, tt_balancer_subject(view, *balancer), machine);
}
