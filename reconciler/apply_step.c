/*
 * The call of each action, made once. A call that returns WAIT was accepted; whether it took effect
 * is seen by observing (apply_wait.c).
 */
#include <string.h>

#include "base/str.h"
#include "providers/proxies/proxy.h"
#include "reconciler/apply_run.h"
#include "reconciler/planner/balance.h"

#define DEFAULT_DRAIN 30000 /* of a service that left Git */

/* What every call needs. */
struct call {
    struct tt_apply_run *run;
    int index;
    const struct tt_step *step;
    struct tt_step_run *state;
    struct tt_provider *provider;
    struct tt_arena *scratch;
};

static enum tt_progress_word word_of(int result, enum tt_progress_word success)
{
    return result < 0 ? TT_GO_FAILED : success;
}

static const char no_server[] = "the plan does not say which machine";

static enum tt_progress_word refuse(struct tt_error *err, const char *what)
{
    tt_fail(err, TT_ERR_SPEC, "%s", what);
    return TT_GO_FAILED;
}

/* --- servers -------------------------------------------------------------------------------- */

static struct tt_balancer_setup setup_of(const struct tt_balancer *balancer)
{
    return (struct tt_balancer_setup){
        .software = balancer->software,
        .listeners = balancer->listeners,
        .algorithm = balancer->algorithm,
        .health = tt_balancer_health(balancer),
    };
}

