/*
 * Plans as JSON, both ways.
 */
#include "model/plan_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/json.h"

static void release_json(json_t **json)
{
    json_decref(*json);
}

/* --- writing -------------------------------------------------------------------------------- */

static json_t *write_problem(const struct tt_problem *problem)
{
    json_t *object = json_object();
    const struct tt_mark *mark = &problem->mark;

    json_object_set_new(object, "severity", json_string(tt_severity_words[problem->severity]));
    json_object_set_new(object, "code", json_string(problem->code));
    json_object_set_new(object, "subject", tt_json_from_string(problem->subject));
    json_object_set_new(object, "message", json_string(problem->message));
    json_object_set_new(object, "file", tt_json_from_string(mark->file));
    json_object_set_new(object, "line", mark->file ? json_integer(mark->line) : json_null());
    json_object_set_new(object, "column", mark->file ? json_integer(mark->column) : json_null());
    return object;
}

static json_t *write_subject(const struct tt_subject *subject)
{
    json_t *object = json_object();

    json_object_set_new(object, "kind", json_string(tt_subject_kind_words[subject->kind]));
    json_object_set_new(object, "deployment", json_string(subject->deployment));
    json_object_set_new(object, "name", json_string(subject->name));
    json_object_set_new(object, "slot",
                        subject->slot < 0 ? json_null() : json_integer(subject->slot));
    return object;
}

static json_t *step_id(long index)
{
    return json_sprintf("s%ld", index + 1);
}

static json_t *write_step(const struct tt_step *step, long index)
{
    json_t *object = json_object();
    json_t *after = json_array();

    json_object_set_new(object, "id", step_id(index));
    json_object_set_new(object, "action", json_string(tt_action_words[step->action]));
    json_object_set_new(object, "subject", write_subject(&step->subject));
    json_object_set_new(object, "account", tt_json_from_string(step->account));
    json_object_set_new(object, "region", tt_json_from_string(step->region));
    json_object_set_new(object, "zone", tt_json_from_string(step->zone));
    json_object_set_new(object, "server", tt_json_from_string(step->server));
    json_object_set_new(object, "address", tt_json_from_string(step->address));
    json_object_set_new(object, "balancer", tt_json_from_string(step->balancer));
    json_object_set_new(object, "machine", tt_json_from_string(step->machine));
    json_object_set_new(object, "zones", tt_json_from_strings(step->zones));
    json_object_set_new(object, "because", json_string(tt_because_words[step->because]));
    json_object_set_new(object, "fields", tt_json_from_strings(&step->fields));
    json_object_set_new(object, "reason", json_string(step->reason ? step->reason : ""));
    TT_EACH (earlier, &step->after)
        json_array_append_new(after, step_id(*earlier));
    json_object_set_new(object, "after", after);
    json_object_set_new(object, "destructive", json_boolean(step->action == TT_STEP_DELETE_SERVER));
    json_object_set_new(object, "held", json_boolean(step->held));
    return object;
}

static json_t *write_floor(const struct tt_floor *floor)
{
    json_t *object = json_object();

    json_object_set_new(object, "deployment", json_string(floor->deployment));
    json_object_set_new(object, "service", json_string(floor->service));
    json_object_set_new(object, "balancer", json_string(floor->balancer));
    json_object_set_new(object, "now", json_integer(floor->now));
    json_object_set_new(object, "floor", json_integer(floor->floor));
    json_object_set_new(object, "end", json_integer(floor->end));
    return object;
}

static json_t *write_summary(const struct tt_summary *summary)
{
    json_t *object = json_object();

    json_object_set_new(object, "create", json_integer(summary->create));
    json_object_set_new(object, "delete", json_integer(summary->delete));
    json_object_set_new(object, "enroll", json_integer(summary->enroll));
    json_object_set_new(object, "withdraw", json_integer(summary->withdraw));
    json_object_set_new(object, "change", json_integer(summary->change));
    return object;
}

