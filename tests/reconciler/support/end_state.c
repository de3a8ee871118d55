/*
 * End state: placements, spread, freshness, memberships, balancers.
 */
#include "end_state.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct end {
    struct tt_playground *p;
    const struct tt_deployment *deployment;
    const struct tt_service *service;
    const struct tt_placement *placement;
    const struct tt_region *region;
    struct tt_error *err;
};

static int fail(const struct end *e, const char *what, const char *which)
{
    return tt_fail(e->err, TT_ERR_INTERNAL, "in the end %s/%s: %s %s", e->deployment->name,
                   e->service ? e->service->name : "*", what, which ? which : "-");
}

/* Everything was in reach, and nothing keeps its present state for a reason. */
static bool is_within_reach(const struct tt_playground *p)
{
    TT_EACH (account, &p->world.accounts)
        TT_EACH (region, &account->regions) {
            if (!region->observed)
                return false;
            TT_EACH (server, &region->servers)
                if (server->state == TT_SERVER_PENDING)
                    return false;
        }
    TT_EACH (problem, &p->plan->problems)
        if (problem->severity != TT_SEVERITY_INFO || strcmp(problem->code, "waiting") == 0)
            return false;
    TT_EACH (step, &p->plan->steps)
        if (step->held)
            return false;
    return true;
}

static bool is_of(const struct end *e, const struct tt_server *server)
{
    return server->state != TT_SERVER_GONE && tt_streq(server->tags.owner, e->p->desired->owner) &&
           tt_streq(server->tags.deployment, e->deployment->name);
}

static bool is_of_service(const struct end *e, const struct tt_server *server)
{
    return tt_playground_is_of(e->p, e->service, server);
}

/* --- one server ------------------------------------------------------------------------------ */

static bool is_allowed_zone(const struct end *e, const char *zone)
{
    if (e->placement->zones.count && !tt_strings_has(&e->placement->zones, zone))
        return false;
    TT_EACH (item, &e->service->balancers)
        if ((*item)->scope == TT_SCOPE_DATA_CENTER &&
            tt_balancer_covers(*item, e->placement->account->name, e->placement->region) &&
            !tt_strings_has(&(*item)->zones, zone))
            return false;
    return true;
}

static bool differs(const char *wanted, const char *found)
{
    return wanted && found && strcmp(wanted, found) != 0;
}

static bool is_outdated(const struct tt_server_spec *wanted, const struct tt_server *server)
{
    return differs(wanted->template, server->template) || differs(wanted->size, server->size) ||
           differs(wanted->key, server->key) || differs(wanted->network, server->network) ||
           (wanted->firewalls && server->firewalls &&
            !tt_strings_equal_sets(wanted->firewalls, server->firewalls));
}

static bool is_cloud_member(const struct tt_region *region, const struct tt_balancer *b,
                            const struct tt_server *server)
{
    const struct tt_cloud_balancer *cloud = tt_region_balancer(region, b->cloud_name);

    if (cloud)
        TT_EACH (member, &cloud->members)
            if (strcmp(member->server, server->id) == 0)
                return true;
    return false;
}

static bool is_pool_member(const struct end *e, const struct tt_region *region,
                           const struct tt_balancer *b, const struct tt_server *server)
{
    struct tt_server *machines[8];
    struct tt_region *regions[8];
    size_t count = tt_playground_machines(e->p, b, machines, regions, 8);
    const char *address = region == e->region ? server->private_address : server->public_address;
    char service[160];

    snprintf(service, sizeof(service), "%s.%s", e->deployment->name, e->service->name);
    for (size_t i = 0; i < count; i++) {
        const struct tt_pool *pool = tt_playground_pool(regions[i], machines[i]->id);

        if (pool)
            TT_EACH (member, &pool->members)
                if (strcmp(member->service, service) == 0 && tt_streq(member->address, address) &&
                    member->port == e->service->port)
                    return true;
    }
    return false;
}

static int check_server(const struct end *e, const struct tt_server *server)
{
    if (server->state != TT_SERVER_RUNNING || server->health == TT_HEALTH_FAILING)
        return fail(e, "a server is not healthy:", server->id);
    if (server->zone && !is_allowed_zone(e, server->zone))
        return fail(e, "a server is outside its zones:", server->id);
    if (is_outdated(&e->placement->server, server))
        return fail(e, "a server is outdated:", server->id);
    TT_EACH (item, &e->service->balancers) {
        const struct tt_balancer *b = *item;
        const struct tt_region *own = tt_playground_region(e->p, b->account->name, b->region);

        if (!tt_balancer_covers(b, e->placement->account->name, e->placement->region))
            continue;
        if (!(b->type == TT_BALANCER_CLOUD ? is_cloud_member(own, b, server)
                                           : is_pool_member(e, own, b, server)))
            return fail(e, "a server is not enrolled:", server->id);
    }
    return 0;
}

/* --- one placement ---------------------------------------------------------------------------- */

