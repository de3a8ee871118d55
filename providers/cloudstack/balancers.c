/*
 * Balancers: membership in every rule of a public address, and its rules. Nothing drains here: a
 * machine that is taken out of a rule loses its connections. A call that stops midway leaves a
 * machine in some rules; the next one goes on from there.
 */
#include <string.h>

#include "base/str.h"
#include "providers/cloudstack/rules.h"
#include "providers/cloudstack/stickiness.h"

#define CREATE_TRIES 6
#define FIRST_DELAY  500 /* ms, doubled each time */

/* Puts machines into a rule or takes them out of it; IDS is a comma list. */
static int change_members(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *command,
                          const struct tt_cloudstack_rule *rule, const char *ids,
                          struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};

    tt_cloudstack_add(arena, &parameters, "id", rule->id);
    tt_cloudstack_add(arena, &parameters, "virtualmachineids", ids);
    if (tt_cloudstack_call_and_wait(cloud, command, &parameters, NULL, err) < 0)
        return tt_wrap(err, "rule %s, port %d", rule->name ? rule->name : rule->id,
                       rule->public_port);
    return 0;
}

/* IN: into every rule that has not got it; else out of every rule that has. The server refuses the
 * whole call when a machine is in already, so the members are read first. */
static int change_membership(struct tt_cloudstack *cloud, const char *region, const char *balancer,
                             const char *server, bool in, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_cloudstack_rules rules;
    int result;

    tt_arena_init(&scratch);
    pthread_rwlock_rdlock(&cloud->rules);
    result = tt_cloudstack_rules_of(cloud, &scratch, region, balancer, &rules, err);
    for (size_t i = 0; result == 0 && i < rules.list.count; i++) {
        struct tt_cloudstack_rule *rule = &rules.list.items[i];

        result = tt_cloudstack_rule_members(cloud, &scratch, rule, err);
        if (result == 0 && tt_strings_has(&rule->members, server) != in)
            result = change_members(cloud, &scratch,
                                    in ? "assignToLoadBalancerRule" : "removeFromLoadBalancerRule",
                                    rule, server, err);
    }
    pthread_rwlock_unlock(&cloud->rules);
    tt_arena_release(&scratch);
    return result;
}

int tt_cloudstack_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                         const char *server, struct tt_error *err)
{
    return change_membership((struct tt_cloudstack *)provider, region, balancer, server, true, err);
}

int tt_cloudstack_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                           const char *server, tt_time drain, struct tt_error *err)
{
    (void)drain;
    return change_membership((struct tt_cloudstack *)provider, region, balancer, server, false,
                             err);
}

static const struct tt_listener *listener_at(const struct tt_listeners *listeners, int port)
{
    TT_EACH (listener, listeners)
        if (listener->port == port)
            return listener;
    return NULL;
}

/* Keeps what the API itself does not know in a tag of the rule. */
static int keep_protocol(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *rule,
                         enum tt_protocol old, enum tt_protocol new, struct tt_error *err)
{
    struct tt_cloudstack_parameters off = {0}, on = {0};

    if (old == new)
        return 0;
    tt_cloudstack_add(arena, &off, "resourceids", rule);
    tt_cloudstack_add(arena, &off, "resourcetype", "LoadBalancer");
    tt_cloudstack_add(arena, &off, "tags[0].key", "trimtab:protocol");
    tt_cloudstack_add(arena, &on, "resourceids", rule);
    tt_cloudstack_add(arena, &on, "resourcetype", "LoadBalancer");
    tt_cloudstack_add(arena, &on, "tags[0].key", "trimtab:protocol");
    tt_cloudstack_add(arena, &on, "tags[0].value", tt_protocol_words[new]);
    if (old != TT_PROTOCOL_TCP &&
        tt_cloudstack_call_and_wait(cloud, "deleteTags", &off, NULL, err) < 0)
        return -1;
    return new == TT_PROTOCOL_TCP
               ? 0
               : tt_cloudstack_call_and_wait(cloud, "createTags", &on, NULL, err);
}

