/*
 * apply: specs, lock, world, plan, approval, steps.
 */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "reconciler/apply_lent.h"
#include "reconciler/commands/applied.h"
#include "reconciler/commands/apply_saved.h"
#include "reconciler/commands/ask.h"
#include "reconciler/commands/carry_out.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/events.h"
#include "reconciler/commands/lease.h"
#include "reconciler/commands/picture.h"
#include "reconciler/commands/record.h"
#include "reconciler/commands/saved_plan.h"
#include "reconciler/commands/settle.h"
#include "reconciler/plan_text.h"

/* One apply: what only it has. */
struct run {
    struct tt_session *session;
    struct tt_plan *saved; /* NULL: none */
    struct tt_signals signals;
    struct tt_strings deployments; /* to lock */
    struct tt_lease lease;
};

/* --- which deployments ------------------------------------------------------------------------ */

static bool add_deployment(struct run *run, const char *name)
{
    if (tt_strings_has(&run->deployments, name))
        return false;
    tt_strings_add(&run->session->arena, &run->deployments, tt_strdup(&run->session->arena, name));
    return true;
}

/* Adds the deployments that PLAN changes; true when there was a new one. */
static bool add_deployments_of(struct run *run, const struct tt_plan *plan)
{
    bool added = false;

    TT_EACH (step, &plan->steps)
        if (!step->held)
            added = add_deployment(run, step->subject.deployment) || added;
    return added;
}

/* True when TARGET ("Service/shop/web", "Deployment/shop", "Service/web") may mean DEPLOYMENT. */
static bool may_mean(const char *target, const char *deployment)
{
    const char *name = strchr(target, '/');
    size_t length = name ? strcspn(name + 1, "/") : 0;

    if (!name || (name[1 + length] != '/' && !tt_starts_with(target, "Deployment/")))
        return true;
    return strlen(deployment) == length && strncmp(name + 1, deployment, length) == 0;
}

/* Before anything is known of the world: those that Git names, unless only a part is asked for. */
static void choose_deployments(struct run *run)
{
    const struct tt_strings *targets = &run->session->options.targets;

    if (run->saved) {
        add_deployments_of(run, run->saved);
        return;
    }
    TT_EACH (deployment, &run->session->desired->deployments) {
        bool chosen = !targets->count;

        TT_EACH (target, targets)
            chosen = chosen || may_mean(*target, (*deployment)->name);
        if (chosen)
            add_deployment(run, (*deployment)->name);
    }
}

/* --- from the world to a plan ----------------------------------------------------------------- */

/* Locks, looks and plans. What turns out to change, too (a target's deployment, or one that left
 * Git), is locked as well, and then the world is looked at again. */
static int lock_and_plan(struct run *run, struct tt_error *err)
{
    struct tt_session *session = run->session;

    for (;;) {
        if (tt_lease_begin(&run->lease, session->store, session->clock, &run->deployments, "apply",
                           &run->signals, err) < 0)
            return -1;
        session->lock = run->deployments.count ? run->lease.token : 0;
        tt_settle(session, &run->deployments, &run->signals);
        if (tt_session_remember_for_run(session, err) < 0) {
            tt_lease_end(&run->lease);
            return -1;
        }
        if (tt_session_plan(session, err) == 0 &&
            (run->saved || !add_deployments_of(run, session->plan)))
            return 0;
        tt_lease_end(&run->lease);
        if (err->class == TT_ERR_INTERNAL)
            tt_record(session, "apply", 0);
        if (err->class != TT_ERR_NONE)
            return -1;
    }
}

/* The saved plan takes the place of the fresh one when it is still good. */
static int choose_plan(struct run *run, struct tt_error *err)
{
    if (!run->saved)
        return 0;
    if (tt_saved_plan_check(&run->session->arena, run->saved, run->session->plan,
                            run->session->approves > 0, err) < 0)
        return -1;
    run->session->plan = run->saved;
    return 0;
}

/* --- showing it --------------------------------------------------------------------------------
 */

static void show(const struct tt_session *session)
{
    TT_BUF_AUTO text = {0};

    if (session->options.json) {
        tt_event_plan(session->plan);
        return;
    }
    /* nobody approves what was not shown */
    if (session->options.quiet && session->options.auto_approve)
        return;
    tt_plan_text(&text, session->plan, session->desired, session->color && isatty(STDOUT_FILENO));
    fputs(tt_buf_text(&text), stdout);
    fflush(stdout);
}

static bool has_free_steps(const struct tt_plan *plan)
{
    TT_EACH (step, &plan->steps)
        if (!step->held)
            return true;
    return false;
}

