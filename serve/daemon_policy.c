/*
 * Policy: which command a run is, by what the deployment's owners allow and why it runs; and what
 * follows from what a look has found.
 *
 * A look (plan, drift) changes nothing. What a push asks for and may not be done yet stays unserved
 * until it is done, by a run of ours once the window is open, or by somebody else.
 */
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_parts.h"

#define LARGEST_PLAN ((size_t)256 << 20)

bool tt_policy_applies(const struct tt_job *job)
{
    return job->approves || strcmp(job->command, "apply") == 0;
}

void tt_policy_choose(struct tt_deployment_state *state, struct tt_job *job, tt_time now)
{
    const struct tt_policy *policy = &state->policy;
    bool open = tt_window_open(policy, now);
    bool pushed = job->triggers & TT_TRIGGER_PUSH;
    bool on_push = !policy->on_push_given || policy->on_push == TT_ON_PUSH_APPLY;
    bool repairs = policy->on_drift == TT_ON_DRIFT_REPAIR &&
                   (policy->on_failure == TT_ON_FAILURE_RECOVER || state->repair);

    job->push = pushed || state->unserved;
    job->command = "drift";
    if (state->approver && state->held_run) {
        job->command = "approve";
        job->approves = state->held_run;
        job->approver = tt_strdup(&job->arena, state->approver);
    } else if (state->recover) { /* needs no window */
        job->command = "apply";
        job->target = tt_strdup(&job->arena, state->recover);
        state->unserved = state->unserved || pushed; /* that comes after it */
    } else if (job->push) {
        job->command = open && on_push ? "apply" : pushed ? "plan" : "drift";
    } else if (state->held && job->triggers == TT_TRIGGER_CHECK) {
        job->command = "plan"; /* not tried with each check: history would be full of it */
    } else if (repairs && open) {
        job->command = "apply";
    }
    state->repair = false;
    tt_daemon_set(&state->approver, NULL);
    tt_daemon_set(&state->recover, NULL);
}

/* A balancer's machine that does not work any more. */
static const char *broken_balancer(const json_t *step)
{
    const json_t *subject = json_object_get(step, "subject");
    const char *because = json_string_value(json_object_get(step, "because"));
    const char *kind = json_string_value(json_object_get(subject, "kind"));
    const char *action = json_string_value(json_object_get(step, "action"));

    return tt_streq(because, tt_because_words[TT_BECAUSE_FAILED]) &&
                   tt_streq(kind, "LoadBalancer") &&
                   tt_streq(action, tt_action_words[TT_STEP_CREATE_SERVER])
               ? json_string_value(json_object_get(subject, "name"))
               : NULL;
}

/* What JOB, which only looked, has kept; NULL: it applies, or kept nothing that can be read. */
static json_t *read_plan(struct tt_job *job)
{
    const char *folder = tt_job_folder(job->daemon, &job->arena, job->key);
    json_t *root = NULL;
    char *text;
    size_t size;

    if (tt_policy_applies(job) ||
        tt_file_read(&job->arena, tt_printf(&job->arena, "%s/plan.json", folder), LARGEST_PLAN,
                     &text, &size, NULL) < 0 ||
        tt_json_parse(text, size, "plan.json", &root, NULL) < 0)
        return NULL;
    return root;
}

void tt_policy_look(struct tt_job *job)
{
    json_t *root = read_plan(job), *step;
    const char *name;
    size_t i;

    json_array_foreach (json_object_get(root, "steps"), i, step) {
        job->planned++;
        job->held += json_is_true(json_object_get(step, "held"));
        name = broken_balancer(step);
        if (name)
            job->broken =
                tt_printf(&job->arena, "%s%sLoadBalancer/%s/%s", job->broken ? job->broken : "",
                          job->broken ? " " : "", job->name, name);
    }
    json_decref(root);
}

void tt_policy_look_for_problems(struct tt_job *job)
{
    json_t *root = read_plan(job), *problem;
    size_t i;

    json_array_foreach (json_object_get(root, "problems"), i, problem) {
        tt_job_problem(job, problem);
    }
    json_decref(root);
}

bool tt_policy_served(const struct tt_job *job, int code)
{
    return job->push && !job->target && (tt_policy_applies(job) || code == 0);
}

bool tt_policy_follow(struct tt_deployment_state *state, const struct tt_job *job, int code,
                      tt_time now)
{
    const struct tt_policy *policy = &state->policy;

    if (tt_policy_served(job, code))
        state->unserved = false;
    else if (job->triggers & TT_TRIGGER_PUSH && !tt_policy_applies(job))
        state->unserved = true;
    if (job->target)
        return state->unserved;
    if (tt_policy_applies(job) || code == 0)
        return false;
    if (job->broken) {
        if (policy->on_failure == TT_ON_FAILURE_RECOVER)
            tt_daemon_set(&state->recover, job->broken);
        return state->recover;
    }
    if (code == 3 || state->unserved || policy->on_drift != TT_ON_DRIFT_REPAIR ||
        !tt_window_open(policy, now))
        return false;
    state->repair = true;
    return true;
}
