/*
 * drift: where the clouds differ from what was applied, by class and resource, and what Git has
 * changed since.
 */
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/applied.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/compare.h"
#include "reconciler/commands/events.h"
#include "reconciler/commands/picture.h"

static void write_json(struct tt_session *session, const struct tt_drift *found)
{
    const struct tt_plan *plan = session->plan;
    json_t *root = json_object(), *drift = json_array(), *problems = json_array();

    TT_EACH (item, &found->items) {
        json_t *object = tt_step_json(&session->arena, item->step);

        json_object_set_new(object, "class", json_string(item->class));
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

static void write_class(const struct tt_drift *drift, const char *class, const char *title)
{
    struct tt_arena scratch;
    struct tt_map told;
    bool titled = false;

    tt_arena_init(&scratch);
    tt_map_init(&told, &scratch);
    TT_EACH (item, &drift->items) {
        const struct tt_step *step = item->step;

        if (strcmp(item->class, class) != 0 || !tt_drift_is_first(&told, &scratch, step))
            continue;
        if (!titled)
            printf("%s\n", title);
        titled = true;
        printf("  %s: %s\n", tt_subject_text(&scratch, &step->subject), step->reason);
    }
    tt_arena_release(&scratch);
}

static void write_text(const struct tt_plan *plan, const struct tt_drift *drift)
{
    write_class(drift, "failed", "failed: it does not work any more");
    write_class(drift, "missing", "missing: it should exist and does not");
    write_class(drift, "changed", "changed: somebody changed it");
    write_class(drift, "foreign", "foreign: somebody else's, where only ours should be");
    write_class(drift, "ours", "ours: a change in Git that is not applied yet");
    TT_EACH (problem, &plan->problems)
        printf("%s[%s] %s: %s\n", tt_severity_words[problem->severity], problem->code,
               problem->subject, problem->message);
    if (drift->items.count)
        return;
    if (tt_plan_result(plan) == TT_RESULT_ERROR)
        printf("No drift is known; see the errors above.\n");
    else
        printf("No drift. What runs is what %s asks for.\n", plan->revision);
}

int tt_cmd_drift(struct tt_session *session)
{
    struct tt_drift drift = {0};

    if (!tt_find_drift(session, &drift) || !tt_session_save(session, &drift))
        return 1;
    if (session->options.json)
        write_json(session, &drift);
    else if (!session->options.quiet)
        write_text(session->plan, &drift);
    if (tt_plan_result(session->plan) == TT_RESULT_ERROR)
        return 1;
    return drift.items.count ? 2 : 0;
}
