/*
 * Resolve: makes the model of all documents, in the order of their names, so that the order of
 * files and documents cannot matter.
 */
#include "specs/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "specs/fields.h"

#define BUILT_IN_GUARD 50 /* percent */

struct tt_strings tt_resolve_strings(struct tt_arena *arena, const struct tt_scalars *list,
                                     bool sorted)
{
    struct tt_strings strings = {0};
    size_t kept = 0;

    TT_EACH (item, list)
        tt_strings_add(arena, &strings, item->text);
    if (!sorted || !strings.count)
        return strings;
    tt_strings_sort(&strings);
    for (size_t i = 0; i < strings.count; i++)
        if (i == 0 || strcmp(strings.items[i], strings.items[kept - 1]) != 0)
            strings.items[kept++] = strings.items[i];
    strings.count = kept;
    return strings;
}

static int by_kind_name_place(const void *left, const void *right)
{
    const struct tt_document *a = *(struct tt_document *const *)left;
    const struct tt_document *b = *(struct tt_document *const *)right;
    int order = (a->kind > b->kind) - (a->kind < b->kind);

    if (!order && a->kind != TT_KIND_FLEET)
        order = strcmp(tt_document_name(a), tt_document_name(b));
    if (!order)
        order = tt_strcmp(a->at.mark.file, b->at.mark.file);
    if (!order)
        order = (a->at.mark.line > b->at.mark.line) - (a->at.mark.line < b->at.mark.line);
    return order;
}

/* Enters a document under its subject; false: another one has it. */
static bool enter(struct tt_specs *specs, struct tt_document *document)
{
    bool is_fleet = document->kind == TT_KIND_FLEET;
    const char *subject = is_fleet ? "Fleet" : document->subject;
    const struct tt_document *first;
    struct tt_mark mark;

    if (!subject)
        return false;
    first = tt_map_get(&specs->by_subject, subject);
    if (!first) {
        tt_map_put(&specs->by_subject, subject, document);
        return true;
    }
    mark = document->metadata.name.text ? document->metadata.name.mark : document->at.mark;
    if (is_fleet)
        tt_report_add(specs->report, "duplicate-name", mark, document->subject,
                      "a repository has at most one Fleet; there is one in %s:%d",
                      first->at.mark.file, first->at.mark.line);
    else
        tt_report_add(specs->report, "duplicate-name", mark, document->subject,
                      "%s is already defined in %s:%d; give one of them another name", subject,
                      first->at.mark.file, first->at.mark.line);
    return false;
}

static void make_templates(struct tt_specs *specs, const struct tt_doc_account *doc,
                           struct tt_account *account)
{
    const struct tt_doc_template *templates = doc->templates.items;

    for (size_t i = 0; i < doc->templates.count; i++)
        *TT_VEC_ADD(specs->arena, &account->templates) = (struct tt_local_template){
            .name = templates[i].name.text,
            .command = tt_resolve_strings(specs->arena, &templates[i].command, false),
            .software = templates[i].software.text,
            .mark = templates[i].at.mark,
        };
}

/* A path of a spec file as one of the repository; absolute ones stay. */
static const char *repository_path(struct tt_specs *specs, const struct tt_document *document,
                                   const struct tt_scalar *path)
{
    const char *joined;

    if (!path->text || path->text[0] == '/')
        return path->text;
    joined = tt_source_join(specs->arena, document->folder, path->text);
    if (!joined)
        tt_report_add(specs->report, "out-of-range", path->mark, document->subject,
                      "%.200s leads out of the repository", path->text);
    return joined;
}

