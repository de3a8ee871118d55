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
#include "reconciler/planner/balance.h"

/* The world as seen by the specs that ask for a step; made anew where others do. */
struct lens {
    struct tt_session *session;
    const struct tt_desired *desired;
    struct tt_view *view;
};

static json_t *differences(struct lens *lens, const struct tt_drift_item *item)
{
    const struct tt_plan_options options = {0};
    struct tt_session *session = lens->session;

    if (lens->desired != item->desired) {
        lens->desired = item->desired;
        lens->view = tt_view_new(&session->arena, item->desired, session->world, &session->memory,
                                 tt_session_now(session), &options);
        tt_balance(lens->view);
    }
    return tt_picture_differences(lens->view, item->step);
}

static json_t *items_json(struct tt_session *session, const struct tt_drift *found)
{
    struct lens lens = {.session = session};
    json_t *list = json_array();
    struct tt_arena scratch;
    struct tt_map told;

    tt_arena_init(&scratch);
    tt_map_init(&told, &scratch);
    TT_EACH (item, &found->items) {
        json_t *object;

        if (!tt_drift_is_first(&told, &scratch, item))
            continue;
        object = tt_step_json(&session->arena, item->step);
        json_object_set_new(object, "class", json_string(item->class));
        json_object_set_new(object, "differs", differences(&lens, item));
        json_array_append_new(list, object);
    }
    tt_arena_release(&scratch);
    return list;
}

static void write_json(struct tt_session *session, const struct tt_drift *found)
{
    const struct tt_plan *plan = session->plan;
    json_t *root = json_object(), *problems = json_array();

    TT_EACH (problem, &plan->problems)
        json_array_append_new(problems, tt_event_problem(problem));
    json_object_set_new(root, "format", json_string("trimtab.drift/v1"));
    json_object_set_new(root, "revision", json_string(plan->revision));
    json_object_set_new(root, "drift", items_json(session, found));
    json_object_set_new(root, "problems", problems);
    fputs(tt_json_text(&session->arena, root), stdout);
}

static void write_differences(struct lens *lens, const struct tt_drift_item *item)
{
    json_t *list = differences(lens, item), *one;
    size_t i;

    json_array_foreach (list, i, one) {
        printf("      %s: desired %s, observed %s\n",
               json_string_value(json_object_get(one, "what")),
               json_string_value(json_object_get(one, "desired")),
               json_string_value(json_object_get(one, "observed")));
    }
    json_decref(list);
}

static void write_class(struct lens *lens, const struct tt_drift *drift, const char *class,
                        const char *title)
{
    struct tt_arena scratch;
    struct tt_map told;
    bool titled = false;

    tt_arena_init(&scratch);
    tt_map_init(&told, &scratch);
    TT_EACH (item, &drift->items) {
        const struct tt_step *step = item->step;

        if (strcmp(item->class, class) != 0 || !tt_drift_is_first(&told, &scratch, item))
            continue;
        if (!titled)
            printf("%s\n", title);
        titled = true;
        printf("  %s: %s\n", tt_subject_text(&scratch, &step->subject), step->reason);
        write_differences(lens, item);
    }
    tt_arena_release(&scratch);
}

static void write_text(struct tt_session *session, const struct tt_drift *drift)
{
    struct lens lens = {.session = session};
    const struct tt_plan *plan = session->plan;

    write_class(&lens, drift, "failed", "failed: it does not work any more");
    write_class(&lens, drift, "missing", "missing: it should exist and does not");
    write_class(&lens, drift, "changed", "changed: somebody changed it");
    write_class(&lens, drift, "foreign", "foreign: not ours, where only ours should be");
    write_class(&lens, drift, "ours", "ours: a change in Git that is not applied yet");
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
        write_text(session, &drift);
    if (tt_plan_result(session->plan) == TT_RESULT_ERROR)
        return 1;
    return drift.items.count ? 2 : 0;
}
