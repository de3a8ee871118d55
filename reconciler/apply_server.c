/*
 * The calls that make, start, fence, mark and delete machines.
 */
#include "base/str.h"
#include "reconciler/apply_call.h"

static int create_machine(const struct tt_call *call, const struct tt_server_spec *spec, int port,
                          const struct tt_balancer_setup *setup, struct tt_error *err)
{
    const struct tt_step *step = call->step;
    const struct tt_subject *subject = &step->subject;
    bool of_service = subject->kind == TT_SUBJECT_SERVICE;
    struct tt_create_request request = {
        .region = step->region,
        .zone = call->state->made.zone ? call->state->made.zone : step->zone,
        .name = of_service ? tt_printf(call->scratch, "%s-%s-%d", subject->deployment,
                                       subject->name, subject->slot)
                           : tt_printf(call->scratch, "%s-%s", subject->deployment, subject->name),
        .tags = {.owner = call->run->request->desired->owner,
                 .deployment = subject->deployment,
                 .service = of_service ? subject->name : NULL,
                 .balancer = of_service ? NULL : subject->name,
                 .slot = of_service ? subject->slot : 0,
                 .incarnation = call->state->incarnation,
                 .spec = tt_server_spec_hash(call->scratch, spec)},
        .client_token = call->state->token,
        .spec = spec,
        .port = port,
        .setup = setup,
    };
    const char *id = NULL;

    if (tt_provider_create_server(call->provider, &request, call->scratch, &id, err) < 0)
        return -1;
    tt_apply_set(call->run, &call->state->made.server, id);
    return 0;
}

/* Tells a new machine of a balancer how to balance; an image without our scripts knows by itself.
 */
static enum tt_progress_word configure_new(const struct tt_call *call,
                                           const struct tt_balancer *balancer, struct tt_error *err)
{
    struct tt_proxy proxy = tt_call_proxy(call, call->state->made.server);
    struct tt_balancer_setup setup = tt_call_setup(balancer);
    struct tt_error own = {0};

    if (tt_proxy_configure(&proxy, &setup, &own) == 0 || own.class == TT_ERR_UNSUPPORTED ||
        own.class == TT_ERR_NOT_FOUND)
        return TT_GO_WAIT;
    *err = own;
    return TT_GO_FAILED;
}

/* Somebody else may be at work since the last call. */
static bool holds_lock(const struct tt_call *call)
{
    const struct tt_apply_request *request = call->run->request;

    return !request->store || tt_store_check_lock(request->store, request->lock, NULL) == 0;
}

/* In the plan's zone; where it has no room, in another one that the specs allow. */
static int create_server(const struct tt_call *call, const struct tt_service *service,
                         const struct tt_placement *placement, struct tt_error *err)
{
    struct tt_error own = {0};

    while (create_machine(call, &placement->server, service->port, NULL, &own) < 0)
        if (own.class != TT_ERR_CONFLICT || !tt_streq(own.code, "no-capacity") ||
            !holds_lock(call) || !tt_call_other_zone(call, service, placement)) {
            *err = own;
            return -1;
        }
    return 0;
}

enum tt_progress_word tt_call_create(const struct tt_call *call, struct tt_error *err)
{
    const struct tt_service *service = tt_apply_service(call->run, call->step);
    const struct tt_placement *placement = NULL;
    const struct tt_balancer *balancer;

    if (call->step->subject.kind == TT_SUBJECT_LOAD_BALANCER) {
        struct tt_balancer_setup setup;

        balancer = tt_apply_balancer(call->run, call->step);
        if (!balancer)
            return tt_call_refuse(
                err, "the plan makes a machine for a LoadBalancer that Git does not have");
        if (call->state->stage == 1)
            return configure_new(call, balancer, err);
        setup = tt_call_setup(balancer);
        return tt_call_word(create_machine(call, &balancer->server, 0, &setup, err), TT_GO_WAIT);
    }
    if (service)
        placement = tt_apply_placement(service, call->step);
    if (!placement)
        return tt_call_refuse(err, "the plan makes a server where Git places none");
    return tt_call_word(create_server(call, service, placement, err), TT_GO_WAIT);
}

enum tt_progress_word tt_call_start(const struct tt_call *call, struct tt_error *err)
{
    if (!call->step->server)
        return tt_call_refuse(err, TT_CALL_NO_SERVER);
    tt_apply_set(call->run, &call->state->made.server, call->step->server);
    return tt_call_word(
        tt_provider_start_server(call->provider, call->step->region, call->step->server, err),
        TT_GO_WAIT);
}

enum tt_progress_word tt_call_delete(const struct tt_call *call, struct tt_error *err)
{
    if (!call->step->server)
        return tt_call_refuse(err, TT_CALL_NO_SERVER);
    return tt_call_word(
        tt_provider_delete_server(call->provider, call->step->region, call->step->server, err),
        TT_GO_WAIT);
}

enum tt_progress_word tt_call_fence(const struct tt_call *call, struct tt_error *err)
{
    const char *machine = call->step->server ? call->step->server : call->step->machine;
    struct tt_error own = {0};

    if (!machine)
        return tt_call_refuse(err, TT_CALL_NO_SERVER);
    if (tt_provider_fence(call->provider, call->step->region, machine, &own) == 0)
        return TT_GO_DONE;
    if (own.class == TT_ERR_UNSUPPORTED) {
        tt_apply_note(call->run, call->index, "left to its deletion: the provider cannot fence");
        return TT_GO_DONE;
    }
    *err = own;
    return TT_GO_FAILED;
}

enum tt_progress_word tt_call_tag(const struct tt_call *call, struct tt_error *err)
{
    const struct tt_subject *subject = &call->step->subject;
    bool of_service = subject->kind == TT_SUBJECT_SERVICE;
    struct tt_tags tags = {
        .owner = call->run->request->desired->owner,
        .deployment = subject->deployment,
        .service = of_service ? subject->name : NULL,
        .balancer = of_service ? NULL : subject->name,
        .slot = of_service ? subject->slot : 0,
    };

    if (!call->step->server)
        return tt_call_refuse(err, TT_CALL_NO_SERVER);
    return tt_call_word(
        tt_provider_tag(call->provider, call->step->region, call->step->server, &tags, err),
        TT_GO_DONE);
}
