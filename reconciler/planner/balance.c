/*
 * Balance: the balancers' machines and settings.
 *
 * A vm-dynamic balancer has one machine. A crash in the middle of a replacement leaves two; then
 * the better one is the target and the plan goes on from there, as if it had made it itself.
 */
#include "reconciler/planner/balance.h"

#include <string.h>

#include "base/str.h"
#include "reconciler/planner/members.h"

#define HOUR (INT64_C(3600) * 1000)

static bool is_in_place(const struct tt_balancer_view *balancer, const struct tt_machine *machine)
{
    return strcmp(machine->account->name, balancer->spec->account->name) == 0 &&
           strcmp(machine->region->name, balancer->spec->region) == 0;
}

const struct tt_elastic_address *tt_balancer_address(const struct tt_balancer_view *balancer)
{
    if (balancer->spec->address)
        TT_EACH (address, &balancer->region->addresses)
            if (strcmp(address->address, balancer->spec->address) == 0)
                return address;
    return NULL;
}

static bool has_address(const struct tt_balancer_view *balancer, const struct tt_server *server)
{
    const struct tt_elastic_address *address = tt_balancer_address(balancer);

    return address && tt_streq(address->server, server->id);
}

static int count_in_service(const struct tt_machine *machine)
{
    const struct tt_pool *pool = tt_region_pool(machine->region, machine->server->id);
    int count = 0;

    if (pool)
        TT_EACH (member, &pool->members)
            count += member->state == TT_MEMBER_IN_SERVICE;
    return count;
}

/* How fit a machine is to be the target; the fields it differs in come back with it. */
static int fitness(const struct tt_view *view, const struct tt_balancer_view *balancer,
                   struct tt_machine *machine)
{
    if (!is_in_place(balancer, machine))
        return 0;
    machine->fields =
        tt_outdated_fields(view->arena, machine->server, &balancer->spec->server, &machine->reason);
    if (machine->healthy)
        return machine->fields ? 3 : 4;
    return machine->pending ? 2 : 1;
}

static bool boots(const struct tt_machine *machine)
{
    return machine->server->state == TT_SERVER_PENDING;
}

/* Of two machines without the address: clients are taken to reach one that does not boot, then the
 * one with the fuller pool, of equals the older one. prove.c has the same rule in its own words. */
static bool serves_before(const struct tt_machine *one, const struct tt_machine *other)
{
    int more = count_in_service(one) - count_in_service(other);

    if (boots(one) != boots(other))
        return boots(other);
    return more ? more > 0 : one->server->created_at < other->server->created_at;
}

/* The fittest machine; of equals the one that serves now. */
static struct tt_machine *choose_target(const struct tt_view *view,
                                        struct tt_balancer_view *balancer)
{
    struct tt_machine *best = NULL;
    int best_fitness = 0;

    TT_EACH (machine, &balancer->machines) {
        int fit = fitness(view, balancer, machine);
        bool better = fit > best_fitness;

        if (best && fit == best_fitness && fit > 0) {
            if (has_address(balancer, machine->server) != has_address(balancer, best->server))
                better = has_address(balancer, machine->server);
            else
                better = serves_before(machine, best);
        }
        if (better) {
            best = machine;
            best_fitness = fit;
        }
    }
    return best;
}

/* The machine that clients reach now. */
static const struct tt_machine *choose_serving(const struct tt_balancer_view *balancer)
{
    const struct tt_machine *best = NULL;

    TT_EACH (machine, &balancer->machines)
        if (has_address(balancer, machine->server))
            return machine;
    TT_EACH (machine, &balancer->machines)
        if (!best || serves_before(machine, best))
            best = machine;
    return best;
}

static int recent_recoveries(const struct tt_view *view, const struct tt_balancer_view *balancer)
{
    int count = 0;

    TT_EACH (recovery, &view->memory->recoveries)
        if (strcmp(recovery->deployment, balancer->deployment->name) == 0 &&
            strcmp(recovery->balancer, balancer->name) == 0 && view->now - recovery->at < HOUR)
            count++;
    return count;
}

static void limit_recovery(struct tt_view *view, struct tt_balancer_view *balancer)
{
    int recent = recent_recoveries(view, balancer);
    int limit = balancer->spec->recovery.max_per_hour;

    if (balancer->because == TT_BECAUSE_OUTDATED || recent < limit)
        return;
    balancer->held = true;
    tt_view_problem(view, TT_SEVERITY_WARNING, "recovery-limit",
                    tt_balancer_subject(view, balancer), &balancer->spec->mark,
                    "%s was replaced %d times within the last hour, maxPerHour is %d: its "
                    "replacement is held; find out why its machines fail",
                    balancer->name, recent, limit);
}

static bool template_exists(struct tt_view *view, struct tt_balancer_view *balancer)
{
    const struct tt_balancer *spec = balancer->spec;

    if (!balancer->region->templates || !spec->server.template ||
        tt_strings_has(balancer->region->templates, spec->server.template))
        return true;
    tt_view_problem(view, TT_SEVERITY_ERROR, "no-such-template",
                    tt_balancer_subject(view, balancer), &spec->mark,
                    "%s/%s has no template %s; its templates: %s", spec->account->name,
                    spec->region, spec->server.template,
                    tt_strings_join(view->arena, balancer->region->templates, "none"));
    return false;
}

