/*
 * Restoring: a stopProxy that knows nothing but an address drops it from every service of the
 * machine (design.md §8). Whoever else is wanted at that address is started again.
 *
 * Few have anybody else there: a service whose port changes, an address that a new server got from
 * an old one, a machine that balances for several deployments. Only then the pool is read again;
 * where it cannot be read, they are started in any case, which changes nothing when they are there.
 */
#include "base/str.h"
#include "reconciler/apply_call.h"

/* A member at the address that was stopped. */
struct wanted {
    const struct tt_service *service;
    const struct tt_balancer *balancer;
    int port;
};

/* What one search shares. */
struct search {
    const struct tt_call *call;
    const struct tt_balancer *balancer; /* of the step; NULL: it left Git */
    const char *machine, *name;         /* its id and its name; NULL: it has none */
    const char *service;                /* that was stopped, as the pool calls it */
    const struct tt_endpoint *stopped;
    TT_VEC(struct wanted) found;
};

static char *pool_name(struct tt_arena *arena, const struct tt_service *service)
{
    return tt_printf(arena, "%s.%s", service->deployment->name, service->name);
}

/* Two LoadBalancers may be on one machine, when it is static; the step's own may have left it. */
static bool is_same_machine(const struct search *search, const struct tt_balancer *other)
{
    const struct tt_step *step = search->call->step;

    if (other->type != TT_BALANCER_VM_STATIC)
        return other == search->balancer && other->type == TT_BALANCER_VM_DYNAMIC;
    return tt_streq(other->account->name, step->account) && tt_streq(other->region, step->region) &&
           (tt_streq(other->machine, search->machine) || tt_streq(other->machine, search->name));
}

static const char *name_of(const struct tt_call *call, const char *machine)
{
    const struct tt_region *region =
        tt_world_region(call->run->request->world, call->step->account, call->step->region);
    const struct tt_server *server = region ? tt_region_find_server(region, machine) : NULL;

    return server ? server->name : NULL;
}

/* True when a step of this plan takes the member out. */
static bool is_leaving(const struct search *search, const struct tt_service *service, int port)
{
    const struct tt_apply_run *run = search->call->run;
    const struct tt_plan *plan = run->plan;

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct tt_step *step = &plan->steps.items[i];
        struct tt_endpoint endpoint;

        if (step->action == TT_STEP_WITHDRAW && !step->held &&
            tt_apply_service(run, step) == service &&
            tt_streq(tt_apply_machine(run, step), search->machine) &&
            tt_apply_endpoint(run, (int)i, &endpoint, NULL) == 0 &&
            tt_streq(endpoint.address, search->stopped->address) && endpoint.port == port)
            return true;
    }
    return false;
}

static void add(struct search *search, const struct tt_service *service,
                const struct tt_balancer *balancer, int port)
{
    struct tt_arena *arena = search->call->scratch;

    if (port == search->stopped->port && tt_streq(pool_name(arena, service), search->service))
        return;
    TT_EACH (wanted, &search->found)
        if (wanted->service == service && wanted->port == port)
            return;
    if (!is_leaving(search, service, port))
        *TT_VEC_ADD(arena, &search->found) =
            (struct wanted){.service = service, .balancer = balancer, .port = port};
}

static bool is_in(const struct tt_pool *pool, const char *service, const char *address, int port)
{
    TT_EACH (member, &pool->members)
        if (member->port == port && tt_streq(member->address, address) &&
            tt_streq(member->service, service))
            return true;
    return false;
}

/* SERVER may be a member at the address; it is when the plan's world says so, or cannot say. */
static void add_server(struct search *search, const struct tt_pool *pool, const char *account,
                       const char *region, const struct tt_server *server)
{
    const struct tt_desired *desired = search->call->run->request->desired;
    const char *address = search->stopped->address;
    const struct tt_deployment *deployment;
    const struct tt_service *service;

    if ((!tt_streq(server->private_address, address) &&
         !tt_streq(server->public_address, address)) ||
        !tt_streq(server->tags.owner, desired->owner) || !server->tags.deployment ||
        !server->tags.service || tt_apply_is_dead(server))
        return;
    deployment = tt_desired_deployment(desired, server->tags.deployment);
    service = deployment ? tt_deployment_service(deployment, server->tags.service) : NULL;
    if (!service || !deployment->running)
        return;
    TT_EACH (item, &service->balancers) {
        const struct tt_balancer *balancer = *item;
        bool local =
            tt_streq(balancer->account->name, account) && tt_streq(balancer->region, region);

        if (is_same_machine(search, balancer) && tt_balancer_covers(balancer, account, region) &&
            tt_streq(local ? server->private_address : server->public_address, address) &&
            (!pool ||
             is_in(pool, pool_name(search->call->scratch, service), address, service->port)))
            add(search, service, balancer, service->port);
    }
}

static void add_observed(struct search *search)
{
    const struct tt_step *step = search->call->step;
    const struct tt_world *world = search->call->run->request->world;
    const struct tt_region *home = tt_world_region(world, step->account, step->region);
    const struct tt_pool *pool = home ? tt_region_pool(home, search->machine) : NULL;

    TT_EACH (account, &world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                add_server(search, pool, account->name, region->name, server);
}

static bool is_done(struct tt_apply_run *run, size_t step)
{
    bool done;

    pthread_mutex_lock(&run->lock);
    done = run->progress[step].state == TT_STEP_STATE_DONE;
    pthread_mutex_unlock(&run->lock);
    return done;
}

/* Those that this run itself has enrolled. */
static void add_enrolled(struct search *search)
{
    struct tt_apply_run *run = search->call->run;
    const struct tt_plan *plan = run->plan;

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct tt_step *step = &plan->steps.items[i];
        const struct tt_service *service = tt_apply_service(run, step);
        struct tt_endpoint endpoint;

        if (step->action == TT_STEP_ENROLL && service &&
            tt_streq(tt_apply_machine(run, step), search->machine) && is_done(run, i) &&
            tt_apply_endpoint(run, (int)i, &endpoint, NULL) == 0 &&
            tt_streq(endpoint.address, search->stopped->address))
            add(search, service, tt_apply_balancer(run, step), endpoint.port);
    }
}

int tt_call_restore(const struct tt_call *call, const struct tt_proxy *proxy, const char *service,
                    const struct tt_endpoint *stopped, struct tt_error *err)
{
    struct search search = {.call = call,
                            .balancer = tt_apply_balancer(call->run, call->step),
                            .machine = proxy->machine,
                            .name = name_of(call, proxy->machine),
                            .service = service,
                            .stopped = stopped};
    struct tt_pool pool;
    bool listed;

    add_observed(&search);
    add_enrolled(&search);
    if (!search.found.count)
        return 0;
    listed = tt_proxy_list(proxy, call->scratch, &pool, NULL) == 0;
    TT_EACH (wanted, &search.found) {
        struct tt_proxy_member member = {
            .service = wanted->service, .address = stopped->address, .port = wanted->port};

        if (listed &&
            is_in(&pool, pool_name(call->scratch, wanted->service), stopped->address, wanted->port))
            continue;
        tt_call_certificate(wanted->balancer, &member);
        if (tt_proxy_start(proxy, &member, err) < 0) {
            tt_wrap(err, "%s.%s was dropped with %s and is to be started again",
                    wanted->service->deployment->name, wanted->service->name, service);
            return -1;
        }
    }
    return 0;
}
