/*
 * drift: where the clouds differ from Git, by class and resource.
 */
#include <string.h>

#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/plan_text.h"

static const char *class_of(const struct tt_step *step)
{
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
        return "ours";
    }
}

static void write_json(struct tt_session *session)
{
    const struct tt_plan *plan = session->plan;
    json_t *root = json_object(), *drift = json_array(), *problems = json_array();

    TT_EACH (step, &plan->steps) {
        json_t *object = json_object();

        json_object_set_new(object, "class", json_string(class_of(step)));
        json_object_set_new(object, "subject",
                            json_string(tt_subject_text(&session->arena, &step->subject)));
        json_object_set_new(object, "server", tt_json_from_string(step->server));
        json_object_set_new(object, "balancer", tt_json_from_string(step->balancer));
        json_object_set_new(object, "action", json_string(tt_action_words[step->action]));
        json_object_set_new(object, "because", json_string(tt_because_words[step->because]));
        json_object_set_new(object, "fields", tt_json_from_strings(&step->fields));
        json_object_set_new(object, "reason", json_string(step->reason));
        json_array_append_new(drift, object);
    }
    TT_EACH (problem, &plan->problems) {
        json_t *object = json_object();

        json_object_set_new(object, "severity", json_string(tt_severity_words[problem->severity]));
        json_object_set_new(object, "code", json_string(problem->code));
        json_object_set_new(object, "subject", tt_json_from_string(problem->subject));
        json_object_set_new(object, "message", json_string(problem->message));
        json_array_append_new(problems, object);
    }
    json_object_set_new(root, "format", json_string("trimtab.drift/v1"));
    json_object_set_new(root, "revision", json_string(plan->revision));
    json_object_set_new(root, "drift", drift);
    json_object_set_new(root, "problems", problems);
    fputs(tt_json_text(&session->arena, root), stdout);
}

/* One line for each resource and cause: the first step that concerns it tells. */
static bool is_first(const struct tt_plan *plan, const struct tt_step *step)
{
    for (const struct tt_step *other = plan->steps.items; other < step; other++)
        if (other->because == step->because && other->subject.kind == step->subject.kind &&
            other->subject.slot == step->subject.slot &&
            strcmp(other->subject.deployment, step->subject.deployment) == 0 &&
            strcmp(other->subject.name, step->subject.name) == 0)
            return false;
    return true;
}

static void write_text(struct tt_session *session)
{
    static const char *const classes[] = {"failed", "missing", "changed", "ours"};
    static const char *const titles[] = {
        "failed: it does not work any more", "missing: it should exist and does not",
        "changed: somebody changed it", "ours: a change in Git that is not applied yet"};
    const struct tt_plan *plan = session->plan;

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        bool titled = false;

        TT_EACH (step, &plan->steps) {
            if (strcmp(class_of(step), classes[i]) != 0 || !is_first(plan, step))
                continue;
            if (!titled)
                printf("%s\n", titles[i]);
            titled = true;
            printf("  %s: %s\n", tt_subject_text(&session->arena, &step->subject), step->reason);
        }
    }
    TT_EACH (problem, &plan->problems)
        printf("%s[%s] %s: %s\n", tt_severity_words[problem->severity], problem->code,
               problem->subject, problem->message);
    if (!plan->steps.count)
        printf("No drift. What runs is what %s asks for.\n", plan->revision);
}

int tt_cmd_drift(struct tt_session *session)
{
    enum tt_result result;

    if (!tt_session_prepare(session))
        return 1;
    if (session->options.json)
        write_json(session);
    else if (!session->options.quiet)
        write_text(session);
    result = tt_plan_result(session->plan);
    if (result == TT_RESULT_ERROR)
        return 1;
    return session->plan->steps.count ? 2 : 0;
}
