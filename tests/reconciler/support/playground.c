/*
 * Playground: the effect of each step on a world.
 */
#include "playground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/copy.h"

void tt_playground_init(struct tt_playground *p, struct tt_arena *arena,
                        const struct tt_desired *desired, const struct tt_world *world,
                        const struct tt_plan *plan)
{
    *p = (struct tt_playground){.arena = arena, .desired = desired, .plan = plan};
    p->made = TT_NEW_ARRAY(arena, plan->steps.count, const char *);
    p->world.taken_at = world->taken_at;
    TT_EACH (account, &world->accounts) {
        struct tt_world_account *copy = TT_VEC_ADD(arena, &p->world.accounts);

        *copy = (struct tt_world_account){
            .name = account->name, .provider = account->provider, .features = account->features};
        TT_EACH (region, &account->regions)
            *TT_VEC_ADD(arena, &copy->regions) = tt_copy_region(arena, region);
    }
}

struct tt_region *tt_playground_region(struct tt_playground *p, const char *account,
                                       const char *region)
{
    return (struct tt_region *)tt_world_region(&p->world, account, region);
}

struct tt_server *tt_playground_server(struct tt_region *region, const char *id)
{
    return (struct tt_server *)tt_region_server(region, id);
}

bool tt_playground_is_of(const struct tt_playground *p, const struct tt_service *service,
                         const struct tt_server *server)
{
    return server->state != TT_SERVER_GONE && tt_streq(server->tags.owner, p->desired->owner) &&
           tt_streq(server->tags.deployment, service->deployment->name) &&
           tt_streq(server->tags.service, service->name);
}

struct tt_pool *tt_playground_pool(struct tt_region *region, const char *machine)
{
    return (struct tt_pool *)tt_region_pool(region, machine);
}

size_t tt_playground_machines(struct tt_playground *p, const struct tt_balancer *balancer,
                              struct tt_server **ret, struct tt_region **ret_regions, size_t most)
{
    size_t count = 0;

    TT_EACH (account, &p->world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                bool own = tt_streq(server->tags.owner, p->desired->owner) &&
                           tt_streq(server->tags.deployment, balancer->deployment->name) &&
                           tt_streq(server->tags.balancer, balancer->name);
                bool named = balancer->type == TT_BALANCER_VM_STATIC &&
                             strcmp(account->name, balancer->account->name) == 0 &&
                             strcmp(region->name, balancer->region) == 0 &&
                             (tt_streq(server->id, balancer->machine) ||
                              tt_streq(server->name, balancer->machine));

                if ((balancer->type == TT_BALANCER_VM_STATIC ? named : own) &&
                    server->state != TT_SERVER_GONE && count < most) {
                    ret[count] = server;
                    ret_regions[count++] = region;
                }
            }
    return count;
}

static const struct tt_balancer *balancer_of(struct tt_playground *p, const struct tt_step *step)
{
    const struct tt_deployment *d = tt_desired_deployment(p->desired, step->subject.deployment);

    return d && step->balancer ? tt_deployment_balancer(d, step->balancer) : NULL;
}

static struct tt_cloud_balancer *cloud_of(struct tt_playground *p, const struct tt_step *step)
{
    const struct tt_balancer *balancer = balancer_of(p, step);

    if (!balancer || balancer->type != TT_BALANCER_CLOUD || step->machine)
        return NULL;
    return (struct tt_cloud_balancer *)tt_region_balancer(
        tt_playground_region(p, step->account, step->region), balancer->cloud_name);
}

/* The id that a create of this plan made for SUBJECT. */
static const char *made_for(struct tt_playground *p, enum tt_subject_kind kind,
                            const char *deployment, const char *name, int slot)
{
    TT_EACH (step, &p->plan->steps)
        if (step->action == TT_STEP_CREATE_SERVER && step->subject.kind == kind &&
            strcmp(step->subject.deployment, deployment) == 0 &&
            strcmp(step->subject.name, name) == 0 && step->subject.slot == slot)
            return p->made[step - p->plan->steps.items];
    return NULL;
}

