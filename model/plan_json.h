/*
 * Plans as JSON: format trimtab.plan/v1 (design.md §10).
 */
#ifndef TT_MODEL_PLAN_JSON_H
#define TT_MODEL_PLAN_JSON_H

#include <stddef.h>

#include "base/error.h"
#include "model/plan.h"

char *tt_plan_to_json(struct tt_arena *arena, const struct tt_plan *plan);

/* Strict: a plan that is not exactly of the format is refused with the JSON path. */
int tt_plan_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                      struct tt_plan **ret_plan, struct tt_error *err);

#endif
