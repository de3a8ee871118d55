/*
 * Listeners: what the machine says that it listens on counts more than what Git asks for, which may
 * be newer than the machine.
 */
#include "reconciler/observe_listeners.h"

#define DEFAULT_GRACE (INT64_C(60) * 1000) /* of a balancer's machine, after its creation */
#define TIMEOUT       2000

/* What a balancer answers itself: ours never ask a member for it (docs/agent.md). */
#define ALIVE_PATH "/.well-known/trimtab-alive"

tt_time tt_observe_balancer_grace(const struct tt_balancer *balancer)
{
    return balancer && balancer->health ? balancer->health->grace : DEFAULT_GRACE;
}

/* The `health` of a LoadBalancer is its members' and says nothing of the machine itself. */
static struct tt_listener_check check_of(const struct tt_balancer *balancer,
                                         const struct tt_listener *listener)
{
    bool http = listener->protocol == TT_PROTOCOL_HTTP || listener->protocol == TT_PROTOCOL_HTTPS;

    return (struct tt_listener_check){
        .port = listener->bound_port ? listener->bound_port : listener->port,
        .tls = listener->protocol == TT_PROTOCOL_HTTPS || listener->protocol == TT_PROTOCOL_SSL,
        .check =
            {
                .http = http,
                .path = http ? ALIVE_PATH : NULL,
                .timeout = TIMEOUT,
                .interval = balancer->recovery.interval,
                .unhealthy_after = balancer->recovery.unhealthy_after,
                .grace = tt_observe_balancer_grace(balancer),
            },
    };
}

void tt_observe_listeners(struct tt_arena *arena, const struct tt_balancer *balancer,
                          const struct tt_region *region, const struct tt_server *server,
                          tt_listener_checks *checks)
{
    const struct tt_pool *pool = tt_region_pool(region, server->id);
    const struct tt_listeners *listeners =
        pool && pool->listeners ? pool->listeners : balancer->listeners;

    if (balancer->type != TT_BALANCER_VM_DYNAMIC || !balancer->deployment->running || !listeners)
        return;
    TT_EACH (listener, listeners)
        if (listener->bound_port >= 0)
            *TT_VEC_ADD(arena, checks) = check_of(balancer, listener);
}
