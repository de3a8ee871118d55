/*
 * Moment laws: memberships as they are in the playground, against the step that comes.
 */
#include "moment_laws.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "lent_law.h"

struct moment {
    struct tt_playground *p;
    const struct tt_step *step;
    size_t index;
};

static int fail(const struct moment *m, struct tt_error *err, const char *what)
{
    return tt_fail(err, TT_ERR_INTERNAL, "s%zu %s of %s (%s) at %s: %s", m->index + 1,
                   tt_action_words[m->step->action],
                   tt_subject_text(m->p->arena, &m->step->subject),
                   m->step->server ? m->step->server : "new",
                   m->step->balancer ? m->step->balancer : "-", what);
}

static const struct tt_balancer *balancer_of(const struct moment *m)
{
    const struct tt_deployment *d =
        tt_desired_deployment(m->p->desired, m->step->subject.deployment);

    return d && m->step->balancer ? tt_deployment_balancer(d, m->step->balancer) : NULL;
}

static const struct tt_cloud_balancer *cloud_of(const struct moment *m)
{
    const struct tt_balancer *b = balancer_of(m);

    if (!b || b->type != TT_BALANCER_CLOUD || m->step->machine)
        return NULL;
    return tt_region_balancer(tt_playground_region(m->p, m->step->account, m->step->region),
                              b->cloud_name);
}

/* The id of the server that the step is about: given, or made by the plan. */
static const char *server_id(const struct moment *m)
{
    if (m->step->server)
        return m->step->server;
    TT_EACH (other, &m->p->plan->steps)
        if (other->action == TT_STEP_CREATE_SERVER &&
            other->subject.kind == m->step->subject.kind &&
            other->subject.slot == m->step->subject.slot &&
            strcmp(other->subject.deployment, m->step->subject.deployment) == 0 &&
            strcmp(other->subject.name, m->step->subject.name) == 0)
            return m->p->made[other - m->p->plan->steps.items];
    return NULL;
}

static bool is_owned(const struct moment *m, const struct tt_server *server)
{
    return tt_streq(server->tags.owner, m->p->desired->owner);
}

static const struct tt_server *find_server(const struct moment *m, const char *id)
{
    TT_EACH (account, &m->p->world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                if (tt_streq(server->id, id))
                    return server;
    return NULL;
}

static int check_enroll(const struct moment *m, struct tt_error *err)
{
    const struct tt_server *server = find_server(m, server_id(m));
    const struct tt_cloud_balancer *cloud = cloud_of(m);

    if (!server)
        return fail(m, err, "a server is enrolled that does not exist");
    if (server->state != TT_SERVER_RUNNING || server->health == TT_HEALTH_FAILING)
        return fail(m, err, "a server is enrolled that is not healthy");
    if (cloud && cloud->zones && server->zone && !tt_strings_has(cloud->zones, server->zone))
        return fail(m, err, "a server is enrolled whose zone the balancer does not have");
    return 0;
}

static int check_zones(const struct moment *m, struct tt_error *err)
{
    const struct tt_cloud_balancer *cloud = cloud_of(m);

    if (!cloud)
        return fail(m, err, "there is no such cloud balancer");
    TT_EACH (member, &cloud->members) {
        const struct tt_server *server = find_server(m, member->server);

        if (server && is_owned(m, server) && member->state == TT_MEMBER_IN_SERVICE &&
            server->zone && (!cloud->zones || tt_strings_has(cloud->zones, server->zone)) &&
            server->state == TT_SERVER_RUNNING && server->health != TT_HEALTH_FAILING &&
            !tt_strings_has(m->step->zones, server->zone))
            return fail(m, err, "a zone is taken out before its members have left");
    }
    return 0;
}

static bool is_deleted(const struct moment *m, const char *machine)
{
    TT_EACH (step, &m->p->plan->steps)
        if (step->action == TT_STEP_DELETE_SERVER && tt_streq(step->server, machine))
            return true;
    return false;
}

/* The machine of POOL can be told something; it is a balancer's of this deployment, and stays. */
static bool can_be_told(const struct moment *m, const struct tt_region *region,
                        const struct tt_pool *pool)
{
    const struct tt_server *machine = tt_region_server(region, pool->machine);

    return machine && machine->state == TT_SERVER_RUNNING && machine->health != TT_HEALTH_FAILING &&
           is_owned(m, machine) &&
           tt_streq(machine->tags.deployment, m->step->subject.deployment) &&
           machine->tags.balancer && !is_deleted(m, machine->id);
}

static int check_pools(const struct moment *m, const struct tt_server *server,
                       const struct tt_region *own, struct tt_error *err)
{
    char service[160];

    snprintf(service, sizeof(service), "%s.%s", m->step->subject.deployment, m->step->subject.name);
    TT_EACH (account, &m->p->world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (pool, &region->pools)
                TT_EACH (entry, &pool->members)
                    if (can_be_told(m, region, pool) && tt_streq(entry->service, service) &&
                        tt_streq(entry->address,
                                 region == own ? server->private_address : server->public_address))
                        return fail(m, err, "a server is deleted before it left a pool");
    return 0;
}

static int check_delete(const struct moment *m, struct tt_error *err)
{
    const struct tt_region *region = tt_playground_region(m->p, m->step->account, m->step->region);
    const struct tt_server *server = tt_region_server(region, m->step->server);

    /* Entries of a machine that serves nobody hurt nobody. */
    if (!server || m->step->subject.kind != TT_SUBJECT_SERVICE ||
        server->state != TT_SERVER_RUNNING || server->health == TT_HEALTH_FAILING)
        return 0;
    return check_pools(m, server, region, err);
}

static bool is_named_service(const struct moment *m, const char *name)
{
    const struct tt_deployment *d =
        tt_desired_deployment(m->p->desired, m->step->subject.deployment);

    return d && name && tt_deployment_service(d, name);
}

/* Law 5: what is not ours stays a member of a cloud balancer and of a vm-static machine. */
static int check_withdraw(const struct moment *m, struct tt_error *err)
{
    const struct tt_balancer *b = balancer_of(m);
    const struct tt_server *server = find_server(m, m->step->server);

    if (server && !is_owned(m, server))
        return fail(m, err, "law 5: a member is withdrawn that is not ours");
    if (cloud_of(m) && !server)
        return fail(m, err, "law 5: a member is withdrawn of which nothing is known");
    if (b && b->type == TT_BALANCER_VM_STATIC && !server &&
        (m->step->subject.kind != TT_SUBJECT_SERVICE ||
         !is_named_service(m, m->step->subject.name)) &&
        !(m->p->memory && tt_lent_law_knows(m->p->memory, m->step->subject.deployment,
                                            m->step->machine, m->step->address)))
        return fail(m, err, "law 5: an entry of a service is withdrawn that no document names");
    return 0;
}

int tt_moment_laws_check(struct tt_playground *p, size_t step, struct tt_error *err)
{
    struct moment m = {.p = p, .step = &p->plan->steps.items[step], .index = step};

    switch (m.step->action) {
    case TT_STEP_ENROLL:
        return check_enroll(&m, err);
    case TT_STEP_WITHDRAW:
        return check_withdraw(&m, err);
    case TT_STEP_SET_ZONES:
        return check_zones(&m, err);
    case TT_STEP_DELETE_SERVER:
        return check_delete(&m, err);
    default:
        return 0;
    }
}
