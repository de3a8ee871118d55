/*
 * drift: where the clouds differ from Git, by class and resource.
 */
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/events.h"

/* Why the world differs, as far as the plan alone can tell. */
static const char *class_of(const struct tt_step *step)
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
    TT_EACH (problem, &plan->problems)
        json_array_append_new(problems, tt_event_problem(problem));
    json_object_set_new(root, "format", json_string("trimtab.drift/v1"));
    json_object_set_new(root, "revision", json_string(plan->revision));
    json_object_set_new(root, "drift", drift);
    json_object_set_new(root, "problems", problems);
    fputs(tt_json_text(&session->arena, root), stdout);
}

/* The first step that concerns a resource tells of it: one line for each resource and cause. */
static bool is_first(struct tt_map *told, struct tt_arena *scratch, const struct tt_step *step)
{
    const char *key =
        tt_printf(scratch, "%d %s", (int)step->because, tt_subject_text(scratch, &step->subject));

    if (step->subject.slot < 0) /* a balancer, or entries that are not a slot's: each by itself */
        key = tt_printf(scratch, "%s %s", key, step->reason);
    return !tt_map_put(told, key, told);
}

static void write_class(const struct tt_plan *plan, const char *class, const char *title)
{
    struct tt_arena scratch;
    struct tt_map told;
    bool titled = false;

    tt_arena_init(&scratch);
    tt_map_init(&told, &scratch);
    TT_EACH (step, &plan->steps) {
        if (strcmp(class_of(step), class) != 0 || !is_first(&told, &scratch, step))
            continue;
        if (!titled)
            printf("%s\n", title);
        titled = true;
        printf("  %s: %s\n", tt_subject_text(&scratch, &step->subject), step->reason);
    }
    tt_arena_release(&scratch);
}

static void write_text(const struct tt_plan *plan)
{
    write_class(plan, "failed", "failed: it does not work any more");
    write_class(plan, "missing", "missing: it should exist and does not");
    write_class(plan, "changed", "changed: somebody changed it");
    write_class(plan, "foreign", "foreign: somebody else's, where only ours should be");
    write_class(plan, "ours", "ours: a change in Git that is not applied yet");
    TT_EACH (problem, &plan->problems)
        printf("%s[%s] %s: %s\n", tt_severity_words[problem->severity], problem->code,
               problem->subject, problem->message);
    if (plan->steps.count)
        return;
    if (tt_plan_result(plan) == TT_RESULT_ERROR)
        printf("No drift is known; see the errors above.\n");
    else
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
        write_text(session->plan);
    result = tt_plan_result(session->plan);
    if (result == TT_RESULT_ERROR)
        return 1;
    return session->plan->steps.count ? 2 : 0;
}
