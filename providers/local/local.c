/*
 * Local: the table and the account. Nothing is made before the first machine is.
 */
#include "providers/local/local.h"

#include "providers/local/cloud.h"

static int open_account(const struct tt_provider_settings *settings, struct tt_arena *arena,
                        struct tt_provider **ret_provider, struct tt_error *err)
{
    struct tt_local *cloud = TT_NEW(arena, struct tt_local);

    if (tt_local_account_folder(settings, arena, &cloud->folder, err) < 0)
        return tt_wrap(err, "account %s", settings->account->name);
    cloud->base.ops = tt_local_ops();
    cloud->account = settings->account;
    cloud->owner = settings->owner;
    cloud->base_folder = settings->base_folder;
    cloud->clock = settings->clock ? settings->clock : tt_clock_real();
    *ret_provider = &cloud->base;
    return 0;
}

/* Machines outlive the account; everything else is in the arena. */
static void close_account(struct tt_provider *provider)
{
    (void)provider;
}

const struct tt_provider_ops *tt_local_ops(void)
{
    static const struct tt_provider_ops ops = {
        .name = "local",
        .features = TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER,
        .open = open_account,
        .close = close_account,
        .observe = tt_local_observe,
        .create_server = tt_local_create_server,
        .delete_server = tt_local_delete_server,
        .start_server = tt_local_start_server,
        .move_address = tt_local_move_address,
        .fence = tt_local_fence,
        .tag = tt_local_tag,
        .run = tt_local_run,
    };

    return &ops;
}