static void make_account(struct tt_specs *specs, struct tt_document *document)
{
    const struct tt_doc_account *doc = &document->spec.account;
    struct tt_account *account = TT_NEW(specs->arena, struct tt_account);
    static const char *const zones[] = {"a", "b", "c"};

    document->made.account = account;
    account->name = tt_document_name(document);
    account->provider = doc->provider.given ? (enum tt_provider_kind)doc->provider.number
                                            : TT_PROVIDER_KINDS; /* reported; nothing follows */
    account->endpoint = doc->endpoint.text;
    account->folder = document->folder;
    account->profile = doc->credentials.profile.text;
    account->credentials_env = doc->credentials.env.text;
    account->credentials_file = doc->credentials.file.text;
    account->regions = tt_resolve_strings(specs->arena, &doc->regions, true);
    account->ssh = (struct tt_ssh_access){
        .user = doc->ssh.user.text,
        .port = (int)doc->ssh.port.number,
        .key = doc->ssh.key.text,
        .known_hosts = doc->ssh.known_hosts.text,
        .sudo = doc->ssh.sudo.number != 0,
        .scripts = doc->ssh.scripts.text,
    };
    account->snapshot = repository_path(specs, document, &doc->snapshot);
    account->mark = document->at.mark;
    if (account->provider != TT_PROVIDER_LOCAL)
        return;
    if (!doc->regions.given)
        tt_strings_add(specs->arena, &account->regions, "local");
    account->zones = tt_resolve_strings(specs->arena, &doc->zones, true);
    for (size_t i = 0; !doc->zones.given && i < 3; i++)
        tt_strings_add(specs->arena, &account->zones, zones[i]);
    make_templates(specs, doc, account);
}

static struct tt_guard make_guard(const struct tt_doc_guard *doc, struct tt_guard guard)
{
    if (doc->max_destroy.given)
        guard.max_destroy = (int)doc->max_destroy.number;
    if (doc->max_vanished.given)
        guard.max_vanished = (int)doc->max_vanished.number;
    return guard;
}

static void make_deployment(struct tt_specs *specs, struct tt_document *document)
{
    const struct tt_doc_deployment *doc = &document->spec.deployment;
    struct tt_deployment *deployment = TT_NEW(specs->arena, struct tt_deployment);

    document->made.deployment = deployment;
    deployment->name = tt_document_name(document);
    deployment->running = doc->state.number == 0;
    deployment->prune = doc->prune.number != 0;
    deployment->guard = make_guard(&doc->guard, specs->desired->guard);
    deployment->policy = tt_resolve_policy(specs, document, &doc->policy, specs->policy);
    deployment->mark = document->at.mark;
}

static const struct tt_health_check *make_health(struct tt_arena *arena,
                                                 const struct tt_doc_health *doc)
{
    struct tt_health_check *health;

    if (!doc->at.node)
        return NULL;
    health = TT_NEW(arena, struct tt_health_check);
    health->http = doc->http.at.node != NULL;
    health->path = health->http ? doc->http.path.text : NULL;
    health->interval = doc->interval.number;
    health->timeout = doc->timeout.number;
    health->unhealthy_after = (int)doc->unhealthy_after.number;
    health->grace = doc->grace.number;
    return health;
}

static const struct tt_listeners *make_listeners(struct tt_arena *arena,
                                                 const struct tt_objects *list)
{
    const struct tt_doc_listener *docs = list->items;
    struct tt_listeners *listeners;

    if (!list->given)
        return NULL;
    listeners = TT_NEW(arena, struct tt_listeners);
    for (size_t i = 0; i < list->count; i++)
        *TT_VEC_ADD(arena, listeners) = (struct tt_listener){
            .port = (int)docs[i].port.number,
            .protocol = (enum tt_protocol)docs[i].protocol.number,
            .target_port = (int)docs[i].target_port.number,
            .certificate = docs[i].tls.certificate.text,
            .key = docs[i].tls.key.text,
            .chain = docs[i].tls.chain.text,
            .mark = docs[i].at.mark,
        };
    return listeners;
}