/* "Counts differ by at most one." */
static int check_spread(const struct end *e)
{
    int least = INT32_MAX, most = 0;

    TT_EACH (zone, &e->region->zones) {
        int count = 0;

        if (!is_allowed_zone(e, zone->name))
            continue;
        TT_EACH (server, &e->region->servers)
            count += is_of_service(e, server) && tt_streq(server->zone, zone->name);
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    return most - least > 1 ? fail(e, "the spread is uneven in", e->region->name) : 0;
}

static int check_placement(const struct end *e)
{
    int count = 0;

    TT_EACH (server, &e->region->servers) {
        if (!is_of_service(e, server))
            continue;
        count++;
        if (check_server(e, server) < 0)
            return -1;
        TT_EACH (other, &e->region->servers)
            if (other < server && server->tags.slot >= 0 && is_of_service(e, other) &&
                other->tags.slot == server->tags.slot)
                return fail(e, "two servers fill one slot:", server->id);
    }
    if (count != e->placement->count)
        return fail(e, "the count is wrong in", e->region->name);
    return check_spread(e);
}

static const struct tt_placement *find_placement(const struct tt_service *service,
                                                 const char *account, const char *region)
{
    TT_EACH (placement, &service->placements)
        if (strcmp(placement->account->name, account) == 0 &&
            strcmp(placement->region, region) == 0)
            return placement;
    return NULL;
}

static int check_service(struct end *e)
{
    TT_EACH (account, &e->p->world.accounts)
        TT_EACH (region, &account->regions) {
            e->region = region;
            e->placement = find_placement(e->service, account->name, region->name);
            if (e->placement) {
                if (check_placement(e) < 0)
                    return -1;
                continue;
            }
            TT_EACH (server, &region->servers)
                if (is_of_service(e, server))
                    return fail(e, "a server is in no placement:", server->id);
        }
    return 0;
}

/* --- balancers ------------------------------------------------------------------------------ */

static int check_machine(const struct end *e, const struct tt_balancer *b)
{
    struct tt_server *machines[8];
    struct tt_region *regions[8];
    size_t count = tt_playground_machines(e->p, b, machines, regions, 8);

    if (count != 1)
        return fail(e, "there is not one machine of", b->name);
    if (machines[0]->state != TT_SERVER_RUNNING || machines[0]->health == TT_HEALTH_FAILING ||
        is_outdated(&b->server, machines[0]))
        return fail(e, "failed or outdated is the machine of", b->name);
    if (b->address)
        TT_EACH (address, &regions[0]->addresses)
            if (strcmp(address->address, b->address) == 0 &&
                !tt_streq(address->server, machines[0]->id))
                return fail(e, "the address does not reach the machine of", b->name);
    return 0;
}

/* Members of a cloud balancer that are ours are wanted there. */
static int check_members(const struct end *e, const struct tt_balancer *b,
                         const struct tt_region *region, const struct tt_cloud_balancer *cloud)
{
    TT_EACH (member, &cloud->members) {
        const struct tt_server *server = tt_region_server(region, member->server);
        const struct tt_service *service =
            server && is_of(e, server) && server->tags.service
                ? tt_deployment_service(e->deployment, server->tags.service)
                : NULL;

        if (service && !tt_service_is_behind(service, b))
            return fail(e, "an unwanted member stays:", member->server);
    }
    return 0;
}

/* A zone stays for an orphan that serves in it. */
static bool serves_orphan(const struct end *e, const struct tt_region *region,
                          const struct tt_cloud_balancer *cloud, const char *zone)
{
    TT_EACH (member, &cloud->members) {
        const struct tt_server *server = tt_region_server(region, member->server);

        if (server && tt_streq(server->zone, zone) && is_of(e, server) && server->tags.service &&
            !tt_deployment_service(e->deployment, server->tags.service))
            return !e->deployment->prune;
    }
    return false;
}

static bool has_its_zones(const struct end *e, const struct tt_balancer *b,
                          const struct tt_region *region, const struct tt_cloud_balancer *cloud)
{
    TT_EACH (zone, &b->zones)
        if (!tt_strings_has(cloud->zones, *zone))
            return false;
    TT_EACH (zone, cloud->zones)
        if (!tt_strings_has(&b->zones, *zone) && !serves_orphan(e, region, cloud, *zone))
            return false;
    return true;
}

static int check_cloud(const struct end *e, const struct tt_balancer *b)
{
    const struct tt_region *region = tt_playground_region(e->p, b->account->name, b->region);
    const struct tt_cloud_balancer *cloud = tt_region_balancer(region, b->cloud_name);

    if (!cloud)
        return fail(e, "there is no cloud balancer", b->name);
    if (b->scope == TT_SCOPE_DATA_CENTER && cloud->zones && !has_its_zones(e, b, region, cloud))
        return fail(e, "the zones are wrong of", b->name);
    return check_members(e, b, region, cloud);
}

static int check_stopped(const struct end *e)
{
    TT_EACH (account, &e->p->world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                if (is_of(e, server))
                    return fail(e, "it is stopped and there is still", server->id);
    return 0;
}

int tt_end_state_check(struct tt_playground *p, struct tt_error *err)
{
    if (!is_within_reach(p))
        return 0;
    TT_EACH (deployment, &p->desired->deployments) {
        struct end e = {.p = p, .deployment = *deployment, .err = err};

        if (!e.deployment->running) {
            if (e.deployment->prune && check_stopped(&e) < 0)
                return -1;
            continue;
        }
        TT_EACH (balancer, &e.deployment->balancers)
            if (((*balancer)->type == TT_BALANCER_VM_DYNAMIC && check_machine(&e, *balancer) < 0) ||
                ((*balancer)->type == TT_BALANCER_CLOUD && check_cloud(&e, *balancer) < 0))
                return -1;
        TT_EACH (service, &e.deployment->services) {
            e.service = *service;
            if (check_service(&e) < 0)
                return -1;
        }
    }
    return 0;
}
