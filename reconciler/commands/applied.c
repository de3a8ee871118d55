/*
 * Applied: two plans of one world tell what Git has changed since from what the world did.
 */
#include "reconciler/commands/applied.h"

#include <string.h>

#include "base/str.h"
#include "reconciler/commands/compare.h"
#include "reconciler/plan_text.h"

/* --- writing it down -------------------------------------------------------------------------- */

/* SUBJECT: "Service/shop/web", "Deployment/shop". What names none concerns all. */
static bool concerns(const char *subject, const char *deployment)
{
    const char *name = subject ? strchr(subject, '/') : NULL;
    size_t length;

    if (!name ||
        (!tt_starts_with(subject, "Service/") && !tt_starts_with(subject, "LoadBalancer/") &&
         !tt_starts_with(subject, "Deployment/")))
        return true;
    length = strcspn(++name, "/");
    return strlen(deployment) == length && strncmp(name, deployment, length) == 0;
}

static bool is_whole(const struct tt_plan *plan, const char *deployment,
                     const struct tt_apply_outcome *outcome)
{
    TT_EACH (problem, &plan->problems)
        if (problem->severity != TT_SEVERITY_INFO && concerns(problem->subject, deployment))
            return false;
    for (size_t i = 0; i < plan->steps.count; i++)
        if (tt_streq(plan->steps.items[i].subject.deployment, deployment) &&
            (!outcome || outcome->steps[i].state != TT_STEP_STATE_DONE))
            return false;
    return true;
}

void tt_note_applied(struct tt_session *session, const struct tt_strings *deployments,
                     const struct tt_apply_outcome *outcome)
{
    struct tt_strings whole = {0};
    struct tt_error err = {0};

    if (session->options.worktree)
        return;
    TT_EACH (target, &session->options.targets)
        if (!tt_starts_with(*target, "Deployment/"))
            return;
    TT_EACH (deployment, deployments)
        if (is_whole(session->plan, *deployment, outcome))
            tt_strings_add(&session->arena, &whole, *deployment);
    if (whole.count && tt_store_set_applied(session->store, &whole, session->plan->revision,
                                            session->clock->now(session->clock->self), &err) < 0) {
        tt_wrap(&err, "which commit is applied could not be written down");
        tt_session_complain(session, &err);
    }
}

/* --- finding drift ---------------------------------------------------------------------------- */

/* What one applied commit asks for. */
struct finding {
    const char *revision;
    struct tt_desired *desired; /* NULL: cannot be read any more */
    struct tt_plan *plan;
    struct tt_step_set steps; /* of the plan */
};

/* A deployment, and the commit that was applied to it. */
struct base {
    const char *deployment;
    const char *revision;    /* NULL: none is known */
    struct finding *finding; /* NULL: it is the newest commit */
};

struct search {
    struct tt_session *session;
    TT_VEC(struct base) bases;
    TT_VEC(struct finding *) findings;
    /* what runs of a commit that is not applied whole have done so far: subjects, and steps */
    struct tt_map touched, done;
};

static struct finding *finding_of(struct search *search, const char *revision)
{
    struct finding *finding;

    TT_EACH (known, &search->findings)
        if (tt_streq((*known)->revision, revision))
            return *known;
    finding = TT_NEW(&search->session->arena, struct finding);
    finding->revision = revision;
    if (tt_session_load_other(search->session, revision, &finding->desired, NULL) < 0)
        finding->desired = NULL;
    *TT_VEC_ADD(&search->session->arena, &search->findings) = finding;
    return finding;
}

static void read_done(struct search *search, const char *deployment)
{
    struct tt_arena *arena = &search->session->arena;
    tt_done_steps done = {0};

    tt_store_read_done(search->session->store, arena, deployment, &done, NULL);
    TT_EACH (step, &done) {
        tt_map_put(&search->touched, step->subject, search);
        tt_map_put(&search->done, tt_printf(arena, "%s %s", step->subject, step->text), search);
    }
}

static void read_bases(struct search *search)
{
    struct tt_session *session = search->session;

    if (!session->store || session->options.worktree)
        return;
    TT_EACH (deployment, &session->desired->deployments) {
        struct base *base = TT_VEC_ADD(&session->arena, &search->bases);

        *base = (struct base){.deployment = (*deployment)->name};
        if (tt_store_read_applied(session->store, &session->arena, base->deployment,
                                  &base->revision, NULL) < 0)
            base->revision = NULL;
        if (session->options.revision && !tt_streq(base->revision, session->desired->revision))
            base->revision = NULL; /* what is asked about is that commit alone */
        if (base->revision && !tt_streq(base->revision, session->desired->revision))
            base->finding = finding_of(search, base->revision);
        if (base->finding)
            read_done(search, base->deployment);
    }
}

static const struct base *base_of(const struct search *search, const char *deployment)
{
    TT_EACH (base, &search->bases)
        if (tt_streq(base->deployment, deployment))
            return base;
    return NULL;
}

static void observe(struct search *search)
{
    struct tt_session *session = search->session;
    struct tt_desired **also =
        TT_NEW_ARRAY(&session->arena, search->findings.count + 1, struct tt_desired *);
    size_t count = 0;

    TT_EACH (finding, &search->findings)
        if ((*finding)->desired)
            also[count++] = (*finding)->desired;
    also[count] = NULL;
    tt_session_open_clouds(session, true);
    tt_session_observe(session, &(struct tt_observe_options){.also = also});
}