static void make_balancer(struct tt_specs *specs, struct tt_document *document)
{
    const struct tt_doc_balancer *doc = &document->spec.balancer;
    struct tt_balancer *balancer = TT_NEW(specs->arena, struct tt_balancer);
    const struct tt_document *account =
        tt_resolve_global(specs, TT_KIND_ACCOUNT, document, &doc->account);

    document->made.balancer = balancer;
    balancer->name = tt_document_name(document);
    balancer->type = (enum tt_balancer_type)doc->type.number;
    balancer->account = account ? account->made.account : NULL;
    balancer->region = doc->region.text;
    tt_resolve_region(specs, document, balancer->account, &doc->region);
    balancer->scope = (enum tt_scope)doc->scope.number;
    balancer->zones = tt_resolve_strings(specs->arena, &doc->zones, true);
    balancer->listeners = make_listeners(specs->arena, &doc->listeners);
    balancer->algorithm = (enum tt_algorithm)doc->algorithm.number;
    balancer->has_algorithm = doc->algorithm.given;
    balancer->health = make_health(specs->arena, &doc->health);
    balancer->software = (enum tt_software)doc->software.number;
    balancer->server =
        tt_resolve_server(specs, document->folder, &doc->server, NULL, document->subject);
    balancer->address = doc->address.text;
    balancer->recovery.unhealthy_after = (int)doc->recovery.unhealthy_after.number;
    balancer->recovery.interval = doc->recovery.interval.number;
    balancer->recovery.max_per_hour = (int)doc->recovery.max_per_hour.number;
    balancer->machine = doc->machine.text;
    if (balancer->type == TT_BALANCER_CLOUD)
        balancer->cloud_name = doc->name.text ? doc->name.text : balancer->name;
    balancer->mark = document->at.mark;
}

static int by_account_region(const void *left, const void *right)
{
    const struct tt_placement *a = left, *b = right;
    int order = tt_strcmp(a->account->name, b->account->name);

    return order ? order : tt_strcmp(a->region, b->region);
}

static void make_placements(struct tt_specs *specs, const struct tt_document *document,
                            struct tt_service *service)
{
    const struct tt_doc_service *doc = &document->spec.service;
    const struct tt_doc_placement *placements = doc->placements.items;

    for (size_t i = 0; i < doc->placements.count; i++) {
        const struct tt_doc_placement *placement = &placements[i];
        const struct tt_document *account =
            tt_resolve_global(specs, TT_KIND_ACCOUNT, document, &placement->account);
        struct tt_server_spec server = tt_resolve_server(specs, document->folder, &doc->server,
                                                         &placement->server, document->subject);

        if (!account)
            continue;
        tt_resolve_region(specs, document, account->made.account, &placement->region);
        *TT_VEC_ADD(specs->arena, &service->placements) = (struct tt_placement){
            .account = account->made.account,
            .region = placement->region.text,
            .zones = tt_resolve_strings(specs->arena, &placement->zones, true),
            .count = (int)placement->count.number,
            .server = server,
            .mark = placement->at.mark,
        };
    }
    if (service->placements.count > 1)
        qsort(service->placements.items, service->placements.count,
              sizeof(*service->placements.items), by_account_region);
}

static struct tt_amount make_amount(const struct tt_scalar *scalar)
{
    return (struct tt_amount){(int)scalar->number, scalar->percent};
}

static void make_service(struct tt_specs *specs, struct tt_document *document)
{
    const struct tt_doc_service *doc = &document->spec.service;
    struct tt_service *service = TT_NEW(specs->arena, struct tt_service);

    document->made.service = service;
    service->name = tt_document_name(document);
    service->port = (int)doc->port.number;
    service->names = tt_resolve_strings(specs->arena, &doc->names, false);
    make_placements(specs, document, service);
    service->health = make_health(specs->arena, &doc->health);
    service->max_surge = make_amount(&doc->update.max_surge);
    service->max_unavailable = make_amount(&doc->update.max_unavailable);
    service->drain = doc->drain.number;
    service->mark = document->at.mark;
}

static int balancers_by_name(const void *a, const void *b)
{
    return strcmp((*(struct tt_balancer *const *)a)->name, (*(struct tt_balancer *const *)b)->name);
}

static int services_by_name(const void *a, const void *b)
{
    return strcmp((*(struct tt_service *const *)a)->name, (*(struct tt_service *const *)b)->name);
}

