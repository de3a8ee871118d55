/*
 * The callers of a provider: each dispatches to the member of the same name, or says in words that
 * this provider has none.
 */
#include "providers/provider.h"

static int cannot(const struct tt_provider *provider, const char *what, struct tt_error *err)
{
    return tt_fail(err, TT_ERR_UNSUPPORTED, "%s cannot %s", provider->ops->name, what);
}

void tt_provider_close(struct tt_provider *provider)
{
    if (provider)
        provider->ops->close(provider);
}

int tt_provider_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                        struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    return provider->ops->observe(provider, request, arena, ret_region, err);
}

int tt_provider_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                              struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    return provider->ops->create_server(provider, request, arena, ret_id, err);
}

int tt_provider_delete_server(struct tt_provider *provider, const char *region, const char *id,
                              struct tt_error *err)
{
    return provider->ops->delete_server(provider, region, id, err);
}

int tt_provider_start_server(struct tt_provider *provider, const char *region, const char *id,
                             struct tt_error *err)
{
    if (!provider->ops->start_server)
        return cannot(provider, "start a stopped machine", err);
    return provider->ops->start_server(provider, region, id, err);
}

int tt_provider_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                       const char *server, struct tt_error *err)
{
    if (!provider->ops->enroll)
        return cannot(provider, "enroll in a cloud balancer", err);
    return provider->ops->enroll(provider, region, balancer, server, err);
}

int tt_provider_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                         const char *server, tt_time drain, struct tt_error *err)
{
    if (!provider->ops->withdraw)
        return cannot(provider, "withdraw from a cloud balancer", err);
    return provider->ops->withdraw(provider, region, balancer, server, drain, err);
}

int tt_provider_set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                          const struct tt_strings *zones, struct tt_error *err)
{
    if (!provider->ops->set_zones)
        return cannot(provider, "set the zones of a cloud balancer", err);
    return provider->ops->set_zones(provider, region, balancer, zones, err);
}

int tt_provider_set_listeners(struct tt_provider *provider, const char *region,
                              const char *balancer, const struct tt_listeners *listeners,
                              struct tt_error *err)
{
    if (!provider->ops->set_listeners)
        return cannot(provider, "set the listeners of a cloud balancer", err);
    return provider->ops->set_listeners(provider, region, balancer, listeners, err);
}

int tt_provider_set_health_check(struct tt_provider *provider, const char *region,
                                 const char *balancer, const struct tt_health_check *health,
                                 struct tt_error *err)
{
    if (!provider->ops->set_health_check)
        return cannot(provider, "set the health check of a cloud balancer", err);
    return provider->ops->set_health_check(provider, region, balancer, health, err);
}

int tt_provider_move_address(struct tt_provider *provider, const char *region, const char *address,
                             const char *machine, struct tt_error *err)
{
    if (!provider->ops->move_address)
        return cannot(provider, "move an elastic address", err);
    return provider->ops->move_address(provider, region, address, machine, err);
}

int tt_provider_fence(struct tt_provider *provider, const char *region, const char *machine,
                      struct tt_error *err)
{
    if (!provider->ops->fence)
        return cannot(provider, "fence a machine", err);
    return provider->ops->fence(provider, region, machine, err);
}

int tt_provider_tag(struct tt_provider *provider, const char *region, const char *server,
                    const struct tt_tags *tags, struct tt_error *err)
{
    if (!provider->ops->tag)
        return cannot(provider, "tag a machine", err);
    return provider->ops->tag(provider, region, server, tags, err);
}

int tt_provider_run(struct tt_provider *provider, const struct tt_run_request *request,
                    struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    if (!provider->ops->run)
        return cannot(provider, "run a command on a machine", err);
    return provider->ops->run(provider, request, arena, ret_result, err);
}
