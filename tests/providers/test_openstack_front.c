/*
 * Listeners, monitors and pools of `openstack` against a scripted server.
 * Covers providers/openstack/front.c, targets.c, monitors.c, batch.c, members.c, pools.c, call.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/providers/support/openstack_desk.h"

#define BALANCER "00000000-0000-4000-8000-0000000000b1"
#define POOL     "00000000-0000-4000-8000-0000000000c1"
#define NEW_POOL "00000000-0000-4000-8000-0000000000c2"
#define OF_IT    "\"loadbalancers\": [{\"id\": \"" BALANCER "\"}]"
#define LISTENER(id, word, port)                                                                   \
    "{\"id\": \"" id "\", \"protocol\": \"" word "\", \"protocol_port\": " port                    \
    ", \"default_pool_id\": \"" POOL "\", " OF_IT "}"
#define OUR_MEMBER(port)                                                                           \
    "{\"id\": \"m1\", \"address\": \"10.0.0.4\", \"protocol_port\": " port                         \
    ", \"weight\": 1, \"operating_status\": \"ONLINE\", \"tags\": [\"trimtab:server=a\", "         \
    "\"trimtab:owner=acme\"]}"
#define FOREIGN_MEMBER                                                                             \
    "{\"id\": \"m2\", \"address\": \"10.0.0.9\", \"protocol_port\": 7070, \"weight\": 1}"

/* A balancer "edge" with these LISTENERS, POOL with TAGS and MEMBERS, and MONITORS. */
static void begin(struct desk *desk, const char *listeners, const char *pool, const char *members,
                  const char *monitors)
{
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    desk_no_servers(desk);
    desk_set(desk, "GET /octavia/v2/lbaas/loadbalancers", 200,
             "{\"loadbalancers\": [{\"id\": \"" BALANCER "\", \"name\": \"edge\", "
             "\"provisioning_status\": \"ACTIVE\"}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/listeners", 200,
             tt_printf(&desk->arena, "{\"listeners\": [%s]}", listeners));
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" POOL "/members", 200,
             tt_printf(&desk->arena, "{\"members\": [%s]}", members));
    desk_set(desk, "GET /octavia/v2/lbaas/pools?", 200,
             pool ? tt_printf(&desk->arena,
                              "{\"pools\": [{\"id\": \"" POOL "\", \"protocol\": \"HTTP\", "
                              "\"lb_algorithm\": \"ROUND_ROBIN\", %s, " OF_IT "}]}",
                              pool)
                  : "{\"pools\": []}");
    desk_set(desk, "GET /octavia/v2/lbaas/healthmonitors", 200,
             tt_printf(&desk->arena, "{\"healthmonitors\": [%s]}", monitors));
    desk_open_well(desk);
}

static const struct tt_cloud_balancer *look(struct desk *desk)
{
    if (desk_look(desk, "edge") < 0)
        fail_msg("%s", desk->err.message);
    return &desk->region.balancers.items[0];
}

static int set_listeners(struct desk *desk, struct tt_listener *items, size_t count)
{
    const struct tt_listeners listeners = {.items = items, .count = count};

    desk->err = (struct tt_error){0};
    return tt_provider_set_listeners(desk->provider, "north", "edge", &listeners, &desk->err);
}

static void set_well(struct desk *desk, struct tt_listener *items, size_t count)
{
    if (set_listeners(desk, items, count) < 0)
        fail_msg("%s", desk->err.message);
}

/* --- listeners -------------------------------------------------------------------------------- */

#define ODD_LISTENERS                                                                              \
    LISTENER("l1", "HTTP", "80")                                                                   \
    ", " LISTENER("l2", "TERMINATED_HTTPS", "443") ", " LISTENER(                                  \
        "l3", "HTTPS",                                                                             \
        "8443") ", "                                                                               \
                "{\"id\": \"l4\", \"protocol\": \"PROMETHEUS\", \"protocol_port\": 9100, " OF_IT   \
                "}, "                                                                              \
                "{\"id\": \"l5\", \"protocol\": \"UDP\", \"protocol_port\": 53, " OF_IT "}"

