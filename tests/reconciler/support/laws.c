/*
 * Laws: planning, executions in random order with failures, and what must hold at each moment.
 */
#include "laws.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "bounds.h"
#include "end_state.h"
#include "graph_laws.h"
#include "lent_law.h"
#include "limits_law.h"
#include "model/plan_json.h"
#include "moment_laws.h"
#include "patience.h"
#include "providers/copy.h"
#include "reach_laws.h"
#include "replay_law.h"
#include "same_plan.h"
#include "serving.h"

/* One execution. */
struct run {
    struct tt_arena *arena;
    const struct tt_case *what;
    const struct tt_plan *plan;
    struct tt_playground ground;
    const char **serving; /* by floor: the machine that serves at the start; NULL: cloud or none */
    uint64_t random;
    bool thorough; /* with what costs more than the plan: its JSON and the world's hash */
    struct tt_plan_options options;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- capacity ------------------------------------------------------------------------------- */

/* Law 6 at one moment. */
static int check_floors(struct run *r, const char *moment, struct tt_error *err)
{
    for (size_t i = 0; i < r->plan->floors.count; i++) {
        const struct tt_floor *floor = &r->plan->floors.items[i];
        int serving = tt_serving_count(&r->ground, floor, r->serving[i]);

        if (serving < floor->floor)
            return tt_fail(err, TT_ERR_INTERNAL,
                           "law 6: %s/%s behind %s has %d in service %s, its floor is %d",
                           floor->deployment, floor->service, floor->balancer, serving, moment,
                           floor->floor);
    }
    return 0;
}

static int check_start_of_floors(struct run *r, struct tt_error *err)
{
    r->serving = TT_NEW_ARRAY(r->arena, r->plan->floors.count, const char *);
    for (size_t i = 0; i < r->plan->floors.count; i++) {
        const struct tt_floor *floor = &r->plan->floors.items[i];
        const struct tt_service *service = tt_floor_service(&r->ground, floor);
        const struct tt_balancer *balancer = tt_floor_balancer(&r->ground, floor);
        int allowed, now;

        if (balancer->type != TT_BALANCER_CLOUD)
            r->serving[i] = tt_serving_machine(&r->ground, balancer, NULL);
        now = tt_serving_count(&r->ground, floor, r->serving[i]);
        if (now != floor->now)
            return tt_fail(err, TT_ERR_INTERNAL,
                           "floors: %s/%s behind %s has %d in service now, the plan says %d",
                           floor->deployment, floor->service, floor->balancer, now, floor->now);
        allowed = tt_bounds_members(service, balancer, now);
        if (floor->floor < allowed)
            return tt_fail(err, TT_ERR_INTERNAL,
                           "law 6: the floor of %s/%s behind %s is %d, not %d", floor->deployment,
                           floor->service, floor->balancer, floor->floor, allowed);
    }
    return 0;
}

/* --- single steps --------------------------------------------------------------------------- */

static int fail_step(const struct run *r, const struct tt_step *step, struct tt_error *err,
                     const char *law)
{
    return tt_fail(err, TT_ERR_INTERNAL, "%s: s%td %s of %s (%s)", law,
                   step - r->plan->steps.items + 1, tt_action_words[step->action],
                   tt_subject_text(r->arena, &step->subject), step->server ? step->server : "new");
}

/* Law 3: only in the zones of the placement and of every data-center balancer, and only in
 * available ones. */
static int check_zone(struct run *r, const struct tt_step *step, struct tt_error *err)
{
    struct tt_region *region = tt_playground_region(&r->ground, step->account, step->region);
    const struct tt_service *service;
    const struct tt_zone *zone;

    if (step->subject.kind != TT_SUBJECT_SERVICE)
        return 0;
    service = tt_deployment_service(
        tt_desired_deployment(r->what->desired, step->subject.deployment), step->subject.name);
    zone = step->zone ? tt_region_zone(region, step->zone) : NULL;
    if (!zone || zone->state != TT_ZONE_AVAILABLE)
        return fail_step(r, step, err, "law 3: a server starts in a zone that is not available");
    TT_EACH (placement, &service->placements)
        if (strcmp(placement->account->name, step->account) == 0 &&
            strcmp(placement->region, step->region) == 0 && placement->zones.count &&
            !tt_strings_has(&placement->zones, step->zone))
            return fail_step(r, step, err, "law 3: a server starts outside its placement's zones");
    TT_EACH (balancer, &service->balancers)
        if ((*balancer)->scope == TT_SCOPE_DATA_CENTER &&
            tt_balancer_covers(*balancer, step->account, step->region) &&
            !tt_strings_has(&(*balancer)->zones, step->zone))
            return fail_step(r, step, err, "law 3: a server starts outside its balancer's zones");
    return 0;
}

/* A member leaves before it is deleted, but for the pool of a machine that went before. */
static int check_withdrawn(struct run *r, const struct tt_step *step, struct tt_error *err)
{
    TT_EACH (account, &r->ground.world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (balancer, &region->balancers)
                TT_EACH (member, &balancer->members)
                    if (tt_streq(member->server, step->server))
                        return fail_step(r, step, err, "a member is deleted before it left");
    return 0;
}

static int check_step(struct run *r, const struct tt_step *step, struct tt_error *err)
{
    struct tt_region *region = tt_playground_region(&r->ground, step->account, step->region);
    const struct tt_server *server;

    if (!region || !region->observed)
        return fail_step(r, step, err, "law 4: a step in a region that was not observed");
    if (step->action == TT_STEP_CREATE_SERVER)
        return check_zone(r, step, err);
    if (step->action != TT_STEP_DELETE_SERVER && step->action != TT_STEP_FENCE &&
        step->action != TT_STEP_START_SERVER)
        return 0;
    server = tt_region_server(region, step->server);
    if (!server)
        return fail_step(r, step, err, "a step for a machine that does not exist");
    if (!tt_streq(server->tags.owner, r->what->desired->owner) ||
        !tt_streq(server->tags.deployment, step->subject.deployment))
        return fail_step(r, step, err, "law 5: a step for a machine that is not ours");
    if (step->action == TT_STEP_DELETE_SERVER && step->subject.kind == TT_SUBJECT_SERVICE)
        return check_withdrawn(r, step, err);
    return 0;
}

/* At most max(now, count + maxSurge) machines. */
static int count_machines(struct run *r, const struct tt_service *service)
{
    int count = 0;

    TT_EACH (account, &r->ground.world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                count += tt_playground_is_of(&r->ground, service, server);
    return count;
}

static int check_room(struct run *r, const int *starts, struct tt_error *err)
{
    size_t index = 0;

    TT_EACH (deployment, &r->what->desired->deployments)
        TT_EACH (service, &(*deployment)->services) {
            int now = count_machines(r, *service);
            int most = tt_bounds_machines(*service, starts[index++]);

            if (now > most)
                return tt_fail(err, TT_ERR_INTERNAL, "surge: %s/%s has %d machines, %d may be",
                               (*deployment)->name, (*service)->name, now, most);
        }
    return 0;
}

/* --- executions ----------------------------------------------------------------------------- */

static int *count_starts(struct run *r)
{
    size_t services = 0, index = 0;
    int *starts;

    TT_EACH (deployment, &r->what->desired->deployments)
        services += (*deployment)->services.count;
    starts = TT_NEW_ARRAY(r->arena, services, int);
    TT_EACH (deployment, &r->what->desired->deployments)
        TT_EACH (service, &(*deployment)->services)
            starts[index++] = count_machines(r, *service);
    return starts;
}

static bool is_ready(const struct tt_plan *plan, const char *state, size_t step)
{
    if (state[step])
        return false;
    TT_EACH (index, &plan->steps.items[step].after)
        if (state[*index] != 'd')
            return false;
    return true;
}

/* Carries out the plan in a random order; with FAILURES some steps fail and hold up the rest. */
static int execute(struct run *r, bool failures, struct tt_error *err)
{
    size_t count = r->plan->steps.count;
    char *state = TT_NEW_ARRAY(r->arena, count, char); /* d: done, f: failed */
    int *starts;

    tt_playground_init(&r->ground, r->arena, r->what->desired, r->what->world, r->plan);
    r->ground.run = r->what->run;
    r->ground.memory = r->what->memory;
    starts = count_starts(r);
    if (check_start_of_floors(r, err) < 0)
        return -1;
    for (;;) {
        size_t ready = 0, chosen = count;

        for (size_t i = 0; i < count; i++)
            if (is_ready(r->plan, state, i) && next_random(&r->random) % ++ready == 0)
                chosen = i;
        if (chosen == count)
            break;
        if (failures && next_random(&r->random) % 8 == 0) {
            state[chosen] = 'f';
            continue;
        }
        if (check_step(r, &r->plan->steps.items[chosen], err) < 0 ||
            tt_moment_laws_check(&r->ground, chosen, err) < 0)
            return -1;
        tt_playground_step(&r->ground, (int)chosen);
        state[chosen] = 'd';
        if (check_room(r, starts, err) < 0 ||
            check_floors(r, tt_printf(r->arena, "after s%zu", chosen + 1), err) < 0)
            return -1;
    }
    for (size_t i = 0; !failures && i < count; i++)
        if (!state[i])
            return fail_step(r, &r->plan->steps.items[i], err, "a step can never be done");
    return 0;
}

static int plan_again(struct run *r, const struct tt_world *world, struct tt_plan **ret_plan,
                      struct tt_error *err)
{
    return tt_planner_plan(r->arena, r->what->desired, world, r->what->memory, r->what->now,
                           &r->options, ret_plan, err);
}

/* Law 1, and what the floors say of the end. What waits for something that no step brings about is
 * planned when that has happened: patience.c. */
static int check_end(struct run *r, struct tt_error *err)
{
    struct tt_plan *again;

    for (size_t i = 0; i < r->plan->floors.count; i++) {
        const struct tt_floor *floor = &r->plan->floors.items[i];
        int end = tt_serving_count(&r->ground, floor, r->serving[i]);

        if (end != floor->end)
            return tt_fail(err, TT_ERR_INTERNAL,
                           "floors: %s/%s behind %s ends with %d, the plan says %d",
                           floor->deployment, floor->service, floor->balancer, end, floor->end);
    }
    tt_world_sort(&r->ground.world);
    if (plan_again(r, &r->ground.world, &again, err) < 0)
        return tt_wrap(err, "law 1");
    if (again->steps.count && !tt_patience_waits(r->plan))
        return tt_fail(err, TT_ERR_INTERNAL,
                       "law 1: after the plan was applied %zu steps are planned again, the first: "
                       "%s %s because %s: %s",
                       again->steps.count, tt_action_words[again->steps.items[0].action],
                       tt_subject_text(r->arena, &again->steps.items[0].subject),
                       tt_because_words[again->steps.items[0].because],
                       again->steps.items[0].reason);
    return 0;
}

#define SHUFFLE(r, list)                                                                           \
    for (size_t i_ = (list)->count; i_ > 1; i_--) {                                                \
        size_t j_ = next_random(&(r)->random) % i_;                                                \
        __typeof__(*(list)->items) item_ = (list)->items[i_ - 1];                                  \
        (list)->items[i_ - 1] = (list)->items[j_];                                                 \
        (list)->items[j_] = item_;                                                                 \
    }

/* Law 2. */
static int check_order(struct run *r, struct tt_error *err)
{
    struct tt_world *world;
    struct tt_plan *again;

    tt_playground_init(&r->ground, r->arena, r->what->desired, r->what->world, r->plan);
    world = &r->ground.world;
    SHUFFLE(r, &world->accounts);
    TT_EACH (account, &world->accounts) {
        SHUFFLE(r, &account->regions);
        TT_EACH (region, &account->regions) {
            SHUFFLE(r, &region->zones);
            SHUFFLE(r, &region->servers);
            SHUFFLE(r, &region->balancers);
            SHUFFLE(r, &region->pools);
            SHUFFLE(r, &region->addresses);
        }
    }
    tt_world_sort(world);
    if (plan_again(r, world, &again, err) < 0)
        return -1;
    if (!tt_same_plan(r->plan, again) ||
        (r->thorough &&
         strcmp(tt_plan_to_json(r->arena, r->plan), tt_plan_to_json(r->arena, again)) != 0))
        return tt_fail(err, TT_ERR_INTERNAL, "law 2: the order of the world changes the plan");
    return 0;
}

static bool exists(const struct tt_world *world, const struct tt_known_server *known)
{
    const struct tt_region *region = tt_world_region(world, known->account, known->region);

    return region && tt_region_server(region, known->id);
}

/* What is known after the run: it deleted some of the servers itself. */
static const struct tt_memory *remember(struct run *r, const struct tt_world *world)
{
    struct tt_memory *memory = TT_NEW(r->arena, struct tt_memory);

    *memory = *r->what->memory;
    memory->servers.items = NULL;
    memory->servers.count = memory->servers.capacity = 0;
    TT_EACH (known, &r->what->memory->servers)
        if (exists(world, known) || !exists(r->what->world, known))
            *TT_VEC_ADD(r->arena, &memory->servers) = *known;
    return memory;
}

/* Law 7: what a run leaves behind that was cut short is a world like any other, and the next run
 * ends where it should; in every eighth case that one is cut short, too, and so is the one after.
 */
static int check_next_run(struct run *r, uint64_t seed, struct tt_error *err)
{
    struct tt_case next = *r->what;
    struct tt_world *world = TT_NEW(r->arena, struct tt_world);

    *world = r->ground.world;
    tt_world_sort(world);
    next.world = world;
    next.memory = remember(r, world);
    next.run++;
    if (tt_laws_check(r->arena, &next, seed % 8 == 0 && next.run < 3 ? 2 : 0, seed, err) < 0)
        return tt_wrap(err, "law 7: on the next run after one that was cut short");
    return 0;
}

int tt_laws_check(struct tt_arena *arena, const struct tt_case *what, unsigned rounds,
                  uint64_t seed, struct tt_error *err)
{
    struct run r = {
        .arena = arena, .what = what, .random = seed * 2654435761u + 88172645463325252u};
    struct tt_plan *plan;

    r.thorough = seed % 16 == 0;
    r.options = *what->options;
    if (!r.thorough)
        r.options.world_hash = "sha256:-";
    if (plan_again(&r, what->world, &plan, err) < 0)
        return -1;
    r.plan = plan;
    if (tt_graph_laws_check(arena, what->desired, plan, err) < 0 ||
        tt_reach_laws_check(arena, what, plan, err) < 0 ||
        tt_limits_law_check(arena, what, plan, err) < 0 || tt_lent_law_check(what, plan, err) < 0 ||
        check_order(&r, err) < 0 ||
        (r.thorough && tt_replay_law_check(arena, what, plan, err) < 0) ||
        execute(&r, false, err) < 0)
        return -1;
    if (tt_plan_result(plan) != TT_RESULT_HELD && !what->options->targets.count &&
        (check_end(&r, err) < 0 || tt_lent_law_check_end(what, plan, &r.ground.world, err) < 0 ||
         tt_end_state_check(&r.ground, err) < 0 ||
         (tt_patience_waits(plan) && tt_patience_check(arena, what, plan, err) < 0)))
        return -1;
    for (unsigned i = 0; i < rounds; i++)
        if (execute(&r, i % 2, err) < 0)
            return -1;
    return rounds ? check_next_run(&r, seed, err) : 0;
}
