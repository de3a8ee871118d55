/*
 * Conformance of the optional members: cloud balancers, elastic addresses, fencing, starting,
 * tagging, running commands; and of their absence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/providers/support/conformance_tools.h"

/* A test of what the provider does not have ends here: that the member says so is tested where all
 * missing members are. */
#define NEEDS(there)                                                                               \
    do {                                                                                           \
        if (!(there)) {                                                                            \
            print_message("not a feature of this provider\n");                                     \
            return;                                                                                \
        }                                                                                          \
    } while (0)

static void test_enroll_and_withdraw(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    const char *region = test->is.region, *balancer = test->is.balancer, *id;

    NEEDS(balancer);
    id = make_server(test, 0, test->is.zones[0]);
    await_state(test, id, TT_SERVER_RUNNING);
    ok(tt_provider_enroll(provider, region, balancer, id, &test->err));
    ok(tt_provider_enroll(provider, region, balancer, id, &test->err));
    await_member(test, id, TT_MEMBER_IN_SERVICE);
    ok(tt_provider_withdraw(provider, region, balancer, id, 1000, &test->err));
    ok(tt_provider_withdraw(provider, region, balancer, id, 1000, &test->err));
    await_member(test, id, -1);
    ok(tt_provider_withdraw(provider, region, balancer, id, 1000, &test->err));
}

static void test_enroll_ends_a_drain(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    const char *id;

    NEEDS(test->is.balancer);
    id = make_server(test, 0, test->is.zones[0]);
    await_state(test, id, TT_SERVER_RUNNING);
    ok(tt_provider_enroll(provider, test->is.region, test->is.balancer, id, &test->err));
    await_member(test, id, TT_MEMBER_IN_SERVICE);
    ok(tt_provider_withdraw(provider, test->is.region, test->is.balancer, id, 1000, &test->err));
    ok(tt_provider_enroll(provider, test->is.region, test->is.balancer, id, &test->err));
    await_member(test, id, TT_MEMBER_IN_SERVICE);
}

static void test_unknown_balancer_is_not_found(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    const char *region = test->is.region;
    struct tt_listeners listeners = {0};
    struct tt_health_check check = {0};
    struct tt_strings zones = {0};

    NEEDS(test->is.balancer);
    tt_strings_add(&test->arena, &zones, test->is.zones[0]);
    fails(test, TT_ERR_NOT_FOUND,
          tt_provider_enroll(provider, region, "no-such", "no-such", &test->err));
    fails(test, TT_ERR_NOT_FOUND,
          tt_provider_enroll(provider, region, test->is.balancer, "no-such", &test->err));
    fails(test, TT_ERR_NOT_FOUND,
          tt_provider_withdraw(provider, region, "no-such", "no-such", 0, &test->err));
    if (provider->ops->set_zones)
        fails(test, TT_ERR_NOT_FOUND,
              tt_provider_set_zones(provider, region, "no-such", &zones, &test->err));
    if (provider->ops->set_listeners)
        fails(test, TT_ERR_NOT_FOUND,
              tt_provider_set_listeners(provider, region, "no-such", &listeners, &test->err));
    if (provider->ops->set_health_check)
        fails(test, TT_ERR_NOT_FOUND,
              tt_provider_set_health_check(provider, region, "no-such", &check, &test->err));
}

/* As few as the balancer can have, and not the first. */
static struct tt_strings few_zones(struct tt_conformance_test *test)
{
    struct tt_strings zones = {0};
    int count = test->is.least_zones ? test->is.least_zones : 1;

    for (int i = 1; i <= count; i++)
        tt_strings_add(&test->arena, &zones, test->is.zones[i]);
    return zones;
}

static void test_zones_are_replaced_whole(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    struct tt_strings zones, unknown = {0};
    const struct tt_cloud_balancer *balancer;

    NEEDS(test->is.balancer && provider->ops->set_zones);
    zones = few_zones(test);
    tt_strings_add(&test->arena, &unknown, "no-such-zone");
    for (int i = 0; i < 2; i++)
        ok(tt_provider_set_zones(provider, test->is.region, test->is.balancer, &zones, &test->err));
    fails(
        test, TT_ERR_SPEC,
        tt_provider_set_zones(provider, test->is.region, test->is.balancer, &unknown, &test->err));
    balancer = tt_region_balancer(look(test), test->is.balancer);
    assert_true(tt_strings_equal_sets(balancer->zones, &zones));
}

static void test_a_member_serves_in_enabled_zones_alone(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    struct tt_strings zones;
    const char *id;

    NEEDS(test->is.balancer && provider->ops->set_zones);
    zones = few_zones(test);
    ok(tt_provider_set_zones(provider, test->is.region, test->is.balancer, &zones, &test->err));
    id = make_server(test, 0, test->is.zones[0]);
    await_state(test, id, TT_SERVER_RUNNING);
    ok(tt_provider_enroll(provider, test->is.region, test->is.balancer, id, &test->err));
    await_member(test, id, TT_MEMBER_OUT_OF_SERVICE);
    tt_strings_add(&test->arena, &zones, test->is.zones[0]);
    ok(tt_provider_set_zones(provider, test->is.region, test->is.balancer, &zones, &test->err));
    await_member(test, id, TT_MEMBER_IN_SERVICE);
}

