/*
 * Pools: a bounded number of machines is asked at the same time, each as often as its
 * LoadBalancer's recovery allows before it counts as failing.
 */
#include "reconciler/observe_pools.h"

#include "base/str.h"
#include "providers/proxies/proxy.h"
#include "reconciler/observe_listeners.h"
#include "reconciler/observe_memory.h"
#include "reconciler/parallel.h"

#define MOST_MACHINES    32
#define DEFAULT_TRIES    3
#define DEFAULT_INTERVAL 5000

/* One machine to ask. */
struct asking {
    struct tt_region *region;
    struct tt_server *server;
    bool owned;
    bool boots; /* within its grace */
    struct tt_proxy proxy;
    struct tt_watched self;
    int failed; /* tries in a row, those of earlier runs with them */
    int tries;
    struct tt_arena arena;
    struct tt_pool pool;
    struct tt_error error; /* class NONE: the pool was read */
};

struct askings {
    const struct tt_clock *clock;
    tt_time now;
    TT_VEC(struct asking) items;
};

static bool is_named(const struct tt_balancer *balancer, const char *account, const char *region,
                     const struct tt_server *server)
{
    return balancer->machine && tt_streq(balancer->account->name, account) &&
           tt_streq(balancer->region, region) &&
           (tt_streq(balancer->machine, server->id) || tt_streq(balancer->machine, server->name));
}

static const struct tt_balancer *static_balancer(const struct tt_desired *desired,
                                                 const char *account, const char *region,
                                                 const struct tt_server *server)
{
    TT_EACH (deployment, &desired->deployments)
        TT_EACH (balancer, &(*deployment)->balancers)
            if (is_named(*balancer, account, region, server))
                return *balancer;
    return NULL;
}

static bool is_owned_balancer(const struct tt_desired *desired, const struct tt_server *server)
{
    return server->tags.balancer && server->tags.deployment &&
           tt_streq(server->tags.owner, desired->owner);
}

const struct tt_balancer *tt_observe_balancer_of(const struct tt_desired *desired,
                                                 const char *account, const char *region,
                                                 const struct tt_server *server)
{
    const struct tt_deployment *deployment;

    if (!is_owned_balancer(desired, server))
        return static_balancer(desired, account, region, server);
    deployment = tt_desired_deployment(desired, server->tags.deployment);
    return deployment ? tt_deployment_balancer(deployment, server->tags.balancer) : NULL;
}

static bool boots(const struct tt_balancer *balancer, const struct tt_server *server, tt_time now)
{
    return tt_time_is_recent(server->created_at, now, tt_observe_balancer_grace(balancer));
}

static void add_asking(struct tt_arena *arena, const struct tt_balancer *balancer, bool owned,
                       const struct tt_cloud *cloud, struct tt_region *region,
                       struct tt_server *server, const struct tt_observe_options *options,
                       struct askings *askings)
{
    bool dynamic = balancer && balancer->type == TT_BALANCER_VM_DYNAMIC;
    struct asking *asking = TT_VEC_ADD(arena, &askings->items);

    *asking = (struct asking){
        .region = region,
        .server = server,
        .owned = owned,
        .boots = boots(balancer, server, askings->now),
        .proxy = {.provider = cloud->provider,
                  .agent_folder = cloud->account->ssh.scripts,
                  .region = region->name,
                  .machine = server->id,
                  .address =
                      server->private_address ? server->private_address : server->public_address},
        .tries = dynamic ? balancer->recovery.unhealthy_after : DEFAULT_TRIES,
        .self = {.account = cloud->account->name,
                 .region = region->name,
                 .server = server->id,
                 .interval = dynamic ? balancer->recovery.interval : DEFAULT_INTERVAL},
    };
    /* one that boots is asked once: its members wait for it, whatever comes of that */
    if (options->single_probe || options->skip_health || asking->boots)
        asking->tries = 1;
    else
        asking->failed = tt_observe_recall(options, &asking->self, askings->now);
}

static bool is_lent(const struct tt_observe_options *options, const char *account,
                    const char *region, const struct tt_server *server)
{
    if (options->lent)
        TT_EACH (lent, options->lent)
            if (tt_streq(lent->member.machine, server->id) &&
                tt_streq(lent->member.account, account) && tt_streq(lent->member.region, region))
                return true;
    return false;
}

