/*
 * Reach laws: each step against the problems of its plan and against what was seen.
 */
#include "reach_laws.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct reach {
    struct tt_arena *arena;
    const struct tt_case *what;
    const struct tt_plan *plan;
};

static int fail(const struct reach *r, const struct tt_step *step, struct tt_error *err,
                const char *what)
{
    return tt_fail(err, TT_ERR_INTERNAL, "s%td %s of %s (%s): %s", step - r->plan->steps.items + 1,
                   tt_action_words[step->action], tt_subject_text(r->arena, &step->subject),
                   step->server ? step->server : "new", what);
}

static bool has_error(const struct reach *r, const char *subject)
{
    TT_EACH (problem, &r->plan->problems)
        if (problem->severity == TT_SEVERITY_ERROR && tt_streq(problem->subject, subject))
            return true;
    return false;
}

static const struct tt_service *service_of(const struct reach *r, const struct tt_step *step)
{
    const struct tt_deployment *d =
        tt_desired_deployment(r->what->desired, step->subject.deployment);

    return d && step->subject.kind == TT_SUBJECT_SERVICE
               ? tt_deployment_service(d, step->subject.name)
               : NULL;
}

static bool is_seen(const struct reach *r, const struct tt_balancer *b)
{
    const struct tt_region *region = tt_world_region(r->what->world, b->account->name, b->region);

    return region && region->observed;
}

/* True when STEP tells the new machine of a balancer about a member that it had. */
static bool follows(const struct tt_step *step)
{
    return step->action == TT_STEP_ENROLL &&
           (step->because == TT_BECAUSE_BALANCER_REPLACED || !step->machine);
}

/* True when an error about STEP's slot names its very machine: of a slot that two machines fill the
 * other one is not named. */
static bool is_named_machine(const struct reach *r, const struct tt_step *step)
{
    const char *subject = tt_subject_text(r->arena, &step->subject);

    if (!step->server)
        return false;
    TT_EACH (problem, &r->plan->problems) {
        const char *found = strstr(problem->message, step->server);

        if (problem->severity == TT_SEVERITY_ERROR && tt_streq(problem->subject, subject) &&
            found && strchr(" )", found[strlen(step->server)]))
            return true;
    }
    return false;
}

/* "An error blocks the subject it names: no step is planned for it (what runs keeps running, and
 * its members follow when a vm-dynamic balancer is replaced)." */
static int check_subject(const struct reach *r, const struct tt_step *step, struct tt_error *err)
{
    struct tt_subject whole = step->subject;

    whole.slot = -1;
    if (!follows(step) && has_error(r, tt_subject_text(r->arena, &whole)))
        return fail(r, step, err, "an error blocks its subject");
    if (!follows(step) && is_named_machine(r, step))
        return fail(r, step, err, "an error blocks its slot");
    if (step->balancer && has_error(r, tt_printf(r->arena, "LoadBalancer/%s/%s",
                                                 step->subject.deployment, step->balancer)))
        return fail(r, step, err, "an error blocks its balancer");
    return 0;
}

/* No server behind a balancer that is blocked or unseen is deleted. */
static int check_behind(const struct reach *r, const struct tt_step *step, struct tt_error *err)
{
    const struct tt_service *service = service_of(r, step);

    if (step->action != TT_STEP_DELETE_SERVER || !service)
        return 0;
    TT_EACH (item, &service->balancers) {
        const struct tt_balancer *b = *item;

        if (!tt_balancer_covers(b, step->account, step->region))
            continue;
        if (!is_seen(r, b))
            return fail(r, step, err, "its balancer cannot be seen");
        if (has_error(r, tt_printf(r->arena, "LoadBalancer/%s/%s", b->deployment->name, b->name)))
            return fail(r, step, err, "its balancer is blocked");
    }
    return 0;
}

/* --- guards and limits ---------------------------------------------------------------------- */