static void test_listeners_made_by_hand_stay(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {
        {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 8080},
        {.port = 443, .protocol = TT_PROTOCOL_HTTPS, .target_port = 8080},
        {.port = 8443, .protocol = TT_PROTOCOL_TCP, .target_port = 8080},
    };

    begin(desk, ODD_LISTENERS, "\"tags\": [\"trimtab:port=8080\"]", OUR_MEMBER("8080"), "");
    assert_int_equal(look(desk)->listeners->count, 3);
    set_well(desk, wanted, 3);
    assert_false(desk_was_asked(desk, "DELETE "));
    assert_false(desk_was_asked(desk, "PUT "));
    assert_false(desk_was_asked(desk, "POST /octavia"));
}

/* It could not be made again: nothing at all is changed, and the way out is told. */
static void test_a_listener_with_a_secret_is_not_deleted(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {{.port = 81, .protocol = TT_PROTOCOL_HTTP, .target_port = 80}};

    begin(desk, ODD_LISTENERS, "\"tags\": []", "", "");
    desk_failed(desk, set_listeners(desk, wanted, 1), TT_ERR_UNSUPPORTED,
                "add {port: 443, protocol: https}");
    wanted[0].protocol = TT_PROTOCOL_HTTPS;
    desk_failed(desk, set_listeners(desk, wanted, 1), TT_ERR_UNSUPPORTED, "make it in OpenStack");
    assert_false(desk_was_asked(desk, "DELETE "));
}

static void set_changes(struct desk *desk)
{
    desk_set(desk, "POST /octavia/v2/lbaas/pools ", 201, "{\"pool\": {\"id\": \"" NEW_POOL "\"}}");
    desk_set(desk, "POST /octavia/v2/lbaas/", 201, "{}");
    desk_set(desk, "PUT /octavia/v2/lbaas/", 202, "{}");
    desk_set(desk, "DELETE /octavia/v2/lbaas/", 204, "");
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" NEW_POOL "/members", 200,
             "{\"members\": [" OUR_MEMBER("9090") "]}");
}

/* A second target has a pool of its own, checked alike, and our members in it. */
static void test_another_target_has_another_pool(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {
        {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 8080},
        {.port = 81, .protocol = TT_PROTOCOL_HTTP, .target_port = 9090},
        {.port = 82, .protocol = TT_PROTOCOL_HTTP, .target_port = 9090},
    };

    begin(desk, LISTENER("l1", "HTTP", "80") ", " LISTENER("l2", "HTTP", "81"),
          "\"tags\": [\"trimtab:port=8080\"]", OUR_MEMBER("8080") ", " FOREIGN_MEMBER,
          "{\"id\": \"h\", \"type\": \"TCP\", \"delay\": 5, \"timeout\": 2, \"max_retries\": 1, "
          "\"max_retries_down\": 3, \"http_version\": 1.1, \"domain_name\": \"shop.example\", "
          "\"pools\": [{\"id\": \"" POOL "\"}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" NEW_POOL "/members", 200, "{\"members\": []}");
    set_changes(desk);
    set_well(desk, wanted, 3);
    assert_int_equal(desk_count(desk, "octavia create pool"), 1);
    assert_int_equal(desk_count(desk, "octavia update members"), 1);
    assert_true(desk_was_asked(desk, "\"lb_algorithm\":\"ROUND_ROBIN\",\"tags\":[\"trimtab:port="
                                     "9090\"]"));
    assert_true(desk_was_asked(desk, "{\"healthmonitor\":{\"pool_id\":\"" NEW_POOL
                                     "\",\"type\":\"TCP\",\"delay\":5,"));
    assert_true(desk_was_asked(desk, "\"http_version\":1.1"));
    assert_true(desk_was_asked(desk, "\"domain_name\":\"shop.example\""));
    assert_true(desk_was_asked(desk, "{\"members\":[{\"address\":\"10.0.0.4\",\"protocol_port\":"
                                     "9090,\"weight\":1,\"tags\":[\"trimtab:server=a\","
                                     "\"trimtab:owner=acme\"]}]}"));
    assert_true(desk_was_asked(desk, "PUT /octavia/v2/lbaas/listeners/l2 "));
    assert_true(desk_was_asked(desk, "{\"listener\":{\"default_pool_id\":\"" NEW_POOL "\"}}"));
    assert_true(desk_was_asked(desk, "\"protocol_port\":82,\"default_pool_id\":\"" NEW_POOL "\"}"));
}

