/*
 * Machines of the simulated cloud as balancers: the agent's scripts, and pools in a seed.
 * Covers providers/sim/agent.c, providers/sim/seed.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/world_json.h"
#include "providers/proxies/proxy.h"
#include "tests/providers/support/sim_cloud.h"

/* The exit code; the output is in RET_OUTPUT. */
static int run(struct sim_cloud *cloud, const char *machine, const char *const argv[],
               const char **ret_output)
{
    struct tt_run_result result = {0};

    *ret_output = "";
    if (tt_provider_run(cloud->provider,
                        &(struct tt_run_request){.region = "r1", .machine = machine, .argv = argv},
                        &cloud->arena, &result, &cloud->err) < 0)
        return -1;
    *ret_output = result.output;
    return result.exit_code;
}

static void test_any_machine_becomes_a_balancer(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *edge = tt_sim_add_machine(cloud->sim, "east", "r1", "a", "edge");
    const char *web = sim_cloud_create(cloud, "b"), *output;
    const char *address = tt_region_server(sim_cloud_look(cloud), web)->private_address;
    const char *const start[] = {"/enstratus/bin/startProxy",
                                 "s.web",
                                 "w.example",
                                 "NONE",
                                 "10.0.0.1",
                                 address,
                                 "8080",
                                 NULL};
    const char *const again[] = {"startProxy", "s.api", "NONE", "NONE",
                                 "10.0.0.1",   address, "9090", NULL};
    const char *const list[] = {"listProxy", NULL}, *const list_web[] = {"listProxy", "s.web",
                                                                         NULL};
    const char *const stop[] = {"stopProxy", address, "s.web", NULL};
    const char *const stop_all[] = {"stopProxy", address, NULL};

    assert_int_equal(run(cloud, edge, start, &output), 0);
    assert_int_equal(run(cloud, edge, again, &output), 0);
    assert_int_equal(run(cloud, edge, list_web, &output), 0);
    assert_string_equal(output, tt_printf(&cloud->arena, "s.web\t%s\t8080\tin-service\n", address));
    tt_sim_set_health(cloud->sim, "east", "r1", web, TT_HEALTH_FAILING);
    assert_int_equal(run(cloud, edge, stop, &output), 0);
    assert_int_equal(run(cloud, edge, list, &output), 0);
    assert_string_equal(output,
                        tt_printf(&cloud->arena, "s.api\t%s\t9090\tout-of-service\n", address));
    assert_int_equal(run(cloud, edge, start, &output), 0);
    assert_int_equal(run(cloud, edge, stop_all, &output), 0);
    assert_int_equal(run(cloud, edge, list, &output), 0);
    assert_string_equal(output, "");
}

static void test_pools_are_forgotten_and_agents_fail(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *edge = tt_sim_add_machine(cloud->sim, "east", "r1", "a", "edge"), *output;
    const char *const start[] = {"startProxy", "s.web",    "NONE", "NONE",
                                 "10.0.0.1",   "10.0.0.7", "8080", NULL};
    const char *const list[] = {"listProxy", NULL}, *const wrong[] = {"startProxy", "s.web", NULL};
    const char *const bad_port[] = {"startProxy", "s.web",    "NONE",  "NONE",
                                    "10.0.0.1",   "10.0.0.7", "80800", NULL};

    assert_int_equal(run(cloud, edge, start, &output), 0);
    tt_sim_forget_pool(cloud->sim, "east", "r1", edge);
    assert_int_equal(run(cloud, edge, list, &output), 0);
    assert_string_equal(output, "");
    tt_sim_set_agent(cloud->sim, "east", "r1", edge, 21);
    assert_int_equal(run(cloud, edge, start, &output), 21);
    tt_sim_set_agent(cloud->sim, "east", "r1", edge, 127);
    assert_int_equal(run(cloud, edge, list, &output), -1);
    assert_int_equal(cloud->err.class, TT_ERR_NOT_FOUND);
    tt_sim_set_agent(cloud->sim, "east", "r1", edge, 0);
    assert_true(run(cloud, edge, wrong, &output) > 0);
    assert_true(run(cloud, edge, bad_port, &output) > 0);
    assert_int_equal(run(cloud, edge, list, &output), 0);
    assert_string_equal(output, "");
    tt_sim_set_server_state(cloud->sim, "east", "r1", edge, TT_SERVER_FAILED);
    assert_int_equal(run(cloud, edge, list, &output), -1);
    assert_int_equal(cloud->err.class, TT_ERR_UNAVAILABLE);
}