static int create_machine(const struct call *call, const struct tt_server_spec *spec, int port,
                          const struct tt_balancer_setup *setup, struct tt_error *err)
{
    const struct tt_step *step = call->step;
    const struct tt_subject *subject = &step->subject;
    bool of_service = subject->kind == TT_SUBJECT_SERVICE;
    struct tt_create_request request = {
        .region = step->region,
        .zone = step->zone,
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

static struct tt_proxy proxy_of(const struct call *call, const char *machine)
{
    const char *address = tt_apply_machine_address(call->run, call->step, machine);

    return (struct tt_proxy){
        .provider = call->provider,
        .region = call->step->region,
        .machine = machine,
        .address = address ? address : "0.0.0.0",
    };
}

/* Tells a new machine of a balancer how to balance; an image without our scripts knows by itself.
 */
static enum tt_progress_word configure_new(const struct call *call,
                                           const struct tt_balancer *balancer, struct tt_error *err)
{
    struct tt_proxy proxy = proxy_of(call, call->state->made.server);
    struct tt_balancer_setup setup = setup_of(balancer);
    struct tt_error own = {0};

    if (tt_proxy_configure(&proxy, &setup, &own) == 0 || own.class == TT_ERR_UNSUPPORTED ||
        own.class == TT_ERR_NOT_FOUND)
        return TT_GO_WAIT;
    *err = own;
    return TT_GO_FAILED;
}

static enum tt_progress_word call_create(const struct call *call, struct tt_error *err)
{
    const struct tt_service *service = tt_apply_service(call->run, call->step);
    const struct tt_placement *placement = NULL;
    const struct tt_balancer *balancer;

    if (call->step->subject.kind == TT_SUBJECT_LOAD_BALANCER) {
        struct tt_balancer_setup setup;

        balancer = tt_apply_balancer(call->run, call->step);
        if (!balancer)
            return refuse(err,
                          "the plan makes a machine for a LoadBalancer that Git does not have");
        if (call->state->stage == 1)
            return configure_new(call, balancer, err);
        setup = setup_of(balancer);
        return word_of(create_machine(call, &balancer->server, 0, &setup, err), TT_GO_WAIT);
    }
    if (service)
        placement = tt_apply_placement(service, call->step);
    if (!placement)
        return refuse(err, "the plan makes a server where Git places none");
    return word_of(create_machine(call, &placement->server, service->port, NULL, err), TT_GO_WAIT);
}

static enum tt_progress_word call_start(const struct call *call, struct tt_error *err)
{
    if (!call->step->server)
        return refuse(err, no_server);
    tt_apply_set(call->run, &call->state->made.server, call->step->server);
    return word_of(
        tt_provider_start_server(call->provider, call->step->region, call->step->server, err),
        TT_GO_WAIT);
}

static enum tt_progress_word call_delete(const struct call *call, struct tt_error *err)
{
    if (!call->step->server)
        return refuse(err, no_server);
    return word_of(
        tt_provider_delete_server(call->provider, call->step->region, call->step->server, err),
        TT_GO_WAIT);
}

static enum tt_progress_word call_fence(const struct call *call, struct tt_error *err)
{
    const char *machine = call->step->server ? call->step->server : call->step->machine;
    struct tt_error own = {0};

    if (!machine)
        return refuse(err, no_server);
    if (tt_provider_fence(call->provider, call->step->region, machine, &own) == 0)
        return TT_GO_DONE;
    if (own.class == TT_ERR_UNSUPPORTED) {
        tt_apply_note(call->run, call->index, "left to its deletion: the provider cannot fence");
        return TT_GO_DONE;
    }
    *err = own;
    return TT_GO_FAILED;
}

static enum tt_progress_word call_tag(const struct call *call, struct tt_error *err)
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
        return refuse(err, no_server);
    return word_of(
        tt_provider_tag(call->provider, call->step->region, call->step->server, &tags, err),
        TT_GO_DONE);
}

/* --- members -------------------------------------------------------------------------------- */

/* The TLS files of the balancer's first listener that has some. */
static void add_certificate(const struct tt_balancer *balancer, struct tt_proxy_member *member)
{
    if (balancer && balancer->listeners)
        TT_EACH (listener, balancer->listeners)
            if (listener->certificate && !member->certificate) {
                member->certificate = listener->certificate;
                member->key = listener->key;
                member->chain = listener->chain;
            }
}

static enum tt_progress_word enroll_at_machine(const struct call *call, const char *machine,
                                               struct tt_error *err)
{
    struct tt_proxy proxy = proxy_of(call, machine);
    struct tt_proxy_member member = {.service = tt_apply_service(call->run, call->step)};
    struct tt_endpoint endpoint;

    if (!member.service)
        return refuse(err, "the plan enrolls a server of a Service that Git does not have");
    if (tt_apply_endpoint(call->run, call->index, &endpoint, err) < 0)
        return TT_GO_FAILED;
    member.address = endpoint.address;
    member.port = endpoint.port;
    add_certificate(tt_apply_balancer(call->run, call->step), &member);
    return word_of(tt_proxy_start(&proxy, &member, err), TT_GO_WAIT);
}

static bool is_cloud(const struct call *call)
{
    const struct tt_balancer *balancer = tt_apply_balancer(call->run, call->step);

    return balancer && balancer->type == TT_BALANCER_CLOUD;
}

static enum tt_progress_word call_enroll(const struct call *call, struct tt_error *err)
{
    const char *server = tt_apply_server(call->run, call->index);
    const char *machine = tt_apply_machine(call->run, call->step);

    if (is_cloud(call)) {
        if (!server)
            return refuse(err, "the plan does not say which server is enrolled");
        return word_of(tt_provider_enroll(call->provider, call->step->region,
                                          tt_apply_cloud_name(call->run, call->step), server, err),
                       TT_GO_WAIT);
    }
    if (!machine)
        return refuse(err, "the balancer has no machine yet");
    return enroll_at_machine(call, machine, err);
}

/* The pool's own word for the service of an entry that belongs to no service of Git: the step names
 * only the balancer then. */
static const char *pool_service(const struct call *call, const char *machine,
                                const struct tt_endpoint *endpoint)
{
    const struct tt_step *step = call->step;
    const struct tt_region *region =
        tt_world_region(call->run->request->world, step->account, step->region);
    const struct tt_pool *pool = region ? tt_region_pool(region, machine) : NULL;

    if (step->subject.kind == TT_SUBJECT_SERVICE)
        return tt_printf(call->scratch, "%s.%s", step->subject.deployment, step->subject.name);
    if (pool)
        TT_EACH (member, &pool->members)
            if (tt_streq(member->address, endpoint->address) && member->port == endpoint->port)
                return member->service;
    return NULL;
}

static enum tt_progress_word call_withdraw(const struct call *call, struct tt_error *err)
{
    const struct tt_service *service = tt_apply_service(call->run, call->step);
    const char *machine = tt_apply_machine(call->run, call->step);
    tt_time drain = service ? service->drain : DEFAULT_DRAIN;
    struct tt_endpoint endpoint;
    struct tt_proxy proxy;
    const char *name;

    if (is_cloud(call) && !call->step->server)
        return refuse(err, no_server);
    if (is_cloud(call))
        return word_of(tt_provider_withdraw(call->provider, call->step->region,
                                            tt_apply_cloud_name(call->run, call->step),
                                            call->step->server, drain, err),
                       TT_GO_WAIT);
    if (!machine)
        return refuse(err, "the plan does not say on which machine the balancer is");
    if (tt_apply_endpoint(call->run, call->index, &endpoint, err) < 0)
        return TT_GO_FAILED;
    name = pool_service(call, machine, &endpoint);
    if (!name)
        return TT_GO_DONE; /* it is in no pool that we know */
    proxy = proxy_of(call, machine);
    return word_of(tt_proxy_stop(&proxy, name, endpoint.address, endpoint.port, drain, err),
                   TT_GO_WAIT);
}

/* --- settings ------------------------------------------------------------------------------- */

static enum tt_progress_word call_zones(const struct call *call, struct tt_error *err)
{
    if (!is_cloud(call) || !call->step->zones)
        return refuse(err, "the plan sets zones, but not which ones or not of a cloud balancer");
    return word_of(tt_provider_set_zones(call->provider, call->step->region,
                                         tt_apply_cloud_name(call->run, call->step),
                                         call->step->zones, err),
                   TT_GO_DONE);
}

/* A cloud balancer wants a number where the spec leaves each service its own port. */
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
    }
    return listeners;
}