static void test_listeners_and_health_check_are_read_back(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    struct tt_listener listener = {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 8080};
    struct tt_listeners listeners = {.items = &listener, .count = 1};
    struct tt_health_check check = {
        .http = true, .path = "/healthz", .interval = 10000, .timeout = 2000, .unhealthy_after = 3};
    const struct tt_cloud_balancer *balancer;

    NEEDS(test->is.balancer && provider->ops->set_listeners && provider->ops->set_health_check);
    for (int i = 0; i < 2; i++) {
        ok(tt_provider_set_listeners(provider, test->is.region, test->is.balancer, &listeners,
                                     &test->err));
        ok(tt_provider_set_health_check(provider, test->is.region, test->is.balancer, &check,
                                        &test->err));
    }
    balancer = tt_region_balancer(look(test), test->is.balancer);
    assert_int_equal(balancer->listeners->count, 1);
    assert_int_equal(balancer->listeners->items[0].port, 80);
    assert_int_equal(balancer->listeners->items[0].target_port, 8080);
    assert_int_equal(balancer->listeners->items[0].protocol, TT_PROTOCOL_HTTP);
    assert_true(balancer->health->http);
    assert_string_equal(balancer->health->path, "/healthz");
    assert_int_equal(balancer->health->interval, 10000);
    assert_int_equal(balancer->health->timeout, 2000);
    assert_int_equal(balancer->health->unhealthy_after, 3);
}

static const char *holder_of(struct tt_conformance_test *test)
{
    const struct tt_region *region = look(test);

    TT_EACH (address, &region->addresses)
        if (strcmp(address->address, test->is.address) == 0)
            return address->server;
    return NULL;
}

static void test_address_moves(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    const char *region = test->is.region, *address = test->is.address, *one, *other;

    NEEDS(address);
    one = make_server(test, 0, test->is.zones[0]);
    other = make_server(test, 1, test->is.zones[1]);
    await_state(test, one, TT_SERVER_RUNNING);
    await_state(test, other, TT_SERVER_RUNNING);
    ok(tt_provider_move_address(provider, region, address, one, &test->err));
    assert_string_equal(holder_of(test), one);
    for (int i = 0; i < 2; i++)
        ok(tt_provider_move_address(provider, region, address, other, &test->err));
    assert_string_equal(holder_of(test), other);
    fails(test, TT_ERR_NOT_FOUND,
          tt_provider_move_address(provider, region, "192.0.2.99", other, &test->err));
    fails(test, TT_ERR_NOT_FOUND,
          tt_provider_move_address(provider, region, address, "no-such", &test->err));
    assert_string_equal(holder_of(test), other);
}

static void test_fenced_machine_runs_no_more(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    const struct tt_server *server;
    const char *id;

    NEEDS(provider->ops->fence);
    id = make_server(test, 0, test->is.zones[0]);
    await_state(test, id, TT_SERVER_RUNNING);
    for (int i = 0; i < 2; i++)
        ok(tt_provider_fence(provider, test->is.region, id, &test->err));
    server = tt_region_server(look(test), id);
    assert_true(!server || server->state != TT_SERVER_RUNNING);
    ok(tt_provider_delete_server(provider, test->is.region, id, &test->err));
    await_gone(test, id);
    ok(tt_provider_fence(provider, test->is.region, id, &test->err));
}

static void test_stopped_machine_starts(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    const struct tt_server *server;
    const char *id;

    NEEDS(provider->ops->start_server);
    id = make_server(test, 0, test->is.zones[0]);
    await_state(test, id, TT_SERVER_RUNNING);
    ok(tt_provider_start_server(provider, test->is.region, id, &test->err));
    fails(test, TT_ERR_NOT_FOUND,
          tt_provider_start_server(provider, test->is.region, "no-such", &test->err));
    NEEDS(provider->ops->fence);
    ok(tt_provider_fence(provider, test->is.region, id, &test->err));
    server = await_seen(test, id);
    assert_true(server->state == TT_SERVER_STOPPED || server->state == TT_SERVER_FAILED);
    ok(tt_provider_start_server(provider, test->is.region, id, &test->err));
    await_state(test, id, TT_SERVER_RUNNING);
}

static void test_tags_are_put_on(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    struct tt_tags tags = {.slot = -1, .spec = "fedcba9876543210"};
    const struct tt_server *server;
    const char *id;

    NEEDS(provider->ops->tag);
    id = make_server(test, 2, test->is.zones[0]);
    await_seen(test, id);
    for (int i = 0; i < 2; i++)
        ok(tt_provider_tag(provider, test->is.region, id, &tags, &test->err));
    fails(test, TT_ERR_NOT_FOUND,
          tt_provider_tag(provider, test->is.region, "no-such", &tags, &test->err));
    server = tt_region_server(look(test), id);
    assert_string_equal(server->tags.spec, "fedcba9876543210");
    assert_string_equal(server->tags.owner, test->is.owner);
    assert_string_equal(server->tags.service, "web");
    assert_int_equal(server->tags.slot, 2);
}

