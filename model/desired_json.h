/*
 * Desired as JSON: a readable rendering of what a commit asks for, for records of runs and tests.
 */
#ifndef TT_MODEL_DESIRED_JSON_H
#define TT_MODEL_DESIRED_JSON_H

#include <stddef.h>

#include "base/error.h"
#include "model/desired.h"

/* Format trimtab.desired/v1; user data is inlined. */
char *tt_desired_to_json(struct tt_arena *arena, const struct tt_desired *desired);

/* The same for keeping: in the place of user data, which may be anything, stands its hash. It plans
 * the same; no server can be made from it. */
char *tt_desired_to_record(struct tt_arena *arena, const struct tt_desired *desired);

/* The same back, with references resolved. Errors name the JSON path. */
int tt_desired_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                         struct tt_desired **ret_desired, struct tt_error *err);

#endif