static void create(struct tt_playground *p, const struct tt_step *step, int index)
{
    const struct tt_deployment *d = tt_desired_deployment(p->desired, step->subject.deployment);
    struct tt_region *region = tt_playground_region(p, step->account, step->region);
    struct tt_server *server = TT_VEC_ADD(p->arena, &region->servers);
    const struct tt_server_spec *spec = NULL;

    if (step->subject.kind == TT_SUBJECT_LOAD_BALANCER) {
        spec = &tt_deployment_balancer(d, step->subject.name)->server;
    } else {
        const struct tt_service *service = tt_deployment_service(d, step->subject.name);

        TT_EACH (placement, &service->placements)
            if (strcmp(placement->account->name, step->account) == 0 &&
                strcmp(placement->region, step->region) == 0)
                spec = &placement->server;
    }
    if (!spec)
        abort(); /* a plan that creates what no document names */
    *server = (struct tt_server){
        .id = tt_printf(p->arena, "new-%d-%zu-s%d", p->run, region->servers.count, index + 1),
        .name = tt_printf(p->arena, "%s-%s-%d", d->name, step->subject.name, step->subject.slot),
        .zone = step->zone,
        .state = TT_SERVER_RUNNING,
        .health = TT_HEALTH_PASSING,
        .template = spec->template,
        .size = spec->size,
        .firewalls = spec->firewalls,
        .key = spec->key,
        .network = spec->network,
        .private_address =
            tt_printf(p->arena, "10.%d.%d.%d", 200 + p->run, index / 250, index % 250 + 1),
        .public_address =
            tt_printf(p->arena, "198.%d.%d.%d", 18 + 2 * p->run, index / 250, index % 250 + 1),
        .created_at = p->world.taken_at,
        .tags = {.owner = p->desired->owner,
                 .deployment = d->name,
                 .slot = step->subject.slot,
                 .spec = tt_server_spec_hash(p->arena, spec)},
    };
    if (step->subject.kind == TT_SUBJECT_LOAD_BALANCER)
        server->tags.balancer = step->subject.name;
    else
        server->tags.service = step->subject.name;
    p->made[index] = server->id;
    if (step->subject.kind == TT_SUBJECT_LOAD_BALANCER)
        *TT_VEC_ADD(p->arena, &region->pools) =
            (struct tt_pool){.machine = server->id,
                             .listeners = tt_deployment_balancer(d, step->subject.name)->listeners};
}

static struct tt_server *subject_server(struct tt_playground *p, const struct tt_step *step)
{
    const char *id = step->server;

    if (!id)
        id = made_for(p, step->subject.kind, step->subject.deployment, step->subject.name,
                      step->subject.slot);
    if (id)
        TT_EACH (account, &p->world.accounts)
            TT_EACH (region, &account->regions)
                if (tt_region_server(region, id))
                    return tt_playground_server(region, id);
    return NULL;
}

static struct tt_pool *pool_of(struct tt_playground *p, const struct tt_step *step)
{
    const char *machine = step->machine;
    struct tt_pool *pool;

    if (!machine)
        machine =
            made_for(p, TT_SUBJECT_LOAD_BALANCER, step->subject.deployment, step->balancer, -1);
    if (!machine)
        return NULL;
    TT_EACH (account, &p->world.accounts)
        TT_EACH (region, &account->regions) {
            if (!tt_region_server(region, machine))
                continue;
            pool = tt_playground_pool(region, machine);
            if (!pool) {
                pool = TT_VEC_ADD(p->arena, &region->pools);
                *pool = (struct tt_pool){.machine = machine};
            }
            return pool;
        }
    return NULL;
}

static int port_of(struct tt_playground *p, const struct tt_step *step)
{
    const struct tt_deployment *d = tt_desired_deployment(p->desired, step->subject.deployment);

    return tt_deployment_service(d, step->subject.name)->port;
}

