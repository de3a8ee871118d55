/*
 * Serving: counting, by the words of the design alone.
 */
#include "serving.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define MACHINES 64

const struct tt_service *tt_floor_service(struct tt_playground *p, const struct tt_floor *floor)
{
    return tt_deployment_service(tt_desired_deployment(p->desired, floor->deployment),
                                 floor->service);
}

const struct tt_balancer *tt_floor_balancer(struct tt_playground *p, const struct tt_floor *floor)
{
    return tt_deployment_balancer(tt_desired_deployment(p->desired, floor->deployment),
                                  floor->balancer);
}

static bool lives(const struct tt_server *server)
{
    return server->state == TT_SERVER_RUNNING && server->health != TT_HEALTH_FAILING;
}

static int count_cloud(struct tt_playground *p, const struct tt_service *service,
                       const struct tt_balancer *balancer)
{
    struct tt_region *region = tt_playground_region(p, balancer->account->name, balancer->region);
    const struct tt_cloud_balancer *cloud = tt_region_balancer(region, balancer->cloud_name);
    int count = 0;

    if (cloud)
        TT_EACH (member, &cloud->members) {
            const struct tt_server *server = tt_region_server(region, member->server);

            count += server && member->state == TT_MEMBER_IN_SERVICE && lives(server) &&
                     tt_playground_is_of(p, service, server) &&
                     (!cloud->zones || !server->zone || tt_strings_has(cloud->zones, server->zone));
        }
    return count;
}

/* The server behind an entry, at the address by which the balancer reaches it. */
static bool is_behind_entry(struct tt_playground *p, const struct tt_service *service,
                            const struct tt_balancer *balancer, const struct tt_pool_member *member)
{
    TT_EACH (account, &p->world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                bool same = strcmp(account->name, balancer->account->name) == 0 &&
                            strcmp(region->name, balancer->region) == 0;

                if (tt_playground_is_of(p, service, server) &&
                    tt_streq(same ? server->private_address : server->public_address,
                             member->address) &&
                    member->port == service->port)
                    return lives(server) &&
                           tt_balancer_covers(balancer, account->name, region->name);
            }
    return false;
}

static int count_pool(struct tt_playground *p, const struct tt_service *service,
                      const struct tt_balancer *balancer, const struct tt_pool *pool)
{
    char name[160];
    int count = 0;

    snprintf(name, sizeof(name), "%s.%s", service->deployment->name, service->name);
    if (pool)
        TT_EACH (member, &pool->members)
            count += member->state == TT_MEMBER_IN_SERVICE && tt_streq(member->service, name) &&
                     is_behind_entry(p, service, balancer, member);
    return count;
}

static int pool_size(struct tt_region *region, const char *machine)
{
    const struct tt_pool *pool = tt_playground_pool(region, machine);
    int count = 0;

    if (pool)
        TT_EACH (member, &pool->members)
            count += member->state == TT_MEMBER_IN_SERVICE;
    return count;
}

static bool is_deleted(struct tt_playground *p, const char *machine)
{
    TT_EACH (step, &p->plan->steps)
        if (step->action == TT_STEP_DELETE_SERVER && tt_streq(step->server, machine))
            return true;
    return false;
}

/* The machine that clients reach: the one with the address; else the old one while it
 * exists; at the start that is the fullest that does not boot, of equals the oldest. */
const char *tt_serving_machine(struct tt_playground *p, const struct tt_balancer *balancer,
                               const char *old)
{
    struct tt_server *machines[MACHINES];
    struct tt_region *regions[MACHINES];
    size_t count = tt_playground_machines(p, balancer, machines, regions, MACHINES);
    const struct tt_server *best = NULL;
    int most = 0;

    if (balancer->address)
        TT_EACH (address,
                 &tt_playground_region(p, balancer->account->name, balancer->region)->addresses)
            for (size_t i = 0; i < count; i++)
                if (strcmp(address->address, balancer->address) == 0 &&
                    tt_streq(address->server, machines[i]->id))
                    return machines[i]->id;
    for (size_t i = 0; i < count; i++)
        if (tt_streq(machines[i]->id, old))
            return old;
    if (old && balancer->address)
        return NULL; /* clients come to an address that no machine has */
    for (size_t i = 0; i < count; i++) {
        int size = pool_size(regions[i], machines[i]->id);

        /* Once the old machine is gone the one that stays has taken over, even an empty one. */
        if (old && is_deleted(p, machines[i]->id))
            size = -1;
        if (machines[i]->state == TT_SERVER_PENDING)
            size -= 100000; /* it boots: any other one is reached before it */
        if (!best || size > most || (size == most && machines[i]->created_at < best->created_at)) {
            most = size;
            best = machines[i];
        }
    }
    return best ? best->id : NULL;
}

int tt_serving_count(struct tt_playground *p, const struct tt_floor *floor, const char *old)
{
    const struct tt_service *service = tt_floor_service(p, floor);
    const struct tt_balancer *balancer = tt_floor_balancer(p, floor);
    struct tt_server *machines[MACHINES];
    struct tt_region *regions[MACHINES];
    const char *serving;
    size_t count;

    if (balancer->type == TT_BALANCER_CLOUD)
        return count_cloud(p, service, balancer);
    serving = tt_serving_machine(p, balancer, old);
    count = tt_playground_machines(p, balancer, machines, regions, MACHINES);
    for (size_t i = 0; i < count; i++)
        if (tt_streq(machines[i]->id, serving))
            return count_pool(p, service, balancer,
                              tt_playground_pool(regions[i], machines[i]->id));
    return 0;
}
