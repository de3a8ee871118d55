/*
 * Clouds: the open accounts of one run, by name.
 */
#ifndef TT_RECONCILER_CLOUDS_H
#define TT_RECONCILER_CLOUDS_H

#include "providers/decorators.h"
#include "providers/registry.h"

struct tt_cloud {
    const struct tt_account *account;
    struct tt_provider *provider; /* NULL: it could not be opened */
    const char *error;            /* why; NULL when open */
    struct tt_arena *arena;       /* the provider's own, until close; NULL: borrowed from outside */
};

struct tt_clouds {
    TT_VEC(struct tt_cloud) items; /* by account name */
};

struct tt_clouds_request {
    const struct tt_registry *registry;
    const struct tt_desired *desired;
    const char *state_folder;
    const char *base_folder;
    const struct tt_clock *clock;
    bool readonly; /* wrap each in tt_decorate_readonly */
    /* NULL, or told of every call (tt_decorate_trace) */
    void (*trace)(void *self, const struct tt_trace_call *call);
    void *trace_self;
    struct tt_tally *tally; /* NULL, or counts the requests to APIs (providers/tally.h) */
};

/* Opens every account of DESIRED. One that cannot be opened is kept with its error: its regions
 * are unreachable, the others are planned. */
void tt_clouds_open(struct tt_arena *arena, const struct tt_clouds_request *request,
                    struct tt_clouds *ret_clouds);
void tt_clouds_close(struct tt_clouds *clouds);

/* NULL: no such account. */
const struct tt_cloud *tt_clouds_cloud(const struct tt_clouds *clouds, const char *account);

/* NULL: no such account, or not open. */
struct tt_provider *tt_clouds_find(const struct tt_clouds *clouds, const char *account);

#endif