/* IP:PORT as the balancer reaches the member. */
static const char *address_of(struct tt_playground *p, const struct tt_step *step)
{
    const struct tt_server *server = subject_server(p, step);
    bool same = false;

    if (step->address)
        return step->address;
    TT_EACH (account, &p->world.accounts)
        TT_EACH (region, &account->regions)
            if (server && tt_region_server(region, server->id) == server)
                same = strcmp(account->name, step->account) == 0 &&
                       strcmp(region->name, step->region) == 0;
    return server ? tt_printf(p->arena, "%s:%d",
                              same ? server->private_address : server->public_address,
                              port_of(p, step))
                  : NULL;
}

#define REMOVE_AT(list, item)                                                                      \
    do {                                                                                           \
        size_t at_ = (size_t)((item) - (list)->items);                                             \
        memmove(&(list)->items[at_], &(list)->items[at_ + 1],                                      \
                ((list)->count - at_ - 1) * sizeof(*(list)->items));                               \
        (list)->count--;                                                                           \
    } while (0)

static void leave_cloud(struct tt_cloud_balancer *cloud, const char *server)
{
    TT_EACH (member, &cloud->members)
        if (tt_streq(member->server, server)) {
            REMOVE_AT(&cloud->members, member);
            return;
        }
}

static void leave_pool(struct tt_pool *pool, const char *address)
{
    TT_EACH (member, &pool->members) {
        char text[128];

        snprintf(text, sizeof(text), "%s:%d", member->address, member->port);
        if (tt_streq(text, address)) {
            REMOVE_AT(&pool->members, member);
            return;
        }
    }
}

static void enroll(struct tt_playground *p, const struct tt_step *step)
{
    struct tt_cloud_balancer *cloud = cloud_of(p, step);
    const struct tt_server *server = subject_server(p, step);
    struct tt_pool *pool = cloud ? NULL : pool_of(p, step);
    const char *address;

    if (cloud && server) {
        leave_cloud(cloud, server->id);
        *TT_VEC_ADD(p->arena, &cloud->members) =
            (struct tt_member){.server = server->id, .state = TT_MEMBER_IN_SERVICE};
    }
    address = pool ? address_of(p, step) : NULL;
    if (address) {
        leave_pool(pool, address);
        *TT_VEC_ADD(p->arena, &pool->members) = (struct tt_pool_member){
            .service = tt_printf(p->arena, "%s.%s", step->subject.deployment, step->subject.name),
            .address = tt_strndup(p->arena, address, strcspn(address, ":")),
            .port = port_of(p, step),
            .state = TT_MEMBER_IN_SERVICE,
        };
    }
}

static void withdraw(struct tt_playground *p, const struct tt_step *step)
{
    struct tt_cloud_balancer *cloud = cloud_of(p, step);
    struct tt_pool *pool = cloud ? NULL : pool_of(p, step);

    if (cloud)
        leave_cloud(cloud, step->server);
    if (pool)
        leave_pool(pool, step->address);
}

static void delete_machine(struct tt_playground *p, const struct tt_step *step)
{
    struct tt_region *region = tt_playground_region(p, step->account, step->region);

    TT_EACH (server, &region->servers)
        if (tt_streq(server->id, step->server)) {
            REMOVE_AT(&region->servers, server);
            break;
        }
    TT_EACH (pool, &region->pools)
        if (tt_streq(pool->machine, step->server)) {
            REMOVE_AT(&region->pools, pool);
            break;
        }
    TT_EACH (address, &region->addresses)
        if (tt_streq(address->server, step->server))
            address->server = NULL;
}

static void move_address(struct tt_playground *p, const struct tt_step *step)
{
    const struct tt_balancer *balancer = balancer_of(p, step);
    struct tt_region *region = tt_playground_region(p, step->account, step->region);

    TT_EACH (address, &region->addresses)
        if (tt_streq(address->address, balancer->address))
            address->server = step->machine
                                  ? step->machine
                                  : made_for(p, TT_SUBJECT_LOAD_BALANCER, step->subject.deployment,
                                             step->balancer, -1);
}

