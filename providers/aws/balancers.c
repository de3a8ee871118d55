/*
 * Balancers: which of the two kinds a name means, and then that kind's calls.
 */
#include <string.h>

#include "providers/aws/cloud.h"

bool tt_aws_wants(const struct tt_observe_request *request, const char *name)
{
    return request->everything || tt_strings_has(&request->balancers, name);
}

int tt_aws_seconds(tt_time time, const char *what, int *ret_seconds, struct tt_error *err)
{
    if (time % 1000 != 0 || time <= 0)
        return tt_fail(err, TT_ERR_SPEC,
                       "the %s of a health check has to be whole seconds on AWS, not %lld ms", what,
                       (long long)time);
    *ret_seconds = (int)(time / 1000);
    return 0;
}

/* One change to a balancer. */
struct change {
    struct tt_arena scratch;
    struct tt_aws_visit visit;
    const struct tt_aws_balancer_ops *ops;
    const char *id;
};

/* A name with "tg/" or a port is a target group's; a plain one is a classic balancer's, unless only
 * an application or network balancer has it. */
static int choose_kind(struct change *change, const char *name, struct tt_error *err)
{
    const char *arn = NULL;

    change->ops = tt_elb_ops();
    change->id = name;
    if (tt_starts_with(name, "arn:")) {
        change->ops = tt_elbv2_ops();
        return 0;
    }
    if (!tt_starts_with(name, "tg/") && !strchr(name, ':'))
        return 0;
    if (tt_elbv2_find(&change->visit, name, &arn, err) < 0)
        return -1;
    if (!arn)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no target group %s",
                       change->visit.region->name, name);
    change->ops = tt_elbv2_ops();
    change->id = arn;
    return 0;
}

static int begin(struct change *change, struct tt_provider *provider, const char *region,
                 const char *balancer, struct tt_error *err)
{
    *change = (struct change){0};
    if (tt_aws_enter(provider, region, &change->scratch, &change->visit, err) < 0)
        return -1;
    return choose_kind(change, balancer, err);
}

static int end(struct change *change, int result)
{
    tt_arena_release(&change->scratch);
    return result;
}

int tt_aws_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                  const char *server, struct tt_error *err)
{
    struct change change;
    int result = begin(&change, provider, region, balancer, err);

    if (result == 0 && !tt_aws_is_instance_id(server))
        result = tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", region, server);
    if (result == 0)
        result = tt_aws_await_server(
            &change.visit, server, change.ops->enroll(&change.visit, change.id, server, err), err);
    return end(&change, result);
}

int tt_aws_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                    const char *server, tt_time drain, struct tt_error *err)
{
    struct change change;
    int result = begin(&change, provider, region, balancer, err);

    (void)drain; /* how long is the balancer's own setting */
    if (result == 0)
        result = change.ops->withdraw(&change.visit, change.id, server, err);
    return end(&change, result);
}

int tt_aws_set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                     const struct tt_strings *zones, struct tt_error *err)
{
    struct change change;
    int result = begin(&change, provider, region, balancer, err);

    if (result == 0)
        result = change.ops->set_zones(&change.visit, change.id, zones, err);
    return end(&change, result);
}

int tt_aws_set_listeners(struct tt_provider *provider, const char *region, const char *balancer,
                         const struct tt_listeners *listeners, struct tt_error *err)
{
    struct change change;
    int result = begin(&change, provider, region, balancer, err);

    if (result == 0)
        result = change.ops->set_listeners(&change.visit, change.id, listeners, err);
    return end(&change, result);
}

int tt_aws_set_health_check(struct tt_provider *provider, const char *region, const char *balancer,
                            const struct tt_health_check *health, struct tt_error *err)
{
    struct change change;
    int result = begin(&change, provider, region, balancer, err);

    if (result == 0)
        result = change.ops->set_health_check(&change.visit, change.id, health, err);
    return end(&change, result);
}
