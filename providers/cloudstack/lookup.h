/*
 * Lookup: from the names that specs use to the ids that commands take.
 */
#ifndef TT_CLOUDSTACK_LOOKUP_H
#define TT_CLOUDSTACK_LOOKUP_H

#include "providers/cloudstack/cloud.h"

/* Where NAME, an id or a name, is looked for. */
struct tt_cloudstack_kind {
    const char *what;                  /* "template", for messages */
    const char *command;               /* "listTemplates" */
    const char *key;                   /* "template": of the answer */
    const char *filter, *filter_value; /* one more parameter; NULL: none */
    bool of_zone;                      /* the list takes a zoneid */
};

extern const struct tt_cloudstack_kind tt_cloudstack_templates;
extern const struct tt_cloudstack_kind tt_cloudstack_offerings;
extern const struct tt_cloudstack_kind tt_cloudstack_networks;
extern const struct tt_cloudstack_kind tt_cloudstack_security_groups;

/* The id of the one that NAME means. SPEC: there is none, or several have that name; the message
 * lists those that exist. */
int tt_cloudstack_find(struct tt_cloudstack *cloud, struct tt_arena *arena,
                       const struct tt_cloudstack_kind *kind, const char *zone_id, const char *name,
                       const char **ret_id, struct tt_error *err);

/* The zone that is REGION, as the API tells it; owned by the caller. SPEC: there is none. */
int tt_cloudstack_zone(struct tt_cloudstack *cloud, const char *region, json_t **ret_zone,
                       struct tt_error *err);

/* Its id. */
int tt_cloudstack_zone_id(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *region,
                          const char **ret_id, struct tt_error *err);

/* True for the form of an id: 36 characters, hexadecimal but for four dashes. */
bool tt_cloudstack_is_id(const char *text);

#endif
