/*
 * Target groups: members come and go by registration; zones are the subnets of the balancers in
 * front; listeners are those that forward to the group.
 */
#include <string.h>

#include "providers/aws/elbv2.h"

static int find(const struct tt_aws_visit *visit, const char *arn, struct tt_elbv2 *elbv2,
                struct tt_error *err)
{
    if (tt_elbv2_read(visit, arn, elbv2, err) < 0)
        return -1;
    if (!elbv2->groups.count)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no target group %s",
                       visit->region->name, arn);
    TT_EACH (balancer, &elbv2->groups.items[0].balancers)
        if (tt_elbv2_read_listeners(visit, *balancer, elbv2, err) < 0)
            return -1;
    return 0;
}

static int enroll(const struct tt_aws_visit *visit, const char *id, const char *server,
                  struct tt_error *err)
{
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, id, "TargetGroupArn");
    tt_aws_add(&form, server, "Targets.member.1.Id");
    return tt_aws_call(visit, TT_ELBV2_REGISTER_TARGETS, &form, NULL, NULL, err);
}

static int withdraw(const struct tt_aws_visit *visit, const char *id, const char *server,
                    struct tt_error *err)
{
    struct tt_error own = {0};
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, id, "TargetGroupArn");
    tt_aws_add(&form, server, "Targets.member.1.Id");
    if (tt_aws_call(visit, TT_ELBV2_DEREGISTER_TARGETS, &form, NULL, NULL, &own) == 0 ||
        strcmp(own.code, "InvalidTarget") == 0) /* it is no member */
        return 0;
    if (err)
        *err = own;
    return -1;
}

/* The call replaces the whole set. */
static int set_subnets(const struct tt_aws_visit *visit, const struct tt_elbv2_balancer *balancer,
                       const struct tt_strings *zones, struct tt_error *err)
{
    struct tt_strings subnets = {0};
    TT_FORM_AUTO form = {0};

    if (tt_aws_choose_subnets(visit, balancer->vpc, &balancer->subnets, zones, &subnets, err) < 0)
        return tt_wrap(err, "balancer %s", balancer->name);
    if (tt_strings_equal_sets(&subnets, &balancer->subnets))
        return 0;
    tt_aws_add(&form, balancer->arn, "LoadBalancerArn");
    tt_aws_add_all(&form, &subnets, "Subnets.member");
    return tt_aws_call(visit, TT_ELBV2_SET_SUBNETS, &form, NULL, NULL, err);
}

static int set_zones(const struct tt_aws_visit *visit, const char *id,
                     const struct tt_strings *zones, struct tt_error *err)
{
    struct tt_elbv2 elbv2 = {0};
    const struct tt_target_group *group;

    if (find(visit, id, &elbv2, err) < 0 || tt_aws_check_zones(visit, zones, err) < 0)
        return -1;
    group = &elbv2.groups.items[0];
    if (!group->balancers.count)
        return tt_fail(err, TT_ERR_SPEC,
                       "target group %s has no balancer in front of it, so no zones to set",
                       group->name);
    TT_EACH (arn, &group->balancers) {
        const struct tt_elbv2_balancer *balancer = tt_elbv2_balancer(&elbv2, *arn);

        if (balancer && set_subnets(visit, balancer, zones, err) < 0)
            return -1;
    }
    return 0;
}

/* --- listeners ------------------------------------------------------------------------------ */

static const char *protocol_word(const struct tt_target_group *group, enum tt_protocol protocol)
{
    bool http = tt_starts_with(group->protocol ? group->protocol : "", "HTTP");

    if (protocol == TT_PROTOCOL_HTTP || protocol == TT_PROTOCOL_TCP)
        return http ? "HTTP" : "TCP";
    return http ? "HTTPS" : "TLS";
}

static const struct tt_elbv2_listener *listener_at(const struct tt_elbv2 *elbv2,
                                                   const char *balancer, int port)
{
    TT_EACH (listener, &elbv2->listeners)
        if (tt_streq(listener->balancer, balancer) && listener->port == port)
            return listener;
    return NULL;
}

static const struct tt_listener *find_wanted(const struct tt_listeners *listeners, int port)
{
    TT_EACH (listener, listeners)
        if (listener->port == port)
            return listener;
    return NULL;
}

