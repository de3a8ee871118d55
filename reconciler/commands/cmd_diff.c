/*
 * diff: both revisions planned against one observation; what only one of the plans has is what a
 * push from the one to the other changes.
 */
#include <string.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/compare.h"
#include "reconciler/commands/events.h"
#include "reconciler/plan_text.h"

struct comparison {
    const struct tt_plan *from, *to;
    struct tt_step_set of_from, of_to;
};

static bool is_known(const struct tt_plan *plan, const struct tt_problem *problem)
{
    TT_EACH (other, &plan->problems)
        if (tt_streq(other->code, problem->code) && tt_streq(other->subject, problem->subject) &&
            tt_streq(other->message, problem->message))
            return true;
    return false;
}

/* The steps of PLAN that OTHER has not. */
static json_t *steps_json(struct tt_arena *arena, const struct tt_plan *plan,
                          const struct tt_step_set *other)
{
    json_t *list = json_array();

    TT_EACH (step, &plan->steps)
        if (!tt_step_set_has(other, step)) {
            json_t *object = tt_step_json(arena, step);

            json_object_set_new(object, "held", json_boolean(step->held));
            json_array_append_new(list, object);
        }
    return list;
}

/* The problems of PLAN that OTHER has not. */
static json_t *problems_json(const struct tt_plan *plan, const struct tt_plan *other)
{
    json_t *list = json_array();

    TT_EACH (problem, &plan->problems)
        if (!is_known(other, problem))
            json_array_append_new(list, tt_event_problem(problem));
    return list;
}

/* True when PROBLEM, of the second plan, may be why that cannot be carried out, as the first one
 * could not. */
static bool is_standing(const struct comparison *c, const struct tt_problem *problem)
{
    return problem->severity != TT_SEVERITY_INFO && is_known(c->from, problem) &&
           tt_result_exit(tt_plan_result(c->to)) != 0;
}

static json_t *standing_json(const struct comparison *c)
{
    json_t *list = json_array();

    TT_EACH (problem, &c->to->problems)
        if (is_standing(c, problem))
            json_array_append_new(list, tt_event_problem(problem));
    return list;
}

static void write_json(struct tt_session *session, const struct comparison *c)
{
    json_t *root = json_object();

    json_object_set_new(root, "format", json_string("trimtab.diff/v1"));
    json_object_set_new(root, "from", json_string(c->from->revision));
    json_object_set_new(root, "to", json_string(c->to->revision));
    json_object_set_new(root, "added", steps_json(&session->arena, c->to, &c->of_from));
    json_object_set_new(root, "removed", steps_json(&session->arena, c->from, &c->of_to));
    json_object_set_new(root, "problems", problems_json(c->to, c->from));
    json_object_set_new(root, "standing", standing_json(c));
    json_object_set_new(root, "resolved", problems_json(c->from, c->to));
    fputs(tt_json_text(&session->arena, root), stdout);
}

static size_t write_steps(struct tt_arena *arena, const char *title, const struct tt_plan *plan,
                          const struct tt_step_set *other)
{
    size_t count = 0;

    TT_EACH (step, &plan->steps) {
        if (tt_step_set_has(other, step))
            continue;
        if (!count++)
            printf("%s\n", title);
        printf("  %s: %s, %s: %s%s\n", tt_subject_text(arena, &step->subject),
               tt_step_text(arena, step), tt_because_words[step->because], step->reason,
               step->held ? " [held]" : "");
    }
    return count;
}

static size_t write_problems(const char *title, const struct tt_plan *plan,
                             const struct tt_plan *other)
{
    size_t count = 0;

    TT_EACH (problem, &plan->problems) {
        if (is_known(other, problem))
            continue;
        count++;
        printf("%s%s[%s] %s: %s\n", title, tt_severity_words[problem->severity], problem->code,
               problem->subject, problem->message);
    }
    return count;
}

static void write_standing(const struct comparison *c)
{
    TT_EACH (problem, &c->to->problems)
        if (is_standing(c, problem))
            printf("as before: %s[%s] %s: %s\n", tt_severity_words[problem->severity],
                   problem->code, problem->subject, problem->message);
}

static void write_text(struct tt_session *session, const struct comparison *c)
{
    struct tt_arena *arena = &session->arena;
    size_t count = write_steps(
        arena,
        tt_printf(arena, "Planned by %.12s and not by %.12s:", c->to->revision, c->from->revision),
        c->to, &c->of_from);

    count += write_steps(
        arena,
        tt_printf(arena, "Planned by %.12s and not by %.12s:", c->from->revision, c->to->revision),
        c->from, &c->of_to);
    count += write_problems("", c->to, c->from);
    count += write_problems("no longer: ", c->from, c->to);
    if (!count)
        printf("No difference: both revisions plan the same.\n");
    write_standing(c);
}

static int compare(struct tt_session *session, struct comparison *c, struct tt_error *err)
{
    const struct tt_strings *revisions = &session->options.arguments;
    struct tt_plan *from = NULL;
    struct tt_desired *desired;

    if (tt_session_load_other(session, revisions->items[0], &desired, err) < 0)
        return -1;
    if (!session->options.world) {
        tt_session_open_clouds(session, true);
        tt_session_observe(
            session, &(struct tt_observe_options){.also = (struct tt_desired *[]){desired, NULL}});
        tt_session_remember(session);
    }
    if (tt_session_plan_other(session, desired, &from, err) < 0 ||
        tt_session_plan(session, err) < 0)
        return -1;
    *c = (struct comparison){.from = from, .to = session->plan};
    tt_step_set_init(&c->of_from, &session->arena, c->from);
    tt_step_set_init(&c->of_to, &session->arena, c->to);
    return 0;
}

int tt_cmd_diff(struct tt_session *session)
{
    const struct tt_strings *revisions = &session->options.arguments;
    struct comparison c;
    struct tt_error err = {0};

    if (revisions->count > 1)
        session->options.revision = revisions->items[1];
    if (!tt_session_require_specs(session))
        return 1;
    if (compare(session, &c, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (session->options.json)
        write_json(session, &c);
    else if (!session->options.quiet)
        write_text(session, &c);
    return tt_result_exit(tt_plan_result(c.to));
}
