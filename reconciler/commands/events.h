/*
 * Events: what apply says with --json, one object a line on standard output: planned_change and
 * diagnostic for the plan, apply_* for its steps, change_summary for either.
 */
#ifndef TT_COMMANDS_EVENTS_H
#define TT_COMMANDS_EVENTS_H

#include <jansson.h>

#include "reconciler/apply.h"

/* The plan's problems and steps, and its summary. */
void tt_event_plan(const struct tt_plan *plan);

/* Step INDEX of PLAN is in STATE; it was in BEFORE. */
void tt_event_step(const struct tt_plan *plan, int index, enum tt_step_state before,
                   const struct tt_step_progress *state);

void tt_event_outcome(const struct tt_apply_outcome *outcome, const char *message);

/* A problem as an object: severity, code, subject, message, file, line, column. */
json_t *tt_event_problem(const struct tt_problem *problem);

#endif
