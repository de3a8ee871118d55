/*
 * AWS: the table and the account.
 */
#include "providers/aws/aws.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "providers/aws/cloud.h"

/* AWS's own buckets are larger; these leave room for whoever else uses the account. */
#define READ_RATE   20
#define READ_BURST  100
#define WRITE_RATE  5
#define WRITE_BURST 50

static int check_endpoint(const char *endpoint, struct tt_error *err)
{
    if (!endpoint || tt_starts_with(endpoint, "https://") || tt_starts_with(endpoint, "http://"))
        return 0;
    return tt_fail(err, TT_ERR_SPEC, "the endpoint %s is no http:// or https:// address", endpoint);
}

static void open_regions(struct tt_aws *aws, struct tt_arena *arena)
{
    const struct tt_strings *names = &aws->account->regions;

    aws->regions = TT_NEW_ARRAY(arena, names->count, struct tt_aws_region);
    aws->region_count = names->count;
    for (size_t i = 0; i < names->count; i++) {
        aws->regions[i].name = names->items[i];
        tt_bucket_init(&aws->regions[i].reads, aws->clock, READ_RATE, READ_BURST);
        tt_bucket_init(&aws->regions[i].writes, aws->clock, WRITE_RATE, WRITE_BURST);
    }
}

static void close_account(struct tt_provider *provider)
{
    struct tt_aws *aws = (struct tt_aws *)provider;

    tt_ssh_machines_close(aws->machines);
    tt_aws_credentials_free(aws->credentials);
    tt_http_free(aws->http);
    for (size_t i = 0; i < aws->region_count; i++) {
        tt_bucket_release(&aws->regions[i].reads);
        tt_bucket_release(&aws->regions[i].writes);
    }
    pthread_mutex_destroy(&aws->lock);
}

static int open_account(const struct tt_provider_settings *settings, struct tt_arena *arena,
                        struct tt_provider **ret_provider, struct tt_error *err)
{
    struct tt_aws *aws = TT_NEW(arena, struct tt_aws);

    if (check_endpoint(settings->account->endpoint, err) < 0)
        return -1;
    xmlInitParser(); /* before threads use it */
    aws->base.ops = tt_aws_ops();
    aws->account = settings->account;
    aws->owner = settings->owner;
    aws->clock = settings->clock ? settings->clock : tt_clock_real();
    pthread_mutex_init(&aws->lock, NULL);
    open_regions(aws, arena);
    aws->http = tt_http_new(arena, &(struct tt_http_settings){
                                       .clock = aws->clock,
                                       .account = settings->account->name,
                                       .tally = settings->tally,
                                       .ca_bundle = getenv("AWS_CA_BUNDLE"),
                                   });
    if (tt_aws_credentials_open(arena, settings, aws->http, &aws->credentials, err) < 0 ||
        tt_ssh_machines_open(settings, arena, &aws->machines, err) < 0) {
        close_account(&aws->base);
        return -1;
    }
    *ret_provider = &aws->base;
    return 0;
}

int tt_aws_enter(struct tt_provider *provider, const char *region, struct tt_arena *arena,
                 struct tt_aws_visit *ret_visit, struct tt_error *err)
{
    struct tt_aws *aws = (struct tt_aws *)provider;

    for (size_t i = 0; i < aws->region_count; i++)
        if (tt_streq(aws->regions[i].name, region)) {
            *ret_visit = (struct tt_aws_visit){aws, &aws->regions[i], arena};
            return 0;
        }
    return tt_fail(err, TT_ERR_SPEC, "account %s has no region %s", aws->account->name, region);
}

const struct tt_provider_ops *tt_aws_ops(void)
{
    static const struct tt_provider_ops ops = {
        .name = "aws",
        .features =
            TT_FEATURE_CLOUD_BALANCER | TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER,
        .open = open_account,
        .close = close_account,
        .observe = tt_aws_observe,
        .create_server = tt_aws_create_server,
        .delete_server = tt_aws_delete_server,
        .start_server = tt_aws_start_server,
        .enroll = tt_aws_enroll,
        .withdraw = tt_aws_withdraw,
        .set_zones = tt_aws_set_zones,
        .set_listeners = tt_aws_set_listeners,
        .set_health_check = tt_aws_set_health_check,
        .move_address = tt_aws_move_address,
        .fence = tt_aws_fence,
        .tag = tt_aws_tag,
        .run = tt_aws_run,
    };

    return &ops;
}
