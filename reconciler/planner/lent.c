/*
 * Lent: from what memory has to the machines that are to be given back.
 */
#include "reconciler/planner/lent.h"

#include <string.h>

#include "base/str.h"
#include "reconciler/planner/members.h"

const char *tt_lent_deployment(struct tt_arena *arena, const struct tt_lent_member *lent)
{
    return tt_strndup(arena, lent->member.service, strcspn(lent->member.service, "."));
}

const struct tt_server *tt_lent_machine(const struct tt_view *view,
                                        const struct tt_told_member *member)
{
    const struct tt_region *region = tt_desired_account(view->desired, member->account)
                                         ? tt_view_region(view, member->account, member->region)
                                         : NULL;
    const struct tt_server *server = region ? tt_region_find_server(region, member->machine) : NULL;

    return server && server->state != TT_SERVER_GONE ? server : NULL;
}

static bool is_in(const struct tt_pool *pool, const struct tt_told_member *member)
{
    TT_EACH (entry, &pool->members)
        if (entry->port == member->port && tt_streq(entry->service, member->service) &&
            tt_streq(entry->address, member->address))
            return true;
    return false;
}

bool tt_lent_has(const struct tt_view *view, const struct tt_balancer_view *balancer,
                 const struct tt_pool_member *entry)
{
    TT_EACH (lent, &view->memory->lent) {
        const struct tt_told_member *member = &lent->member;

        if (member->port == entry->port && tt_streq(member->service, entry->service) &&
            tt_streq(member->address, entry->address) &&
            tt_lent_machine(view, member) == balancer->fixed)
            return true;
    }
    return false;
}

static struct tt_deployment_view *deployment_of(const struct tt_view *view,
                                                const struct tt_lent_member *lent)
{
    size_t length = strcspn(lent->member.service, ".");

    TT_EACH (deployment, &view->deployments)
        if (strncmp((*deployment)->name, lent->member.service, length) == 0 &&
            !(*deployment)->name[length])
            return *deployment;
    return NULL;
}

/* A LoadBalancer that names the machine looks after all that DEPLOYMENT has there. */
static bool is_named(const struct tt_deployment_view *deployment, const struct tt_server *machine)
{
    TT_EACH (balancer, &deployment->balancers)
        if ((*balancer)->fixed == machine)
            return true;
    return false;
}

/* Its LoadBalancer has another machine now, which cannot take the members over yet. */
static bool is_waiting(const struct tt_balancer_view *successor)
{
    return successor && successor->spec &&
           (successor->unseen || successor->blocked || successor->closed);
}

static bool is_closed(const struct tt_server *machine)
{
    return machine->state != TT_SERVER_RUNNING || machine->health == TT_HEALTH_FAILING;
}

static struct tt_lent_view *lent_view_of(struct tt_view *view,
                                         struct tt_deployment_view *deployment,
                                         const struct tt_lent_member *lent,
                                         const struct tt_server *machine)
{
    const struct tt_balancer_view *successor = tt_view_balancer(deployment, lent->balancer);
    bool left = !successor || !successor->spec;
    struct tt_lent_view *result;

    TT_EACH (known, &deployment->lent)
        if ((*known)->balancer.fixed == machine)
            return *known;
    result = TT_NEW(view->arena, struct tt_lent_view);
    result->balancer = (struct tt_balancer_view){
        .name = lent->balancer,
        .deployment = deployment,
        .account = tt_world_account(view->world, lent->member.account),
        .region = tt_view_region(view, lent->member.account, lent->member.region),
        .fixed = machine,
        .target = machine,
        .serving = machine,
        .closed = is_closed(machine) || is_waiting(successor) || (left && !deployment->prune),
    };
    result->because = left ? TT_BECAUSE_REMOVED : TT_BECAUSE_DRIFT;
    result->reason = left ? tt_printf(view->arena, "%s left Git",
                                      deployment->spec ? lent->balancer : deployment->name)
                          : tt_printf(view->arena, "%s is elsewhere now", lent->balancer);
    *TT_VEC_ADD(view->arena, &deployment->lent) = result;
    return result;
}

static void report(struct tt_view *view, const struct tt_deployment_view *deployment,
                   const struct tt_lent_view *lent)
{
    const struct tt_balancer_view *balancer = &lent->balancer;
    const struct tt_server *machine = balancer->fixed;
    const char *who = tt_machine_text(view->arena, machine);
    const char *subject = tt_balancer_subject(view, balancer);

    if (lent->because == TT_BECAUSE_REMOVED && !deployment->prune)
        tt_view_problem(view, TT_SEVERITY_INFO, "orphan", subject, NULL,
                        "%s left Git and machine %s in %s/%s keeps what it was told (members: "
                        "%zu): %s",
                        balancer->name, who, balancer->account->name, balancer->region->name,
                        lent->members.count,
                        deployment->spec ? "the deployment has prune: false"
                                         : "plan with --prune to withdraw them");
    else if (is_closed(machine) && machine->state != TT_SERVER_PENDING)
        tt_view_problem(view, TT_SEVERITY_WARNING, "balancer-failed-static", subject, NULL,
                        "%s, and machine %s keeps what it was told (members: %zu), because it is "
                        "%s: repair it; if it is gone for good, apply --allow-vanished forgets it",
                        lent->reason, who, lent->members.count,
                        machine->state == TT_SERVER_RUNNING
                            ? "failing its health check"
                            : tt_server_state_words[machine->state]);
}

void tt_lent_resolve(struct tt_view *view)
{
    TT_EACH (lent, &view->memory->lent) {
        const struct tt_server *machine = tt_lent_machine(view, &lent->member);
        struct tt_deployment_view *deployment = machine ? deployment_of(view, lent) : NULL;
        const struct tt_pool *pool;

        if (!deployment || is_named(deployment, machine))
            continue;
        pool = tt_region_pool(tt_view_region(view, lent->member.account, lent->member.region),
                              machine->id);
        if (!pool || is_in(pool, &lent->member))
            *TT_VEC_ADD(view->arena, &lent_view_of(view, deployment, lent, machine)->members) =
                &lent->member;
    }
    TT_EACH (deployment, &view->deployments)
        TT_EACH (lent, &(*deployment)->lent)
            report(view, *deployment, *lent);
}