char *tt_plan_to_json(struct tt_arena *arena, const struct tt_plan *plan)
{
    struct tt_summary summary = tt_plan_summary(plan);
    json_t *root = json_object();
    json_t *problems = json_array(), *steps = json_array(), *floors = json_array();

    json_object_set_new(root, "format", json_string("trimtab.plan/v1"));
    json_object_set_new(root, "revision", tt_json_from_string(plan->revision));
    json_object_set_new(root, "world", tt_json_from_string(plan->world));
    json_object_set_new(root, "result", json_string(tt_result_words[tt_plan_result(plan)]));
    TT_EACH (problem, &plan->problems)
        json_array_append_new(problems, write_problem(problem));
    TT_EACH (step, &plan->steps)
        json_array_append_new(steps, write_step(step, step - plan->steps.items));
    TT_EACH (floor, &plan->floors)
        json_array_append_new(floors, write_floor(floor));
    json_object_set_new(root, "problems", problems);
    json_object_set_new(root, "steps", steps);
    json_object_set_new(root, "floors", floors);
    json_object_set_new(root, "summary", write_summary(&summary));
    return tt_json_text(arena, root);
}

/* --- reading -------------------------------------------------------------------------------- */

/* A required word of an enumeration. */
static int read_word(const struct tt_json *json, const char *key, const char *const *words,
                     int *ret, struct tt_error *err)
{
    *ret = -1;
    if (tt_json_word(json, key, words, ret, err) < 0)
        return -1;
    if (*ret < 0) {
        struct tt_json member = tt_json_member(json, key);
        return tt_json_expected(&member, "a string", err);
    }
    return 0;
}

static int read_problem(struct tt_arena *arena, const struct tt_json *json,
                        struct tt_problem *problem, struct tt_error *err)
{
    int severity;

    if (tt_json_object(json, err) < 0 ||
        read_word(json, "severity", tt_severity_words, &severity, err) < 0 ||
        tt_json_required_string(arena, json, "code", &problem->code, err) < 0 ||
        tt_json_string(arena, json, "subject", &problem->subject, err) < 0 ||
        tt_json_required_string(arena, json, "message", &problem->message, err) < 0 ||
        tt_json_string(arena, json, "file", &problem->mark.file, err) < 0 ||
        tt_json_int(json, "line", 0, INT32_MAX, &problem->mark.line, err) < 0 ||
        tt_json_int(json, "column", 0, INT32_MAX, &problem->mark.column, err) < 0)
        return -1;
    problem->severity = (enum tt_severity)severity;
    return 0;
}

static int read_subject(struct tt_arena *arena, const struct tt_json *step,
                        struct tt_subject *subject, struct tt_error *err)
{
    struct tt_json json = tt_json_member(step, "subject");
    int kind;

    subject->slot = -1;
    if (tt_json_object(&json, err) < 0 ||
        read_word(&json, "kind", tt_subject_kind_words, &kind, err) < 0 ||
        tt_json_required_string(arena, &json, "deployment", &subject->deployment, err) < 0 ||
        tt_json_required_string(arena, &json, "name", &subject->name, err) < 0 ||
        tt_json_int(&json, "slot", 0, INT32_MAX, &subject->slot, err) < 0)
        return -1;
    subject->kind = (enum tt_subject_kind)kind;
    return 0;
}

/* Ids count the steps, and a step waits for earlier ones only: so there is no cycle. */
static int read_after(struct tt_arena *arena, const struct tt_json *json, struct tt_step *step,
                      size_t own, struct tt_error *err)
{
    const struct tt_strings *after = NULL;
    struct tt_json array = tt_json_member(json, "after");
    const char *id = NULL;

    if (tt_json_required_string(arena, json, "id", &id, err) < 0 ||
        tt_json_strings(arena, json, "after", &after, err) < 0)
        return -1;
    if (strcmp(id, tt_printf(arena, "s%zu", own + 1)) != 0)
        return tt_json_fail(json, err, "expected the id s%zu, found %s", own + 1, id);
    if (!after)
        return tt_json_expected(&array, "an array", err);
    TT_EACH (item, after) {
        char *end = NULL;
        long number = (*item)[0] == 's' ? strtol(*item + 1, &end, 10) : 0;

        if (number < 1 || *end || (size_t)number > own)
            return tt_json_fail(&array, err, "%s is not the id of an earlier step", *item);
        *TT_VEC_ADD(arena, &step->after) = (int)number - 1;
    }
    return 0;
}

