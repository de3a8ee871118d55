/*
 * OpenStack: the table and the account.
 */
#include "providers/openstack/openstack.h"

#include <stdlib.h>

#include "base/str.h"
#include "providers/openstack/machines.h"

static void close_account(struct tt_provider *provider)
{
    struct tt_openstack *cloud = (struct tt_openstack *)provider;

    tt_ssh_machines_close(cloud->machines);
    tt_http_free(cloud->http);
    for (size_t i = 0; i < cloud->region_count; i++) {
        tt_openstack_watch_release(&cloud->regions[i].building);
        tt_openstack_watch_release(&cloud->regions[i].balancers);
    }
    free(cloud->token);
    free(cloud->project);
    json_decref(cloud->catalog);
    pthread_cond_destroy(&cloud->changed);
    pthread_mutex_destroy(&cloud->lock);
}

static void open_regions(struct tt_openstack *cloud, struct tt_arena *arena)
{
    const struct tt_strings *names = &cloud->account->regions;

    cloud->regions = tt_alloc(arena, (names->count + 1) * sizeof(*cloud->regions));
    TT_EACH (name, names) {
        struct tt_openstack_region *region = &cloud->regions[cloud->region_count++];

        *region = (struct tt_openstack_region){.name = *name};
        tt_openstack_watch_init(&region->building);
        tt_openstack_watch_init(&region->balancers);
    }
}

static int open_account(const struct tt_provider_settings *settings, struct tt_arena *arena,
                        struct tt_provider **ret_provider, struct tt_error *err)
{
    struct tt_openstack *cloud = TT_NEW(arena, struct tt_openstack);

    if (tt_openstack_find_login(settings, arena, &cloud->login, err) < 0 ||
        tt_ssh_machines_open(settings, arena, &cloud->machines, err) < 0)
        return -1;
    cloud->base.ops = tt_openstack_ops();
    cloud->account = settings->account;
    cloud->owner = settings->owner;
    cloud->mark = tt_openstack_owner_mark(arena, settings->owner);
    cloud->clock = settings->clock ? settings->clock : tt_clock_real();
    pthread_mutex_init(&cloud->lock, NULL);
    pthread_cond_init(&cloud->changed, NULL);
    open_regions(cloud, arena);
    cloud->http = tt_http_new(arena, &(struct tt_http_settings){
                                         .clock = cloud->clock,
                                         .account = settings->account->name,
                                         .tally = settings->tally,
                                         .ca_bundle = cloud->login.cacert,
                                     });
    *ret_provider = &cloud->base;
    return 0;
}

int tt_openstack_enter(struct tt_provider *provider, const char *region, struct tt_arena *arena,
                       struct tt_openstack_visit *ret_visit, struct tt_error *err)
{
    struct tt_openstack *cloud = (struct tt_openstack *)provider;

    for (size_t i = 0; i < cloud->region_count; i++)
        if (tt_streq(cloud->regions[i].name, region)) {
            *ret_visit = (struct tt_openstack_visit){cloud, &cloud->regions[i], arena};
            return 0;
        }
    return tt_fail(err, TT_ERR_SPEC, "account %s has no region %s", cloud->account->name, region);
}

int tt_openstack_begin(struct tt_provider *provider, const char *region,
                       struct tt_openstack_stay *stay, struct tt_error *err)
{
    return tt_openstack_enter(provider, region, &stay->memory, &stay->visit, err);
}

void tt_openstack_end(struct tt_openstack_stay *stay)
{
    tt_arena_release(&stay->memory);
}

const struct tt_provider_ops *tt_openstack_ops(void)
{
    static const struct tt_provider_ops ops = {
        .name = "openstack",
        .features =
            TT_FEATURE_CLOUD_BALANCER | TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER,
        .open = open_account,
        .close = close_account,
        .observe = tt_openstack_observe,
        .create_server = tt_openstack_create_server,
        .delete_server = tt_openstack_delete_server,
        .start_server = tt_openstack_start_server,
        .enroll = tt_openstack_enroll,
        .withdraw = tt_openstack_withdraw,
        .set_listeners = tt_openstack_set_listeners,
        .set_health_check = tt_openstack_set_health_check,
        .move_address = tt_openstack_move_address,
        .fence = tt_openstack_fence,
        .tag = tt_openstack_tag,
        .run = tt_openstack_run,
    };

    return &ops;
}
