/*
 * The registry: providers by name, each checked when it is added, so that a table with a hole is
 * found at the program's start and not in the middle of a run.
 */
#include "providers/registry.h"

#include <string.h>

static const char *missing_member(const struct tt_provider_ops *ops)
{
    if (!ops->open)
        return "open";
    if (!ops->close)
        return "close";
    if (!ops->observe)
        return "observe";
    if (!ops->create_server)
        return "create_server";
    return ops->delete_server ? NULL : "delete_server";
}

/* The member without which a feature that the table claims is empty. */
static const char *missing_of_feature(const struct tt_provider_ops *ops)
{
    if (ops->features & TT_FEATURE_CLOUD_BALANCER) {
        if (!ops->enroll)
            return "enroll";
        if (!ops->withdraw)
            return "withdraw";
    }
    if ((ops->features & TT_FEATURE_ELASTIC_ADDRESS) && !ops->move_address)
        return "move_address";
    if ((ops->features & TT_FEATURE_START_SERVER) && !ops->start_server)
        return "start_server";
    return NULL;
}

int tt_registry_add(struct tt_registry *registry, const struct tt_provider_ops *ops,
                    struct tt_error *err)
{
    const char *missing;

    if (!ops->name || tt_word_find(tt_provider_kind_words, ops->name) < 0)
        return tt_fail(err, TT_ERR_INTERNAL, "no Account can name the provider '%s'",
                       ops->name ? ops->name : "");
    missing = missing_member(ops);
    if (missing)
        return tt_fail(err, TT_ERR_INTERNAL, "the provider %s lacks the required member %s",
                       ops->name, missing);
    missing = missing_of_feature(ops);
    if (missing)
        return tt_fail(err, TT_ERR_INTERNAL,
                       "the provider %s claims a feature but lacks its member %s", ops->name,
                       missing);
    if (tt_registry_find(registry, ops->name))
        return tt_fail(err, TT_ERR_INTERNAL, "the provider %s is registered twice", ops->name);
    registry->providers[registry->count++] = ops;
    return 0;
}

const struct tt_provider_ops *tt_registry_find(const struct tt_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++)
        if (strcmp(registry->providers[i]->name, name) == 0)
            return registry->providers[i];
    return NULL;
}