static int plan_all(struct search *search, struct tt_error *err)
{
    struct tt_session *session = search->session;

    TT_EACH (item, &search->findings) {
        struct finding *finding = *item;

        if (!finding->desired)
            continue;
        if (tt_session_plan_other(session, finding->desired, &finding->plan, err) < 0)
            return -1;
        tt_step_set_init(&finding->steps, &session->arena, finding->plan);
    }
    return tt_session_plan(session, err);
}

/* What the cause alone tells; OTHERWISE where it tells nothing. */
static const char *class_of(const struct tt_step *step, const char *otherwise)
{
    bool of_a_slot = step->subject.slot >= 0;

    if (step->because == TT_BECAUSE_DRIFT && step->action == TT_STEP_WITHDRAW && !of_a_slot)
        return "foreign";
    switch (step->because) {
    case TT_BECAUSE_MISSING:
        return "missing";
    case TT_BECAUSE_FAILED:
    case TT_BECAUSE_BALANCER_REPLACED:
        return "failed";
    case TT_BECAUSE_DRIFT:
    case TT_BECAUSE_DUPLICATE:
        return "changed";
    default:
        return otherwise;
    }
}

/* True when what STEP is about was changed in the name of a commit that is not applied whole: then
 * only the newest one tells what should be. */
static bool is_touched(const struct search *search, const struct tt_step *step)
{
    return tt_map_get(&search->touched, tt_subject_text(&search->session->arena, &step->subject)) !=
           NULL;
}

static bool has_done(const struct search *search, const struct tt_step *step)
{
    struct tt_arena *arena = &search->session->arena;

    return tt_map_get(&search->done,
                      tt_printf(arena, "%s %s", tt_subject_text(arena, &step->subject),
                                tt_step_text(arena, step))) != NULL;
}

/* A server that the same run made had no id yet. */
static bool was_done(const struct search *search, const struct tt_step *step)
{
    struct tt_step made = *step;

    made.server = NULL;
    return has_done(search, step) || has_done(search, &made);
}

static void add(const struct search *search, struct tt_drift *drift, const struct tt_step *step,
                const char *class, const struct tt_desired *desired)
{
    *TT_VEC_ADD(&search->session->arena, &drift->items) =
        (struct tt_drift_item){.step = step, .class = class, .desired = desired};
}

/* What FINDING's commit asks for in its deployments is drift from it. */
static void add_from_applied(const struct search *search, const struct finding *finding,
                             struct tt_drift *drift)
{
    TT_EACH (step, &finding->plan->steps) {
        const struct base *base = base_of(search, step->subject.deployment);

        if (base && base->finding == finding && !is_touched(search, step))
            add(search, drift, step, class_of(step, "changed"), finding->desired);
    }
}

/* What only the newest commit asks for is a change that is not applied yet. */
static void add_from_newest(const struct search *search, struct tt_drift *drift)
{
    const struct tt_desired *desired = search->session->desired;

    TT_EACH (step, &search->session->plan->steps) {
        const struct base *base = base_of(search, step->subject.deployment);

        if (!base || !base->revision || (base->finding && !base->finding->plan))
            add(search, drift, step, class_of(step, "ours"), desired);
        else if (!base->finding)
            add(search, drift, step, class_of(step, "changed"), desired);
        else if (is_touched(search, step) &&
                 (was_done(search, step) || step->because == TT_BECAUSE_FAILED))
            add(search, drift, step, class_of(step, "ours"), desired);
        else if (is_touched(search, step))
            add(search, drift, step, "ours", desired);
        else if (!tt_step_set_has(&base->finding->steps, step))
            add(search, drift, step, "ours", desired);
    }
}

void tt_drift_of_plan(struct tt_session *session, struct tt_drift *ret_drift)
{
    struct search search = {.session = session};
    const char *known = NULL, *applied = NULL;

    TT_EACH (step, &session->plan->steps) {
        const char *deployment = step->subject.deployment;

        if (!tt_streq(deployment, known) &&
            (!session->store || tt_store_read_applied(session->store, &session->arena, deployment,
                                                      &applied, NULL) < 0))
            applied = NULL;
        known = deployment;
        add(&search, ret_drift, step,
            class_of(step, tt_streq(applied, session->plan->revision) ? "changed" : "ours"),
            session->desired);
    }
}

bool tt_drift_is_first(struct tt_map *told, struct tt_arena *scratch,
                       const struct tt_drift_item *item)
{
    const struct tt_step *step = item->step;
    const char *key = tt_printf(scratch, "%s %d %s", item->class, (int)step->because,
                                tt_subject_text(scratch, &step->subject));

    /* a setting, a membership at each balancer, entries that are not a slot's */
    if (step->subject.slot < 0 || step->because == TT_BECAUSE_DRIFT)
        key = tt_printf(scratch, "%s %s", key, step->reason);
    return !tt_map_put(told, key, told);
}

bool tt_find_drift(struct tt_session *session, struct tt_drift *ret_drift)
{
    struct search search = {.session = session};
    struct tt_error err = {0};

    tt_map_init(&search.touched, &session->arena);
    tt_map_init(&search.done, &session->arena);
    if (!tt_session_require_specs(session))
        return false;
    if (!session->options.world) {
        tt_session_remember(session);
        read_bases(&search);
        observe(&search);
    }
    if (plan_all(&search, &err) < 0) {
        tt_session_complain(session, &err);
        return false;
    }
    TT_EACH (finding, &search.findings)
        if ((*finding)->plan)
            add_from_applied(&search, *finding, ret_drift);
    add_from_newest(&search, ret_drift);
    return true;
}
