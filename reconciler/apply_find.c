/*
 * What a step speaks of. A plan names machines by id where they existed when it was made; those
 * that it makes itself are found through the steps that made them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "reconciler/apply_run.h"

static const struct tt_step_run *state_of(const struct tt_apply_run *run,
                                          const struct tt_step *step)
{
    return &run->steps[step - run->plan->steps.items];
}

static const struct tt_deployment *deployment_of(const struct tt_apply_run *run,
                                                 const struct tt_step *step)
{
    return tt_desired_deployment(run->request->desired, step->subject.deployment);
}

const struct tt_service *tt_apply_service(const struct tt_apply_run *run,
                                          const struct tt_step *step)
{
    const struct tt_deployment *deployment = deployment_of(run, step);

    if (!deployment || step->subject.kind != TT_SUBJECT_SERVICE)
        return NULL;
    return tt_deployment_service(deployment, step->subject.name);
}

static const char *balancer_name(const struct tt_step *step)
{
    if (step->balancer)
        return step->balancer;
    return step->subject.kind == TT_SUBJECT_LOAD_BALANCER ? step->subject.name : NULL;
}

const struct tt_balancer *tt_apply_balancer(const struct tt_apply_run *run,
                                            const struct tt_step *step)
{
    const struct tt_deployment *deployment = deployment_of(run, step);
    const char *name = balancer_name(step);

    return deployment && name ? tt_deployment_balancer(deployment, name) : NULL;
}

const struct tt_placement *tt_apply_placement(const struct tt_service *service,
                                              const struct tt_step *step)
{
    TT_EACH (placement, &service->placements)
        if (tt_streq(placement->account->name, step->account) &&
            tt_streq(placement->region, step->region))
            return placement;
    return NULL;
}

static bool same_subject(const struct tt_subject *a, const struct tt_subject *b)
{
    return a->kind == b->kind && a->slot == b->slot && tt_streq(a->deployment, b->deployment) &&
           tt_streq(a->name, b->name);
}

/* The step before STEP that makes or starts the machine of its subject; -1: none. */
static int find_server_maker(const struct tt_apply_run *run, const struct tt_step *step)
{
    TT_EACH (before, &step->after) {
        const struct tt_step *maker = &run->plan->steps.items[*before];

        if ((maker->action == TT_STEP_CREATE_SERVER || maker->action == TT_STEP_START_SERVER) &&
            same_subject(&maker->subject, &step->subject) &&
            (!step->server || tt_streq(maker->server, step->server)))
            return *before;
    }
    return -1;
}

static char *machine_key(struct tt_arena *arena, const char *deployment, const char *balancer)
{
    return tt_printf(arena, "%s/%s", deployment, balancer);
}

void tt_apply_find_makers(struct tt_arena *arena, struct tt_apply_run *run)
{
    struct tt_step *steps = run->plan->steps.items;
    struct tt_map makers;

    tt_map_init(&makers, arena);
    TT_EACH (step, &run->plan->steps)
        if (step->action == TT_STEP_CREATE_SERVER && step->subject.kind == TT_SUBJECT_LOAD_BALANCER)
            tt_map_put(&makers, machine_key(arena, step->subject.deployment, step->subject.name),
                       step);
    TT_EACH (step, &run->plan->steps) {
        struct tt_step_run *state = &run->steps[step - steps];
        const char *balancer = balancer_name(step);
        struct tt_step *maker =
            balancer ? tt_map_get(&makers, machine_key(arena, step->subject.deployment, balancer))
                     : NULL;

        state->machine_maker = maker ? (int)(maker - steps) : -1;
        state->server_maker = find_server_maker(run, step);
    }
}

const char *tt_apply_machine(const struct tt_apply_run *run, const struct tt_step *step)
{
    const struct tt_balancer *balancer = tt_apply_balancer(run, step);
    int maker;

    if (step->machine || (balancer && balancer->type == TT_BALANCER_CLOUD))
        return step->machine;
    maker = state_of(run, step)->machine_maker;
    return maker >= 0 ? tt_apply_get(run, &run->steps[maker].made.server) : NULL;
}

const char *tt_apply_server(const struct tt_apply_run *run, int index)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    int maker;

    if (run->steps[index].made.server)
        return run->steps[index].made.server;
    if (step->server)
        return step->server;
    maker = run->steps[index].server_maker;
    return maker >= 0 ? tt_apply_get(run, &run->steps[maker].made.server) : NULL;
}

const char *tt_apply_cloud_name(const struct tt_apply_run *run, const struct tt_step *step)
{
    const struct tt_balancer *balancer = tt_apply_balancer(run, step);
    const struct tt_region *region;
    const struct tt_cloud_balancer *cloud = NULL;

    if (!balancer || !balancer->cloud_name)
        return NULL;
    region = tt_world_region(run->request->world, step->account, step->region);
    if (region)
        cloud = tt_region_balancer(region, balancer->cloud_name);
    return cloud ? cloud->id : balancer->cloud_name;
}

/* --- addresses ------------------------------------------------------------------------------ */

