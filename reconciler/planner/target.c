/*
 * Target: marks backwards, then closes the gaps.
 */
#include "reconciler/planner/target.h"

#include <string.h>

#include "base/map.h"
#include "base/str.h"

static bool names(const char *target, const char *kind, const char *deployment, const char *name)
{
    size_t length = strlen(kind);
    const char *rest;

    if (strncmp(target, kind, length) != 0 || target[length] != '/')
        return false;
    rest = target + length + 1;
    if (!name)
        return strcmp(rest, deployment) == 0;
    if (strcmp(rest, name) == 0)
        return true;
    length = strlen(deployment);
    return strncmp(rest, deployment, length) == 0 && rest[length] == '/' &&
           strcmp(rest + length + 1, name) == 0;
}

/* True when TARGET is DEPLOYMENT or a part of it. */
static bool is_in(const struct tt_deployment_view *deployment, const char *target)
{
    if (names(target, "Deployment", deployment->name, NULL))
        return true;
    TT_EACH (service, &deployment->services)
        if (names(target, "Service", deployment->name, (*service)->name))
            return true;
    TT_EACH (balancer, &deployment->balancers)
        if (names(target, "LoadBalancer", deployment->name, (*balancer)->name))
            return true;
    return false;
}

static bool is_known(const struct tt_view *view, const char *target)
{
    TT_EACH (deployment, &view->deployments)
        if (is_in(*deployment, target))
            return true;
    return false;
}

static bool is_targeted(const struct tt_strings *targets, const struct tt_step *step)
{
    const struct tt_subject *subject = &step->subject;

    TT_EACH (target, targets)
        if (names(*target, "Deployment", subject->deployment, NULL) ||
            names(*target, tt_subject_kind_words[subject->kind], subject->deployment,
                  subject->name))
            return true;
    return false;
}

static const struct tt_deployment_view *deployment_of(const struct tt_view *view, const char *name)
{
    TT_EACH (deployment, &view->deployments)
        if (strcmp((*deployment)->name, name) == 0)
            return *deployment;
    return NULL;
}

/* False when STEP of a service waits for EARLIER only because balancers' machines start first: the
 * service is not behind that one. */
static bool needs(const struct tt_view *view, const struct tt_step *step,
                  const struct tt_step *earlier)
{
    const struct tt_deployment_view *deployment;
    const struct tt_service_view *service;
    const struct tt_balancer_view *balancer;

    if (step->subject.kind != TT_SUBJECT_SERVICE || step->action != TT_STEP_CREATE_SERVER ||
        earlier->subject.kind != TT_SUBJECT_LOAD_BALANCER ||
        earlier->action != TT_STEP_CREATE_SERVER)
        return true;
    deployment = deployment_of(view, step->subject.deployment);
    service = deployment ? tt_view_service(deployment, step->subject.name) : NULL;
    balancer = deployment ? tt_view_balancer(deployment, earlier->subject.name) : NULL;
    return !service || !service->spec || !balancer || !balancer->spec ||
           tt_service_is_behind(service->spec, balancer->spec);
}

/* What is kept waits for what is kept. */
static void keep_edges(struct tt_step *step, const int *new_index, const bool *kept)
{
    size_t count = 0;

    TT_EACH (index, &step->after)
        if (kept[*index])
            step->after.items[count++] = new_index[*index];
    step->after.count = count;
}

static void drop_others(struct tt_arena *scratch, struct tt_steps *steps, const bool *kept)
{
    int *new_index = TT_NEW_ARRAY(scratch, steps->count, int);
    size_t count = 0;

    for (size_t i = 0; i < steps->count; i++) {
        if (!kept[i])
            continue;
        new_index[i] = (int)count;
        keep_edges(&steps->items[i], new_index, kept);
        steps->items[count++] = steps->items[i];
    }
    steps->count = count;
}

/* --- problems ----------------------------------------------------------------------------------
 */

/* Of "Service/storefront/web/0": "storefront". */
static const char *deployment_named_by(struct tt_arena *arena, const char *subject)
{
    const char *name = strchr(subject, '/');

    return name ? tt_strndup(arena, name + 1, strcspn(name + 1, "/")) : "";
}

/* What is wrong with an account is everybody's. */
static void drop_problems_of_others(struct tt_view *view, const struct tt_strings *targets,
                                    struct tt_arena *scratch)
{
    struct tt_map meant;
    size_t count = 0;

    tt_map_init(&meant, scratch);
    TT_EACH (deployment, &view->deployments)
        TT_EACH (target, targets)
            if (is_in(*deployment, *target))
                tt_map_put(&meant, (*deployment)->name, *deployment);
    TT_EACH (problem, &view->problems)
        if (tt_starts_with(problem->subject, "Account/") ||
            tt_map_get(&meant, deployment_named_by(scratch, problem->subject)))
            view->problems.items[count++] = *problem;
    view->problems.count = count;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

int tt_target(struct tt_view *view, const struct tt_strings *targets, struct tt_steps *steps,
              struct tt_error *err)
{
    struct tt_arena scratch;
    bool *kept;

    TT_EACH (target, targets)
        if (!is_known(view, *target))
            return tt_fail(err, TT_ERR_SPEC,
                           "--target %s names nothing: give Deployment/NAME, "
                           "Service/[DEPLOYMENT/]NAME or LoadBalancer/[DEPLOYMENT/]NAME",
                           *target);
    if (!targets->count)
        return 0;
    tt_arena_init(&scratch);
    kept = TT_NEW_ARRAY(&scratch, steps->count, bool);
    for (size_t i = steps->count; i-- > 0;) {
        kept[i] = kept[i] || is_targeted(targets, &steps->items[i]);
        if (kept[i])
            TT_EACH (index, &steps->items[i].after)
                kept[*index] = kept[*index] || needs(view, &steps->items[i], &steps->items[*index]);
    }
    drop_others(&scratch, steps, kept);
    drop_problems_of_others(view, targets, &scratch);
    tt_arena_release(&scratch);
    return 0;
}
