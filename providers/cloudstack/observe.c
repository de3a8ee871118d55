/*
 * Observe: a zone in a few lists. Owned machines are listed by their tag; those between their
 * creation and their tags by the owner's mark in their names; what else is asked for by id or name.
 * Balancers cost one list for all rules and one for each rule's members.
 */
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "providers/cloudstack/lookup.h"
#include "providers/cloudstack/machines.h"
#include "providers/cloudstack/rules.h"

/* One observation while it is made. */
struct look {
    struct tt_cloudstack *cloud;
    const struct tt_observe_request *request;
    struct tt_arena *arena;
    const char *zone_id;
    struct tt_map seen; /* ids of the region's servers → their states, below */
    struct tt_region *region;
    struct tt_error *err;
};

/* What the map of seen machines points to: one for each state. */
static const enum tt_server_state states[] = {
    [TT_SERVER_PENDING] = TT_SERVER_PENDING, [TT_SERVER_RUNNING] = TT_SERVER_RUNNING,
    [TT_SERVER_STOPPED] = TT_SERVER_STOPPED, [TT_SERVER_FAILED] = TT_SERVER_FAILED,
    [TT_SERVER_GONE] = TT_SERVER_GONE,
};

/* Adds what one list of machines tells: those that are WANTED (NULL: all). */
static int add_machines(struct look *look, const char *name, const char *value,
                        bool (*wanted)(const struct look *look, const struct tt_server *server))
{
    struct tt_cloudstack_parameters parameters = {0};
    struct tt_error own = {0};
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    tt_cloudstack_add(look->arena, &parameters, "listall", "true");
    tt_cloudstack_add(look->arena, &parameters, "zoneid", look->zone_id);
    tt_cloudstack_add(look->arena, &parameters, "details", "nics,secgrp,servoff,tmpl");
    if (tt_streq(name, "tags")) {
        tt_cloudstack_add(look->arena, &parameters, "tags[0].key", "trimtab:owner");
        tt_cloudstack_add(look->arena, &parameters, "tags[0].value", value);
    } else if (name) {
        tt_cloudstack_add(look->arena, &parameters, name, value);
    }
    if (tt_cloudstack_list(look->cloud, "listVirtualMachines", &parameters, "virtualmachine",
                           &items, &own) < 0) {
        if (own.class == TT_ERR_NOT_FOUND)
            return 0; /* an id that is none, or no more */
        *look->err = own;
        return -1;
    }
    json_array_foreach (items, i, item) {
        struct tt_server server;

        if (tt_cloudstack_read_machine(look->cloud, look->arena, item, look->request, &server) &&
            (!wanted || wanted(look, &server)) &&
            !tt_map_put(&look->seen, server.id, (void *)&states[server.state]))
            *TT_VEC_ADD(look->arena, &look->region->servers) = server;
    }
    return 0;
}

static bool is_owned(const struct look *look, const struct tt_server *server)
{
    return tt_streq(server->tags.owner, look->request->owner);
}

static bool is_asked_for(const struct look *look, const struct tt_server *server)
{
    return tt_strings_has(&look->request->machines, server->id) ||
           tt_strings_has(&look->request->machines, server->name);
}

static int look_at_machines(struct look *look)
{
    if (look->request->everything)
        return add_machines(look, NULL, NULL, NULL);
    if (add_machines(look, "tags", look->request->owner, NULL) < 0 ||
        add_machines(look, "keyword", look->cloud->owner_mark, is_owned) < 0)
        return -1;
    TT_EACH (machine, &look->request->machines)
        if (add_machines(look, tt_cloudstack_is_id(*machine) ? "id" : "keyword", *machine,
                         is_asked_for) < 0)
            return -1;
    return 0;
}

static int look_at_addresses(struct look *look)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    if (!look->request->everything && !look->request->addresses.count)
        return 0;
    tt_cloudstack_add(look->arena, &parameters, "listall", "true");
    tt_cloudstack_add(look->arena, &parameters, "zoneid", look->zone_id);
    if (tt_cloudstack_list(look->cloud, "listPublicIpAddresses", &parameters, "publicipaddress",
                           &items, look->err) < 0)
        return -1;
    json_array_foreach (items, i, item) {
        struct tt_elastic_address address = {
            .address = tt_reply_text(look->arena, item, "ipaddress"),
            .server = tt_reply_flag(item, "isstaticnat")
                          ? tt_reply_text(look->arena, item, "virtualmachineid")
                          : NULL,
        };

        if (address.address && !tt_reply_flag(item, "issourcenat"))
            *TT_VEC_ADD(look->arena, &look->region->addresses) = address;
    }
    return 0;
}

/* In every rule and running: in service, since the virtual router judges no health. In some rules
 * only: draining, which has it enrolled again where it is wanted and withdrawn where it is not. */
static enum tt_member_state state_of(const struct look *look,
                                     const struct tt_cloudstack_rule *rules, size_t count,
                                     const char *id)
{
    const enum tt_server_state *state;

    for (size_t i = 0; i < count; i++)
        if (!tt_strings_has(&rules[i].members, id))
            return TT_MEMBER_DRAINING;
    state = tt_map_get(&look->seen, id);
    return state && *state != TT_SERVER_RUNNING ? TT_MEMBER_OUT_OF_SERVICE : TT_MEMBER_IN_SERVICE;
}

