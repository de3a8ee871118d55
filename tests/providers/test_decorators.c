/*
 * The decorators around a simulated cloud: what reaches it, what is told, what is spoilt.
 * Covers providers/intercept.c, providers/readonly.c, providers/trace.c, providers/fault.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "providers/decorators.h"
#include "providers/sim/sim.h"

struct cloud {
    struct tt_sim_clock clock;
    struct tt_arena arena;
    struct tt_sim *sim;
    struct tt_provider *provider;
    const char *machine; /* without marks */
    struct tt_error err;
};

static int begin(void **state)
{
    static const char *const zones[] = {"a", "b", NULL};
    static struct cloud cloud;

    cloud = (struct cloud){0};
    tt_sim_clock_init(&cloud.clock, 0);
    cloud.sim = tt_sim_new(&cloud.clock.clock, NULL);
    tt_sim_add_region(cloud.sim, "east", "r1", zones);
    tt_sim_add_balancer(cloud.sim, "east", "r1", "elb", NULL);
    tt_sim_add_address(cloud.sim, "east", "r1", "203.0.113.9");
    cloud.machine = tt_sim_add_machine(cloud.sim, "east", "r1", "a", "legacy");
    cloud.provider = tt_sim_account(cloud.sim, &cloud.arena, "east", "acme");
    *state = &cloud;
    return 0;
}

static int end(void **state)
{
    struct cloud *cloud = *state;

    tt_provider_close(cloud->provider);
    tt_sim_free(cloud->sim);
    tt_arena_release(&cloud->arena);
    return 0;
}

static int create(struct cloud *cloud, struct tt_provider *provider, const char *token,
                  const char **ret_id)
{
    struct tt_server_spec spec = {.template = "web-1"};
    struct tt_create_request request = {.region = "r1",
                                        .zone = "a",
                                        .name = "storefront-web-0",
                                        .client_token = token,
                                        .spec = &spec,
                                        .tags = {.owner = "acme", .slot = 0}};

    return tt_provider_create_server(provider, &request, &cloud->arena, ret_id, &cloud->err);
}

static int observe(struct cloud *cloud, struct tt_provider *provider, struct tt_region *region)
{
    return tt_provider_observe(
        provider, &(struct tt_observe_request){.region = "r1", .owner = "acme", .everything = true},
        &cloud->arena, region, &cloud->err);
}

static int run(struct cloud *cloud, struct tt_provider *provider, const char *command)
{
    const char *const argv[] = {command, NULL};
    struct tt_run_result result;

    return tt_provider_run(
        provider, &(struct tt_run_request){.region = "r1", .machine = cloud->machine, .argv = argv},
        &cloud->arena, &result, &cloud->err);
}

/* Every member, in the order of the table; the number of those that failed as CLASS. */
static int call_all(struct cloud *cloud, struct tt_provider *provider, enum tt_error_class class)
{
    struct tt_listener listener = {.port = 80, .target_port = 8080};
    struct tt_listeners listeners = {.items = &listener, .count = 1};
    struct tt_health_check check = {.interval = 1000};
    struct tt_tags tags = {.slot = -1, .spec = "s"};
    struct tt_strings zones = {0};
    struct tt_region region;
    const char *id = NULL, *m = cloud->machine;
    int failed = 0;

    tt_strings_add(&cloud->arena, &zones, "a");
#define CALL(call) failed += (call) < 0 && cloud->err.class == class
    CALL(observe(cloud, provider, &region));
    CALL(create(cloud, provider, "token", &id));
    CALL(tt_provider_delete_server(provider, "r1", "none", &cloud->err));
    CALL(tt_provider_start_server(provider, "r1", m, &cloud->err));
    CALL(tt_provider_enroll(provider, "r1", "elb", m, &cloud->err));
    CALL(tt_provider_withdraw(provider, "r1", "elb", m, 0, &cloud->err));
    CALL(tt_provider_set_zones(provider, "r1", "elb", &zones, &cloud->err));
    CALL(tt_provider_set_listeners(provider, "r1", "elb", &listeners, &cloud->err));
    CALL(tt_provider_set_health_check(provider, "r1", "elb", &check, &cloud->err));
    CALL(tt_provider_move_address(provider, "r1", "203.0.113.9", m, &cloud->err));
    CALL(tt_provider_fence(provider, "r1", "none", &cloud->err));
    CALL(tt_provider_tag(provider, "r1", m, &tags, &cloud->err));
    CALL(run(cloud, provider, "/enstratus/bin/stopProxy"));
#undef CALL
    return failed;
}

