/*
 * Graph laws: reachability over `after`, and who must be reachable from whom.
 */
#include "graph_laws.h"

#include <string.h>

#include "base/str.h"

struct graph {
    struct tt_arena *arena;
    const struct tt_desired *desired;
    const struct tt_plan *plan;
    char *before; /* count × count: before[a * count + b]: a comes before b */
};

static bool comes_before(const struct graph *g, size_t a, size_t b)
{
    return g->before[a * g->plan->steps.count + b];
}

static int fail(const struct graph *g, size_t step, struct tt_error *err, const char *what)
{
    const struct tt_step *s = &g->plan->steps.items[step];

    return tt_fail(err, TT_ERR_INTERNAL, "s%zu %s of %s %s", step + 1, tt_action_words[s->action],
                   tt_subject_text(g->arena, &s->subject), what);
}

static int close_over(struct graph *g, struct tt_error *err)
{
    size_t count = g->plan->steps.count;

    g->before = TT_NEW_ARRAY(g->arena, count * count, char);
    for (size_t i = 0; i < count; i++)
        TT_EACH (index, &g->plan->steps.items[i].after) {
            if (*index < 0 || (size_t)*index >= i)
                return fail(g, i, err, "waits for a step that does not come earlier");
            g->before[(size_t)*index * count + i] = 1;
            for (size_t a = 0; a < count; a++)
                g->before[a * count + i] |= g->before[a * count + (size_t)*index];
        }
    return 0;
}

static bool same_subject(const struct tt_subject *a, const struct tt_subject *b)
{
    return a->kind == b->kind && a->slot == b->slot && strcmp(a->deployment, b->deployment) == 0 &&
           strcmp(a->name, b->name) == 0;
}

/* "An enroll of a machine that is yet to be made lists its create-server in after", and so for the
 * machine of its balancer. */
static int check_enroll(const struct graph *g, size_t i, struct tt_error *err)
{
    const struct tt_step *step = &g->plan->steps.items[i];
    const struct tt_deployment *d = tt_desired_deployment(g->desired, step->subject.deployment);
    const struct tt_balancer *b = d ? tt_deployment_balancer(d, step->balancer) : NULL;
    bool server = step->server != NULL;
    bool machine = step->machine || !b || b->type == TT_BALANCER_CLOUD;

    TT_EACH (index, &step->after) {
        const struct tt_step *other = &g->plan->steps.items[*index];

        if (other->action != TT_STEP_CREATE_SERVER)
            continue;
        server = server || same_subject(&other->subject, &step->subject);
        machine = machine || (other->subject.kind == TT_SUBJECT_LOAD_BALANCER &&
                              strcmp(other->subject.name, step->balancer) == 0);
    }
    if (!server)
        return fail(g, i, err, "does not list the create-server of its server");
    return machine ? 0 : fail(g, i, err, "does not list the create-server of its balancer");
}

static const struct tt_service *service_of(const struct graph *g, const struct tt_step *step)
{
    const struct tt_deployment *d = tt_desired_deployment(g->desired, step->subject.deployment);

    if (!d || step->subject.kind != TT_SUBJECT_SERVICE)
        return NULL;
    return tt_deployment_service(d, step->subject.name);
}

static bool depends_on(const struct tt_service *service, const struct tt_service *other)
{
    TT_EACH (item, &service->depends_on)
        if (*item == other)
            return true;
    return false;
}

/* Creates follow dependsOn, the deletions of a stopped deployment go against it. */
static int check_dependencies(const struct graph *g, size_t i, struct tt_error *err)
{
    const struct tt_step *step = &g->plan->steps.items[i];
    const struct tt_service *own = service_of(g, step);

    for (size_t j = 0; own && j < g->plan->steps.count; j++) {
        const struct tt_step *other = &g->plan->steps.items[j];
        const struct tt_service *service = service_of(g, other);

        if (!service || other->action != step->action)
            continue;
        if (step->action == TT_STEP_CREATE_SERVER && depends_on(own, service) &&
            !comes_before(g, j, i))
            return fail(g, i, err, "does not wait for what it depends on");
        if (step->action == TT_STEP_DELETE_SERVER &&
            step->because == TT_BECAUSE_DEPLOYMENT_STOPPED && depends_on(service, own) &&
            !comes_before(g, j, i))
            return fail(g, i, err, "does not wait for those that depend on it");
    }
    return 0;
}