static void add_askings(struct tt_arena *arena, const struct tt_clouds *clouds,
                        const struct tt_desired *desired, const struct tt_observe_options *options,
                        const struct tt_map *only, struct tt_world *world, struct askings *askings)
{
    TT_EACH (account, &world->accounts) {
        const struct tt_cloud *cloud = tt_clouds_cloud(clouds, account->name);

        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                bool owned = is_owned_balancer(desired, server);
                const struct tt_balancer *balancer =
                    tt_observe_balancer_of(desired, account->name, region->name, server);

                for (struct tt_desired *const *also = options->also; !balancer && also && *also;
                     also++)
                    balancer = tt_observe_balancer_of(*also, account->name, region->name, server);
                if ((!owned && !balancer &&
                     !is_lent(options, account->name, region->name, server)) ||
                    !cloud || !cloud->provider || server->state != TT_SERVER_RUNNING ||
                    (only && !tt_map_get(only, server->id)) || tt_region_pool(region, server->id))
                    continue;
                add_asking(arena, balancer, owned, cloud, region, server, options, askings);
            }
    }
}

/* Nothing there to ask: the image has no listProxy, or the provider runs no commands. */
static bool is_silent(const struct tt_error *err)
{
    return err->class == TT_ERR_NOT_FOUND || err->class == TT_ERR_UNSUPPORTED;
}

/* It is we who are refused; that says nothing of the machine. */
static bool is_our_fault(const struct tt_error *err)
{
    return err->class == TT_ERR_DENIED || err->class == TT_ERR_THROTTLED ||
           err->class == TT_ERR_SPEC;
}

static void ask(void *self, size_t index)
{
    struct askings *askings = self;
    struct asking *asking = &askings->items.items[index];

    for (;;) {
        asking->error = (struct tt_error){0};
        asking->pool = (struct tt_pool){0};
        if (tt_proxy_list(&asking->proxy, &asking->arena, &asking->pool, &asking->error) == 0)
            break;
        if (is_silent(&asking->error) || asking->error.class == TT_ERR_DENIED)
            break;
        if (++asking->failed >= asking->tries)
            return;
        askings->clock->sleep(askings->clock->self, asking->self.interval);
    }
    asking->failed = 0;
}

static void blind(struct tt_arena *arena, struct tt_region *region, const struct asking *asking)
{
    const char *name = asking->server->name ? asking->server->name : asking->server->id;

    *region = (struct tt_region){
        .name = region->name,
        .error = tt_printf(arena, "cannot read the pool of balancer machine %s: %s", name,
                           asking->error.message),
    };
}

/* What the answers tell of the machines; RESOLVED regions may become unreachable, so they come
 * last. */
static void conclude(struct tt_arena *arena, const struct tt_observe_options *options,
                     struct askings *askings)
{
    tt_time now = askings->clock->now(askings->clock->self);

    TT_EACH (asking, &askings->items) {
        tt_arena_adopt(arena, &asking->arena);
        if (!options->single_probe && !options->skip_health && !asking->boots)
            tt_observe_note(arena, options, &asking->self,
                            is_our_fault(&asking->error) ? 0 : asking->failed, now);
        if (asking->error.class == TT_ERR_NONE) {
            asking->pool.machine = asking->server->id;
            *TT_VEC_ADD(arena, &asking->region->pools) = asking->pool;
        } else if (!is_silent(&asking->error) && !options->single_probe && !options->skip_health &&
                   !(asking->owned && is_our_fault(&asking->error))) {
            if (asking->boots)
                asking->server->state = TT_SERVER_PENDING;
            else
                asking->server->health = TT_HEALTH_FAILING;
        }
    }
    TT_EACH (asking, &askings->items)
        if (asking->owned && is_our_fault(&asking->error) && asking->region->observed)
            blind(arena, asking->region, asking);
}

void tt_observe_pools(struct tt_arena *arena, const struct tt_clouds *clouds,
                      const struct tt_desired *desired, const struct tt_clock *clock,
                      const struct tt_observe_options *options, const struct tt_map *only,
                      struct tt_world *world)
{
    struct askings askings = {.clock = clock, .now = clock->now(clock->self)};

    add_askings(arena, clouds, desired, options, only, world, &askings);
    tt_parallel(clock, askings.items.count, MOST_MACHINES, ask, &askings);
    conclude(arena, options, &askings);
}