/* A region that lists no zones has none to choose from. */
static bool zone_exists(struct tt_view *view, struct tt_balancer_view *balancer)
{
    TT_EACH (zone, &balancer->region->zones)
        if (zone->state == TT_ZONE_AVAILABLE)
            return true;
    if (!balancer->region->zones.count)
        return true;
    tt_view_problem(view, TT_SEVERITY_ERROR, "no-zone-available",
                    tt_balancer_subject(view, balancer), &balancer->spec->mark,
                    "no zone of %s/%s is available for the machine of %s",
                    balancer->spec->account->name, balancer->spec->region, balancer->name);
    return false;
}

static void plan_create(struct tt_view *view, struct tt_balancer_view *balancer,
                        const struct tt_machine *target)
{
    if (!template_exists(view, balancer) || !zone_exists(view, balancer)) {
        balancer->blocked = true;
        return;
    }
    balancer->create = true;
    balancer->target = NULL;
    if (target && target->healthy) {
        balancer->because = TT_BECAUSE_OUTDATED;
        balancer->fields = target->fields;
        balancer->reason = target->reason;
    } else if (target) {
        balancer->because = TT_BECAUSE_FAILED;
        balancer->reason = tt_printf(view->arena, "its machine %s failed",
                                     tt_machine_text(view->arena, target->server));
    } else {
        balancer->because = TT_BECAUSE_MISSING;
        balancer->reason = balancer->gone ? "its machine is gone" : "it has no machine yet";
    }
    if (target || balancer->gone || recent_recoveries(view, balancer))
        limit_recovery(view, balancer);
}

/* The machines beside the target go. */
static void retire_others(struct tt_view *view, struct tt_balancer_view *balancer,
                          const struct tt_machine *target)
{
    TT_EACH (machine, &balancer->machines) {
        if (machine == target && !balancer->create)
            continue;
        machine->fate = TT_FATE_REMOVE;
        if (machine->failed) {
            machine->because = TT_BECAUSE_FAILED;
            machine->reason =
                tt_printf(view->arena, "%s failed", tt_machine_text(view->arena, machine->server));
        } else if (!is_in_place(balancer, machine)) {
            machine->because = TT_BECAUSE_SURPLUS;
            machine->reason = tt_printf(view->arena, "%s belongs to %s/%s", balancer->name,
                                        balancer->spec->account->name, balancer->spec->region);
        } else if (machine->fields) {
            machine->because = TT_BECAUSE_OUTDATED;
        } else {
            machine->because = TT_BECAUSE_DUPLICATE;
            machine->reason = tt_printf(view->arena, "%s has another machine", balancer->name);
        }
    }
}

static bool same_algorithm(const struct tt_balancer *spec, const struct tt_listener *have)
{
    return !spec->has_algorithm || !have->algorithm || have->algorithm == 1 + (int)spec->algorithm;
}

static bool same_listeners(const struct tt_listeners *a, const struct tt_listeners *b,
                           const struct tt_balancer *spec)
{
    const struct tt_service *any = NULL;

    TT_EACH (service, &spec->deployment->services)
        if (!any && tt_service_is_behind(*service, spec))
            any = *service;
    if (a->count != b->count)
        return false;
    TT_EACH (want, a) {
        bool found = false;

        TT_EACH (have, b) {
            bool cloud = spec->type == TT_BALANCER_CLOUD;
            int target = want->target_port;

            if (cloud && !target)
                target = any ? any->port : have->target_port;
            found = found || (want->port == have->port && want->protocol == have->protocol &&
                              (target == have->target_port || (cloud && !have->target_port)) &&
                              same_algorithm(spec, have));
        }
        if (!found)
            return false;
    }
    return true;
}

const struct tt_health_check *tt_balancer_health(const struct tt_balancer *balancer)
{
    if (balancer->health)
        return balancer->health;
    TT_EACH (service, &balancer->deployment->services)
        if ((*service)->health && tt_service_is_behind(*service, balancer))
            return (*service)->health;
    return NULL;
}

static bool same_check(const struct tt_health_check *a, const struct tt_health_check *b)
{
    return a->http == b->http && tt_streq(a->path, b->path) && a->interval == b->interval &&
           a->timeout == b->timeout && a->unhealthy_after == b->unhealthy_after;
}

static void plan_pool_settings(struct tt_balancer_view *balancer, const struct tt_server *machine)
{
    const struct tt_pool *pool = tt_region_pool(balancer->region, machine->id);

    balancer->set_listeners =
        balancer->spec->listeners && pool && pool->listeners &&
        !same_listeners(balancer->spec->listeners, pool->listeners, balancer->spec);
}

/* True when the machine that is to replace an outdated one still boots: it is waited for. */
static bool has_successor(const struct tt_balancer_view *balancer)
{
    TT_EACH (machine, &balancer->machines)
        if (machine->pending && is_in_place(balancer, machine) && !machine->fields)
            return true;
    return false;
}

