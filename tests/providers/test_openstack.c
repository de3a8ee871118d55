/*
 * What `openstack` reads and sends, against a scripted server: pages, tokens that end, changes that
 * come between, and what is no answer at all. What a real control plane answers is
 * tests/clouds/openstack.
 * Covers providers/openstack/session.c, call.c, turn.c, pools.c, members.c, batch.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "providers/openstack/members.h"
#include "tests/providers/support/openstack_desk.h"

#define BALANCER "00000000-0000-4000-8000-0000000000b1"
#define POOL     "00000000-0000-4000-8000-0000000000c1"
#define SERVER   "00000000-0000-4000-8000-0000000000a1"

static void set_balancer(struct desk *desk, const char *members)
{
    desk_set(desk, "GET /octavia/ ", 200, "{\"versions\": [{\"id\": \"v2.26\"}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/loadbalancers", 200,
             "{\"loadbalancers\": [{\"id\": \"" BALANCER "\", \"name\": \"edge\", "
             "\"provisioning_status\": \"ACTIVE\"}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/listeners", 200,
             "{\"listeners\": [{\"id\": \"l\", \"protocol\": \"HTTP\", \"protocol_port\": 80, "
             "\"default_pool_id\": \"" POOL "\", \"loadbalancers\": [{\"id\": \"" BALANCER
             "\"}]}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/pools/" POOL "/members", 200, members);
    desk_set(desk, "GET /octavia/v2/lbaas/pools?", 200,
             "{\"pools\": [{\"id\": \"" POOL "\", \"loadbalancers\": [{\"id\": \"" BALANCER
             "\"}]}]}");
    desk_set(desk, "GET /octavia/v2/lbaas/healthmonitors", 200, "{\"healthmonitors\": []}");
}

static void set_machine(struct desk *desk)
{
    desk_set(
        desk, "GET /nova/v2.1/servers/" SERVER, 200,
        "{\"server\": {\"id\": \"" SERVER "\", \"name\": \"shop-web-0\", \"status\": \"ACTIVE\", "
        "\"addresses\": {\"prod\": [{\"addr\": \"10.0.0.7\", \"version\": 4, "
        "\"OS-EXT-IPS:type\": \"fixed\"}]}, \"metadata\": {\"trimtab:owner\": \"acme\", "
        "\"trimtab:deployment\": \"shop\", \"trimtab:service\": \"web\", \"trimtab:slot\": \"0\", "
        "\"trimtab:port\": \"8080\"}}}");
    desk_set(desk, "GET /neutron/v2.0/ports", 200, "{\"ports\": []}");
}

static int enroll(struct desk *desk)
{
    desk->err = (struct tt_error){0};
    return tt_provider_enroll(desk->provider, "north", "edge", SERVER, &desk->err);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void test_a_token_that_ends_is_renewed(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T04:10:00Z");
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    desk_no_servers(desk);
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk_count(desk, "keystone log in"), 1);
    desk->jumping.now += 9 * 60 * 1000 + 1;
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk_count(desk, "keystone log in"), 2);
}

static void test_a_token_that_is_not_taken_is_renewed_once(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_set(desk, "GET /nova/v2.1/servers/detail", 401, "{}");
    desk_nova(desk, "2.90");
    desk_no_servers(desk);
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk_count(desk, "keystone log in"), 2);
    desk->count = 0;
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_set(desk, "GET /nova", 401, "{\"error\": {\"message\": \"go away\"}}");
    desk_set(desk, "GET /neutron", 401, "{\"error\": {\"message\": \"go away\"}}");
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_DENIED, "go away");
}

/* It would be taken for an older one until the end, which is sent whole pools. */
static void test_a_token_that_ends_before_the_versions_are_known(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_set(desk, "GET /nova/v2.1/ ", 401, "{}");
    desk_set(desk, "GET /octavia/ ", 401, "{}");
    desk_set(desk, "GET /octavia/ ", 401, "{}");
    desk_set(desk, "GET /octavia/ ", 401, "{}");
    desk_nova(desk, "2.90");
    set_machine(desk);
    set_balancer(desk, "{\"members\": []}");
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/" POOL "/members", 202, "");
    desk_open_well(desk);
    assert_int_equal(enroll(desk), 0);
    assert_false(desk_was_asked(desk, "additive_only")); /* a guess, */
    assert_int_equal(enroll(desk), 0);
    assert_true(desk_was_asked(desk, "additive_only")); /* which is not kept */
    assert_int_equal(desk_count(desk, "keystone log in"), 5);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void test_pages_are_followed(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"x\", \"name\": \"x\", \"status\": \"ACTIVE\"}], "
             "\"servers_links\": [{\"rel\": \"next\", \"href\": \"http://elsewhere\"}]}");
    desk_set(desk, "GET /nova/v2.1/servers ", 200, "{\"servers\": []}");
    desk_set(
        desk, "GET /nova/v2.1/servers/detail?tags=trimtab%3Aacme&limit=1000 ", 200,
        "{\"servers\": [{\"id\": \"a\", \"status\": \"ACTIVE\", \"metadata\": {\"trimtab:owner\": "
        "\"acme\"}}], \"servers_links\": [{\"rel\": \"next\", \"href\": \"http://elsewhere\"}]}");
    desk_set(
        desk, "GET /nova/v2.1/servers/detail?tags=trimtab%3Aacme&limit=1000&marker=a ", 200,
        "{\"servers\": [{\"id\": \"b\", \"status\": \"ERROR\", \"metadata\": {\"trimtab:owner\": "
        "\"acme\"}}, {\"id\": \"c\", \"status\": \"ACTIVE\", \"host_status\": \"UNKNOWN\", "
        "\"metadata\": {\"trimtab:owner\": \"acme\"}}, {\"id\": \"d\", \"status\": \"ACTIVE\", "
        "\"metadata\": {}}]}");
    desk_nova(desk, "2.90");
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk->region.servers.count, 3); /* d is not ours */
    assert_int_equal(tt_region_server(&desk->region, "a")->state, TT_SERVER_RUNNING);
    assert_int_equal(tt_region_server(&desk->region, "b")->state, TT_SERVER_FAILED);
    assert_int_equal(tt_region_server(&desk->region, "c")->state, TT_SERVER_FAILED);
}

