/*
 * Rules: reading them. The API knows only what is balanced as a stream (tcp); that a stream is
 * http is ours to know, and is kept in a tag of the rule.
 */
#include "providers/cloudstack/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/cloudstack/lookup.h"

const char *const tt_cloudstack_algorithms[] = {"roundrobin", "leastconn", "source", NULL};

static enum tt_protocol protocol_of(const json_t *rule)
{
    const json_t *tag;
    size_t i;
    int word;

    json_array_foreach (json_object_get(rule, "tags"), i, tag) {
        const char *value = tt_reply_peek(tag, "value");

        if (tt_streq(tt_reply_peek(tag, "key"), "trimtab:protocol") && value &&
            (word = tt_word_find(tt_protocol_words, value)) >= 0)
            return (enum tt_protocol)word;
    }
    return tt_streq(tt_reply_peek(rule, "protocol"), "ssl") ? TT_PROTOCOL_SSL : TT_PROTOCOL_TCP;
}

static int by_address(const void *a, const void *b)
{
    const struct tt_cloudstack_rule *x = a, *y = b;
    int order = tt_strcmp(x->address, y->address);

    if (!order)
        order = (x->public_port > y->public_port) - (x->public_port < y->public_port);
    return order ? order : tt_strcmp(x->id, y->id);
}

int tt_cloudstack_read_rules(struct tt_cloudstack *cloud, struct tt_arena *arena,
                             const char *zone_id, struct tt_cloudstack_rules *ret_rules,
                             struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    struct tt_cloudstack_rules rules = {0};
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    tt_cloudstack_add(arena, &parameters, "listall", "true");
    tt_cloudstack_add(arena, &parameters, "zoneid", zone_id);
    if (tt_cloudstack_list(cloud, "listLoadBalancerRules", &parameters, "loadbalancerrule", &items,
                           err) < 0)
        return -1;
    json_array_foreach (items, i, item) {
        struct tt_cloudstack_rule rule = {
            .id = tt_reply_text(arena, item, "id"),
            .name = tt_reply_text(arena, item, "name"),
            .address = tt_reply_text(arena, item, "publicip"),
            .address_id = tt_reply_text(arena, item, "publicipid"),
            .network_id = tt_reply_text(arena, item, "networkid"),
            .algorithm = tt_reply_text(arena, item, "algorithm"),
            .cidrs = tt_reply_text(arena, item, "cidrlist"),
            .public_port = tt_reply_number(item, "publicport", 0),
            .private_port = tt_reply_number(item, "privateport", 0),
            .protocol = protocol_of(item),
        };

        if (rule.id && rule.address && !tt_streq(tt_reply_peek(item, "state"), "Revoke"))
            *TT_VEC_ADD(arena, &rules.list) = rule;
    }
    if (rules.list.count)
        qsort(rules.list.items, rules.list.count, sizeof(*rules.list.items), by_address);
    *ret_rules = rules;
    return 0;
}

int tt_cloudstack_rule_members(struct tt_cloudstack *cloud, struct tt_arena *arena,
                               struct tt_cloudstack_rule *rule, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    tt_cloudstack_add(arena, &parameters, "id", rule->id);
    if (tt_cloudstack_list(cloud, "listLoadBalancerRuleInstances", &parameters,
                           "loadbalancerruleinstance", &items, err) < 0)
        return tt_wrap(err, "the members of rule %s", rule->name ? rule->name : rule->id);
    rule->members = (struct tt_strings){0};
    json_array_foreach (items, i, item) {
        const char *id = tt_reply_text(arena, item, "id");
        const char *state = tt_reply_peek(item, "state");

        /* a destroyed machine stays in its rules until it is expunged */
        if (id && !tt_streq(state, "Destroyed") && !tt_streq(state, "Expunging"))
            tt_strings_add(arena, &rule->members, id);
    }
    return 0;
}

int tt_cloudstack_rules_of(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *region,
                           const char *name, struct tt_cloudstack_rules *ret_rules,
                           struct tt_error *err)
{
    struct tt_cloudstack_rules all, own = {0};
    struct tt_strings existing = {0};
    const char *zone_id, *address = NULL;

    if (tt_cloudstack_zone_id(cloud, arena, region, &zone_id, err) < 0 ||
        tt_cloudstack_read_rules(cloud, arena, zone_id, &all, err) < 0)
        return -1;
    TT_EACH (rule, &all.list) {
        if (!address && (tt_streq(rule->address, name) || tt_streq(rule->name, name)))
            address = rule->address;
        if (!tt_strings_has(&existing, rule->address))
            tt_strings_add(arena, &existing, rule->address);
    }
    if (!address)
        return tt_fail(err, TT_ERR_NOT_FOUND, "no public address or rule is %s; there are: %s",
                       name, tt_strings_join(arena, &existing, "none"));
    TT_EACH (rule, &all.list)
        if (tt_streq(rule->address, address))
            *TT_VEC_ADD(arena, &own.list) = *rule;
    *ret_rules = own;
    return 0;
}
