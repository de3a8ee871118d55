/*
 * The calls by which servers join balancers and leave them.
 */
#include "base/str.h"
#include "reconciler/apply_call.h"

#define DEFAULT_DRAIN 30000 /* of a service that left Git */

void tt_call_certificate(const struct tt_balancer *balancer, struct tt_proxy_member *member)
{
    if (balancer && balancer->listeners)
        TT_EACH (listener, balancer->listeners)
            if (listener->certificate && !member->certificate) {
                member->certificate = listener->certificate;
                member->key = listener->key;
                member->chain = listener->chain;
            }
}

static enum tt_progress_word enroll_at_machine(const struct tt_call *call, const char *machine,
                                               struct tt_error *err)
{
    struct tt_proxy proxy = tt_call_proxy(call, machine);
    struct tt_proxy_member member = {.service = tt_apply_service(call->run, call->step)};
    struct tt_endpoint endpoint;

    if (!member.service)
        return tt_call_refuse(err, "the plan enrolls a server of a Service that Git does not have");
    if (tt_apply_endpoint(call->run, call->index, &endpoint, err) < 0)
        return TT_GO_FAILED;
    member.address = endpoint.address;
    member.port = endpoint.port;
    tt_call_certificate(tt_apply_balancer(call->run, call->step), &member);
    return tt_call_word(tt_call_join(call, &proxy, &member, err), TT_GO_WAIT);
}

enum tt_progress_word tt_call_enroll(const struct tt_call *call, struct tt_error *err)
{
    const char *server = tt_apply_server(call->run, call->index);
    const char *machine = tt_apply_machine(call->run, call->step);

    if (tt_call_is_cloud(call)) {
        if (!server)
            return tt_call_refuse(err, "the plan does not say which server is enrolled");
        return tt_call_word(tt_provider_enroll(call->provider, call->step->region,
                                               tt_apply_cloud_name(call->run, call->step), server,
                                               err),
                            TT_GO_WAIT);
    }
    if (!machine)
        return tt_call_refuse(err, "the balancer has no machine yet");
    return enroll_at_machine(call, machine, err);
}

/* How long connections may take to end. Nobody waits for those to a server that is dead, or that
 * does not exist any more. */
static tt_time drain_of(const struct tt_call *call)
{
    const struct tt_service *service = tt_apply_service(call->run, call->step);
    const struct tt_server *server =
        call->step->server ? tt_apply_known_server(call->run, call->step) : NULL;
    bool stale = !call->step->server && call->step->subject.kind == TT_SUBJECT_SERVICE;

    if (stale || tt_apply_is_dead(server))
        return 0;
    return service ? service->drain : DEFAULT_DRAIN;
}

enum tt_progress_word tt_call_withdraw(const struct tt_call *call, struct tt_error *err)
{
    const char *machine = tt_apply_machine(call->run, call->step);
    tt_time drain = drain_of(call);
    struct tt_endpoint endpoint;
    struct tt_proxy proxy;
    const char *name;

    if (tt_call_is_cloud(call) && !call->step->server)
        return tt_call_refuse(err, TT_CALL_NO_SERVER);
    if (tt_call_is_cloud(call))
        return tt_call_word(tt_provider_withdraw(call->provider, call->step->region,
                                                 tt_apply_cloud_name(call->run, call->step),
                                                 call->step->server, drain, err),
                            TT_GO_WAIT);
    if (!machine)
        return tt_call_refuse(err, "the plan does not say on which machine the balancer is");
    if (tt_apply_endpoint(call->run, call->index, &endpoint, err) < 0)
        return TT_GO_FAILED;
    name = tt_apply_pool_service(call->run, call->step, machine, &endpoint, call->scratch);
    if (!name)
        return TT_GO_DONE; /* it is in no pool that we know */
    proxy = tt_call_proxy(call, machine);
    if (tt_proxy_stop(&proxy, name, endpoint.address, endpoint.port, drain, err) < 0)
        return TT_GO_FAILED;
    return tt_call_word(tt_call_restore(call, &proxy, name, &endpoint, err), TT_GO_WAIT);
}