/* A run was broken off when it had made the pool: it is taken, and filled before it serves. */
static void test_a_pool_that_was_left_empty(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {
        {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 8080},
        {.port = 81, .protocol = TT_PROTOCOL_HTTP, .target_port = 9090},
    };

    begin(desk, LISTENER("l1", "HTTP", "80") ", " LISTENER("l2", "HTTP", "81"),
          "\"tags\": [\"trimtab:port=8080\"], " OF_IT "}, {\"id\": \"" NEW_POOL
          "\", \"protocol\": \"HTTP\", \"tags\": [\"trimtab:port=9090\"]",
          OUR_MEMBER("8080"), "");
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" NEW_POOL "/members", 200, "{\"members\": []}");
    set_changes(desk);
    set_well(desk, wanted, 2);
    assert_int_equal(desk_count(desk, "octavia create pool"), 0);
    assert_true(desk_was_asked(desk, "PUT /octavia/v2/lbaas/pools/" NEW_POOL "/members "));
    assert_true(desk_was_asked(desk, "{\"listener\":{\"default_pool_id\":\"" NEW_POOL "\"}}"));
}

/* A policy sends part of the clients there: what it leads to is not to be another listener's. */
static void test_a_pool_that_a_policy_leads_to_is_not_taken(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {
        {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 8080},
        {.port = 81, .protocol = TT_PROTOCOL_HTTP, .target_port = 9090},
    };

    begin(desk, LISTENER("l1", "HTTP", "80"),
          "\"tags\": [\"trimtab:port=8080\"], \"listeners\": [{\"id\": \"l1\"}], " OF_IT
          "}, {\"id\": \"of-policy\", \"protocol\": \"HTTP\", \"listeners\": [{\"id\": \"l1\"}]",
          OUR_MEMBER("8080"), "");
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" NEW_POOL "/members", 200, "{\"members\": []}");
    set_changes(desk);
    set_well(desk, wanted, 2);
    assert_int_equal(desk_count(desk, "octavia create pool"), 1);
    assert_true(desk_was_asked(desk, "\"protocol_port\":81,\"default_pool_id\":\"" NEW_POOL "\"}"));
    assert_false(desk_was_asked(desk, "PUT /octavia/v2/lbaas/pools/of-policy"));
}

/* Its listener is deleted in the same setting. */
static void test_a_pool_that_becomes_free_is_taken(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {{.port = 81, .protocol = TT_PROTOCOL_HTTP, .target_port = 8080}};

    begin(desk, LISTENER("l1", "HTTP", "80"),
          "\"tags\": [\"trimtab:port=8080\"], \"listeners\": [{\"id\": \"l1\"}]",
          OUR_MEMBER("8080"), "");
    set_changes(desk);
    set_well(desk, wanted, 1);
    assert_true(desk_was_asked(desk, "DELETE /octavia/v2/lbaas/listeners/l1 "));
    assert_int_equal(desk_count(desk, "octavia create pool"), 0);
    assert_true(desk_was_asked(desk, "\"protocol_port\":81,\"default_pool_id\":\"" POOL "\"}"));
}

/* Ours move, and whoever joins an empty pool later knows where to listen. */
static void test_a_target_that_changes(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {
        {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 9090, .algorithm = 2}};

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": [\"keep\", \"trimtab:port=8080\"]",
          OUR_MEMBER("8080") ", " FOREIGN_MEMBER, "");
    assert_int_equal(look(desk)->listeners->items[0].target_port, 8080);
    assert_int_equal(look(desk)->listeners->items[0].algorithm, 1);
    set_changes(desk);
    set_well(desk, wanted, 1);
    assert_true(desk_was_asked(desk, "{\"pool\":{\"lb_algorithm\":\"LEAST_CONNECTIONS\",\"tags\":["
                                     "\"keep\",\"trimtab:port=9090\"]}}"));
    assert_true(desk_was_asked(desk, "\"10.0.0.4\",\"protocol_port\":9090"));
    assert_true(desk_was_asked(desk, "\"10.0.0.9\",\"protocol_port\":7070"));
}