static void test_readonly_lets_nothing_change(void **state)
{
    struct cloud *cloud = *state;
    struct tt_provider *readonly = tt_decorate_readonly(&cloud->arena, cloud->provider);
    static const char *const changing[] = {
        "create_server", "delete_server",    "start_server", "enroll", "withdraw", "set_zones",
        "set_listeners", "set_health_check", "move_address", "fence",  "tag",      "run"};

    assert_int_equal(call_all(cloud, readonly, TT_ERR_DENIED), 12);
    for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
        assert_int_equal(tt_sim_calls(cloud->sim, changing[i]), 0);
    assert_int_equal(tt_sim_calls(cloud->sim, "observe"), 1);
    assert_int_equal(readonly->ops->features, cloud->provider->ops->features);
}

static void test_readonly_runs_list_proxy_alone(void **state)
{
    struct cloud *cloud = *state;
    struct tt_provider *readonly = tt_decorate_readonly(&cloud->arena, cloud->provider);

    assert_int_equal(run(cloud, readonly, "/enstratus/bin/listProxy"), 0);
    assert_int_equal(run(cloud, readonly, "listProxy"), 0);
    assert_int_equal(run(cloud, readonly, "/enstratus/bin/startProxy"), -1);
    assert_int_equal(run(cloud, readonly, "/listProxy/rm"), -1);
    assert_int_equal(run(cloud, readonly, "xlistProxy"), -1);
    assert_int_equal(cloud->err.class, TT_ERR_DENIED);
    assert_int_equal(tt_sim_calls(cloud->sim, "run"), 2);
}

static void test_absent_members_stay_absent(void **state)
{
    struct cloud *cloud = *state;
    struct tt_provider_ops bare = *cloud->provider->ops;
    struct tt_provider *readonly;

    bare.fence = NULL;
    bare.run = NULL;
    cloud->provider->ops = &bare;
    readonly = tt_decorate_readonly(&cloud->arena, cloud->provider);
    assert_int_equal(tt_provider_fence(readonly, "r1", "i-1", &cloud->err), -1);
    assert_int_equal(cloud->err.class, TT_ERR_UNSUPPORTED);
    assert_int_equal(run(cloud, readonly, "listProxy"), -1);
    assert_int_equal(cloud->err.class, TT_ERR_UNSUPPORTED);
    cloud->provider->ops = tt_sim_ops();
}

struct traced {
    struct tt_buf text;
};

static void write_down(void *self, const struct tt_trace_call *call)
{
    struct traced *traced = self;

    assert_true(call->duration >= 0);
    tt_buf_addf(&traced->text, "%s %s %s %s\n", call->account, call->member, call->subject,
                call->error ? tt_error_class_name(call->error->class) : "ok");
}

static void test_trace_tells_every_call(void **state)
{
    struct cloud *cloud = *state;
    struct traced traced = {0};
    struct tt_provider *trace =
        tt_decorate_trace(&cloud->arena, cloud->provider, "east", write_down, &traced);
    char expected[1024];

    assert_int_equal(call_all(cloud, trace, TT_ERR_INTERNAL), 0);
    snprintf(expected, sizeof(expected),
             "east observe r1 ok\n"
             "east create_server storefront-web-0 ok\n"
             "east delete_server none ok\n"
             "east start_server %s ok\n"
             "east enroll elb ok\n"
             "east withdraw elb ok\n"
             "east set_zones elb ok\n"
             "east set_listeners elb ok\n"
             "east set_health_check elb ok\n"
             "east move_address 203.0.113.9 ok\n"
             "east fence none ok\n"
             "east tag %s ok\n"
             "east run %s ok\n",
             cloud->machine, cloud->machine, cloud->machine);
    assert_string_equal(tt_buf_text(&traced.text), expected);
    tt_buf_release(&traced.text);
}

