/*
 * Desired: looking things up in what was asked for.
 */
#include "model/desired.h"

#include <string.h>

#include "base/sha256.h"
#include "base/str.h"

#define FIND(list, wanted)                                                                         \
    do {                                                                                           \
        TT_EACH (item, list)                                                                       \
            if (strcmp((*item)->name, wanted) == 0)                                                \
                return *item;                                                                      \
        return NULL;                                                                               \
    } while (0)

const struct tt_account *tt_desired_account(const struct tt_desired *desired, const char *name)
{
    FIND(&desired->accounts, name);
}

const struct tt_deployment *tt_desired_deployment(const struct tt_desired *desired,
                                                  const char *name)
{
    FIND(&desired->deployments, name);
}

const struct tt_service *tt_deployment_service(const struct tt_deployment *deployment,
                                               const char *name)
{
    FIND(&deployment->services, name);
}

const struct tt_balancer *tt_deployment_balancer(const struct tt_deployment *deployment,
                                                 const char *name)
{
    FIND(&deployment->balancers, name);
}

int tt_service_count(const struct tt_service *service)
{
    int count = 0;

    TT_EACH (placement, &service->placements)
        count += placement->count;
    return count;
}

bool tt_service_is_behind(const struct tt_service *service, const struct tt_balancer *balancer)
{
    TT_EACH (item, &service->balancers)
        if (*item == balancer)
            return true;
    return false;
}

bool tt_balancer_covers(const struct tt_balancer *balancer, const char *account, const char *region)
{
    if (balancer->scope == TT_SCOPE_GLOBAL)
        return true;
    return tt_streq(balancer->account->name, account) && tt_streq(balancer->region, region);
}

int tt_service_count_behind(const struct tt_service *service, const struct tt_balancer *balancer)
{
    int count = 0;

    TT_EACH (placement, &service->placements)
        if (tt_balancer_covers(balancer, placement->account->name, placement->region))
            count += placement->count;
    return count;
}

int tt_listener_target(const struct tt_listener *listener, const struct tt_service *service)
{
    return listener->target_port ? listener->target_port : service->port;
}

char *tt_server_spec_hash(struct tt_arena *arena, const struct tt_server_spec *spec)
{
    const char *text = spec->user_data ? spec->user_data : "";
    char *hex;

    if (spec->user_data_hash)
        return tt_strdup(arena, spec->user_data_hash);
    hex = tt_sha256_hex(arena, text, strlen(text));
    hex[16] = '\0';
    return hex;
}