/* From v2.11 on no member of others is even named. */
static void test_a_target_that_changes_moves_ours_alone(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {{.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 9090}};

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": [\"trimtab:port=8080\"]",
          OUR_MEMBER("8080") ", " FOREIGN_MEMBER, "");
    desk_set(desk, "GET /octavia/ ", 200, "{\"versions\": [{\"id\": \"v2.26\"}]}");
    set_changes(desk);
    set_well(desk, wanted, 1);
    assert_true(
        desk_was_asked(desk, "PUT /octavia/v2/lbaas/pools/" POOL "/members?additive_only=true "));
    assert_true(desk_was_asked(desk, "\"10.0.0.4\",\"protocol_port\":9090"));
    assert_true(desk_was_asked(desk, "DELETE /octavia/v2/lbaas/pools/" POOL "/members/m1 "));
    assert_false(desk_was_asked(desk, "\"10.0.0.9\",\"protocol_port\""));
}

/* The members at the new port were there when the run ended, and so were the old ones. */
static void test_a_change_of_target_that_was_broken_off(void **state)
{
    struct desk *desk = *state;
    struct tt_listener wanted[] = {{.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 9090}};

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": [\"trimtab:port=9090\"]",
          "{\"id\": \"m3\", \"address\": \"10.0.0.4\", \"protocol_port\": 9090, \"tags\": "
          "[\"trimtab:server=a\"]}, " OUR_MEMBER("8080"),
          "");
    desk_set(desk, "GET /octavia/ ", 200, "{\"versions\": [{\"id\": \"v2.26\"}]}");
    set_changes(desk);
    assert_int_equal(look(desk)->listeners->items[0].target_port, 8080);
    set_well(desk, wanted, 1);
    assert_int_equal(desk_count(desk, "octavia update members"), 0);
    assert_int_equal(desk_count(desk, "octavia delete member"), 1);
    assert_true(desk_was_asked(desk, "DELETE /octavia/v2/lbaas/pools/" POOL "/members/m1 "));
}

static void test_an_empty_pool_has_the_target_of_its_tag(void **state)
{
    struct desk *desk = *state;

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": [\"trimtab:port=9090\"]", "", "");
    assert_int_equal(look(desk)->listeners->items[0].target_port, 9090);
    desk_set(desk, "GET /nova/v2.1/servers/a", 200,
             "{\"server\": {\"id\": \"a\", \"name\": \"w\", \"status\": \"ACTIVE\", \"addresses\": "
             "{\"p\": [{\"addr\": \"10.0.0.7\"}]}, \"metadata\": {\"trimtab:port\": \"8080\"}}}");
    desk_set(desk, "GET /neutron/v2.0/ports", 200, "{\"ports\": []}");
    desk_set(desk, "GET /octavia/ ", 200, "{\"versions\": [{\"id\": \"v2.26\"}]}");
    set_changes(desk);
    assert_int_equal(tt_provider_enroll(desk->provider, "north", "edge", "a", &desk->err), 0);
    assert_true(desk_was_asked(desk, "\"10.0.0.7\",\"protocol_port\":9090"));
}

/* --- monitors --------------------------------------------------------------------------------- */

static const struct tt_health_check fine_check = {
    .http = true, .path = "/ok", .interval = 1500, .timeout = 4000, .unhealthy_after = 12};

/* What a listener that was deleted leaves behind: Octavia does not check it, so whoever joins stays
 * OFFLINE there, and that is no reason to wait. */
