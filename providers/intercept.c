/*
 * Intercept: from the members of a provider to calls, and from calls back to members.
 */
#include "providers/intercept.h"

const char *const tt_call_member_words[] = {
    "observe",
    "create_server",
    "delete_server",
    "start_server",
    "enroll",
    "withdraw",
    "set_zones",
    "set_listeners",
    "set_health_check",
    "move_address",
    "fence",
    "tag",
    "run",
    NULL,
};

static int pass(struct tt_provider *provider, struct tt_call *call, struct tt_error *err)
{
    struct tt_intercept *intercept = (struct tt_intercept *)provider;

    return intercept->around(intercept, call, err);
}

static void close_inner(struct tt_provider *provider)
{
    tt_provider_close(((struct tt_intercept *)provider)->inner);
}

static int observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_OBSERVE,
                           .region = request->region,
                           .object = request->region,
                           .arena = arena,
                           .observe = request};

    if (pass(provider, &call, err) < 0)
        return -1;
    *ret_region = call.answer_region;
    return 0;
}

static int create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_CREATE_SERVER,
                           .region = request->region,
                           .object = request->name,
                           .arena = arena,
                           .create = request};

    if (pass(provider, &call, err) < 0)
        return -1;
    *ret_id = call.answer_id;
    return 0;
}

static int delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_DELETE_SERVER, .region = region, .object = id};

    return pass(provider, &call, err);
}

static int start_server(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_START_SERVER, .region = region, .object = id};

    return pass(provider, &call, err);
}

static int enroll(struct tt_provider *provider, const char *region, const char *balancer,
                  const char *server, struct tt_error *err)
{
    struct tt_call call = {
        .member = TT_CALL_ENROLL, .region = region, .object = balancer, .server = server};

    return pass(provider, &call, err);
}

static int withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                    const char *server, tt_time drain, struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_WITHDRAW,
                           .region = region,
                           .object = balancer,
                           .server = server,
                           .drain = drain};

    return pass(provider, &call, err);
}

static int set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                     const struct tt_strings *zones, struct tt_error *err)
{
    struct tt_call call = {
        .member = TT_CALL_SET_ZONES, .region = region, .object = balancer, .zones = zones};

    return pass(provider, &call, err);
}

static int set_listeners(struct tt_provider *provider, const char *region, const char *balancer,
                         const struct tt_listeners *listeners, struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_SET_LISTENERS,
                           .region = region,
                           .object = balancer,
                           .listeners = listeners};

    return pass(provider, &call, err);
}

static int set_health_check(struct tt_provider *provider, const char *region, const char *balancer,
                            const struct tt_health_check *health, struct tt_error *err)
{
    struct tt_call call = {
        .member = TT_CALL_SET_HEALTH_CHECK, .region = region, .object = balancer, .health = health};

    return pass(provider, &call, err);
}

static int move_address(struct tt_provider *provider, const char *region, const char *address,
                        const char *machine, struct tt_error *err)
{
    struct tt_call call = {
        .member = TT_CALL_MOVE_ADDRESS, .region = region, .object = address, .server = machine};

    return pass(provider, &call, err);
}

static int fence(struct tt_provider *provider, const char *region, const char *machine,
                 struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_FENCE, .region = region, .object = machine};

    return pass(provider, &call, err);
}

static int tag(struct tt_provider *provider, const char *region, const char *server,
               const struct tt_tags *tags, struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_TAG, .region = region, .object = server, .tags = tags};

    return pass(provider, &call, err);
}

static int run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    struct tt_call call = {.member = TT_CALL_RUN,
                           .region = request->region,
                           .object = request->machine,
                           .arena = arena,
                           .run = request};

    if (pass(provider, &call, err) < 0)
        return -1;
    *ret_result = call.answer_run;
    return 0;
}

#define IF_THERE(member) (inner->ops->member ? (member) : NULL)

void tt_intercept_init(struct tt_intercept *intercept, struct tt_provider *inner, tt_around around)
{
    *intercept = (struct tt_intercept){
        .ops = {.name = inner->ops->name,
                .features = inner->ops->features,
                .open = inner->ops->open,
                .close = close_inner,
                .observe = observe,
                .create_server = create_server,
                .delete_server = delete_server,
                .start_server = IF_THERE(start_server),
                .enroll = IF_THERE(enroll),
                .withdraw = IF_THERE(withdraw),
                .set_zones = IF_THERE(set_zones),
                .set_listeners = IF_THERE(set_listeners),
                .set_health_check = IF_THERE(set_health_check),
                .move_address = IF_THERE(move_address),
                .fence = IF_THERE(fence),
                .tag = IF_THERE(tag),
                .run = IF_THERE(run)},
        .inner = inner,
        .around = around,
    };
    intercept->base.ops = &intercept->ops;
}

int tt_intercept_proceed(struct tt_intercept *intercept, struct tt_call *call, struct tt_error *err)
{
    struct tt_provider *inner = intercept->inner;

    switch (call->member) {
    case TT_CALL_OBSERVE:
        return tt_provider_observe(inner, call->observe, call->arena, &call->answer_region, err);
    case TT_CALL_CREATE_SERVER:
        return tt_provider_create_server(inner, call->create, call->arena, &call->answer_id, err);
    case TT_CALL_DELETE_SERVER:
        return tt_provider_delete_server(inner, call->region, call->object, err);
    case TT_CALL_START_SERVER:
        return tt_provider_start_server(inner, call->region, call->object, err);
    case TT_CALL_ENROLL:
        return tt_provider_enroll(inner, call->region, call->object, call->server, err);
    case TT_CALL_WITHDRAW:
        return tt_provider_withdraw(inner, call->region, call->object, call->server, call->drain,
                                    err);
    case TT_CALL_SET_ZONES:
        return tt_provider_set_zones(inner, call->region, call->object, call->zones, err);
    case TT_CALL_SET_LISTENERS:
        return tt_provider_set_listeners(inner, call->region, call->object, call->listeners, err);
    case TT_CALL_SET_HEALTH_CHECK:
        return tt_provider_set_health_check(inner, call->region, call->object, call->health, err);
    case TT_CALL_MOVE_ADDRESS:
        return tt_provider_move_address(inner, call->region, call->object, call->server, err);
    case TT_CALL_FENCE:
        return tt_provider_fence(inner, call->region, call->object, err);
    case TT_CALL_TAG:
        return tt_provider_tag(inner, call->region, call->object, call->tags, err);
    case TT_CALL_RUN:
        return tt_provider_run(inner, call->run, call->arena, &call->answer_run, err);
    }
    return tt_fail(err, TT_ERR_INTERNAL, "there is no call %d", (int)call->member);
}
