/*
 * Policy as JSON: reading and writing.
 */
#include "model/policy_json.h"

#define DAY_MINUTES (24 * 60)

static int read_window(const struct tt_json *json, struct tt_change_window *window,
                       struct tt_error *err)
{
    int days = TT_ALL_DAYS;

    if (tt_json_object(json, err) < 0 ||
        tt_json_int(json, "days", 1, TT_ALL_DAYS, &days, err) < 0 ||
        tt_json_int(json, "from", 0, DAY_MINUTES, &window->from, err) < 0)
        return -1;
    window->days = (unsigned)days;
    return tt_json_int(json, "to", 0, DAY_MINUTES, &window->to, err);
}

int tt_policy_read(struct tt_arena *arena, const struct tt_json *object, struct tt_policy *policy,
                   struct tt_error *err)
{
    struct tt_json json = tt_json_member(object, "policy"), array;
    int on_push = -1, on_drift = TT_ON_DRIFT_REPAIR, on_failure = TT_ON_FAILURE_RECOVER;
    size_t count;

    *policy = tt_policy_default();
    if (!json.value)
        return 0;
    if (tt_json_object(&json, err) < 0 ||
        tt_json_word(&json, "onPush", tt_on_push_words, &on_push, err) < 0 ||
        tt_json_word(&json, "onDrift", tt_on_drift_words, &on_drift, err) < 0 ||
        tt_json_word(&json, "onFailure", tt_on_failure_words, &on_failure, err) < 0 ||
        tt_json_bool(&json, "suspend", &policy->suspend, err) < 0 ||
        tt_json_array(&json, "changeWindows", &array, &count, err) < 0)
        return -1;
    policy->on_push_given = on_push >= 0;
    policy->on_push = on_push >= 0 ? (enum tt_on_push)on_push : TT_ON_PUSH_PLAN;
    policy->on_drift = (enum tt_on_drift)on_drift;
    policy->on_failure = (enum tt_on_failure)on_failure;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);

        if (read_window(&item, TT_VEC_ADD(arena, &policy->windows), err) < 0)
            return -1;
    }
    return 0;
}

json_t *tt_policy_write(const struct tt_policy *policy)
{
    json_t *object = json_object(), *windows = json_array();

    if (policy->on_push_given)
        json_object_set_new(object, "onPush", json_string(tt_on_push_words[policy->on_push]));
    json_object_set_new(object, "onDrift", json_string(tt_on_drift_words[policy->on_drift]));
    json_object_set_new(object, "onFailure", json_string(tt_on_failure_words[policy->on_failure]));
    json_object_set_new(object, "suspend", json_boolean(policy->suspend));
    TT_EACH (window, &policy->windows)
        json_array_append_new(windows, json_pack("{s:i, s:i, s:i}", "days", (int)window->days,
                                                 "from", window->from, "to", window->to));
    json_object_set_new(object, "changeWindows", windows);
    return object;
}
