/*
 * Resolve: what the world has for each balancer of Git, and what of the world was not seen.
 */
#include "reconciler/planner/resolve.h"

#include <string.h>

#include "base/str.h"

static const char *existing_balancers(struct tt_view *view, const struct tt_region *region)
{
    struct tt_strings names = {0};

    TT_EACH (balancer, &region->balancers)
        tt_strings_add(view->arena, &names, balancer->name ? balancer->name : balancer->id);
    return tt_strings_join(view->arena, &names, "none");
}

const struct tt_server *tt_resolve_machine(const struct tt_region *region, const char *name)
{
    const struct tt_server *server = tt_region_server(region, name);

    if (server && server->state != TT_SERVER_GONE)
        return server;
    TT_EACH (other, &region->servers)
        if (tt_streq(other->name, name) && other->state != TT_SERVER_GONE)
            return other;
    return NULL;
}

static void resolve_cloud(struct tt_view *view, struct tt_balancer_view *balancer)
{
    const struct tt_balancer *spec = balancer->spec;

    balancer->cloud = tt_region_balancer(balancer->region, spec->cloud_name);
    if (!balancer->deployment->running)
        return;
    if (!balancer->cloud) {
        balancer->blocked = true;
        tt_view_problem(view, TT_SEVERITY_ERROR, "no-such-cloud-balancer",
                        tt_balancer_subject(view, balancer), &spec->mark,
                        "%s/%s has no cloud balancer %s: provision it first, or name one of those "
                        "that exist: %s",
                        spec->account->name, spec->region, spec->cloud_name,
                        existing_balancers(view, balancer->region));
    }
    TT_EACH (zone, &spec->zones) {
        if (tt_region_zone(balancer->region, *zone))
            continue;
        balancer->blocked = true;
        tt_view_problem(view, TT_SEVERITY_ERROR, "no-such-zone",
                        tt_balancer_subject(view, balancer), &spec->mark,
                        "%s/%s has no zone %s; its zones: %s", spec->account->name, spec->region,
                        *zone, tt_region_zones_text(view->arena, balancer->region));
    }
}

static void resolve_static(struct tt_view *view, struct tt_balancer_view *balancer)
{
    const struct tt_balancer *spec = balancer->spec;
    const struct tt_server *machine = tt_resolve_machine(balancer->region, spec->machine);

    balancer->fixed = machine;
    if (!balancer->deployment->running)
        return;
    if (!machine) {
        balancer->blocked = true;
        tt_view_problem(view, TT_SEVERITY_ERROR, "no-such-machine",
                        tt_balancer_subject(view, balancer), &spec->mark,
                        "%s/%s has no machine with the id or name %s", spec->account->name,
                        spec->region, spec->machine);
        return;
    }
    balancer->closed = machine->state != TT_SERVER_RUNNING || machine->health == TT_HEALTH_FAILING;
    if (balancer->closed && machine->state != TT_SERVER_PENDING)
        tt_view_problem(view, TT_SEVERITY_WARNING, "balancer-failed-static",
                        tt_balancer_subject(view, balancer), &spec->mark,
                        "machine %s of the vm-static balancer %s is %s and is not replaced: repair "
                        "it, or use type vm-dynamic, which recovers by itself",
                        tt_machine_text(view->arena, machine), balancer->name,
                        machine->state == TT_SERVER_RUNNING
                            ? "failing its health check"
                            : tt_server_state_words[machine->state]);
}

static void resolve_address(struct tt_view *view, struct tt_balancer_view *balancer)
{
    const struct tt_balancer *spec = balancer->spec;

    if (!spec->address || !balancer->deployment->running)
        return;
    TT_EACH (address, &balancer->region->addresses)
        if (strcmp(address->address, spec->address) == 0)
            return;
    balancer->blocked = true;
    tt_view_problem(view, TT_SEVERITY_ERROR, "no-such-address", tt_balancer_subject(view, balancer),
                    &spec->mark, "%s/%s has no elastic address %s: allocate it first",
                    spec->account->name, spec->region, spec->address);
}

void tt_resolve_balancer(struct tt_view *view, struct tt_balancer_view *balancer)
{
    const struct tt_balancer *spec = balancer->spec;

    if (!spec)
        return;
    balancer->account = tt_world_account(view->world, spec->account->name);
    balancer->region = tt_view_region(view, spec->account->name, spec->region);
    if (!balancer->region) {
        balancer->unseen = true;
        return;
    }
    if (spec->type == TT_BALANCER_CLOUD)
        resolve_cloud(view, balancer);
    else if (spec->type == TT_BALANCER_VM_STATIC)
        resolve_static(view, balancer);
    else
        resolve_address(view, balancer);
}

/* --- what cannot be seen -------------------------------------------------------------------- */

static bool is_used(const struct tt_view *view, const char *account, const char *region)
{
    TT_EACH (deployment, &view->desired->deployments) {
        TT_EACH (service, &(*deployment)->services)
            TT_EACH (placement, &(*service)->placements)
                if (strcmp(placement->account->name, account) == 0 &&
                    strcmp(placement->region, region) == 0)
                    return true;
        TT_EACH (balancer, &(*deployment)->balancers)
            if (strcmp((*balancer)->account->name, account) == 0 &&
                strcmp((*balancer)->region, region) == 0)
                return true;
    }
    return false;
}

void tt_resolve_unseen(struct tt_view *view)
{
    TT_EACH (account, &view->desired->accounts)
        TT_EACH (name, &(*account)->regions) {
            const struct tt_region *region = tt_world_region(view->world, (*account)->name, *name);

            if (region ? region->observed : !is_used(view, (*account)->name, *name))
                continue;
            tt_view_problem(
                view, TT_SEVERITY_WARNING, "region-unreachable",
                tt_printf(view->arena, "Account/%s/%s", (*account)->name, *name), &(*account)->mark,
                "%s/%s was not observed (%s): nothing is planned there", (*account)->name, *name,
                region && region->error ? region->error : "it is not in the snapshot");
        }
}
