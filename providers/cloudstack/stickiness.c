/*
 * Stickiness: read as a list of one item for each rule, written with numbered parameters.
 */
#include "providers/cloudstack/stickiness.h"

#include <string.h>

#include "base/str.h"

int tt_cloudstack_read_policies(struct tt_cloudstack *cloud, struct tt_arena *arena,
                                const char *rule, json_t **ret_policies, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    json_t *policies = json_array();
    const json_t *item;
    size_t i;

    tt_cloudstack_add(arena, &parameters, "lbruleid", rule);
    if (tt_cloudstack_list(cloud, "listLBStickinessPolicies", &parameters, "stickinesspolicies",
                           &items, err) < 0) {
        json_decref(policies);
        return -1;
    }
    json_array_foreach (items, i, item) {
        json_array_extend(policies, json_object_get(item, "stickinesspolicy"));
    }
    *ret_policies = policies;
    return 0;
}

static void add_one(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters,
                    size_t *count, const char *name, const char *value)
{
    tt_cloudstack_add(arena, parameters, tt_printf(arena, "param[%zu].name", *count), name);
    tt_cloudstack_add(arena, parameters, tt_printf(arena, "param[%zu].value", *count), value);
    ++*count;
}

/* The server tells what was not given as "null", and several domains in one, with colons. */
static void add_params(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters,
                       json_t *params)
{
    const char *name;
    json_t *value;
    size_t count = 0;

    json_object_foreach (params, name, value) {
        const char *text = json_string_value(value);

        if (!text || !*text || strcmp(text, "null") == 0)
            continue;
        if (strcmp(name, "domain") != 0) {
            add_one(arena, parameters, &count, name, tt_strdup(arena, text));
            continue;
        }
        for (size_t length; *text; text += length + (text[length] == ':')) {
            length = strcspn(text, ":");
            add_one(arena, parameters, &count, name, tt_printf(arena, "%.*s", (int)length, text));
        }
    }
}

int tt_cloudstack_put_policies(struct tt_cloudstack *cloud, struct tt_arena *arena,
                               const char *rule, const json_t *policies, struct tt_error *err)
{
    const json_t *policy;
    size_t i;

    json_array_foreach (policies, i, policy) {
        struct tt_cloudstack_parameters parameters = {0};
        const char *name = tt_reply_text(arena, policy, "name");

        if (tt_streq(tt_reply_peek(policy, "state"), "Revoked"))
            continue;
        tt_cloudstack_add(arena, &parameters, "lbruleid", rule);
        tt_cloudstack_add(arena, &parameters, "name", name);
        tt_cloudstack_add(arena, &parameters, "methodname",
                          tt_reply_text(arena, policy, "methodname"));
        tt_cloudstack_add(arena, &parameters, "description",
                          tt_reply_text(arena, policy, "description"));
        add_params(arena, &parameters, json_object_get(policy, "params"));
        if (tt_cloudstack_call_and_wait(cloud, "createLBStickinessPolicy", &parameters, NULL, err) <
            0)
            return tt_wrap(err, "the stickiness policy %s is to be set by hand", name);
    }
    return 0;
}