static void test_a_pool_that_no_listener_leads_to(void **state)
{
    struct desk *desk = *state;

    begin(desk, LISTENER("l1", "HTTP", "80"),
          "\"tags\": [], \"listeners\": [{\"id\": \"l1\"}], " OF_IT "}, {\"id\": \"" NEW_POOL
          "\", \"protocol\": \"TCP\", \"tags\": [], \"listeners\": []",
          OUR_MEMBER("8080"),
          "{\"id\": \"h\", \"type\": \"TCP\", \"delay\": 5, \"timeout\": 2, \"max_retries\": 1, "
          "\"max_retries_down\": 3, \"pools\": [{\"id\": \"" POOL "\"}]}, "
          "{\"id\": \"h2\", \"type\": \"TCP\", \"delay\": 9, \"timeout\": 2, \"max_retries\": 1, "
          "\"max_retries_down\": 3, \"pools\": [{\"id\": \"" NEW_POOL "\"}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" NEW_POOL "/members", 200,
             "{\"members\": [{\"id\": \"m3\", \"address\": \"10.0.0.4\", \"protocol_port\": 8080, "
             "\"weight\": 1, \"operating_status\": \"OFFLINE\", \"tags\": "
             "[\"trimtab:server=a\"]}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" NEW_POOL "/members", 200,
             "{\"members\": [{\"id\": \"m3\", \"address\": \"10.0.0.4\", \"protocol_port\": 8080, "
             "\"weight\": 0, \"operating_status\": \"OFFLINE\", \"tags\": "
             "[\"trimtab:server=a\"]}]}");
    assert_int_equal(look(desk)->members.items[0].state, TT_MEMBER_IN_SERVICE);
    assert_int_equal(desk->region.balancers.items[0].health->interval, 5000);
    assert_int_equal(look(desk)->members.items[0].state, TT_MEMBER_DRAINING);
    set_changes(desk);
    assert_int_equal(
        tt_provider_set_health_check(desk->provider, "north", "edge", &fine_check, &desk->err), 0);
    assert_true(desk_was_asked(desk, "DELETE /octavia/v2/lbaas/healthmonitors/h "));
    assert_false(desk_was_asked(desk, "/healthmonitors/h2"));
}

#define MONITOR(rest)                                                                              \
    "{\"id\": \"h\", \"pools\": [{\"id\": \"" POOL "\"}], \"max_retries\": 1, " rest "}"

static void test_a_pool_without_a_monitor_gets_one(void **state)
{
    struct desk *desk = *state;

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": []", "", "");
    assert_non_null(look(desk)->health); /* seen, and none */
    assert_int_equal(desk->region.balancers.items[0].health->interval, 0);
    set_changes(desk);
    assert_int_equal(
        tt_provider_set_health_check(desk->provider, "north", "edge", &fine_check, &desk->err), 0);
    assert_true(desk_was_asked(
        desk, "{\"healthmonitor\":{\"delay\":1,\"timeout\":1,\"max_retries\":1,"
              "\"max_retries_down\":10,\"url_path\":\"/ok\",\"tags\":[\"trimtab:check=1500/4000/"
              "12\"],\"type\":\"HTTP\",\"pool_id\":\"" POOL "\"}}"));
}

/* What the spec wants reads back as it was wanted, until somebody changes it. */
static void test_what_octavia_rounds_settles(void **state)
{
    struct desk *desk = *state;
    const struct tt_health_check *health;

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": []", "",
          MONITOR("\"type\": \"HTTP\", \"url_path\": \"/ok\", \"delay\": 1, \"timeout\": 1, "
                  "\"max_retries_down\": 10, \"tags\": [\"trimtab:check=1500/4000/12\"]"));
    health = look(desk)->health;
    assert_true(health->http);
    assert_string_equal(health->path, "/ok");
    assert_int_equal(health->interval, 1500);
    assert_int_equal(health->timeout, 4000);
    assert_int_equal(health->unhealthy_after, 12);
}

static void test_a_monitor_that_a_hand_changed(void **state)
{
    struct desk *desk = *state;

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": []", "",
          MONITOR("\"type\": \"HTTPS\", \"url_path\": \"/ok\", \"delay\": 7, \"timeout\": 1, "
                  "\"max_retries_down\": 10, \"tags\": [\"own\", \"trimtab:check=1500/4000/12\"]"));
    assert_int_equal(look(desk)->health->interval, 7000);
    set_changes(desk);
    assert_int_equal(
        tt_provider_set_health_check(desk->provider, "north", "edge", &fine_check, &desk->err), 0);
    assert_true(desk_was_asked(desk, "PUT /octavia/v2/lbaas/healthmonitors/h "));
    assert_true(desk_was_asked(desk, "\"tags\":[\"own\",\"trimtab:check=1500/4000/12\"]"));
}

