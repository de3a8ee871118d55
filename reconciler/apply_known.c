/*
 * What a run leaves for the next one's memory: the owned servers that exist now, by the plan's
 * world and the steps that were done. The planner counts those that vanish later without our doing.
 *
 * A deployment with held steps keeps what was known before, so that the guard that holds it sees
 * the same next time; a region that was not seen keeps its servers.
 */
#include "base/map.h"
#include "base/str.h"
#include "reconciler/apply_run.h"

/* The deployments, each with the servers that exist. */
struct known {
    struct tt_arena arena;
    struct tt_map by_name; /* name → struct known_deployment */
    TT_VEC(struct known_deployment *) items;
};

struct known_deployment {
    const char *name;
    bool held;
    TT_VEC(struct tt_known_server) servers;
};

static struct known_deployment *deployment_of(struct known *known, const char *name)
{
    struct known_deployment *deployment = tt_map_get(&known->by_name, name);

    if (deployment)
        return deployment;
    deployment = TT_NEW(&known->arena, struct known_deployment);
    deployment->name = name;
    tt_map_put(&known->by_name, name, deployment);
    *TT_VEC_ADD(&known->arena, &known->items) = deployment;
    return deployment;
}

static void add_server(struct known *known, const char *deployment, const char *account,
                       const char *region, const char *id)
{
    struct known_deployment *of = deployment_of(known, deployment);

    *TT_VEC_ADD(&known->arena, &of->servers) = (struct tt_known_server){
        .deployment = deployment, .account = account, .region = region, .id = id};
}

static char *key_of(struct known *known, const char *account, const char *region, const char *id)
{
    return tt_printf(&known->arena, "%s\n%s\n%s", account, region, id);
}

/* What the plan's world had and no step deleted. */
static void add_observed(const struct tt_apply_run *run, struct known *known,
                         const struct tt_map *deleted)
{
    TT_EACH (account, &run->request->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                if (!server->tags.deployment || server->state == TT_SERVER_GONE ||
                    !tt_streq(server->tags.owner, run->request->desired->owner) ||
                    tt_map_get(deleted, key_of(known, account->name, region->name, server->id)))
                    continue;
                add_server(known, server->tags.deployment, account->name, region->name, server->id);
            }
}

static void add_steps(const struct tt_apply_run *run, struct known *known, struct tt_map *deleted)
{
    for (size_t i = 0; i < run->plan->steps.count; i++) {
        const struct tt_step *step = &run->plan->steps.items[i];
        bool done = run->progress[i].state == TT_STEP_STATE_DONE;

        if (step->held)
            deployment_of(known, step->subject.deployment)->held = true;
        if (step->action == TT_STEP_CREATE_SERVER && run->steps[i].made.server && done)
            add_server(known, step->subject.deployment, step->account, step->region,
                       run->steps[i].made.server);
        /* asked for, though not seen gone: that it vanishes is our doing */
        if (step->action == TT_STEP_DELETE_SERVER &&
            (done || run->progress[i].state == TT_STEP_STATE_FAILED))
            tt_map_put(deleted, key_of(known, step->account, step->region, step->server), known);
    }
}

/* Regions that the plan could not see keep what was known of them. What is in doubt is forgotten.
 */
static int add_unseen(const struct tt_apply_run *run, struct known *known, struct tt_error *err)
{
    const struct tt_clock *clock = run->request->clock;
    struct tt_memory memory = {0};

    if (tt_store_load_memory(run->request->store, &known->arena, clock->now(clock->self), &memory,
                             err) < 0)
        return -1;
    if (tt_apply_forget_told(run, &memory, err) < 0)
        return -1;
    TT_EACH (server, &memory.servers) {
        const struct tt_region *region =
            tt_world_region(run->request->world, server->account, server->region);

        if (!region || !region->observed)
            add_server(known, server->deployment, server->account, server->region, server->id);
    }
    return 0;
}

static int save(const struct tt_apply_run *run, const struct known *known, struct tt_error *err)
{
    TT_EACH (item, &known->items) {
        const struct known_deployment *deployment = *item;

        if (!deployment->held &&
            tt_store_set_known(run->request->store, deployment->name, deployment->servers.items,
                               deployment->servers.count, err) < 0)
            return -1;
    }
    return 0;
}

int tt_apply_remember(const struct tt_apply_run *run, struct tt_error *err)
{
    struct known known = {0};
    struct tt_map deleted = {0};
    int result;

    if (!run->request->store)
        return 0;
    tt_map_init(&known.by_name, &known.arena);
    tt_map_init(&deleted, &known.arena);
    TT_EACH (deployment, &run->request->desired->deployments)
        deployment_of(&known, (*deployment)->name);
    add_steps(run, &known, &deleted);
    add_observed(run, &known, &deleted);
    result = add_unseen(run, &known, err);
    if (result == 0)
        result = save(run, &known, err);
    tt_arena_release(&known.arena);
    return result;
}