/* Ties a service to its balancers and to what it depends on. */
static void link_service(struct tt_specs *specs, struct tt_document *document)
{
    const struct tt_doc_service *doc = &document->spec.service;
    struct tt_service *service = document->made.service;

    TT_EACH (name, &doc->balancers) {
        const struct tt_document *found =
            tt_resolve_local(specs, TT_KIND_LOAD_BALANCER, document, name);

        if (found)
            *TT_VEC_ADD(specs->arena, &service->balancers) = found->made.balancer;
    }
    TT_EACH (name, &doc->depends_on) {
        const struct tt_document *found = tt_resolve_local(specs, TT_KIND_SERVICE, document, name);

        if (found)
            *TT_VEC_ADD(specs->arena, &service->depends_on) = found->made.service;
    }
    if (service->balancers.count > 1)
        qsort(service->balancers.items, service->balancers.count, sizeof(struct tt_balancer *),
              balancers_by_name);
    if (service->depends_on.count > 1)
        qsort(service->depends_on.items, service->depends_on.count, sizeof(struct tt_service *),
              services_by_name);
}

static void make(struct tt_specs *specs, struct tt_document *document, bool entered)
{
    struct tt_desired *desired = specs->desired;

    switch (document->kind) {
    case TT_KIND_FLEET:
        if (entered) {
            specs->fleet = document;
            desired->guard = make_guard(&document->spec.fleet.guard, desired->guard);
            specs->policy =
                tt_resolve_policy(specs, document, &document->spec.fleet.policy, specs->policy);
        }
        break;
    case TT_KIND_ACCOUNT:
        make_account(specs, document);
        if (entered)
            *TT_VEC_ADD(specs->arena, &desired->accounts) = document->made.account;
        break;
    case TT_KIND_DEPLOYMENT:
        make_deployment(specs, document);
        if (entered)
            *TT_VEC_ADD(specs->arena, &desired->deployments) = document->made.deployment;
        break;
    case TT_KIND_SERVICE:
        make_service(specs, document);
        break;
    case TT_KIND_LOAD_BALANCER:
        make_balancer(specs, document);
        break;
    case TT_KINDS:
        break;
    }
}

/* Hands services and balancers to their deployments. */
static void join_deployment(struct tt_specs *specs, struct tt_document *document, bool entered)
{
    bool service = document->kind == TT_KIND_SERVICE;
    const struct tt_document *found;
    struct tt_deployment *deployment;

    if (!service && document->kind != TT_KIND_LOAD_BALANCER)
        return;
    found = tt_resolve_global(specs, TT_KIND_DEPLOYMENT, document,
                              service ? &document->spec.service.deployment
                                      : &document->spec.balancer.deployment);
    if (!found)
        return;
    deployment = found->made.deployment;
    if (service) {
        document->made.service->deployment = deployment;
        if (entered)
            *TT_VEC_ADD(specs->arena, &deployment->services) = document->made.service;
    } else {
        document->made.balancer->deployment = deployment;
        if (entered)
            *TT_VEC_ADD(specs->arena, &deployment->balancers) = document->made.balancer;
    }
}

void tt_specs_resolve(struct tt_specs *specs)
{
    size_t count = specs->documents.count;
    bool *entered = TT_NEW_ARRAY(specs->arena, count, bool);

    specs->desired = TT_NEW(specs->arena, struct tt_desired);
    specs->policy = tt_policy_default();
    specs->desired->guard = (struct tt_guard){BUILT_IN_GUARD, BUILT_IN_GUARD};
    if (count > 1)
        qsort(specs->documents.items, count, sizeof(*specs->documents.items), by_kind_name_place);
    for (size_t i = 0; i < count; i++)
        entered[i] = enter(specs, specs->documents.items[i]);
    for (size_t i = 0; i < count; i++)
        make(specs, specs->documents.items[i], entered[i]);
    for (size_t i = 0; i < count; i++) {
        join_deployment(specs, specs->documents.items[i], entered[i]);
        if (specs->documents.items[i]->kind == TT_KIND_SERVICE)
            link_service(specs, specs->documents.items[i]);
    }
}