static int count_owned(const struct reach *r, const char *deployment)
{
    int count = 0;

    TT_EACH (account, &r->what->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                count += server->state != TT_SERVER_GONE &&
                         tt_streq(server->tags.owner, r->what->desired->owner) &&
                         tt_streq(server->tags.deployment, deployment);
    return count;
}

static bool counts_as_destroyed(const struct tt_step *step)
{
    return step->action == TT_STEP_DELETE_SERVER &&
           (step->because == TT_BECAUSE_SURPLUS || step->because == TT_BECAUSE_REMOVED ||
            step->because == TT_BECAUSE_DUPLICATE);
}

/* Law 9: strictly more deletions than maxDestroy, one is always allowed. */
static int check_guard(const struct reach *r, const struct tt_deployment *d, struct tt_error *err)
{
    int owned = count_owned(r, d->name), destroyed = 0;
    const struct tt_step *first = NULL;

    TT_EACH (step, &r->plan->steps)
        if (strcmp(step->subject.deployment, d->name) == 0 && counts_as_destroyed(step)) {
            destroyed++;
            if (!step->held)
                first = step;
        }
    if (first && destroyed > 1 && destroyed * 100 > d->guard.max_destroy * owned &&
        destroyed > r->what->options->allow_destroy)
        return fail(r, first, err, "law 9: more than maxDestroy is deleted and it is not held");
    return 0;
}

/* The owned servers that went without our doing: by the memory of the last run, where it knows the
 * deployment, else those that are seen gone. */
static int count_vanished(const struct reach *r, const char *deployment)
{
    bool remembered = tt_strings_has(&r->what->memory->deployments, deployment);
    int vanished = 0, gone = 0;

    TT_EACH (known, &r->what->memory->servers) {
        const struct tt_region *region =
            tt_world_region(r->what->world, known->account, known->region);
        const struct tt_server *server;

        if (strcmp(known->deployment, deployment) != 0)
            continue;
        remembered = true;
        if (!region || !region->observed)
            continue;
        server = tt_region_server(region, known->id);
        vanished += !server || server->state == TT_SERVER_GONE;
    }
    TT_EACH (account, &r->what->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                gone += server->state == TT_SERVER_GONE &&
                        tt_streq(server->tags.owner, r->what->desired->owner) &&
                        tt_streq(server->tags.deployment, deployment) &&
                        (server->tags.service || server->tags.balancer);
    return remembered ? vanished : gone;
}

/* Law 9: strictly more than maxVanished of at least four owned servers gone at once holds every
 * step; and no step is held that no problem tells of. */
static int check_vanished(const struct reach *r, const struct tt_deployment *d,
                          struct tt_error *err)
{
    int gone = count_vanished(r, d->name), total = count_owned(r, d->name) + gone;
    bool lost = total >= 4 && gone * 100 > d->guard.max_vanished * total &&
                !r->what->options->allow_vanished;
    bool told = false;

    TT_EACH (problem, &r->plan->problems)
        told = told || strcmp(problem->code, "guard-held") == 0 ||
               strcmp(problem->code, "recovery-limit") == 0;
    TT_EACH (step, &r->plan->steps) {
        if (strcmp(step->subject.deployment, d->name) != 0)
            continue;
        if (lost && !step->held)
            return fail(r, step, err, "law 9: more than maxVanished is gone and it is not held");
        if (step->held && !told)
            return fail(r, step, err, "law 9: it is held and nothing says why");
    }
    return 0;
}

/* Law 8: at most maxPerHour replacements of a balancer that failed. */
static int check_limit(const struct reach *r, const struct tt_step *step, struct tt_error *err)
{
    const struct tt_deployment *d =
        tt_desired_deployment(r->what->desired, step->subject.deployment);
    const struct tt_balancer *b = d && step->subject.kind == TT_SUBJECT_LOAD_BALANCER
                                      ? tt_deployment_balancer(d, step->subject.name)
                                      : NULL;
    int recoveries = 0;

    if (!b || step->action != TT_STEP_CREATE_SERVER || step->because != TT_BECAUSE_FAILED ||
        step->held)
        return 0;
    TT_EACH (recovery, &r->what->memory->recoveries)
        recoveries += strcmp(recovery->deployment, d->name) == 0 &&
                      strcmp(recovery->balancer, b->name) == 0 &&
                      recovery->at > r->what->now - INT64_C(3600000) &&
                      recovery->at <= r->what->now;
    return recoveries >= b->recovery.max_per_hour
               ? fail(r, step, err, "law 8: it was replaced maxPerHour times already")
               : 0;
}

int tt_reach_laws_check(struct tt_arena *arena, const struct tt_case *what,
                        const struct tt_plan *plan, struct tt_error *err)
{
    struct reach r = {.arena = arena, .what = what, .plan = plan};

    TT_EACH (step, &plan->steps)
        if (check_subject(&r, step, err) < 0 || check_behind(&r, step, err) < 0 ||
            check_limit(&r, step, err) < 0)
            return -1;
    TT_EACH (deployment, &what->desired->deployments)
        if (check_guard(&r, *deployment, err) < 0 || check_vanished(&r, *deployment, err) < 0)
            return -1;
    return 0;
}
