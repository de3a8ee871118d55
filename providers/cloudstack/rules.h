/*
 * Rules: a cloud balancer here is a public address with all its balancing rules.
 */
#ifndef TT_CLOUDSTACK_RULES_H
#define TT_CLOUDSTACK_RULES_H

#include "providers/cloudstack/cloud.h"

struct tt_cloudstack_rule {
    const char *id;
    const char *name;
    const char *address; /* the public one */
    const char *address_id;
    const char *network_id;
    const char *algorithm;
    const char *cidrs; /* who may come in; NULL: all */
    int public_port, private_port;
    enum tt_protocol protocol;
    struct tt_strings members; /* ids of machines; filled by tt_cloudstack_rule_members */
};

struct tt_cloudstack_rules {
    TT_VEC(struct tt_cloudstack_rule) list; /* by address, then port */
};

/* CloudStack's words for enum tt_algorithm, ends with NULL. */
extern const char *const tt_cloudstack_algorithms[];

/* All rules of the zone, without their members; one list. */
int tt_cloudstack_read_rules(struct tt_cloudstack *cloud, struct tt_arena *arena,
                             const char *zone_id, struct tt_cloudstack_rules *ret_rules,
                             struct tt_error *err);

/* Fills RULE's members: one list a rule, as the API has no other way. */
int tt_cloudstack_rule_members(struct tt_cloudstack *cloud, struct tt_arena *arena,
                               struct tt_cloudstack_rule *rule, struct tt_error *err);

/* The rules of the one balancer that NAME (an address or the name of any of its rules) means.
 * NOT_FOUND: none; the message lists those that exist. */
int tt_cloudstack_rules_of(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *region,
                           const char *name, struct tt_cloudstack_rules *ret_rules,
                           struct tt_error *err);

#endif
