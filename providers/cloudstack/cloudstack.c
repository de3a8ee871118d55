/*
 * CloudStack: the table and the account.
 */
#include "providers/cloudstack/cloudstack.h"

#include <stdlib.h>

#include "providers/cloudstack/jobs.h"
#include "providers/cloudstack/names.h"

/* A management server that limits at all takes 25 requests a second by default. */
#define RATE  20
#define BURST 40
/* The most that one takes by default. */
#define PAGE_SIZE 500

static void close_account(struct tt_provider *provider)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;

    tt_ssh_machines_close(cloud->machines);
    tt_http_free(cloud->http);
    tt_cloudstack_jobs_free(cloud->jobs);
    pthread_rwlock_destroy(&cloud->rules);
}

static int open_account(const struct tt_provider_settings *settings, struct tt_arena *arena,
                        struct tt_provider **ret_provider, struct tt_error *err)
{
    struct tt_cloudstack *cloud = TT_NEW(arena, struct tt_cloudstack);

    if (tt_cloudstack_find_keys(settings, arena, &cloud->keys, err) < 0 ||
        tt_ssh_machines_open(settings, arena, &cloud->machines, err) < 0)
        return -1;
    cloud->base.ops = tt_cloudstack_ops();
    cloud->account = settings->account;
    cloud->owner = settings->owner;
    cloud->clock = settings->clock ? settings->clock : tt_clock_real();
    tt_cloudstack_owner_mark(cloud->owner, cloud->owner_mark);
    cloud->http = tt_http_new(arena, &(struct tt_http_settings){
                                         .clock = cloud->clock,
                                         .account = settings->account->name,
                                         .tally = settings->tally,
                                         .rate = RATE,
                                         .burst = BURST,
                                     });
    atomic_init(&cloud->page_size, PAGE_SIZE);
    cloud->jobs = tt_cloudstack_jobs_new();
    pthread_rwlock_init(&cloud->rules, NULL);
    *ret_provider = &cloud->base;
    return 0;
}

const struct tt_provider_ops *tt_cloudstack_ops(void)
{
    static const struct tt_provider_ops ops = {
        .name = "cloudstack",
        .features =
            TT_FEATURE_CLOUD_BALANCER | TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER,
        .open = open_account,
        .close = close_account,
        .observe = tt_cloudstack_observe,
        .create_server = tt_cloudstack_create_server,
        .delete_server = tt_cloudstack_delete_server,
        .start_server = tt_cloudstack_start_server,
        .enroll = tt_cloudstack_enroll,
        .withdraw = tt_cloudstack_withdraw,
        .set_listeners = tt_cloudstack_set_listeners,
        .move_address = tt_cloudstack_move_address,
        .fence = tt_cloudstack_fence,
        .tag = tt_cloudstack_tag,
        .run = tt_cloudstack_run,
    };

    return &ops;
}
