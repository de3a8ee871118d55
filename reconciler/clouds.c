/*
 * Clouds: opens the accounts that the specs name, all at the same time, because opening one may
 * mean to fetch a token. Each has an arena of its own, as its provider allocates from any thread.
 */
#include "reconciler/clouds.h"

#include "base/str.h"
#include "reconciler/parallel.h"

#define MOST_AT_ONCE 32

struct opening {
    const struct tt_clouds_request *request;
    struct tt_clouds *clouds;
};

static int open_provider(const struct tt_clouds_request *request, struct tt_cloud *cloud,
                         struct tt_provider **ret_provider, struct tt_error *err)
{
    const char *kind = tt_provider_kind_words[cloud->account->provider];
    const struct tt_provider_ops *ops = tt_registry_find(request->registry, kind);
    struct tt_provider_settings *settings = TT_NEW(cloud->arena, struct tt_provider_settings);

    if (!ops)
        return tt_fail(err, TT_ERR_UNSUPPORTED, "this trimtab has no provider %s", kind);
    *settings = (struct tt_provider_settings){
        .account = cloud->account,
        .owner = request->desired->owner,
        .state_folder = request->state_folder,
        .base_folder = request->base_folder,
        .clock = request->clock,
        .tally = request->tally,
    };
    return ops->open(settings, cloud->arena, ret_provider, err);
}

static void open_cloud(void *self, size_t index)
{
    const struct opening *opening = self;
    const struct tt_clouds_request *request = opening->request;
    struct tt_cloud *cloud = &opening->clouds->items.items[index];
    struct tt_provider *provider = NULL;
    struct tt_error err = {0};

    if (open_provider(request, cloud, &provider, &err) < 0) {
        cloud->error = tt_printf(cloud->arena, "cannot open account %s: %s", cloud->account->name,
                                 err.message);
        return;
    }
    if (request->trace)
        provider = tt_decorate_trace(cloud->arena, provider, cloud->account->name, request->trace,
                                     request->trace_self);
    if (request->readonly)
        provider = tt_decorate_readonly(cloud->arena, provider);
    cloud->provider = provider;
}

void tt_clouds_open(struct tt_arena *arena, const struct tt_clouds_request *request,
                    struct tt_clouds *ret_clouds)
{
    struct opening opening = {.request = request, .clouds = ret_clouds};

    *ret_clouds = (struct tt_clouds){0};
    TT_EACH (account, &request->desired->accounts) {
        struct tt_cloud *cloud = TT_VEC_ADD(arena, &ret_clouds->items);

        cloud->account = *account;
        cloud->arena = TT_NEW(arena, struct tt_arena);
    }
    tt_parallel(request->clock, ret_clouds->items.count, MOST_AT_ONCE, open_cloud, &opening);
}

void tt_clouds_close(struct tt_clouds *clouds)
{
    TT_EACH (cloud, &clouds->items) {
        if (cloud->provider)
            tt_provider_close(cloud->provider);
        if (cloud->arena)
            tt_arena_release(cloud->arena);
    }
    *clouds = (struct tt_clouds){0};
}

const struct tt_cloud *tt_clouds_cloud(const struct tt_clouds *clouds, const char *account)
{
    TT_EACH (cloud, &clouds->items)
        if (tt_streq(cloud->account->name, account))
            return cloud;
    return NULL;
}

struct tt_provider *tt_clouds_find(const struct tt_clouds *clouds, const char *account)
{
    const struct tt_cloud *cloud = tt_clouds_cloud(clouds, account);

    return cloud ? cloud->provider : NULL;
}