static int read_step(struct tt_arena *arena, const struct tt_json *json, struct tt_step *step,
                     struct tt_error *err)
{
    const struct tt_strings *fields = NULL;
    int action, because;

    if (tt_json_object(json, err) < 0 ||
        read_word(json, "action", tt_action_words, &action, err) < 0 ||
        read_subject(arena, json, &step->subject, err) < 0 ||
        tt_json_required_string(arena, json, "account", &step->account, err) < 0 ||
        tt_json_required_string(arena, json, "region", &step->region, err) < 0 ||
        tt_json_string(arena, json, "zone", &step->zone, err) < 0 ||
        tt_json_string(arena, json, "server", &step->server, err) < 0 ||
        tt_json_string(arena, json, "address", &step->address, err) < 0 ||
        tt_json_string(arena, json, "balancer", &step->balancer, err) < 0 ||
        tt_json_string(arena, json, "machine", &step->machine, err) < 0 ||
        tt_json_strings(arena, json, "zones", &step->zones, err) < 0 ||
        read_word(json, "because", tt_because_words, &because, err) < 0 ||
        tt_json_strings(arena, json, "fields", &fields, err) < 0 ||
        tt_json_required_string(arena, json, "reason", &step->reason, err) < 0 ||
        tt_json_bool(json, "held", &step->held, err) < 0)
        return -1;
    step->action = (enum tt_action)action;
    step->because = (enum tt_because)because;
    if (fields)
        step->fields = *fields;
    return read_after(arena, json, step, json->index, err);
}

static int read_floor(struct tt_arena *arena, const struct tt_json *json, struct tt_floor *floor,
                      struct tt_error *err)
{
    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "deployment", &floor->deployment, err) < 0 ||
        tt_json_required_string(arena, json, "service", &floor->service, err) < 0 ||
        tt_json_required_string(arena, json, "balancer", &floor->balancer, err) < 0 ||
        tt_json_int(json, "now", 0, INT32_MAX, &floor->now, err) < 0 ||
        tt_json_int(json, "floor", 0, INT32_MAX, &floor->floor, err) < 0)
        return -1;
    return tt_json_int(json, "end", 0, INT32_MAX, &floor->end, err);
}

static int read_document(struct tt_arena *arena, const struct tt_json *document,
                         struct tt_plan *plan, struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_format(document, "trimtab.plan/v1", err) < 0 ||
        tt_json_required_string(arena, document, "revision", &plan->revision, err) < 0 ||
        tt_json_required_string(arena, document, "world", &plan->world, err) < 0 ||
        tt_json_array(document, "problems", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        if (read_problem(arena, &item, TT_VEC_ADD(arena, &plan->problems), err) < 0)
            return -1;
    }
    if (tt_json_array(document, "steps", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        if (read_step(arena, &item, TT_VEC_ADD(arena, &plan->steps), err) < 0)
            return -1;
    }
    if (tt_json_array(document, "floors", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        if (read_floor(arena, &item, TT_VEC_ADD(arena, &plan->floors), err) < 0)
            return -1;
    }
    return 0;
}

int tt_plan_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                      struct tt_plan **ret_plan, struct tt_error *err)
{
    __attribute__((cleanup(release_json))) json_t *root = NULL;
    struct tt_plan *plan = TT_NEW(arena, struct tt_plan);
    struct tt_json document = {0};

    if (tt_json_parse(text, size, name, &root, err) < 0)
        return -1;
    document.value = root;
    if (read_document(arena, &document, plan, err) < 0)
        return tt_wrap(err, "%s", name);
    *ret_plan = plan;
    return 0;
}