static int delete_rule(struct tt_cloudstack *cloud, struct tt_arena *arena,
                       const struct tt_cloudstack_rule *rule, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};

    tt_cloudstack_add(arena, &parameters, "id", rule->id);
    return tt_cloudstack_call_and_wait(cloud, "deleteLoadBalancerRule", &parameters, NULL, err);
}

/* What the spec says; else as the other rule has it. */
static const char *algorithm_for(const struct tt_listener *listener,
                                 const struct tt_cloudstack_rule *like)
{
    if (listener->algorithm)
        return tt_cloudstack_algorithms[listener->algorithm - 1];
    return like->algorithm ? like->algorithm : tt_cloudstack_algorithms[TT_ALGORITHM_ROUND_ROBIN];
}

/* Protocol and algorithm can be changed; ports cannot. */
static int change_rule(struct tt_cloudstack *cloud, struct tt_arena *arena,
                       const struct tt_cloudstack_rule *rule, const struct tt_listener *listener,
                       struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};

    if (keep_protocol(cloud, arena, rule->id, rule->protocol, listener->protocol, err) < 0)
        return -1;
    if (tt_streq(rule->algorithm, algorithm_for(listener, rule)))
        return 0;
    tt_cloudstack_add(arena, &parameters, "id", rule->id);
    tt_cloudstack_add(arena, &parameters, "algorithm", algorithm_for(listener, rule));
    return tt_cloudstack_call_and_wait(cloud, "updateLoadBalancerRule", &parameters, NULL, err);
}

static const char *comma_list(struct tt_arena *arena, const struct tt_strings *ids)
{
    TT_BUF_AUTO list = {0};

    TT_EACH (id, ids)
        tt_buf_addf(&list, "%s%s", list.length ? "," : "", *id);
    return tt_strdup(arena, tt_buf_text(&list));
}

/* A rule like LIKE, with its members and in its place where the public port is the same. The
 * firewall is not opened: whoever owns the address decides that. */
static int create_rule(struct tt_cloudstack *cloud, struct tt_arena *arena,
                       const struct tt_cloudstack_rule *like, const struct tt_listener *listener,
                       const char **ret_id, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    struct tt_cloudstack_rule made = {.public_port = listener->port};
    TT_REPLY_AUTO *answer = NULL;

    made.name = like->name ? like->name : like->address;
    if (like->public_port != listener->port)
        made.name = tt_printf(arena, "%s-%d", made.name, listener->port);
    tt_cloudstack_add(arena, &parameters, "name", made.name);
    tt_cloudstack_add(arena, &parameters, "algorithm", algorithm_for(listener, like));
    tt_cloudstack_add(arena, &parameters, "publicport", tt_printf(arena, "%d", listener->port));
    tt_cloudstack_add(arena, &parameters, "privateport",
                      tt_printf(arena, "%d", listener->target_port));
    tt_cloudstack_add(arena, &parameters, "publicipid", like->address_id);
    tt_cloudstack_add(arena, &parameters, "networkid", like->network_id);
    tt_cloudstack_add(arena, &parameters, "cidrlist", like->cidrs);
    tt_cloudstack_add(arena, &parameters, "protocol", "tcp");
    tt_cloudstack_add(arena, &parameters, "openfirewall", "false");
    if (tt_cloudstack_call(cloud, "createLoadBalancerRule", true, &parameters, &answer, err) < 0)
        return tt_wrap(err, "port %d", listener->port);
    made.id = tt_reply_text(arena, answer, "id");
    if (!made.id || !json_object_get(answer, "jobid"))
        return tt_fail(err, TT_ERR_TIMEOUT, "createLoadBalancerRule answers without an id");
    if (tt_cloudstack_finish(cloud, answer, NULL, err) < 0 ||
        keep_protocol(cloud, arena, made.id, TT_PROTOCOL_TCP, listener->protocol, err) < 0)
        return -1;
    if (like->members.count && change_members(cloud, arena, "assignToLoadBalancerRule", &made,
                                              comma_list(arena, &like->members), err) < 0)
        return -1;
    *ret_id = made.id;
    return 0;
}