/* Never an empty region. */
static void test_what_is_no_list_is_an_error(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum tt_error_class class;
        const char *why;
    } bad[] = {
        {200, "{}", TT_ERR_UNAVAILABLE, "no list of servers"},
        {200, "{\"servers\": {}}", TT_ERR_UNAVAILABLE, "no list of servers"},
        {200, "<html>", TT_ERR_UNAVAILABLE, "not JSON"},
        {403, "{\"forbidden\": {\"message\": \"policy\", \"code\": 403}}", TT_ERR_DENIED, "policy"},
        {500, "{}", TT_ERR_UNAVAILABLE, ""},
        {503, "", TT_ERR_UNAVAILABLE, ""},
        {429, "", TT_ERR_THROTTLED, ""},
    };
    struct desk *desk = *state;

    desk_open_well(desk);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        desk->count = 0;
        desk_keystone(desk, "2036-11-23T05:00:00Z");
        desk_set(desk, "GET /nova/v2.1/servers/detail", bad[i].status, bad[i].body);
        desk_nova(desk, "2.90");
        desk_failed(desk, desk_look(desk, NULL), bad[i].class, bad[i].why);
        assert_false(desk->region.observed);
    }
}

/* --- balancers -------------------------------------------------------------------------------- */

/* Octavia knows addresses: whose they were is told by the tags. */
static void test_a_member_whose_server_is_gone(void **state)
{
    struct desk *desk = *state;
    const struct tt_server *gone;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    set_balancer(
        desk, "{\"members\": [{\"id\": \"1\", \"address\": \"10.0.0.4\", \"protocol_port\": 8080, "
              "\"operating_status\": \"ERROR\", \"tags\": [\"trimtab:server=" SERVER "\", "
              "\"trimtab:owner=acme\", \"trimtab:deployment=shop\", \"trimtab:service=web\", "
              "\"trimtab:slot=3\"]}, "
              "{\"id\": \"2\", \"address\": \"10.0.0.5\", \"protocol_port\": 8080, \"tags\": "
              "[\"trimtab:server=x\", \"trimtab:owner=other\"]}, "
              "{\"id\": \"3\", \"address\": \"10.0.0.6\", \"protocol_port\": 8080}]}");
    desk_no_servers(desk);
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, "edge"), 0);
    assert_int_equal(desk->region.servers.count, 1);
    gone = &desk->region.servers.items[0];
    assert_string_equal(gone->id, SERVER);
    assert_int_equal(gone->state, TT_SERVER_GONE);
    assert_string_equal(gone->tags.service, "web");
    assert_int_equal(gone->tags.slot, 3);
    assert_int_equal(desk->region.balancers.count, 1);
    assert_int_equal(desk->region.balancers.items[0].members.count, 3);
}