static void test_a_balancer_without_a_pool_cannot_be_checked(void **state)
{
    struct desk *desk = *state;

    begin(desk, "", NULL, "", "");
    assert_int_equal(look(desk)->health->interval, 0);
    desk->err = (struct tt_error){0};
    desk_failed(
        desk,
        tt_provider_set_health_check(desk->provider, "north", "edge", &fine_check, &desk->err),
        TT_ERR_CONFLICT, "give it listeners");
}

/* --- versions --------------------------------------------------------------------------------- */

/* Before v2.11 a batch is always the whole pool. */
static void test_an_older_octavia_is_sent_whole_pools(void **state)
{
    struct desk *desk = *state;

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": []", FOREIGN_MEMBER, "");
    desk_set(desk, "GET /nova/v2.1/servers/a", 200,
             "{\"server\": {\"id\": \"a\", \"name\": \"w\", \"status\": \"ACTIVE\", \"addresses\": "
             "{\"p\": [{\"addr\": \"10.0.0.7\"}]}, \"metadata\": {\"trimtab:port\": \"8080\"}}}");
    desk_set(desk, "GET /neutron/v2.0/ports", 200, "{\"ports\": []}");
    desk_set(desk, "GET /octavia/ ", 200,
             "{\"versions\": [{\"id\": \"v2.10\"}, {\"id\": \"v2.9\"}]}");
    set_changes(desk);
    assert_int_equal(tt_provider_enroll(desk->provider, "north", "edge", "a", &desk->err), 0);
    assert_false(desk_was_asked(desk, "additive_only"));
    assert_true(desk_was_asked(desk, "10.0.0.7"));
    assert_true(desk_was_asked(desk, "{\"address\":\"10.0.0.9\",\"protocol_port\":7070"));
}

static void test_an_octavia_without_tags_is_refused(void **state)
{
    struct desk *desk = *state;

    begin(desk, LISTENER("l1", "HTTP", "80"), "\"tags\": []", "", "");
    desk_set(desk, "GET /nova/v2.1/servers/a", 200,
             "{\"server\": {\"id\": \"a\", \"name\": \"w\", \"status\": \"ACTIVE\", \"addresses\": "
             "{\"p\": [{\"addr\": \"10.0.0.7\"}]}, \"metadata\": {}}}");
    desk_set(desk, "GET /neutron/v2.0/ports", 200, "{\"ports\": []}");
    desk_set(desk, "GET /octavia/ ", 200, "{\"versions\": [{\"id\": \"v2.4\"}]}");
    desk->err = (struct tt_error){0};
    desk_failed(desk, tt_provider_enroll(desk->provider, "north", "edge", "a", &desk->err),
                TT_ERR_UNSUPPORTED, "no newer version than v2.4");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_listeners_made_by_hand_stay),
        TEST(test_a_listener_with_a_secret_is_not_deleted),
        TEST(test_another_target_has_another_pool),
        TEST(test_a_pool_that_was_left_empty),
        TEST(test_a_pool_that_a_policy_leads_to_is_not_taken),
        TEST(test_a_pool_that_becomes_free_is_taken),
        TEST(test_a_target_that_changes),
        TEST(test_a_target_that_changes_moves_ours_alone),
        TEST(test_a_change_of_target_that_was_broken_off),
        TEST(test_an_empty_pool_has_the_target_of_its_tag),
        TEST(test_a_pool_that_no_listener_leads_to),
        TEST(test_a_pool_without_a_monitor_gets_one),
        TEST(test_what_octavia_rounds_settles),
        TEST(test_a_monitor_that_a_hand_changed),
        TEST(test_a_balancer_without_a_pool_cannot_be_checked),
        TEST(test_an_older_octavia_is_sent_whole_pools),
        TEST(test_an_octavia_without_tags_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
