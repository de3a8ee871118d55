/*
 * Check: balancers: which scope and zones go with which type, and what the provider has.
 */
#include <string.h>

#include "specs/check.h"

static void check_scope(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_balancer *doc = &document->spec.balancer;
    const struct tt_balancer *balancer = document->made.balancer;
    bool cloud = balancer->type == TT_BALANCER_CLOUD;

    if (doc->type.given && cloud && balancer->scope == TT_SCOPE_GLOBAL)
        tt_report_add(specs->report, "scope-global-cloud", doc->scope.mark, document->subject,
                      "a virtual balancer cannot balance across regions; use scope regional or "
                      "data-center, or a vm type for a global balancer");
    if (doc->type.given && !cloud && balancer->scope == TT_SCOPE_DATA_CENTER)
        tt_report_add(specs->report, "scope-zone-vm", doc->scope.mark, document->subject,
                      "a VM-based balancer has no data centers to choose; use scope regional or "
                      "global, or type cloud");
    else if (balancer->scope == TT_SCOPE_DATA_CENTER && !doc->zones.given)
        tt_report_add(specs->report, "zones-required", doc->scope.mark, document->subject,
                      "scope data-center needs zones: the data centers that it balances");
    else if (balancer->scope == TT_SCOPE_DATA_CENTER && !balancer->zones.count)
        tt_report_add(specs->report, "zones-required", doc->zones.mark, document->subject,
                      "scope data-center needs zones: name at least one data center");
    if (balancer->scope != TT_SCOPE_DATA_CENTER && balancer->zones.count)
        tt_report_add(specs->report, "zones-forbidden", doc->zones.mark, document->subject,
                      "zones belong to scope data-center, and the scope is %s; remove the zones "
                      "or change the scope",
                      doc->scope.text);
}

static void check_features(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_balancer *doc = &document->spec.balancer;
    const struct tt_balancer *balancer = document->made.balancer;
    const struct tt_account *account = balancer->account;
    const char *provider;
    unsigned features;

    if (!account || !account->name || !tt_resolve_features(specs, account, &features))
        return;
    provider = tt_provider_kind_words[account->provider];
    if (doc->type.given && balancer->type == TT_BALANCER_CLOUD &&
        !(features & TT_FEATURE_CLOUD_BALANCER))
        tt_report_add(
            specs->report, "provider-lacks-cloud-balancer", doc->type.mark, document->subject,
            "account %s (provider %s) has no cloud balancers; use type %s", account->name, provider,
            tt_provider_kind_makes_machines(account->provider) ? "vm-dynamic or vm-static"
                                                               : "vm-static");
    if (doc->address.given && !(features & TT_FEATURE_ELASTIC_ADDRESS))
        tt_report_add(specs->report, "provider-lacks-address", doc->address.mark, document->subject,
                      "account %s (provider %s) has no elastic addresses; remove the address",
                      account->name, provider);
    else if (doc->type.given && balancer->type == TT_BALANCER_VM_DYNAMIC &&
             !tt_provider_kind_makes_machines(account->provider))
        tt_report_add(specs->report, "provider-makes-no-machines", doc->type.mark,
                      document->subject,
                      "account %s (provider %s) cannot make machines; use type vm-static with the "
                      "address of one that is there, or an account of a cloud",
                      account->name, provider);
}

/* The two services behind a balancer whose ports differ; false: there are none. */
static bool find_different_ports(const struct tt_balancer *balancer,
                                 const struct tt_service **ret_one,
                                 const struct tt_service **ret_other)
{
    const struct tt_service *first = NULL;

    TT_EACH (item, &balancer->deployment->services) {
        const struct tt_service *service = *item;

        if (!service->port || !tt_service_is_behind(service, balancer))
            continue;
        if (first && first->port != service->port) {
            *ret_one = first;
            *ret_other = service;
            return true;
        }
        first = service;
    }
    return false;
}

static void check_target_ports(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_balancer *balancer = document->made.balancer;
    const struct tt_service *one, *other;
    bool open = false;

    TT_EACH (listener, balancer->listeners)
        open |= listener->target_port == 0;
    if (!open || !balancer->deployment || !find_different_ports(balancer, &one, &other))
        return;
    TT_EACH (listener, balancer->listeners)
        if (listener->target_port == 0)
            tt_report_add(specs->report, "missing-key", listener->mark, document->subject,
                          "this listener needs a targetPort: a cloud balancer has one for all "
                          "members, and service %s listens on %d, %s on %d",
                          one->name, one->port, other->name, other->port);
}

static void check_listeners(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_objects *list = &document->spec.balancer.listeners;
    const struct tt_doc_listener *listeners = list->items;
    bool cloud =
        document->spec.balancer.type.given && document->made.balancer->type == TT_BALANCER_CLOUD;
    unsigned char seen[65536 / 8] = {0};

    for (size_t i = 0; i < list->count; i++) {
        const struct tt_scalar *port = &listeners[i].port;
        unsigned bit = 1u << (port->number % 8);

        if (port->given && seen[port->number / 8] & bit)
            tt_report_add(specs->report, "duplicate-name", port->mark, document->subject,
                          "a balancer has one listener for each port; there are two on port %d",
                          (int)port->number);
        seen[port->number / 8] |= (unsigned char)bit;
        if (cloud && listeners[i].tls.at.node)
            tt_report_add(specs->report, "unknown-key", listeners[i].tls.at.mark, document->subject,
                          "tls names files on a balancer machine, and this balancer is of type "
                          "cloud; its certificates are set up in the cloud");
    }
    if (cloud && document->made.balancer->listeners)
        check_target_ports(specs, document);
}

void tt_check_balancer(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_balancer *doc = &document->spec.balancer;
    bool dynamic = doc->type.given && document->made.balancer->type == TT_BALANCER_VM_DYNAMIC;

    check_scope(specs, document);
    check_features(specs, document);
    check_listeners(specs, document);
    tt_check_health(specs, document, &doc->health);
    if (dynamic && doc->server.at.node && !tt_node_get(doc->server.at.node, "template"))
        tt_report_add(specs->report, "missing-key", doc->server.at.mark, document->subject,
                      "the server of a vm-dynamic balancer needs a template");
}
