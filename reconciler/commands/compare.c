/*
 * Compare: a step's identity as a string.
 */
#include "reconciler/commands/compare.h"

#include "base/str.h"
#include "model/json.h"

static const char *word(const char *text)
{
    return text ? text : "-";
}

static char *name_of(struct tt_arena *arena, const struct tt_step *step)
{
    TT_BUF_AUTO text = {0};

    tt_buf_addf(&text, "%s %s %s %s %s %s %s %s %s", tt_action_words[step->action],
                tt_subject_text(arena, &step->subject), tt_because_words[step->because],
                word(step->account), word(step->region), word(step->zone), word(step->server),
                word(step->address), word(step->balancer));
    if (step->zones)
        TT_EACH (zone, step->zones)
            tt_buf_addf(&text, " %s", *zone);
    TT_EACH (field, &step->fields)
        tt_buf_addf(&text, " %s", *field);
    return tt_strdup(arena, tt_buf_text(&text));
}

void tt_step_set_init(struct tt_step_set *set, struct tt_arena *arena, const struct tt_plan *plan)
{
    set->arena = arena;
    tt_map_init(&set->steps, arena);
    TT_EACH (step, &plan->steps)
        tt_map_put(&set->steps, name_of(arena, step), (void *)step);
}

bool tt_step_set_has(const struct tt_step_set *set, const struct tt_step *step)
{
    return tt_map_get(&set->steps, name_of(set->arena, step)) != NULL;
}

json_t *tt_step_json(struct tt_arena *arena, const struct tt_step *step)
{
    json_t *object = json_object();

    json_object_set_new(object, "subject", json_string(tt_subject_text(arena, &step->subject)));
    json_object_set_new(object, "server", tt_json_from_string(step->server));
    json_object_set_new(object, "balancer", tt_json_from_string(step->balancer));
    json_object_set_new(object, "action", json_string(tt_action_words[step->action]));
    json_object_set_new(object, "because", json_string(tt_because_words[step->because]));
    json_object_set_new(object, "fields", tt_json_from_strings(&step->fields));
    json_object_set_new(object, "reason", json_string(step->reason));
    return object;
}