/* --- the way -----------------------------------------------------------------------------------
 */

/* Nothing is carried out: there is a plan, and no run. */
static int stay(struct tt_session *session, int code)
{
    tt_record(session, "apply", 0);
    return code;
}

/* What was approved has no targets: what is kept of it is about the deployment that it changes. */
static void tell_what_was_approved(const struct run *run)
{
    struct tt_session *session = run->session;
    const char *name = run->deployments.count == 1 ? run->deployments.items[0] : NULL;

    if (session->approves && name && !session->options.targets.count &&
        tt_desired_deployment(session->desired, name))
        session->about = name;
}

/* What is planned after it is about nothing else either. */
static void narrow_to_what_was_approved(struct tt_session *session)
{
    struct tt_arena *arena = &session->arena;

    if (session->about)
        tt_strings_add(arena, &session->options.targets,
                       tt_printf(arena, "Deployment/%s", session->about));
}

/* What is kept with --save is how it became, for those who look at it. */
static void keep_what_came_of_it(struct run *run)
{
    struct tt_session *session = run->session;
    struct tt_error err = {0};

    if (!session->options.save || tt_signals_stopped(&run->signals))
        return;
    narrow_to_what_was_approved(session);
    tt_session_observe(session, &(struct tt_observe_options){0});
    tt_session_remember(session);
    if (tt_session_plan(session, &err) < 0)
        tt_session_complain(session, &err);
    else
        tt_session_save(session, NULL);
}

/* That all is as it should be is worth to be remembered, too. */
static void note_nothing_to_do(struct run *run)
{
    struct tt_session *session = run->session;
    const struct tt_lent_note note = {.desired = session->desired,
                                      .world = session->world,
                                      .lock = session->lock,
                                      .forget = session->options.allow_vanished};
    struct tt_error err = {0};

    tt_note_applied(session, &run->deployments, NULL);
    if (tt_apply_note_lent(session->store, &note, &err) < 0) {
        tt_wrap(&err, "what vm-static machines were told could not be written down");
        tt_session_complain(session, &err);
    }
}

static int approve_and_carry_out(struct run *run)
{
    struct tt_session *session = run->session;
    struct tt_error err = {0};
    int code;

    if (choose_plan(run, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    tell_what_was_approved(run);
    if (!tt_session_save(session, NULL))
        return 1;
    show(session);
    if (!session->plan->steps.count)
        note_nothing_to_do(run);
    if (!has_free_steps(session->plan) &&
        !(session->options.auto_approve && tt_plan_result(session->plan) == TT_RESULT_HELD))
        return stay(session, tt_result_exit(tt_plan_result(session->plan)));
    if (!tt_ask(session, &run->signals, "Carry out these steps?"))
        return stay(session, 1);
    code = tt_carry_out(session, &run->deployments, &run->signals);
    if (has_free_steps(session->plan))
        keep_what_came_of_it(run);
    return code;
}

static int apply(struct run *run)
{
    struct tt_session *session = run->session;
    struct tt_error err = {0};
    int code;

    if (!session->store && tt_session_open_store_for_run(session, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    tt_session_open_clouds(session, false);
    if (lock_and_plan(run, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    code = approve_and_carry_out(run);
    tt_lease_end(&run->lease);
    return code;
}

/* Reads the saved plan, when one is named, and the specs it was made for. */
static int prepare(struct run *run, struct tt_error *err)
{
    struct tt_session *session = run->session;

    if (!run->saved && session->options.arguments.count &&
        tt_saved_plan_read(session, session->options.arguments.items[0], &run->saved, err) < 0)
        return -1;
    if (!tt_session_require_specs(session))
        return -1;
    if (run->saved && !tt_streq(run->saved->revision, session->desired->revision))
        return tt_fail(err, TT_ERR_CONFLICT,
                       "the plan was made for %s and this is %s: plan again, or give --rev %s",
                       run->saved->revision, session->desired->revision, run->saved->revision);
    return 0;
}

int tt_apply_saved(struct tt_session *session, struct tt_plan *saved)
{
    struct run run = {.session = session, .saved = saved};
    struct tt_error err = {0};
    int code;

    if (prepare(&run, &err) < 0) {
        if (err.class != TT_ERR_NONE)
            tt_session_complain(session, &err);
        return 1;
    }
    choose_deployments(&run);
    if (tt_signals_begin(&run.signals) < 0)
        return 1;
    code = apply(&run);
    tt_signals_end(&run.signals);
    return code;
}

int tt_cmd_apply(struct tt_session *session)
{
    return tt_apply_saved(session, NULL);
}
