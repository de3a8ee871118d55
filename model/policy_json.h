/*
 * Policy as JSON: the member "policy" of a deployment.
 */
#ifndef TT_MODEL_POLICY_JSON_H
#define TT_MODEL_POLICY_JSON_H

#include "model/json.h"
#include "model/policy.h"

/* An absent member is the default. */
int tt_policy_read(struct tt_arena *arena, const struct tt_json *object, struct tt_policy *policy,
                   struct tt_error *err);
json_t *tt_policy_write(const struct tt_policy *policy);

#endif
