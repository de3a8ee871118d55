/*
 * What people and misfortune do to the simulated cloud, behind the back of those who use it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "providers/copy.h"
#include "providers/sim/cloud.h"

static void must(bool there, const char *what, const char *name)
{
    if (there)
        return;
    fprintf(stderr, "sim: there is no %s %s\n", what, name);
    abort();
}

static struct sim_region *enter(struct tt_sim *sim, const char *account, const char *region)
{
    pthread_mutex_lock(&sim->mutex);
    tt_sim_settle(sim, sim->clock->now(sim->clock->self));
    return tt_sim_make_region(sim, account, region);
}

static void leave(struct tt_sim *sim)
{
    pthread_mutex_unlock(&sim->mutex);
}

static struct sim_server *server_of(const struct sim_region *region, const char *id)
{
    struct sim_server *server = tt_sim_find_server(region, id);

    must(server, "machine", id);
    return server;
}

static struct sim_balancer *balancer_of(const struct sim_region *region, const char *name)
{
    struct sim_balancer *balancer = tt_sim_find_balancer(region, name);

    must(balancer, "balancer", name);
    return balancer;
}

static struct sim_zone *zone_of(const struct sim_region *region, const char *name)
{
    struct sim_zone *zone = tt_sim_find_zone(region, name);

    must(zone, "zone", name);
    return zone;
}

void tt_sim_add_region(struct tt_sim *sim, const char *account, const char *region,
                       const char *const *zones)
{
    struct sim_region *made = enter(sim, account, region);

    for (size_t i = 0; zones[i]; i++)
        tt_sim_make_zone(sim, made, zones[i]);
    leave(sim);
}

void tt_sim_add_template(struct tt_sim *sim, const char *account, const char *region,
                         const char *template)
{
    struct sim_region *made = enter(sim, account, region);

    if (!made->templates)
        made->templates = TT_NEW(&sim->arena, struct tt_strings);
    tt_strings_add(&sim->arena, made->templates, tt_strdup(&sim->arena, template));
    leave(sim);
}

void tt_sim_add_balancer(struct tt_sim *sim, const char *account, const char *region,
                         const char *name, const char *const *zones)
{
    struct sim_region *place = enter(sim, account, region);
    struct sim_balancer *balancer = TT_NEW(&sim->arena, struct sim_balancer);
    struct tt_strings *enabled = TT_NEW(&sim->arena, struct tt_strings);

    if (zones)
        for (size_t i = 0; zones[i]; i++)
            tt_strings_add(&sim->arena, enabled, tt_strdup(&sim->arena, zones[i]));
    else
        TT_EACH (zone, &place->zones)
            tt_strings_add(&sim->arena, enabled, zone->name);
    balancer->id = balancer->name = tt_strdup(&sim->arena, name);
    balancer->zones = enabled;
    *TT_VEC_ADD(&sim->arena, &place->balancers) = balancer;
    leave(sim);
}

void tt_sim_add_address(struct tt_sim *sim, const char *account, const char *region,
                        const char *address)
{
    struct sim_region *place = enter(sim, account, region);

    *TT_VEC_ADD(&sim->arena, &place->addresses) =
        (struct tt_elastic_address){.address = tt_strdup(&sim->arena, address)};
    leave(sim);
}

const char *tt_sim_add_machine(struct tt_sim *sim, const char *account, const char *region,
                               const char *zone, const char *name)
{
    struct sim_region *place = enter(sim, account, region);
    struct sim_server *server;

    tt_sim_make_zone(sim, place, zone);
    server = tt_sim_make_server(sim, tt_sim_find_account(sim, account), place);
    server->is.name = tt_strdup(&sim->arena, name);
    server->is.zone = tt_sim_find_zone(place, zone)->name;
    server->is.state = TT_SERVER_RUNNING;
    server->is.created_at = sim->clock->now(sim->clock->self);
    leave(sim);
    return server->is.id;
}

void tt_sim_add_member(struct tt_sim *sim, const char *account, const char *region,
                       const char *balancer, const char *server)
{
    struct sim_region *place = enter(sim, account, region);
    struct sim_balancer *found = balancer_of(place, balancer);

    tt_sim_drop_member(found, server);
    *TT_VEC_ADD(&sim->arena, &found->members) =
        (struct sim_member){.server = server_of(place, server)->is.id,
                            .serves_at = TT_TIME_UNKNOWN,
                            .leaves_at = TT_TIME_UNKNOWN};
    leave(sim);
}

void tt_sim_remove_member(struct tt_sim *sim, const char *account, const char *region,
                          const char *balancer, const char *server)
{
    tt_sim_drop_member(balancer_of(enter(sim, account, region), balancer), server);
    leave(sim);
}

void tt_sim_set_balancer_zones(struct tt_sim *sim, const char *account, const char *region,
                               const char *balancer, const struct tt_strings *zones)
{
    balancer_of(enter(sim, account, region), balancer)->zones = tt_copy_strings(&sim->arena, zones);
    leave(sim);
}

void tt_sim_release_address(struct tt_sim *sim, const char *account, const char *region,
                            const char *address)
{
    struct sim_region *place = enter(sim, account, region);

    TT_EACH (found, &place->addresses)
        if (tt_streq(found->address, address))
            found->server = NULL;
    leave(sim);
}

void tt_sim_set_zone_state(struct tt_sim *sim, const char *account, const char *region,
                           const char *zone, enum tt_zone_state state)
{
    zone_of(enter(sim, account, region), zone)->state = state;
    leave(sim);
}

void tt_sim_set_capacity(struct tt_sim *sim, const char *account, const char *region,
                         const char *zone, int limit)
{
    zone_of(enter(sim, account, region), zone)->capacity = limit;
    leave(sim);
}

void tt_sim_set_reachable(struct tt_sim *sim, const char *account, const char *region,
                          bool reachable)
{
    enter(sim, account, region)->unreachable = !reachable;
    leave(sim);
}

void tt_sim_set_server_state(struct tt_sim *sim, const char *account, const char *region,
                             const char *server, enum tt_server_state state)
{
    struct sim_region *place = enter(sim, account, region);
    struct sim_server *found = server_of(place, server);
    tt_time now = sim->clock->now(sim->clock->self);

    if (state == TT_SERVER_GONE)
        tt_sim_end_server(place, found, now);
    else
        found->is.state = state;
    found->running_at = now + sim->options.boot;
    tt_sim_settle(sim, now);
    leave(sim);
}

void tt_sim_set_health(struct tt_sim *sim, const char *account, const char *region,
                       const char *server, enum tt_health health)
{
    server_of(enter(sim, account, region), server)->is.health = health;
    leave(sim);
}

void tt_sim_set_tags(struct tt_sim *sim, const char *account, const char *region,
                     const char *server, const struct tt_tags *tags)
{
    struct sim_server *found = server_of(enter(sim, account, region), server);

    found->is.tags = tt_copy_tags(&sim->arena, tags);
    found->tags_seen_at = TT_TIME_UNKNOWN;
    leave(sim);
}

void tt_sim_forget_pool(struct tt_sim *sim, const char *account, const char *region,
                        const char *machine)
{
    server_of(enter(sim, account, region), machine)->pool.members.count = 0;
    leave(sim);
}

void tt_sim_set_agent(struct tt_sim *sim, const char *account, const char *region,
                      const char *machine, int exit_code)
{
    server_of(enter(sim, account, region), machine)->agent_exit = exit_code;
    leave(sim);
}