/* The rule may have been the last one of its address, which without any is no balancer: then nobody
 * could go on from here. So what was refused without an effect is asked for again here. */
static int create_patiently(struct tt_cloudstack *cloud, struct tt_arena *arena,
                            const struct tt_cloudstack_rule *like,
                            const struct tt_listener *listener, const char **ret_id,
                            struct tt_error *err)
{
    struct tt_error own = {0};

    for (int tries = 0; tries < CREATE_TRIES; tries++) {
        own = (struct tt_error){0};
        if (create_rule(cloud, arena, like, listener, ret_id, &own) == 0)
            return 0;
        if (!tt_error_is_retryable(&own))
            break;
        cloud->clock->sleep(cloud->clock->self, FIRST_DELAY << tries);
    }
    if (err)
        *err = own;
    return -1;
}

/* OLD with another private port, which the API cannot change. */
static int make_anew(struct tt_cloudstack *cloud, struct tt_arena *arena,
                     struct tt_cloudstack_rule *old, const struct tt_listener *listener,
                     struct tt_error *err)
{
    TT_REPLY_AUTO *policies = NULL;
    const char *id = NULL;

    if (tt_cloudstack_rule_members(cloud, arena, old, err) < 0 ||
        tt_cloudstack_read_policies(cloud, arena, old->id, &policies, err) < 0 ||
        delete_rule(cloud, arena, old, err) < 0 ||
        create_patiently(cloud, arena, old, listener, &id, err) < 0)
        return -1;
    return tt_cloudstack_put_policies(cloud, arena, id, policies, err);
}

/* New rules come before old ones go, so that one remains to be like. */
static int set_rules(struct tt_cloudstack *cloud, struct tt_arena *arena,
                     const struct tt_cloudstack_rules *rules, const struct tt_listeners *listeners,
                     struct tt_error *err)
{
    struct tt_cloudstack_rule *like = &rules->list.items[0];

    if (tt_cloudstack_rule_members(cloud, arena, like, err) < 0)
        return -1;
    TT_EACH (listener, listeners) {
        struct tt_cloudstack_rule *old = NULL;
        const char *id;

        TT_EACH (rule, &rules->list)
            if (rule->public_port == listener->port)
                old = rule;
        if (!old && create_patiently(cloud, arena, like, listener, &id, err) < 0)
            return -1;
        if (old && (old->private_port == listener->target_port
                        ? change_rule(cloud, arena, old, listener, err)
                        : make_anew(cloud, arena, old, listener, err)) < 0)
            return -1;
    }
    TT_EACH (rule, &rules->list)
        if (!listener_at(listeners, rule->public_port) && delete_rule(cloud, arena, rule, err) < 0)
            return -1;
    return 0;
}

int tt_cloudstack_set_listeners(struct tt_provider *provider, const char *region,
                                const char *balancer, const struct tt_listeners *listeners,
                                struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    struct tt_arena scratch = {0};
    struct tt_cloudstack_rules rules;
    int result;

    TT_EACH (listener, listeners)
        if (listener->certificate)
            return tt_fail(err, TT_ERR_SPEC,
                           "port %d: the virtual router ends no TLS; use tcp, or a VM balancer",
                           listener->port);
    tt_arena_init(&scratch);
    pthread_rwlock_wrlock(&cloud->rules);
    result = tt_cloudstack_rules_of(cloud, &scratch, region, balancer, &rules, err);
    if (result == 0 && !listeners->count)
        result = tt_fail(err, TT_ERR_SPEC, "a public address without any rule is no balancer");
    if (result == 0)
        result = set_rules(cloud, &scratch, &rules, listeners, err);
    pthread_rwlock_unlock(&cloud->rules);
    tt_arena_release(&scratch);
    return result;
}