/* A service's machines are made after the balancers' machines that they join, and a stopped
 * deployment's balancer machines go last. */
static int check_balancer_machine(const struct graph *g, size_t i, struct tt_error *err)
{
    const struct tt_step *step = &g->plan->steps.items[i];

    if (step->subject.kind != TT_SUBJECT_LOAD_BALANCER)
        return 0;
    for (size_t j = 0; j < g->plan->steps.count; j++) {
        const struct tt_step *other = &g->plan->steps.items[j];
        const struct tt_service *service = service_of(g, other);
        const struct tt_deployment *d = tt_desired_deployment(g->desired, step->subject.deployment);
        const struct tt_balancer *b = d ? tt_deployment_balancer(d, step->subject.name) : NULL;

        if (!service || !b || !tt_service_is_behind(service, b) ||
            strcmp(other->subject.deployment, step->subject.deployment) != 0)
            continue;
        if (step->action == TT_STEP_CREATE_SERVER && step->because == TT_BECAUSE_MISSING &&
            other->action == TT_STEP_CREATE_SERVER && other->because == TT_BECAUSE_MISSING &&
            !comes_before(g, i, j))
            return fail(g, j, err, "does not wait for its balancer's machine");
        if (step->action == TT_STEP_DELETE_SERVER &&
            step->because == TT_BECAUSE_DEPLOYMENT_STOPPED &&
            other->action == TT_STEP_DELETE_SERVER && !comes_before(g, j, i))
            return fail(g, i, err, "does not wait for the servers behind it");
    }
    return 0;
}

/* create → enroll every member → fence → move-address → delete. */
static int check_fence(const struct graph *g, size_t i, struct tt_error *err)
{
    const struct tt_step *fence = &g->plan->steps.items[i];

    for (size_t j = 0; j < g->plan->steps.count; j++) {
        const struct tt_step *other = &g->plan->steps.items[j];
        bool same = same_subject(&other->subject, &fence->subject);

        if (strcmp(other->subject.deployment, fence->subject.deployment) != 0)
            continue;
        if (same && other->action == TT_STEP_CREATE_SERVER && !comes_before(g, j, i))
            return fail(g, i, err, "does not wait for the new machine");
        if (other->action == TT_STEP_ENROLL && tt_streq(other->balancer, fence->subject.name) &&
            other->because == TT_BECAUSE_BALANCER_REPLACED && !comes_before(g, j, i))
            return fail(g, i, err, "does not wait for every member that follows");
        if (same && other->action == TT_STEP_MOVE_ADDRESS && !comes_before(g, i, j))
            return fail(g, j, err, "does not wait for the fence");
        if (same && other->action == TT_STEP_DELETE_SERVER &&
            tt_streq(other->server, fence->server) && !comes_before(g, i, j))
            return fail(g, j, err, "does not wait for the fence");
    }
    return 0;
}

int tt_graph_laws_check(struct tt_arena *arena, const struct tt_desired *desired,
                        const struct tt_plan *plan, struct tt_error *err)
{
    struct graph g = {.arena = arena, .desired = desired, .plan = plan};

    if (close_over(&g, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->steps.count; i++) {
        enum tt_action action = plan->steps.items[i].action;

        if ((action == TT_STEP_ENROLL && check_enroll(&g, i, err) < 0) ||
            (action == TT_STEP_FENCE && check_fence(&g, i, err) < 0) ||
            check_dependencies(&g, i, err) < 0 || check_balancer_machine(&g, i, err) < 0)
            return -1;
    }
    return 0;
}