/* The name by which a spec asks for it; else the first rule's. */
static const char *name_of(const struct look *look, const struct tt_cloudstack_rule *rules,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].name && tt_strings_has(&look->request->balancers, rules[i].name))
            return rules[i].name;
    return rules[0].name ? rules[0].name : rules[0].address;
}

/* As in struct tt_listener; 0 for one that only CloudStack knows. */
static int algorithm_of(const struct tt_cloudstack_rule *rule)
{
    return rule->algorithm ? 1 + tt_word_find(tt_cloudstack_algorithms, rule->algorithm) : 0;
}

static void add_balancer(struct look *look, const struct tt_cloudstack_rule *rules, size_t count)
{
    struct tt_cloud_balancer *balancer = TT_VEC_ADD(look->arena, &look->region->balancers);
    struct tt_listeners *listeners = TT_NEW(look->arena, struct tt_listeners);
    struct tt_strings *zones = TT_NEW(look->arena, struct tt_strings);
    struct tt_map members;

    tt_map_init(&members, look->arena);
    tt_strings_add(look->arena, zones, look->region->name);
    *balancer = (struct tt_cloud_balancer){.id = rules[0].address,
                                           .name = name_of(look, rules, count),
                                           .zones = zones,
                                           .listeners = listeners};
    for (size_t i = 0; i < count; i++) {
        *TT_VEC_ADD(look->arena, listeners) =
            (struct tt_listener){.port = rules[i].public_port,
                                 .protocol = rules[i].protocol,
                                 .target_port = rules[i].private_port,
                                 .algorithm = algorithm_of(&rules[i])};
        TT_EACH (member, &rules[i].members)
            if (!tt_map_put(&members, *member, balancer))
                *TT_VEC_ADD(look->arena, &balancer->members) = (struct tt_member){
                    .server = *member, .state = state_of(look, rules, count, *member)};
    }
}

static bool is_wanted(const struct look *look, const struct tt_cloudstack_rule *rules, size_t count)
{
    bool named =
        look->request->everything || tt_strings_has(&look->request->balancers, rules[0].address);

    for (size_t i = 0; i < count && !named; i++)
        named = rules[i].name && tt_strings_has(&look->request->balancers, rules[i].name);
    return named;
}

static int look_at_balancers(struct look *look)
{
    struct tt_cloudstack_rules rules;
    size_t count;

    if (!look->request->everything && !look->request->balancers.count)
        return 0;
    if (tt_cloudstack_read_rules(look->cloud, look->arena, look->zone_id, &rules, look->err) < 0)
        return -1;
    for (size_t i = 0; i < rules.list.count; i += count) {
        struct tt_cloudstack_rule *first = &rules.list.items[i];

        for (count = 1;
             i + count < rules.list.count && tt_streq(first[count].address, first->address);
             count++)
            ;
        for (size_t k = 0; k < count && is_wanted(look, first, count); k++)
            if (tt_cloudstack_rule_members(look->cloud, look->arena, &first[k], look->err) < 0)
                return -1;
        add_balancer(look, first, count);
    }
    return 0;
}

static int look_at_templates(struct look *look)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    struct tt_strings *templates;
    const json_t *item;
    size_t i;

    if (!look->request->everything && !look->request->templates.count)
        return 0;
    tt_cloudstack_add(look->arena, &parameters, "templatefilter", "executable");
    tt_cloudstack_add(look->arena, &parameters, "zoneid", look->zone_id);
    if (tt_cloudstack_list(look->cloud, "listTemplates", &parameters, "template", &items,
                           look->err) < 0)
        return -1;
    templates = TT_NEW(look->arena, struct tt_strings);
    json_array_foreach (items, i, item) {
        const char *name = tt_reply_text(look->arena, item, "name");
        const char *id = tt_reply_text(look->arena, item, "id");

        if (name && !tt_strings_has(templates, name))
            tt_strings_add(look->arena, templates, name);
        if (id)
            tt_strings_add(look->arena, templates, id);
    }
    look->region->templates = templates;
    return 0;
}

int tt_cloudstack_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                          struct tt_arena *arena, struct tt_region *ret_region,
                          struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    struct tt_region region = {.name = tt_strdup(arena, request->region), .observed = true};
    struct look look = {
        .cloud = cloud, .request = request, .arena = arena, .region = &region, .err = err};
    TT_REPLY_AUTO *zone = NULL;

    tt_map_init(&look.seen, arena);
    if (tt_cloudstack_zone(cloud, request->region, &zone, err) < 0)
        return -1;
    look.zone_id = tt_reply_text(arena, zone, "id");
    *TT_VEC_ADD(arena, &region.zones) = (struct tt_zone){
        .name = region.name,
        .state = tt_streq(tt_reply_peek(zone, "allocationstate"), "Disabled") ? TT_ZONE_IMPAIRED
                                                                              : TT_ZONE_AVAILABLE};
    if (look_at_machines(&look) < 0 || look_at_addresses(&look) < 0 ||
        look_at_balancers(&look) < 0 || look_at_templates(&look) < 0)
        return -1;
    TT_EACH (server, &region.servers)
        tt_ssh_machines_learn(cloud->machines, server);
    *ret_region = region;
    return 0;
}
