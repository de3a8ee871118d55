/*
 * The calls that set up balancers: zones, listeners, health checks, elastic addresses.
 */
#include "reconciler/apply_call.h"
#include "reconciler/planner/balance.h"

enum tt_progress_word tt_call_zones(const struct tt_call *call, struct tt_error *err)
{
    if (!tt_call_is_cloud(call) || !call->step->zones)
        return tt_call_refuse(err,
                              "the plan sets zones, but not which ones or not of a cloud balancer");
    return tt_call_word(tt_provider_set_zones(call->provider, call->step->region,
                                              tt_apply_cloud_name(call->run, call->step),
                                              call->step->zones, err),
                        TT_GO_DONE);
}

/* A cloud balancer wants a number where the spec leaves each service its own port, and may have an
 * algorithm for each listener. */
static struct tt_listeners resolve_targets(struct tt_arena *arena,
                                           const struct tt_balancer *balancer)
{
    struct tt_listeners listeners = {0};
    int port = 0;

    TT_EACH (service, &balancer->deployment->services)
        if (!port && tt_service_is_behind(*service, balancer))
            port = (*service)->port;
    TT_EACH (listener, balancer->listeners) {
        struct tt_listener *copy = TT_VEC_ADD(arena, &listeners);

        *copy = *listener;
        if (!copy->target_port)
            copy->target_port = port;
        if (balancer->has_algorithm)
            copy->algorithm = 1 + (int)balancer->algorithm;
    }
    return listeners;
}

static int set_up_cloud(const struct tt_call *call, const struct tt_balancer *balancer,
                        struct tt_error *err)
{
    const char *name = tt_apply_cloud_name(call->run, call->step);
    struct tt_listeners listeners;

    if (call->step->action == TT_STEP_SET_HEALTH_CHECK)
        return tt_provider_set_health_check(call->provider, call->step->region, name,
                                            tt_balancer_health(balancer), err);
    listeners = resolve_targets(call->scratch, balancer);
    return tt_provider_set_listeners(call->provider, call->step->region, name, &listeners, err);
}

enum tt_progress_word tt_call_settings(const struct tt_call *call, struct tt_error *err)
{
    const struct tt_balancer *balancer = tt_apply_balancer(call->run, call->step);
    const char *machine = tt_apply_machine(call->run, call->step);
    struct tt_balancer_setup setup;
    struct tt_proxy proxy;

    if (!balancer || (call->step->action == TT_STEP_SET_LISTENERS ? !balancer->listeners
                                                                  : !tt_balancer_health(balancer)))
        return tt_call_refuse(err, "the plan sets what Git does not say");
    if (tt_call_is_cloud(call))
        return tt_call_word(set_up_cloud(call, balancer, err), TT_GO_DONE);
    if (!machine)
        return tt_call_refuse(err, "the balancer has no machine yet");
    proxy = tt_call_proxy(call, machine);
    setup = tt_call_setup(balancer);
    return tt_call_word(tt_proxy_configure(&proxy, &setup, err), TT_GO_DONE);
}

enum tt_progress_word tt_call_move(const struct tt_call *call, struct tt_error *err)
{
    const struct tt_balancer *balancer = tt_apply_balancer(call->run, call->step);
    const char *machine = tt_apply_machine(call->run, call->step);

    if (!balancer || !balancer->address || !machine)
        return tt_call_refuse(err, "the plan moves an address, but not which one or not where to");
    return tt_call_word(tt_provider_move_address(call->provider, call->step->region,
                                                 balancer->address, machine, err),
                        TT_GO_WAIT);
}