/* A cloud's listeners name the port of the members. */
static const struct tt_listeners *resolved_listeners(struct tt_playground *p,
                                                     const struct tt_balancer *balancer)
{
    struct tt_listeners *listeners = tt_copy_listeners(p->arena, balancer->listeners);

    TT_EACH (listener, listeners)
        TT_EACH (service, &balancer->deployment->services)
            if (!listener->target_port && tt_service_is_behind(*service, balancer))
                listener->target_port = (*service)->port;
    return listeners;
}

static const struct tt_health_check *wanted_health(const struct tt_balancer *balancer)
{
    if (balancer->health)
        return balancer->health;
    TT_EACH (service, &balancer->deployment->services)
        if ((*service)->health && tt_service_is_behind(*service, balancer))
            return (*service)->health;
    return NULL;
}

void tt_playground_step(struct tt_playground *p, int index)
{
    const struct tt_step *step = &p->plan->steps.items[index];
    struct tt_cloud_balancer *cloud = cloud_of(p, step);
    struct tt_server *server;

    switch (step->action) {
    case TT_STEP_CREATE_SERVER:
        create(p, step, index);
        break;
    case TT_STEP_START_SERVER:
        server = subject_server(p, step);
        server->state = TT_SERVER_RUNNING;
        server->health = TT_HEALTH_PASSING;
        if (!server->public_address)
            server->public_address =
                tt_printf(p->arena, "198.%d.%d.%d", 19 + 2 * p->run, index / 250, index % 250 + 1);
        break;
    case TT_STEP_DELETE_SERVER:
        delete_machine(p, step);
        break;
    case TT_STEP_ENROLL:
        enroll(p, step);
        break;
    case TT_STEP_WITHDRAW:
        withdraw(p, step);
        break;
    case TT_STEP_SET_ZONES:
        cloud->zones = step->zones;
        break;
    case TT_STEP_SET_LISTENERS:
        if (cloud)
            cloud->listeners = resolved_listeners(p, balancer_of(p, step));
        else
            pool_of(p, step)->listeners = balancer_of(p, step)->listeners;
        break;
    case TT_STEP_SET_HEALTH_CHECK:
        if (cloud)
            cloud->health = wanted_health(balancer_of(p, step));
        break;
    case TT_STEP_MOVE_ADDRESS:
        move_address(p, step);
        break;
    case TT_STEP_TAG:
        subject_server(p, step)->tags.slot = step->subject.slot;
        break;
    case TT_STEP_FENCE:
        break;
    }
}

static bool has_zone(const struct tt_cloud_balancer *cloud, const struct tt_server *server)
{
    return !cloud->zones || !cloud->zones->count || !server->zone ||
           tt_strings_has(cloud->zones, server->zone);
}

static void settle_region(struct tt_region *region)
{
    TT_EACH (server, &region->servers)
        if (server->state == TT_SERVER_PENDING) {
            server->state = TT_SERVER_RUNNING;
            server->health = TT_HEALTH_PASSING;
        }
    TT_EACH (cloud, &region->balancers)
        TT_EACH (member, &cloud->members) {
            const struct tt_server *server = tt_region_server(region, member->server);

            if (member->state != TT_MEMBER_DRAINING && server &&
                server->state == TT_SERVER_RUNNING && server->health != TT_HEALTH_FAILING &&
                has_zone(cloud, server))
                member->state = TT_MEMBER_IN_SERVICE;
        }
    TT_EACH (pool, &region->pools)
        TT_EACH (member, &pool->members)
            if (member->state != TT_MEMBER_DRAINING)
                member->state = TT_MEMBER_IN_SERVICE;
}

void tt_playground_settle(struct tt_playground *p)
{
    TT_EACH (account, &p->world.accounts)
        TT_EACH (region, &account->regions)
            settle_region(region);
}