static int set_up_cloud(const struct call *call, const struct tt_balancer *balancer,
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

static enum tt_progress_word call_settings(const struct call *call, struct tt_error *err)
{
    const struct tt_balancer *balancer = tt_apply_balancer(call->run, call->step);
    const char *machine = tt_apply_machine(call->run, call->step);
    struct tt_balancer_setup setup;
    struct tt_proxy proxy;

    if (!balancer || (call->step->action == TT_STEP_SET_LISTENERS ? !balancer->listeners
                                                                  : !tt_balancer_health(balancer)))
        return refuse(err, "the plan sets what Git does not say");
    if (is_cloud(call))
        return word_of(set_up_cloud(call, balancer, err), TT_GO_DONE);
    if (!machine)
        return refuse(err, "the balancer has no machine yet");
    proxy = proxy_of(call, machine);
    setup = setup_of(balancer);
    return word_of(tt_proxy_configure(&proxy, &setup, err), TT_GO_DONE);
}

static enum tt_progress_word call_move(const struct call *call, struct tt_error *err)
{
    const struct tt_balancer *balancer = tt_apply_balancer(call->run, call->step);
    const char *machine = tt_apply_machine(call->run, call->step);

    if (!balancer || !balancer->address || !machine)
        return refuse(err, "the plan moves an address, but not which one or not where to");
    return word_of(tt_provider_move_address(call->provider, call->step->region, balancer->address,
                                            machine, err),
                   TT_GO_WAIT);
}

enum tt_progress_word tt_apply_call(struct tt_apply_run *run, int step, struct tt_arena *scratch,
                                    struct tt_error *err)
{
    static enum tt_progress_word (*const calls[])(const struct call *, struct tt_error *) = {
        [TT_STEP_CREATE_SERVER] = call_create,
        [TT_STEP_START_SERVER] = call_start,
        [TT_STEP_DELETE_SERVER] = call_delete,
        [TT_STEP_ENROLL] = call_enroll,
        [TT_STEP_WITHDRAW] = call_withdraw,
        [TT_STEP_SET_ZONES] = call_zones,
        [TT_STEP_SET_LISTENERS] = call_settings,
        [TT_STEP_SET_HEALTH_CHECK] = call_settings,
        [TT_STEP_MOVE_ADDRESS] = call_move,
        [TT_STEP_FENCE] = call_fence,
        [TT_STEP_TAG] = call_tag,
    };
    const struct tt_step *what = &run->plan->steps.items[step];
    struct call call = {
        .run = run,
        .index = step,
        .step = what,
        .state = &run->steps[step],
        .provider = tt_clouds_find(run->request->clouds, what->account),
        .scratch = scratch,
    };

    if (!call.provider) {
        tt_fail(err, TT_ERR_UNSUPPORTED, "account %s is not open", what->account);
        return TT_GO_FAILED;
    }
    return calls[what->action](&call, err);
}
