/*
 * The providers that this program has, by name. Only reconciler/main.c (and tests) fill it.
 */
#ifndef TT_PROVIDERS_REGISTRY_H
#define TT_PROVIDERS_REGISTRY_H

#include "providers/provider.h"

struct tt_registry {
    const struct tt_provider_ops *providers[TT_PROVIDER_KINDS];
    size_t count;
};

/* Refuses (INTERNAL) a table without a required member, with a feature whose members are missing
 * (cloud balancers without enroll ...), a second one of the same name, or a name that no Account
 * can have. */
int tt_registry_add(struct tt_registry *registry, const struct tt_provider_ops *ops,
                    struct tt_error *err);

/* NULL: this program has no such provider. */
const struct tt_provider_ops *tt_registry_find(const struct tt_registry *registry,
                                               const char *name);

#endif
