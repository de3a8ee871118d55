/*
 * Check: services: placements, zones, and what they need of the balancers they are attached to.
 */
#include <string.h>

#include "base/str.h"
#include "specs/check.h"

static void check_update(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_update *doc = &document->spec.service.update;

    if (doc->max_surge.text && doc->max_unavailable.text && doc->max_surge.number == 0 &&
        doc->max_unavailable.number == 0)
        tt_report_add(specs->report, "out-of-range", doc->at.mark, document->subject,
                      "with maxSurge and maxUnavailable both 0 no server could ever be replaced; "
                      "raise one of them");
}

static void check_placements(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_objects *list = &document->spec.service.placements;
    struct tt_doc_placement *placements = list->items;
    struct tt_map seen;

    tt_map_init(&seen, specs->arena);
    for (size_t i = 0; i < list->count; i++) {
        const char *account = placements[i].account.text, *region = placements[i].region.text;
        const struct tt_doc_placement *first;

        if (!account || !region)
            continue;
        first =
            tt_map_put(&seen, tt_printf(specs->arena, "%s/%s", account, region), &placements[i]);
        if (first)
            tt_report_add(specs->report, "duplicate-name", placements[i].at.mark, document->subject,
                          "there is already a placement in %s/%s, on line %d; a service has one "
                          "for each account and region",
                          account, region, first->at.mark.line);
    }
}

/* True when BALANCER limits the zones of a placement. */
static bool limits(const struct tt_balancer *balancer, const struct tt_doc_placement *placement)
{
    return balancer->type == TT_BALANCER_CLOUD && balancer->scope == TT_SCOPE_DATA_CENTER &&
           balancer->zones.count && balancer->account &&
           tt_streq(balancer->account->name, placement->account.text) &&
           tt_streq(balancer->region, placement->region.text);
}

static void intersect(struct tt_arena *arena, struct tt_strings *zones, bool *any,
                      const struct tt_strings *with)
{
    struct tt_strings both = {0};

    TT_EACH (zone, with)
        if (*any || tt_strings_has(zones, *zone))
            tt_strings_add(arena, &both, *zone);
    *zones = both;
    *any = false;
}

static void check_zones(struct tt_specs *specs, const struct tt_document *document,
                        const struct tt_doc_placement *placement)
{
    const struct tt_service *service = document->made.service;
    struct tt_strings own = tt_resolve_strings(specs->arena, &placement->zones, true);
    struct tt_strings zones = own;
    TT_BUF_AUTO sides = {0};
    bool any = own.count == 0;

    if (!any)
        tt_buf_addf(&sides, "the placement has %s", tt_strings_join(specs->arena, &own, ""));
    TT_EACH (item, &service->balancers) {
        if (!limits(*item, placement))
            continue;
        intersect(specs->arena, &zones, &any, &(*item)->zones);
        tt_buf_addf(&sides, "%sthe balancer %s (%s:%d) has %s", sides.length ? ", " : "",
                    (*item)->name, (*item)->mark.file, (*item)->mark.line,
                    tt_strings_join(specs->arena, &(*item)->zones, ""));
    }
    if (!any && !zones.count)
        tt_report_add(
            specs->report, "zone-conflict",
            placement->zones.given ? placement->zones.mark : placement->at.mark, document->subject,
            "no zone of %s/%s is left for service %s: %s; let them share a zone",
            placement->account.text, placement->region.text, service->name, tt_buf_text(&sides));
}

static const struct tt_balancer *find_balancer(const struct tt_service *service, const char *name)
{
    TT_EACH (item, &service->balancers)
        if (strcmp((*item)->name, name) == 0)
            return *item;
    return NULL;
}

/* A cloud or regional balancer has something to balance in its account and region. */
static void check_region(struct tt_specs *specs, const struct tt_document *document,
                         const struct tt_balancer *balancer, struct tt_mark mark)
{
    const struct tt_objects *list = &document->spec.service.placements;
    const struct tt_doc_placement *placements = list->items;

    if (!balancer->account || !balancer->region || balancer->scope == TT_SCOPE_GLOBAL)
        return;
    for (size_t i = 0; i < list->count; i++)
        if (!placements[i].account.text || !placements[i].region.text ||
            (tt_streq(placements[i].account.text, balancer->account->name) &&
             tt_streq(placements[i].region.text, balancer->region)))
            return;
    tt_report_add(specs->report, "balancer-no-region", mark, document->subject,
                  "the balancer %s (%s:%d) balances only %s/%s, and the service has no placement "
                  "there; add one, detach the balancer, or use a vm type with scope global",
                  balancer->name, balancer->mark.file, balancer->mark.line, balancer->account->name,
                  balancer->region);
}

/* Members need a port: the listener's target, or else the service's own. */
static void check_port(struct tt_specs *specs, const struct tt_document *document,
                       const struct tt_balancer *balancer, struct tt_mark mark)
{
    bool covered = balancer->listeners && balancer->listeners->count;

    if (tt_node_get(document->spec.service.at.node, "port"))
        return;
    if (covered)
        TT_EACH (listener, balancer->listeners)
            covered &= listener->target_port != 0;
    if (!covered)
        tt_report_add(specs->report, "missing-key", mark, document->subject,
                      "a service behind the balancer %s needs a port, or a targetPort in each of "
                      "the balancer's listeners",
                      balancer->name);
}

void tt_check_service(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_service *doc = &document->spec.service;
    const struct tt_doc_placement *placements = doc->placements.items;

    check_update(specs, document);
    check_placements(specs, document);
    tt_check_health(specs, document, &doc->health);
    tt_check_twice(specs, document, &doc->names, "name");
    tt_check_twice(specs, document, &doc->balancers, "balancer");
    tt_check_twice(specs, document, &doc->depends_on, "service");
    for (size_t i = 0; i < doc->placements.count; i++)
        if (placements[i].account.text && placements[i].region.text)
            check_zones(specs, document, &placements[i]);
    TT_EACH (name, &doc->balancers) {
        const struct tt_balancer *balancer = find_balancer(document->made.service, name->text);

        if (!balancer)
            continue;
        check_region(specs, document, balancer, name->mark);
        check_port(specs, document, balancer, name->mark);
    }
}
