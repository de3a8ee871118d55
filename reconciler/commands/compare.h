/*
 * Compare: which steps one plan has and another has not, when both were made from one world.
 */
#ifndef TT_COMMANDS_COMPARE_H
#define TT_COMMANDS_COMPARE_H

#include <jansson.h>

#include "base/map.h"
#include "model/plan.h"

/* The steps of a plan by what they do: action, subject, balancer, zone, machine and cause. What
 * would be done anyway, if only later or for other words, counts as the same. */
struct tt_step_set {
    struct tt_arena *arena;
    struct tt_map steps;
};

void tt_step_set_init(struct tt_step_set *set, struct tt_arena *arena, const struct tt_plan *plan);
bool tt_step_set_has(const struct tt_step_set *set, const struct tt_step *step);

/* A step as an object, for what compares: without an id, since ids are a plan's own. */
json_t *tt_step_json(struct tt_arena *arena, const struct tt_step *step);

#endif
