/*
 * Cloud balancers and elastic addresses of the simulated cloud. The balancers exist beforehand;
 * membership takes effect after a while, and leaving means draining first.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "providers/copy.h"
#include "providers/sim/cloud.h"

/* In, and the balancer found; what tt_sim_enter holds is given back when there is none. */
static int enter(struct tt_provider *provider, enum tt_call_member member, const char *region,
                 const char *name, struct sim_visit *ret_visit, struct sim_balancer **ret_balancer,
                 struct tt_error *err)
{
    struct sim_balancer *balancer;

    if (tt_sim_enter(provider, member, true, region, ret_visit, err) < 0)
        return -1;
    balancer = tt_sim_find_balancer(ret_visit->region, name);
    if (!balancer) {
        tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no cloud balancer %s", region, name);
        tt_sim_leave(ret_visit, -1, err);
        return -1;
    }
    *ret_balancer = balancer;
    return 0;
}

static int join(const struct sim_visit *visit, struct sim_balancer *balancer, const char *id,
                struct tt_error *err)
{
    const struct sim_server *server = tt_sim_find_server(visit->region, id);
    struct sim_member *member = tt_sim_find_member(balancer, id);

    if (!server || server->is.state == TT_SERVER_GONE)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", visit->region->name,
                       id);
    if (member && member->leaves_at == TT_TIME_UNKNOWN)
        return 0;
    if (!member)
        member = TT_VEC_ADD(&visit->sim->arena, &balancer->members);
    *member = (struct sim_member){
        .server = server->is.id,
        .serves_at = visit->now + visit->sim->options.into_service,
        .leaves_at = TT_TIME_UNKNOWN,
    };
    return 0;
}

int tt_sim_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                  const char *server, struct tt_error *err)
{
    struct sim_balancer *found;
    struct sim_visit visit;

    if (enter(provider, TT_CALL_ENROLL, region, balancer, &visit, &found, err) < 0)
        return -1;
    return tt_sim_leave(&visit, join(&visit, found, server, err), err);
}

int tt_sim_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                    const char *server, tt_time drain, struct tt_error *err)
{
    struct sim_balancer *found;
    struct sim_member *member;
    struct sim_visit visit;

    if (enter(provider, TT_CALL_WITHDRAW, region, balancer, &visit, &found, err) < 0)
        return -1;
    member = tt_sim_find_member(found, server);
    if (drain > visit.sim->options.drain)
        drain = visit.sim->options.drain;
    if (member && member->leaves_at == TT_TIME_UNKNOWN)
        member->leaves_at = visit.now + drain;
    return tt_sim_leave(&visit, 0, err);
}

static int check_zones(const struct sim_region *region, const struct tt_strings *zones,
                       struct tt_error *err)
{
    if (!zones->count)
        return tt_fail(err, TT_ERR_SPEC, "a cloud balancer needs at least one zone");
    TT_EACH (zone, zones)
        if (!tt_sim_find_zone(region, *zone))
            return tt_fail(err, TT_ERR_SPEC, "region %s has no zone %s", region->name, *zone);
    return 0;
}

int tt_sim_set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                     const struct tt_strings *zones, struct tt_error *err)
{
    struct sim_balancer *found;
    struct sim_visit visit;
    int result;

    if (enter(provider, TT_CALL_SET_ZONES, region, balancer, &visit, &found, err) < 0)
        return -1;
    result = check_zones(visit.region, zones, err);
    if (result == 0)
        found->zones = tt_copy_strings(&visit.sim->arena, zones);
    return tt_sim_leave(&visit, result, err);
}

static int check_listeners(const struct tt_listeners *listeners, struct tt_error *err)
{
    TT_EACH (listener, listeners) {
        if (listener->port < 1 || listener->port > 65535)
            return tt_fail(err, TT_ERR_SPEC, "a listener cannot have the port %d", listener->port);
        if (listener->target_port < 1 || listener->target_port > 65535)
            return tt_fail(err, TT_ERR_SPEC, "a listener cannot have the target port %d",
                           listener->target_port);
    }
    return 0;
}

int tt_sim_set_listeners(struct tt_provider *provider, const char *region, const char *balancer,
                         const struct tt_listeners *listeners, struct tt_error *err)
{
    struct sim_balancer *found;
    struct sim_visit visit;
    int result;

    if (enter(provider, TT_CALL_SET_LISTENERS, region, balancer, &visit, &found, err) < 0)
        return -1;
    result = check_listeners(listeners, err);
    if (result == 0)
        found->listeners = tt_copy_listeners(&visit.sim->arena, listeners);
    return tt_sim_leave(&visit, result, err);
}

int tt_sim_set_health_check(struct tt_provider *provider, const char *region, const char *balancer,
                            const struct tt_health_check *health, struct tt_error *err)
{
    struct sim_balancer *found;
    struct sim_visit visit;

    if (enter(provider, TT_CALL_SET_HEALTH_CHECK, region, balancer, &visit, &found, err) < 0)
        return -1;
    found->health = tt_copy_health_check(&visit.sim->arena, health);
    return tt_sim_leave(&visit, 0, err);
}

static int move(const struct sim_visit *visit, const char *address, const char *machine,
                struct tt_error *err)
{
    const struct sim_server *server = tt_sim_find_server(visit->region, machine);
    struct tt_elastic_address *found = NULL;

    TT_EACH (item, &visit->region->addresses)
        if (strcmp(item->address, address) == 0)
            found = item;
    if (!found)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no elastic address %s",
                       visit->region->name, address);
    if (!server || server->is.state == TT_SERVER_GONE)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", visit->region->name,
                       machine);
    if (server->is.state != TT_SERVER_RUNNING)
        return tt_fail(err, TT_ERR_CONFLICT, "machine %s is %s, an address needs a running one",
                       machine, tt_server_state_words[server->is.state]);
    found->server = server->is.id;
    return 0;
}

int tt_sim_move_address(struct tt_provider *provider, const char *region, const char *address,
                        const char *machine, struct tt_error *err)
{
    struct sim_visit visit;

    if (tt_sim_enter(provider, TT_CALL_MOVE_ADDRESS, true, region, &visit, err) < 0)
        return -1;
    return tt_sim_leave(&visit, move(&visit, address, machine, err), err);
}
