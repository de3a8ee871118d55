/*
 * Stickiness: the policies of a rule, which go with it and are put on the one that takes its place.
 */
#ifndef TT_CLOUDSTACK_STICKINESS_H
#define TT_CLOUDSTACK_STICKINESS_H

#include "providers/cloudstack/cloud.h"

/* The policies of the rule with that id, owned by the caller. */
int tt_cloudstack_read_policies(struct tt_cloudstack *cloud, struct tt_arena *arena,
                                const char *rule, json_t **ret_policies, struct tt_error *err);

/* Puts POLICIES, as read of another rule, on the one with that id. */
int tt_cloudstack_put_policies(struct tt_cloudstack *cloud, struct tt_arena *arena,
                               const char *rule, const json_t *policies, struct tt_error *err);

#endif