/* NOW (NULL: none yet) becomes WANTED; a port that forwards elsewhere is taken over, as it says. */
static int set_listener(const struct tt_aws_visit *visit, const struct tt_target_group *group,
                        const char *balancer, const struct tt_elbv2_listener *now,
                        const struct tt_listener *wanted, struct tt_error *err)
{
    const char *protocol = protocol_word(group, wanted->protocol);
    const char *certificate = wanted->certificate;
    TT_FORM_AUTO form = {0};

    if (wanted->target_port && wanted->target_port != group->port)
        return tt_fail(err, TT_ERR_SPEC,
                       "target group %s sends to port %d and cannot send to %d: say targetPort: %d",
                       group->name, group->port, wanted->target_port, group->port);
    if (now && tt_streq(now->protocol, protocol) && tt_streq(now->group, group->arn))
        return 0;
    tt_aws_add(&form, now ? now->arn : balancer, now ? "ListenerArn" : "LoadBalancerArn");
    tt_aws_add(&form, tt_printf(visit->arena, "%d", wanted->port), "Port");
    tt_aws_add(&form, protocol, "Protocol");
    if (certificate && tt_starts_with(certificate, "arn:"))
        tt_aws_add(&form, certificate, "Certificates.member.1.CertificateArn");
    tt_aws_add(&form, "forward", "DefaultActions.member.1.Type");
    tt_aws_add(&form, group->arn, "DefaultActions.member.1.TargetGroupArn");
    return tt_aws_call(visit, now ? TT_ELBV2_MODIFY_LISTENER : TT_ELBV2_CREATE_LISTENER, &form,
                       NULL, NULL, err);
}

static int delete_listener(const struct tt_aws_visit *visit, const char *arn, struct tt_error *err)
{
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, arn, "ListenerArn");
    return tt_aws_call(visit, TT_ELBV2_DELETE_LISTENER, &form, NULL, NULL, err);
}

/* First what comes: a group that nothing forwards to has no balancer any more. */
static int set_listeners(const struct tt_aws_visit *visit, const char *id,
                         const struct tt_listeners *listeners, struct tt_error *err)
{
    struct tt_elbv2 elbv2 = {0};
    const struct tt_target_group *group;

    if (find(visit, id, &elbv2, err) < 0)
        return -1;
    group = &elbv2.groups.items[0];
    if (!group->balancers.count)
        return tt_fail(err, TT_ERR_SPEC,
                       "target group %s has no balancer in front of it, so no listeners to set",
                       group->name);
    TT_EACH (balancer, &group->balancers)
        TT_EACH (wanted, listeners)
            if (set_listener(visit, group, *balancer, listener_at(&elbv2, *balancer, wanted->port),
                             wanted, err) < 0)
                return -1;
    TT_EACH (listener, &elbv2.listeners)
        if (tt_streq(listener->group, group->arn) && !find_wanted(listeners, listener->port) &&
            delete_listener(visit, listener->arn, err) < 0)
            return -1;
    return 0;
}

static int set_health_check(const struct tt_aws_visit *visit, const char *id,
                            const struct tt_health_check *health, struct tt_error *err)
{
    int interval, timeout;
    TT_FORM_AUTO form = {0};

    if (tt_aws_seconds(health->interval, "interval", &interval, err) < 0 ||
        tt_aws_seconds(health->timeout, "timeout", &timeout, err) < 0)
        return -1;
    tt_aws_add(&form, id, "TargetGroupArn");
    tt_aws_add(&form, health->http ? "HTTP" : "TCP", "HealthCheckProtocol");
    tt_aws_add(&form, health->http ? (health->path ? health->path : "/") : NULL, "HealthCheckPath");
    tt_aws_add(&form, tt_printf(visit->arena, "%d", interval), "HealthCheckIntervalSeconds");
    tt_aws_add(&form, tt_printf(visit->arena, "%d", timeout), "HealthCheckTimeoutSeconds");
    tt_aws_add(&form, tt_printf(visit->arena, "%d", health->unhealthy_after),
               "UnhealthyThresholdCount");
    return tt_aws_call(visit, TT_ELBV2_MODIFY_TARGET_GROUP, &form, NULL, NULL, err);
}

const struct tt_aws_balancer_ops *tt_elbv2_ops(void)
{
    static const struct tt_aws_balancer_ops ops = {enroll, withdraw, set_zones, set_listeners,
                                                   set_health_check};

    return &ops;
}