/* As reconciler's apply does it, through the proxy that knows the scripts. */
static void test_proxy_speaks_to_a_machine(void **state)
{
    struct sim_cloud *cloud = *state;
    struct tt_listener listeners[] = {{.port = 80, .protocol = TT_PROTOCOL_HTTP},
                                      {.port = 443,
                                       .protocol = TT_PROTOCOL_HTTPS,
                                       .target_port = 8443,
                                       .certificate = "/etc/c.pem",
                                       .key = "/etc/k.pem"}};
    struct tt_listeners wanted = {.items = listeners, .count = 2};
    struct tt_balancer_setup setup = {.listeners = &wanted};
    struct tt_deployment deployment = {.name = "storefront"};
    struct tt_service service = {.name = "web", .deployment = &deployment};
    struct tt_proxy proxy = {
        .provider = cloud->provider,
        .region = "r1",
        .machine = tt_sim_add_machine(cloud->sim, "east", "r1", "a", "edge"),
        .address = "10.0.0.1",
    };
    const char *web = sim_cloud_create(cloud, "b");
    struct tt_proxy_member entry = {
        .service = &service,
        .address = tt_region_server(sim_cloud_look(cloud), web)->private_address,
        .port = 8080,
    };
    struct tt_proxy_member another;
    struct tt_pool pool = {0};

    assert_int_equal(tt_proxy_configure(&proxy, &setup, &cloud->err), 0);
    assert_int_equal(tt_proxy_start(&proxy, &entry, &cloud->err), 0);
    assert_int_equal(tt_proxy_list(&proxy, &cloud->arena, &pool, &cloud->err), 0);
    assert_int_equal(pool.listeners->count, 2);
    assert_int_equal(pool.listeners->items[0].port, 80);
    assert_int_equal(pool.listeners->items[0].target_port, 0);
    assert_int_equal(pool.listeners->items[1].protocol, TT_PROTOCOL_HTTPS);
    assert_int_equal(pool.listeners->items[1].target_port, 8443);
    assert_int_equal(pool.members.count, 1);
    another = entry;
    another.address = "10.1.2.3";
    assert_int_equal(tt_proxy_start_all(&proxy,
                                        (const struct tt_proxy_member *[]){&entry, &another}, 2,
                                        &cloud->err),
                     0);
    assert_int_equal(tt_proxy_list(&proxy, &cloud->arena, &pool, &cloud->err), 0);
    assert_int_equal(pool.members.count, 2);
    assert_string_equal(pool.members.items[1].address, "10.1.2.3");
    assert_string_equal(pool.members.items[0].service, "storefront.web");
    assert_int_equal(pool.members.items[0].state, TT_MEMBER_IN_SERVICE);
    assert_int_equal(
        tt_proxy_stop(&proxy, "storefront.web", entry.address, 8080, 5000, &cloud->err), 0);
    assert_int_equal(tt_proxy_stop(&proxy, "storefront.web", "10.1.2.3", 8080, 0, &cloud->err), 0);
    pool = (struct tt_pool){0};
    assert_int_equal(tt_proxy_list(&proxy, &cloud->arena, &pool, &cloud->err), 0);
    assert_int_equal(pool.members.count, 0);
}

/* A second cloud, seeded with what the first one shows, shows the same. */
static void test_seeding_reproduces_a_world(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *edge = tt_sim_add_machine(cloud->sim, "east", "r1", "a", "edge"), *output;
    const char *web = sim_cloud_create(cloud, "b");
    const char *const start[] = {
        "startProxy", "s.web",    "NONE",
        "NONE",       "10.0.0.1", tt_region_server(sim_cloud_look(cloud), web)->private_address,
        "8080",       NULL};
    struct tt_sim *copy = tt_sim_new(&cloud->clock.clock, NULL);
    struct tt_world *world;

    assert_int_equal(tt_provider_enroll(cloud->provider, "r1", "elb", web, &cloud->err), 0);
    assert_int_equal(run(cloud, edge, start, &output), 0);
    tt_sim_set_server_state(cloud->sim, "east", "r1", sim_cloud_create(cloud, "a"),
                            TT_SERVER_STOPPED);
    world = tt_sim_world(cloud->sim, &cloud->arena);
    assert_int_equal(world->accounts.items[0].regions.items[0].pools.count, 1);
    tt_sim_seed(copy, world);
    assert_string_equal(tt_world_to_json(&cloud->arena, tt_sim_world(copy, &cloud->arena)),
                        tt_world_to_json(&cloud->arena, world));
    tt_sim_free(copy);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, sim_cloud_begin, sim_cloud_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_any_machine_becomes_a_balancer),
        TEST(test_pools_are_forgotten_and_agents_fail),
        TEST(test_proxy_speaks_to_a_machine),
        TEST(test_seeding_reproduces_a_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