/* Members of SERVICE that would be lost by the switch: enrolled in the target, too, but not in
 * service there. Those that are missing there are enrolled before the switch. */
static int count_lost(struct tt_view *view, struct tt_balancer_view *balancer,
                      const struct tt_service_view *service, int *ret_serving)
{
    struct tt_link link = tt_link_of(view->arena, service, balancer);
    int lost = 0;

    *ret_serving = 0;
    TT_EACH (machine, &service->machines) {
        *ret_serving += tt_link_serves(&link, machine);
        lost += tt_link_is_lost(&link, machine);
    }
    return lost;
}

/* True when the switch to a target that exists already would let a service fall too low. */
static bool must_settle(struct tt_view *view, struct tt_balancer_view *balancer)
{
    TT_EACH (item, &balancer->deployment->services) {
        const struct tt_service_view *service = *item;
        int serving, lost, least;

        if (!service->spec || !tt_service_is_behind(service->spec, balancer->spec))
            continue;
        least = tt_service_count_behind(service->spec, balancer->spec) - service->unavailable;
        lost = count_lost(view, balancer, service, &serving);
        if (lost && serving - lost < (least < serving ? least : serving))
            return true;
    }
    return false;
}

static void balance_dynamic(struct tt_view *view, struct tt_balancer_view *balancer)
{
    struct tt_machine *target = choose_target(view, balancer);
    const struct tt_machine *serving = choose_serving(balancer);

    balancer->serving = serving ? serving->server : NULL;
    balancer->target = target ? target->server : NULL;
    if (balancer->blocked) {
        balancer->closed = true;
        return;
    }
    if (target && target->pending) {
        tt_view_pending(view, tt_balancer_subject(view, balancer), &balancer->spec->mark,
                        target->server, NULL);
        balancer->closed = true;
        return;
    }
    if (target && target->healthy && target->fields && has_successor(balancer)) {
        balancer->settling = serving != target; /* the successor has the address already */
        return;
    }
    if (!target || target->failed || target->fields)
        plan_create(view, balancer, target);
    if (balancer->blocked) {
        balancer->closed = true;
        return;
    }
    if (serving && balancer->target && serving != target && must_settle(view, balancer)) {
        balancer->settling = true;
        tt_view_problem(view, TT_SEVERITY_INFO, "waiting", tt_balancer_subject(view, balancer),
                        &balancer->spec->mark,
                        "%s waits for its members to come into service at %s before it leaves %s",
                        balancer->name, tt_machine_text(view->arena, balancer->target),
                        tt_machine_text(view->arena, balancer->serving));
        return;
    }
    retire_others(view, balancer, target);
    balancer->replaced = serving && balancer->serving != balancer->target;
    balancer->move_address =
        balancer->spec->address && (balancer->create || !has_address(balancer, balancer->target));
    if (!balancer->create)
        plan_pool_settings(balancer, balancer->target);
}

static void balance_cloud(struct tt_balancer_view *balancer)
{
    const struct tt_balancer *spec = balancer->spec;
    const struct tt_cloud_balancer *cloud = balancer->cloud;
    const struct tt_health_check *health = tt_balancer_health(spec);

    if (balancer->blocked)
        return;
    balancer->set_listeners = spec->listeners && cloud->listeners &&
                              !same_listeners(spec->listeners, cloud->listeners, spec);
    balancer->set_health = health && cloud->health && !same_check(health, cloud->health);
}

/* Stopped, or left Git: every machine goes, or stays as an orphan. */
static void balance_down(struct tt_view *view, struct tt_balancer_view *balancer)
{
    bool stopped = balancer->deployment->spec && balancer->spec;

    TT_EACH (machine, &balancer->machines) {
        if (!stopped && !balancer->deployment->prune)
            continue;
        machine->fate = TT_FATE_REMOVE;
        machine->because = stopped ? TT_BECAUSE_DEPLOYMENT_STOPPED : TT_BECAUSE_REMOVED;
        machine->reason = stopped
                              ? tt_printf(view->arena, "%s is stopped", balancer->deployment->name)
                              : tt_printf(view->arena, "%s left Git",
                                          balancer->deployment->spec ? balancer->name
                                                                     : balancer->deployment->name);
        balancer->serving = balancer->target = machine->server;
    }
}

void tt_balance(struct tt_view *view)
{
    TT_EACH (deployment, &view->deployments)
        TT_EACH (item, &(*deployment)->balancers) {
            struct tt_balancer_view *balancer = *item;

            if (balancer->fixed)
                balancer->serving = balancer->target = balancer->fixed;
            if (!balancer->spec || !(*deployment)->running)
                balance_down(view, balancer);
            else if (balancer->unseen)
                continue;
            else if (balancer->spec->type == TT_BALANCER_CLOUD)
                balance_cloud(balancer);
            else if (balancer->spec->type == TT_BALANCER_VM_DYNAMIC)
                balance_dynamic(view, balancer);
            else if (balancer->fixed && !balancer->blocked && !balancer->closed)
                plan_pool_settings(balancer, balancer->fixed);
        }
}
