/*
 * A simulated cloud for a test: see the header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/providers/support/sim_cloud.h"

int sim_cloud_begin(void **state)
{
    static const char *const zones[] = {"a", "b", NULL};
    static struct sim_cloud cloud;

    cloud = (struct sim_cloud){0};
    tt_sim_clock_init(&cloud.clock, START);
    cloud.sim = tt_sim_new(&cloud.clock.clock, NULL);
    tt_sim_add_region(cloud.sim, "east", "r1", zones);
    tt_sim_add_balancer(cloud.sim, "east", "r1", "elb", NULL);
    tt_sim_add_address(cloud.sim, "east", "r1", "203.0.113.9");
    cloud.provider = tt_sim_account(cloud.sim, &cloud.arena, "east", "acme");
    *state = &cloud;
    return 0;
}

int sim_cloud_end(void **state)
{
    struct sim_cloud *cloud = *state;

    tt_provider_close(cloud->provider);
    tt_sim_free(cloud->sim);
    tt_arena_release(&cloud->arena);
    return 0;
}

int sim_cloud_try_create(struct sim_cloud *cloud, const char *zone, const char **ret_id)
{
    static int number;
    char token[32];
    struct tt_server_spec spec = {.template = "web-1"};
    struct tt_create_request request = {
        .region = "r1",
        .zone = zone,
        .name = "storefront-web-0",
        .client_token = token,
        .spec = &spec,
        .port = 8080,
        .tags = {.owner = "acme", .deployment = "storefront", .service = "web", .slot = 0}};

    snprintf(token, sizeof(token), "token-%d", number++);
    return tt_provider_create_server(cloud->provider, &request, &cloud->arena, ret_id, &cloud->err);
}

const char *sim_cloud_create(struct sim_cloud *cloud, const char *zone)
{
    const char *id = NULL;

    if (sim_cloud_try_create(cloud, zone, &id) < 0)
        fail_msg("%s", cloud->err.message);
    return id;
}

struct tt_region *sim_cloud_look(struct sim_cloud *cloud)
{
    struct tt_region *region = TT_NEW(&cloud->arena, struct tt_region);

    if (tt_provider_observe(cloud->provider,
                            &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                            &cloud->arena, region, &cloud->err) < 0)
        fail_msg("%s", cloud->err.message);
    return region;
}