/* Runs NAME of the agent's folder with up to six arguments; returns the result of `run`. */
static int agent(struct tt_conformance_test *test, const char *machine,
                 const char *const arguments[], struct tt_run_result *result)
{
    const char *argv[9] = {tt_printf(&test->arena, "%s/%s", test->is.agent_folder, arguments[0])};

    for (size_t i = 1; arguments[i]; i++)
        argv[i] = arguments[i];
    return tt_provider_run(
        test->is.provider,
        &(struct tt_run_request){
            .region = test->is.region, .machine = machine, .argv = argv, .timeout = 30000},
        &test->arena, result, &test->err);
}

static void test_agent_keeps_the_pool(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_run_result result = {0};
    const char *edge, *web, *address;
    char line[128];

    NEEDS(test->is.provider->ops->run && test->is.balancer_template);
    edge = make_balancer(test);
    web = make_server(test, 0, test->is.zones[0]);
    address = await_state(test, web, TT_SERVER_RUNNING)->private_address;
    snprintf(line, sizeof(line), "storefront.web\t%s\t8080\t", address);

    const char *const start[] = {
        "startProxy", "storefront.web", "shop.example.com", "NONE", "127.0.0.1", address, "8080",
        NULL};
    const char *const list[] = {"listProxy", NULL};
    const char *const stop[] = {"stopProxy", address, "storefront.web", "8080", NULL};

    for (int i = 0; i < 2; i++) {
        ok(agent(test, edge, start, &result));
        assert_int_equal(result.exit_code, 0);
    }
    ok(agent(test, edge, list, &result));
    assert_int_equal(result.exit_code, 0);
    assert_non_null(strstr(result.output, line));
    assert_null(strstr(strstr(result.output, line) + 1, line));
    for (int i = 0; i < 2; i++) {
        ok(agent(test, edge, stop, &result));
        assert_int_equal(result.exit_code, 0);
    }
    ok(agent(test, edge, list, &result));
    assert_null(strstr(result.output, line));
}

static void test_run_says_what_is_missing(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *const list[] = {"listProxy", NULL}, *const none[] = {"no-such-command", NULL};
    struct tt_run_result result = {0};
    const char *edge;

    NEEDS(test->is.provider->ops->run && test->is.balancer_template);
    edge = make_balancer(test);
    fails(test, TT_ERR_NOT_FOUND, agent(test, "no-such", list, &result));
    fails(test, TT_ERR_NOT_FOUND, agent(test, edge, none, &result));
}

#define UNSUPPORTED(member, call)                                                                  \
    do {                                                                                           \
        if (!provider->ops->member) {                                                              \
            fails(test, TT_ERR_UNSUPPORTED, call);                                                 \
            assert_non_null(strstr(test->err.message, provider->ops->name));                       \
        }                                                                                          \
    } while (0)

static void test_what_is_unsupported_says_so(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;
    const char *r = test->is.region, *const argv[] = {"x", NULL};
    struct tt_run_result result;

    UNSUPPORTED(start_server, tt_provider_start_server(provider, r, "x", &test->err));
    UNSUPPORTED(enroll, tt_provider_enroll(provider, r, "x", "x", &test->err));
    UNSUPPORTED(withdraw, tt_provider_withdraw(provider, r, "x", "x", 0, &test->err));
    UNSUPPORTED(set_zones, tt_provider_set_zones(provider, r, "x", NULL, &test->err));
    UNSUPPORTED(set_listeners, tt_provider_set_listeners(provider, r, "x", NULL, &test->err));
    UNSUPPORTED(set_health_check, tt_provider_set_health_check(provider, r, "x", NULL, &test->err));
    UNSUPPORTED(move_address, tt_provider_move_address(provider, r, "x", "x", &test->err));
    UNSUPPORTED(fence, tt_provider_fence(provider, r, "x", &test->err));
    UNSUPPORTED(tag, tt_provider_tag(provider, r, "x", NULL, &test->err));
    UNSUPPORTED(run, tt_provider_run(provider, &(struct tt_run_request){.region = r, .argv = argv},
                                     &test->arena, &result, &test->err));
}

const struct CMUnitTest tt_conformance_balance_tests[TT_CONFORMANCE_BALANCE_TESTS] = {
    cmocka_unit_test(test_enroll_and_withdraw),
    cmocka_unit_test(test_enroll_ends_a_drain),
    cmocka_unit_test(test_unknown_balancer_is_not_found),
    cmocka_unit_test(test_zones_are_replaced_whole),
    cmocka_unit_test(test_a_member_serves_in_enabled_zones_alone),
    cmocka_unit_test(test_listeners_and_health_check_are_read_back),
    cmocka_unit_test(test_address_moves),
    cmocka_unit_test(test_fenced_machine_runs_no_more),
    cmocka_unit_test(test_stopped_machine_starts),
    cmocka_unit_test(test_tags_are_put_on),
    cmocka_unit_test(test_agent_keeps_the_pool),
    cmocka_unit_test(test_run_says_what_is_missing),
    cmocka_unit_test(test_what_is_unsupported_says_so),
};