static void test_trace_tells_failures_and_passes_them_on(void **state)
{
    struct cloud *cloud = *state;
    struct traced traced = {0};
    struct tt_provider *trace =
        tt_decorate_trace(&cloud->arena, cloud->provider, "east", write_down, &traced);

    assert_int_equal(tt_provider_delete_server(trace, "r1", cloud->machine, &cloud->err), -1);
    assert_int_equal(cloud->err.class, TT_ERR_DENIED);
    assert_int_equal(tt_provider_enroll(trace, "r1", "none", "i-1", NULL), -1);
    assert_non_null(strstr(tt_buf_text(&traced.text), "denied"));
    assert_non_null(strstr(tt_buf_text(&traced.text), "enroll none not-found"));
    tt_buf_release(&traced.text);
}

static void test_fault_before_has_no_effect(void **state)
{
    struct cloud *cloud = *state;
    struct tt_provider *fault =
        tt_decorate_fault(&cloud->arena, cloud->provider, 2, TT_FAULT_BEFORE, TT_ERR_UNAVAILABLE);
    const char *id = NULL;
    struct tt_region region;

    assert_int_equal(observe(cloud, fault, &region), 0);
    assert_int_equal(create(cloud, fault, "t", &id), -1);
    assert_int_equal(cloud->err.class, TT_ERR_UNAVAILABLE);
    assert_null(id);
    assert_int_equal(tt_sim_calls(cloud->sim, "create_server"), 0);
    assert_int_equal(create(cloud, fault, "t", &id), 0);
    assert_non_null(id);
}

static void test_fault_after_has_taken_effect(void **state)
{
    struct cloud *cloud = *state;
    struct tt_provider *fault =
        tt_decorate_fault(&cloud->arena, cloud->provider, 1, TT_FAULT_AFTER, TT_ERR_TIMEOUT);
    const char *id = NULL, *again = NULL;
    struct tt_region region = {0};

    assert_int_equal(create(cloud, fault, "t", &id), -1);
    assert_int_equal(cloud->err.class, TT_ERR_TIMEOUT);
    assert_null(id);
    assert_int_equal(observe(cloud, fault, &region), 0);
    assert_int_equal(region.servers.count, 2); /* the legacy machine and the new one */
    assert_int_equal(create(cloud, fault, "t", &again), 0);
    assert_non_null(tt_region_server(&region, again));
}

static void test_fault_spoils_each_call_in_turn(void **state)
{
    struct cloud *cloud = *state;

    for (int nth = 1; nth <= 13; nth++) {
        struct tt_provider *fault =
            tt_decorate_fault(&cloud->arena, cloud->provider, nth, TT_FAULT_AFTER, TT_ERR_TIMEOUT);
        assert_int_equal(call_all(cloud, fault, TT_ERR_TIMEOUT), 1);
    }
    assert_int_equal(call_all(cloud,
                              tt_decorate_fault(&cloud->arena, cloud->provider, 0, TT_FAULT_BEFORE,
                                                TT_ERR_TIMEOUT),
                              TT_ERR_TIMEOUT),
                     0);
}

static void test_decorators_stack(void **state)
{
    struct cloud *cloud = *state;
    struct traced traced = {0};
    struct tt_provider *trace =
        tt_decorate_trace(&cloud->arena, tt_decorate_readonly(&cloud->arena, cloud->provider),
                          "east", write_down, &traced);
    const char *id = NULL;

    assert_int_equal(create(cloud, trace, "t", &id), -1);
    assert_string_equal(tt_buf_text(&traced.text), "east create_server storefront-web-0 denied\n");
    tt_buf_release(&traced.text);
    tt_provider_close(trace);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_readonly_lets_nothing_change),
        TEST(test_readonly_runs_list_proxy_alone),
        TEST(test_absent_members_stay_absent),
        TEST(test_trace_tells_every_call),
        TEST(test_trace_tells_failures_and_passes_them_on),
        TEST(test_fault_before_has_no_effect),
        TEST(test_fault_after_has_taken_effect),
        TEST(test_fault_spoils_each_call_in_turn),
        TEST(test_decorators_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