static void test_a_change_between_is_waited_out(void **state)
{
    static const char immutable[] = "{\"faultcode\": \"Client\", \"faultstring\": \"Pool is "
                                    "immutable and cannot be updated.\"}";
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    set_machine(desk);
    set_balancer(desk, "{\"members\": []}");
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/" POOL "/members?additive_only=true", 409,
             immutable);
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/" POOL "/members?additive_only=true", 202, "");
    desk_open_well(desk);
    if (enroll(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(desk_count(desk, "octavia update members"), 2);
    assert_true(desk_was_asked(
        desk, "{\"members\":[{\"address\":\"10.0.0.7\",\"protocol_port\":8080,\"weight\":1,"
              "\"tags\":[\"trimtab:server=" SERVER "\",\"trimtab:owner=acme\","
              "\"trimtab:deployment=shop\",\"trimtab:service=web\",\"trimtab:slot=0\"],"
              "\"name\":\"shop-web-0\"}]}"));
}

/* Somebody sets the wall clock an hour ahead while another's changes are waited out. */
static void test_a_clock_that_is_set_ends_no_wait(void **state)
{
    static const char busy[] = "{\"faultstring\": \"immutable\"}";
    struct desk *desk = *state;

    desk_keystone(desk, "2027-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    set_machine(desk);
    set_balancer(desk, "{\"members\": []}");
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/", 409, busy);
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/", 409, busy);
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/", 202, "");
    desk_open_well(desk);
    desk->jumping.set = 3600 * 1000;
    if (enroll(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(desk_count(desk, "octavia update members"), 3);
}

static void test_a_change_that_never_gets_through(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    set_machine(desk);
    set_balancer(desk, "{\"members\": []}");
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/", 409, "{\"faultstring\": \"immutable\"}");
    desk_open_well(desk);
    desk_failed(desk, enroll(desk), TT_ERR_CONFLICT, "immutable");
    desk->count = 0;
    desk_set(desk, "GET /octavia/v2/lbaas/loadbalancers", 200,
             "{\"loadbalancers\": [{\"id\": \"" BALANCER "\", \"name\": \"edge\", "
             "\"provisioning_status\": \"ERROR\"}]}");
    desk->answers[0].again = true;
    set_machine(desk);
    set_balancer(desk, "{\"members\": []}");
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/", 409, "{\"faultstring\": \"immutable\"}");
    desk_failed(desk, enroll(desk), TT_ERR_CONFLICT, "is in ERROR");
}

static void test_a_conflict_that_no_waiting_ends(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    set_machine(desk);
    set_balancer(desk, "{\"members\": []}");
    desk_set(desk, "PUT /octavia/v2/lbaas/pools/", 409,
             "{\"faultstring\": \"Another member is already using ip 10.0.0.7\"}");
    desk_open_well(desk);
    desk_failed(desk, enroll(desk), TT_ERR_CONFLICT, "already using");
    assert_int_equal(desk_count(desk, "octavia update members"), 1);
}

#define OUR(id, server, address)                                                                   \
    "{\"id\": \"" id "\", \"address\": \"" address "\", \"protocol_port\": 8080, \"weight\": 1, "  \
    "\"tags\": [\"trimtab:server=" server "\"]}"
#define FOREIGN                                                                                    \
    "{\"id\": \"m9\", \"address\": \"10.0.0.9\", \"protocol_port\": 7070, \"weight\": 1}"
#define MEMBERS "/octavia/v2/lbaas/pools/" POOL "/members"

static void begin_members(struct desk *desk, const char *members)
{
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    set_machine(desk);
    set_balancer(desk, members);
    desk_set(desk, "PUT " MEMBERS, 202, "");
    desk_set(desk, "DELETE " MEMBERS, 204, "");
    desk_open_well(desk);
}

/* The place of TEXT among the requests; -1: it was not asked. */
static int place_of(struct desk *desk, const char *text)
{
    for (int i = 0; i < scripted_requests(&desk->server); i++)
        if (strstr(scripted_request(&desk->server, i), text))
            return i;
    return -1;
}

static void fulfil(struct desk *desk, struct tt_openstack_wish *wishes, size_t count)
{
    struct tt_openstack_visit visit;

    for (size_t i = 0; i + 1 < count; i++)
        wishes[i].next = &wishes[i + 1];
    assert_int_equal(tt_openstack_enter(desk->provider, "north", &desk->arena, &visit, &desk->err),
                     0);
    if (tt_openstack_fulfil(&visit, "edge", wishes, &desk->err) < 0)
        fail_msg("%s", desk->err.message);
}

/* What others have put into the pool meanwhile is in no list of ours: so no whole pool is sent. */
static void test_those_that_go_take_nobody_along(void **state)
{
    struct desk *desk = *state;
    struct tt_openstack_wish wishes[] = {
        {.server = "a", .weight = TT_OPENSTACK_REMOVE},
        {.server = "b", .weight = TT_OPENSTACK_REMOVE},
        {.server = "c", .address = "10.0.0.6", .port = 8080, .weight = 1},
    };

    begin_members(desk, "{\"members\": [" OUR("m1", "a", "10.0.0.4") ", " OUR(
                            "m2", "b", "10.0.0.5") ", " FOREIGN "]}");
    fulfil(desk, wishes, 2);
    assert_int_equal(desk_count(desk, "octavia delete member"), 2);
    assert_int_equal(desk_count(desk, "octavia update members"), 0);
    fulfil(desk, wishes, 3);
    assert_int_equal(desk_count(desk, "octavia delete member"), 4);
    assert_int_equal(desk_count(desk, "octavia update members"), 1);
    assert_true(desk_was_asked(desk, "PUT " MEMBERS "?additive_only=true "));
    assert_false(desk_was_asked(desk, "PUT " MEMBERS " "));
    assert_false(desk_was_asked(desk, "\"10.0.0.9\",\"protocol_port\""));
}

/* A new server got the address of one that goes. */
static void test_an_address_that_is_used_again(void **state)
{
    struct desk *desk = *state;
    struct tt_openstack_wish wishes[] = {
        {.server = "a", .weight = TT_OPENSTACK_REMOVE},
        {.server = "b", .weight = TT_OPENSTACK_REMOVE},
        {.server = "c", .address = "10.0.0.4", .port = 8080, .weight = 1},
    };

    begin_members(
        desk, "{\"members\": [" OUR("m1", "a", "10.0.0.4") ", " OUR("m2", "b", "10.0.0.5") "]}");
    fulfil(desk, wishes, 3);
    assert_int_equal(desk_count(desk, "octavia delete member"), 2);
    assert_true(place_of(desk, "DELETE " MEMBERS "/m1 ") >= 0);
    assert_true(place_of(desk, "DELETE " MEMBERS "/m1 ") < place_of(desk, "PUT " MEMBERS));
    assert_true(place_of(desk, "DELETE " MEMBERS "/m2 ") > place_of(desk, "PUT " MEMBERS));
    assert_true(desk_was_asked(desk, "trimtab:server=c"));
}

/* Somebody else was quicker, perhaps with the same. */
static void test_a_member_that_is_removed_already(void **state)
{
    struct desk *desk = *state;
    struct tt_openstack_wish wish = {.server = "a", .weight = TT_OPENSTACK_REMOVE};

    desk_set(desk, "DELETE " MEMBERS "/m1 ", 404, "{\"faultstring\": \"member m1 not found\"}");
    desk->answers[0].again = true;
    begin_members(desk, "{\"members\": [" OUR("m1", "a", "10.0.0.4") "]}");
    fulfil(desk, &wish, 1);
    assert_int_equal(desk_count(desk, "octavia delete member"), 1);
}

/* Before v2.11 only the whole pool can be sent: as it is after the change that was under way. */
static void test_an_older_octavia_is_sent_what_is_there_now(void **state)
{
    struct desk *desk = *state;

    desk_set(desk, "GET /octavia/ ", 200, "{\"versions\": [{\"id\": \"v2.10\"}]}");
    desk->answers[0].again = true;
    desk_set(desk, "PUT " MEMBERS " ", 409, "{\"faultstring\": \"Pool is immutable\"}");
    desk_set(desk, "PUT " MEMBERS " ", 202, "");
    desk_set(desk, "GET " MEMBERS, 200, "{\"members\": []}");
    begin_members(desk, "{\"members\": [" FOREIGN "]}");
    if (enroll(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(desk_count(desk, "octavia update members"), 2);
    assert_true(desk_was_asked(desk, "{\"address\":\"10.0.0.9\",\"protocol_port\":7070"));
}

static void test_a_balancer_that_is_not_there(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    set_machine(desk);
    desk_set(desk, "GET /octavia/v2/lbaas/loadbalancers", 200,
             "{\"loadbalancers\": [{\"id\": \"" BALANCER "\", \"name\": \"front\", "
             "\"provisioning_status\": \"ACTIVE\"}]}");
    set_balancer(desk, "{\"members\": []}");
    desk_open_well(desk);
    desk_failed(desk, enroll(desk), TT_ERR_NOT_FOUND, "front");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_token_that_ends_is_renewed),
        TEST(test_a_token_that_is_not_taken_is_renewed_once),
        TEST(test_a_token_that_ends_before_the_versions_are_known),
        TEST(test_pages_are_followed),
        TEST(test_what_is_no_list_is_an_error),
        TEST(test_a_member_whose_server_is_gone),
        TEST(test_a_change_between_is_waited_out),
        TEST(test_a_clock_that_is_set_ends_no_wait),
        TEST(test_a_change_that_never_gets_through),
        TEST(test_a_conflict_that_no_waiting_ends),
        TEST(test_those_that_go_take_nobody_along),
        TEST(test_an_address_that_is_used_again),
        TEST(test_a_member_that_is_removed_already),
        TEST(test_an_older_octavia_is_sent_what_is_there_now),
        TEST(test_a_balancer_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