/* The machine ID as the plan's world knows it: in ACCOUNT and REGION first, as ids may repeat from
 * cloud to cloud. RET_LOCAL: it is there. */
static const struct tt_server *known_server(const struct tt_apply_run *run, const char *account,
                                            const char *region, const char *id, bool *ret_local)
{
    const struct tt_world *world = run->request->world;
    const struct tt_region *home = tt_world_region(world, account, region);
    const struct tt_server *server = home ? tt_region_find_server(home, id) : NULL;

    *ret_local = server != NULL;
    if (server)
        return server;
    TT_EACH (other, &world->accounts)
        TT_EACH (place, &other->regions)
            if ((server = tt_region_find_server(place, id)))
                return server;
    return NULL;
}

const struct tt_server *tt_apply_known_server(const struct tt_apply_run *run,
                                              const struct tt_step *step)
{
    bool local;

    return known_server(run, step->account, step->region, step->server, &local);
}

bool tt_apply_is_dead(const struct tt_server *server)
{
    return server && (server->state == TT_SERVER_FAILED || server->state == TT_SERVER_STOPPED ||
                      server->state == TT_SERVER_GONE);
}

/* "10.0.0.4:8080" or "[fd00::4]:8080" */
static int parse_endpoint(const char *text, struct tt_endpoint *ret_endpoint, struct tt_error *err)
{
    const char *colon = strrchr(text, ':');
    const char *begin = text[0] == '[' ? text + 1 : text;
    const char *end = text[0] == '[' ? strchr(text, ']') : colon;
    long port = colon ? strtol(colon + 1, NULL, 10) : 0;

    if (!colon || !end || end <= begin || port < 1 || port > 65535 ||
        (size_t)(end - begin) >= sizeof(ret_endpoint->address))
        return tt_fail(err, TT_ERR_INTERNAL, "'%s' is no address and port", text);
    *ret_endpoint = (struct tt_endpoint){.port = (int)port};
    memcpy(ret_endpoint->address, begin, (size_t)(end - begin));
    return 0;
}

static const char *address_of_made(const struct tt_apply_run *run, const struct tt_step *step,
                                   int maker, bool *ret_local)
{
    const struct tt_step *create = &run->plan->steps.items[maker];
    const struct tt_step_run *made = &run->steps[maker];

    *ret_local = tt_streq(create->account, step->account) && tt_streq(create->region, step->region);
    return tt_apply_get(run, *ret_local ? &made->made.private_address : &made->made.public_address);
}

int tt_apply_endpoint(const struct tt_apply_run *run, int index, struct tt_endpoint *ret_endpoint,
                      struct tt_error *err)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    const struct tt_service *service = tt_apply_service(run, step);
    const struct tt_server *server;
    const char *address = NULL;
    bool local = true;
    int maker;

    if (step->address)
        return parse_endpoint(step->address, ret_endpoint, err);
    maker = run->steps[index].server_maker;
    if (maker >= 0) {
        address = address_of_made(run, step, maker, &local);
    } else if (step->server) {
        server = known_server(run, step->account, step->region, step->server, &local);
        if (server)
            address = local ? server->private_address : server->public_address;
    }
    if (!address)
        return tt_fail(err, TT_ERR_SPEC,
                       "the server has no %s address, at which balancer %s in %s/%s could reach it",
                       local ? "private" : "public", balancer_name(step), step->account,
                       step->region);
    if (!service || !service->port)
        return tt_fail(err, TT_ERR_SPEC, "Service/%s/%s has no port", step->subject.deployment,
                       step->subject.name);
    ret_endpoint->port = service->port;
    snprintf(ret_endpoint->address, sizeof(ret_endpoint->address), "%s", address);
    return 0;
}

const char *tt_apply_machine_address(const struct tt_apply_run *run, const struct tt_step *step,
                                     const char *machine)
{
    int maker = state_of(run, step)->machine_maker;
    const struct tt_server *server;
    bool local;

    if (maker >= 0 && tt_streq(tt_apply_get(run, &run->steps[maker].made.server), machine)) {
        const struct tt_step_run *made = &run->steps[maker];
        const char *address = tt_apply_get(run, &made->made.private_address);

        return address ? address : tt_apply_get(run, &made->made.public_address);
    }
    server = known_server(run, step->account, step->region, machine, &local);
    if (!server)
        return NULL;
    return server->private_address ? server->private_address : server->public_address;
}

/* A step for an entry that belongs to no service of Git names only the balancer. */
const char *tt_apply_pool_service(const struct tt_apply_run *run, const struct tt_step *step,
                                  const char *machine, const struct tt_endpoint *endpoint,
                                  struct tt_arena *arena)
{
    const struct tt_region *region =
        tt_world_region(run->request->world, step->account, step->region);
    const struct tt_pool *pool = region ? tt_region_pool(region, machine) : NULL;

    if (step->subject.kind == TT_SUBJECT_SERVICE)
        return tt_printf(arena, "%s.%s", step->subject.deployment, step->subject.name);
    if (pool)
        TT_EACH (member, &pool->members)
            if (tt_streq(member->address, endpoint->address) && member->port == endpoint->port)
                return member->service;
    return NULL;
}
