/*
 * The law of lent machines, from the design alone.
 */
#include "lent_law.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "patience.h"

static bool is_of(const struct tt_told_member *member, const char *deployment)
{
    size_t length = strlen(deployment);

    return strncmp(member->service, deployment, length) == 0 && member->service[length] == '.';
}

bool tt_lent_law_knows(const struct tt_memory *memory, const char *deployment, const char *machine,
                       const char *address)
{
    TT_EACH (lent, &memory->lent) {
        char text[128];

        snprintf(text, sizeof(text), "%s:%d", lent->member.address, lent->member.port);
        if (is_of(&lent->member, deployment) && tt_streq(lent->member.machine, machine) &&
            tt_streq(text, address))
            return true;
    }
    return false;
}

/* True when a vm-static LoadBalancer of D names SERVER of ACCOUNT and REGION. */
static bool is_named(const struct tt_deployment *d, const char *account, const char *region,
                     const struct tt_server *server)
{
    if (d)
        TT_EACH (balancer, &d->balancers)
            if ((*balancer)->machine && strcmp((*balancer)->account->name, account) == 0 &&
                strcmp((*balancer)->region, region) == 0 &&
                (tt_streq((*balancer)->machine, server->id) ||
                 tt_streq((*balancer)->machine, server->name)))
                return true;
    return false;
}

int tt_lent_law_check(const struct tt_case *what, const struct tt_plan *plan, struct tt_error *err)
{
    TT_EACH (step, &plan->steps) {
        const struct tt_region *region = tt_world_region(what->world, step->account, step->region);
        const struct tt_server *machine =
            region && step->machine ? tt_region_find_server(region, step->machine) : NULL;
        const char *name = step->subject.deployment;
        const struct tt_deployment *d = tt_desired_deployment(what->desired, name);

        if (step->action != TT_STEP_WITHDRAW || !machine ||
            tt_streq(machine->tags.owner, what->desired->owner) ||
            is_named(d, step->account, step->region, machine))
            continue;
        if (!tt_lent_law_knows(what->memory, name, step->machine, step->address))
            return tt_fail(err, TT_ERR_INTERNAL,
                           "law 5: machine %s drops %s, which nobody remembers to have told it",
                           step->machine, step->address);
        if (!step->held && !(d ? d->prune : what->options->prune) &&
            !(d && tt_deployment_balancer(d, step->balancer)))
            return tt_fail(err, TT_ERR_INTERNAL, "machine %s drops %s without prune", step->machine,
                           step->address);
    }
    return 0;
}

/* False where something may keep a member where it is. */
static bool is_whole(const struct tt_case *what, const struct tt_plan *plan)
{
    if (tt_patience_waits(plan))
        return false;
    TT_EACH (problem, &plan->problems)
        if (problem->severity == TT_SEVERITY_ERROR)
            return false;
    TT_EACH (account, &what->desired->accounts)
        TT_EACH (region, &(*account)->regions) {
            const struct tt_region *seen = tt_world_region(what->world, (*account)->name, *region);

            if (!seen || !seen->observed)
                return false;
        }
    return true;
}

static bool is_left(const struct tt_case *what, const struct tt_world *world,
                    const struct tt_lent_member *lent)
{
    const struct tt_told_member *member = &lent->member;
    const struct tt_region *region = tt_world_region(world, member->account, member->region);
    const struct tt_server *machine =
        region ? tt_region_find_server(region, member->machine) : NULL;
    const struct tt_pool *pool = machine ? tt_region_pool(region, member->machine) : NULL;

    if (!pool || machine->state != TT_SERVER_RUNNING || machine->health == TT_HEALTH_FAILING)
        return false;
    TT_EACH (item, &what->desired->deployments) {
        const struct tt_deployment *d = *item;

        if (!is_of(member, d->name))
            continue;
        if (!d->prune || tt_deployment_balancer(d, lent->balancer) ||
            is_named(d, member->account, member->region, machine))
            return false;
        TT_EACH (entry, &pool->members)
            if (entry->port == member->port && tt_streq(entry->address, member->address) &&
                tt_streq(entry->service, member->service))
                return true;
    }
    return false;
}

int tt_lent_law_check_end(const struct tt_case *what, const struct tt_plan *plan,
                          const struct tt_world *world, struct tt_error *err)
{
    if (!is_whole(what, plan))
        return 0;
    TT_EACH (lent, &what->memory->lent)
        if (is_left(what, world, lent))
            return tt_fail(err, TT_ERR_INTERNAL,
                           "machine %s still has %s:%d of %s, though no LoadBalancer names it",
                           lent->member.machine, lent->member.address, lent->member.port,
                           lent->member.service);
    return 0;
}
