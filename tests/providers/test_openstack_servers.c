/*
 * Servers of `openstack` against a scripted server: cells that are down, images that are replaced,
 * attempts that fail, and addresses that move.
 * Covers providers/openstack/cells.c, observe.c, servers.c, addresses.c, machines.c.
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

#define SERVER "00000000-0000-4000-8000-0000000000a1"
#define OTHER  "00000000-0000-4000-8000-0000000000a2"
#define IMAGE  "00000000-0000-4000-8000-0000000000e1"
#define FLAVOR "00000000-0000-4000-8000-0000000000f1"
#define OURS   "\"metadata\": {\"trimtab:owner\": \"acme\"}"
#define NEXT   "\"servers_links\": [{\"rel\": \"next\", \"href\": \"http://elsewhere\"}]"

static void begin(struct desk *desk, const char *version)
{
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, version);
}

/* --- cells ------------------------------------------------------------------------------------ */

static void test_one_answer_tells_of_a_small_project(void **state)
{
    struct desk *desk = *state;

    begin(desk, "2.90");
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"a\", \"name\": \"a\", \"status\": \"ACTIVE\", " OURS
             "}, {\"id\": \"b\", \"name\": \"b\", \"status\": \"ACTIVE\", \"metadata\": {}}]}");
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk->region.servers.count, 1); /* b is not ours */
    assert_int_equal(desk_count(desk, "nova list servers"), 1);
}

/* What a cell that is down hides is not gone. */
static void test_a_cell_that_is_down_hides_its_servers(void **state)
{
    struct desk *desk = *state;

    begin(desk, "2.90");
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"" SERVER "\", \"status\": \"UNKNOWN\", \"links\": []}, "
             "{\"id\": \"a\", \"name\": \"a\", \"status\": \"ACTIVE\", " OURS "}]}");
    desk_open_well(desk);
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNAVAILABLE,
                "cannot reach a cell: of 1 server");
    assert_false(desk->region.observed);
}

/* The list by tags leaves them out: so one without a filter is asked for. */
static void test_a_cell_that_is_down_in_a_crowded_project(void **state)
{
    struct desk *desk = *state;

    begin(desk, "2.90");
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"x\", \"name\": \"x\", \"status\": \"ACTIVE\"}], " NEXT "}");
    desk_set(desk, "GET /nova/v2.1/servers/detail?tags=trimtab%3Aacme&limit=1000 ", 200,
             "{\"servers\": [{\"id\": \"a\", \"name\": \"a\", \"status\": \"ACTIVE\", " OURS "}]}");
    desk_set(desk, "GET /nova/v2.1/servers ", 200,
             "{\"servers\": [{\"id\": \"a\", \"name\": \"a\"}]}");
    desk_set(desk, "GET /nova/v2.1/servers ", 200,
             "{\"servers\": [{\"id\": \"" SERVER "\", \"status\": \"UNKNOWN\"}]}");
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk->region.servers.count, 1);
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNAVAILABLE, "cannot reach a cell");
}

/* Lists by tag before and after all cells were seen to be there; ours in each. */
static void set_crowd(struct desk *desk, const char *before, const char *after)
{
    desk->count = 0;
    begin(desk, "2.90");
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"x\", \"name\": \"x\", \"status\": \"ACTIVE\"}], " NEXT "}");
    desk_set(desk, "GET /nova/v2.1/servers/detail?tags", 200,
             tt_printf(&desk->arena, "{\"servers\": [%s]}", before));
    desk_set(desk, "GET /nova/v2.1/servers/detail?tags", 200,
             tt_printf(&desk->arena, "{\"servers\": [%s]}", after));
    desk_set(desk, "GET /nova/v2.1/servers ", 200, "{\"servers\": []}");
}

#define A(fields) "{\"id\": \"a\", \"name\": \"a\", " OURS ", " fields "}"

/* Both lists, and what was seen between them, have to say the same. */
static void test_a_cell_that_comes_and_goes(void **state)
{
    struct desk *desk = *state;

    set_crowd(desk, "", A("\"status\": \"ACTIVE\""));
    desk_open_well(desk);
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNAVAILABLE, "lists server a at one moment");
    set_crowd(desk, A("\"status\": \"ACTIVE\""), "");
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNAVAILABLE, "lists server a at one moment");
    assert_false(desk->region.observed);
}

/* What is made or deleted meanwhile is no such cell. */
static void test_what_changes_between_two_lists(void **state)
{
    struct desk *desk = *state;

    set_crowd(desk, "", A("\"status\": \"BUILD\""));
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk->region.servers.count, 1);
    set_crowd(desk, A("\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"deleting\""), "");
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk->region.servers.count, 0);
}

/* A Nova that cannot tell of cells, and a port of a server that it does not list. */
static void set_unlisted(struct desk *desk)
{
    begin(desk, "2.60");
    desk_set(desk, "GET /nova/v2.1/servers/detail?tags", 200, "{\"servers\": []}");
    desk_set(desk, "GET /nova/v2.1/servers?limit=1000 ", 200, "{\"servers\": []}");
    desk_set(desk, "GET /neutron/v2.0/ports?", 200,
             "{\"ports\": [{\"id\": \"3\", \"device_id\": \"" SERVER
             "\", \"device_owner\": \"compute:az1\"}]}");
}

/* It answers for itself, so its cell is there again: and its list was made without it. */
static void test_a_server_of_ours_that_is_in_no_list(void **state)
{
    struct desk *desk = *state;

    set_unlisted(desk);
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 200,
             "{\"server\": {\"id\": \"" SERVER "\", \"name\": \"x\", \"status\": \"ACTIVE\", "
             "\"metadata\": {}}}");
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 200,
             "{\"server\": {\"id\": \"" SERVER "\", \"name\": \"x\", \"status\": \"ACTIVE\", " OURS
             "}}");
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0); /* another's */
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNAVAILABLE, "does not list it");
}

/* Not even that tells where a page is full: but a server has a port. */
static void test_a_server_that_only_neutron_knows(void **state)
{
    struct desk *desk = *state;

    begin(desk, "2.90");
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"x\", \"name\": \"x\", \"status\": \"ACTIVE\"}], " NEXT "}");
    desk_set(desk, "GET /nova/v2.1/servers/detail?tags", 200, "{\"servers\": []}");
    desk_set(desk, "GET /nova/v2.1/servers ", 200,
             "{\"servers\": [{\"id\": \"x\", \"name\": \"x\"}], " NEXT "}");
    desk_set(desk, "GET /nova/v2.1/servers?limit=1000 ", 200,
             "{\"servers\": [{\"id\": \"x\", \"name\": \"x\"}]}");
    desk_set(
        desk, "GET /neutron/v2.0/ports?", 200,
        "{\"ports\": [{\"id\": \"1\", \"device_id\": \"x\", \"device_owner\": \"compute:az1\"}, "
        "{\"id\": \"2\", \"device_id\": \"" OTHER "\", \"device_owner\": \"network:dhcp\"}, "
        "{\"id\": \"3\", \"device_id\": \"" SERVER "\", \"device_owner\": \"compute:az1\"}]}");
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 404, "{\"itemNotFound\": {\"code\": 404}}");
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 200,
             "{\"server\": {\"id\": \"" SERVER "\", \"status\": \"UNKNOWN\"}}");
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk_count(desk, "nova show server"), 1); /* a port that was left behind */
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNAVAILABLE, SERVER);
}

static void test_an_older_nova_is_compared_with_neutron(void **state)
{
    struct desk *desk = *state;

    set_unlisted(desk);
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 500,
             "{\"computeFault\": {\"message\": \"Cell is not responding\"}}");
    desk_open_well(desk);
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNAVAILABLE, "Cell is not responding");
}

/* --- images ----------------------------------------------------------------------------------- */

static void test_an_image_that_is_replaced_changes_no_server(void **state)
{
    struct desk *desk = *state;
    struct tt_observe_request request = {.region = "north", .owner = "acme"};

    begin(desk, "2.90");
    desk_set(desk, "GET /glance/v2/images", 200,
             "{\"images\": [{\"id\": \"new\", \"name\": \"web-1\"}]}");
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"a\", \"name\": \"a\", \"status\": \"ACTIVE\", \"image\": "
             "{\"id\": \"old\"}, \"metadata\": {\"trimtab:owner\": \"acme\", "
             "\"trimtab:template\": \"web-1\", \"trimtab:image\": \"old\"}}, "
             "{\"id\": \"b\", \"name\": \"b\", \"status\": \"ACTIVE\", \"image\": "
             "{\"id\": \"rebuilt\"}, \"metadata\": {\"trimtab:owner\": \"acme\", "
             "\"trimtab:template\": \"web-1\", \"trimtab:image\": \"old\"}}, "
             "{\"id\": \"c\", \"name\": \"c\", \"status\": \"ACTIVE\", \"image\": "
             "{\"id\": \"new\"}, \"metadata\": {\"trimtab:owner\": \"acme\", "
             "\"trimtab:template\": \"web-0\", \"trimtab:image\": \"new\"}}]}");
    desk_open_well(desk);
    tt_strings_add(&desk->arena, &request.templates, "web-1");
    assert_int_equal(
        tt_provider_observe(desk->provider, &request, &desk->arena, &desk->region, &desk->err), 0);
    assert_string_equal(tt_region_server(&desk->region, "a")->template, "web-1");
    assert_string_equal(tt_region_server(&desk->region, "b")->template, "rebuilt");
    assert_string_equal(tt_region_server(&desk->region, "c")->template, "web-1"); /* renamed */
}

/* --- making ----------------------------------------------------------------------------------- */

static int create(struct desk *desk)
{
    const struct tt_server_spec spec = {.template = IMAGE, .size = FLAVOR, .network = "prod"};
    const char *id = NULL;
    int result;

    desk->err = (struct tt_error){0};
    result = tt_provider_create_server(
        desk->provider,
        &(struct tt_create_request){.region = "north",
                                    .zone = "az1",
                                    .name = "shop-web-0",
                                    .tags = {.owner = "acme", .slot = 0, .incarnation = "7f3a"},
                                    .spec = &spec},
        &desk->arena, &id, &desk->err);
    if (result == 0)
        assert_string_equal(id, OTHER);
    return result;
}

static void set_parts(struct desk *desk, const char *version)
{
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_set(desk, "GET /neutron/v2.0/networks", 200,
             "{\"networks\": [{\"id\": \"net\", \"name\": \"prod\"}]}");
    desk_set(desk, "GET /nova/v2.1/flavors", 200,
             "{\"flavors\": [{\"id\": \"" FLAVOR "\", \"name\": \"small\"}]}");
    desk_nova(desk, version);
    desk_set(desk, "GET /glance/v2/images", 200,
             "{\"images\": [{\"id\": \"" IMAGE "\", \"name\": \"web-1\"}]}");
    desk_set(desk, "POST /nova/v2.1/servers ", 202, "{\"server\": {\"id\": \"" OTHER "\"}}");
    desk_set(desk, "GET /nova/v2.1/servers?status=BUILD", 200, "{\"servers\": []}");
    desk_set(desk, "GET /nova/v2.1/servers/" OTHER, 200,
             "{\"server\": {\"id\": \"" OTHER "\", \"name\": \"w\", \"status\": \"ACTIVE\"}}");
}

/* The first attempt's server may be listed still while another zone is tried. */
static void test_what_a_failed_attempt_left_is_not_taken(void **state)
{
    struct desk *desk = *state;

    set_parts(desk, "2.90");
    desk_set(desk, "GET /nova/v2.1/servers/detail?tags=trimtab%3Aacme%2Ctrimtab%3Aincarnation", 200,
             "{\"servers\": [{\"id\": \"" SERVER "\", \"status\": \"ERROR\", "
             "\"OS-EXT-STS:task_state\": \"deleting\", \"metadata\": {\"trimtab:owner\": \"acme\", "
             "\"trimtab:incarnation\": \"7f3a\"}}, "
             "{\"id\": \"" SERVER "b\", \"status\": \"ERROR\", \"metadata\": "
             "{\"trimtab:owner\": \"acme\", \"trimtab:incarnation\": \"7f3a\"}}]}");
    desk_set(desk, "DELETE /nova/v2.1/servers/" SERVER "b ", 204, "");
    desk_open_well(desk);
    if (create(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(desk_count(desk, "nova create server"), 1);
    assert_int_equal(desk_count(desk, "nova delete server"), 1);
    assert_true(desk_was_asked(desk, "\"trimtab:template\":\"" IMAGE "\""));
}

static void test_a_build_that_fails_tells_why(void **state)
{
    struct desk *desk = *state;

    desk_set(desk, "GET /nova/v2.1/servers/" OTHER, 200,
             "{\"server\": {\"id\": \"" OTHER "\", \"name\": \"w\", \"status\": \"ERROR\", "
             "\"fault\": {\"message\": \"No valid host was found.\"}}}");
    desk->answers[0].again = true;
    set_parts(desk, "2.90");
    desk_set(desk, "GET /nova/v2.1/servers/detail?tags", 200, "{\"servers\": []}");
    desk_set(desk, "DELETE /nova/v2.1/servers/" OTHER, 204, "");
    desk_open_well(desk);
    desk_failed(desk, create(desk), TT_ERR_CONFLICT, "zone az1 of region north could not build it");
    assert_non_null(strstr(desk->err.message, "No valid host was found."));
    assert_string_equal(desk->err.code, "no-capacity");
    assert_int_equal(desk_count(desk, "nova delete server"), 1);
}

/* Nova took tags along from 2.52 on, and refuses them while a server is built. */
static void test_an_older_nova_knows_servers_by_metadata_alone(void **state)
{
    struct desk *desk = *state;

    set_parts(desk, "2.51");
    desk_set(desk, "GET /nova/v2.1/servers/detail?", 200,
             "{\"servers\": [{\"id\": \"x\", \"status\": \"ACTIVE\", \"metadata\": {}}]}");
    desk_set(desk, "GET /nova/v2.1/servers/detail?", 200,
             "{\"servers\": [{\"id\": \"" OTHER "\", \"status\": \"BUILD\", \"metadata\": "
             "{\"trimtab:owner\": \"acme\", \"trimtab:incarnation\": \"7f3a\"}}]}");
    desk_open_well(desk);
    assert_int_equal(create(desk), 0);
    assert_int_equal(create(desk), 0);
    assert_int_equal(desk_count(desk, "nova create server"), 1);
    assert_int_equal(desk_count(desk, "nova tag server"), 0);
    assert_false(desk_was_asked(desk, "tags"));
}

/* --- addresses -------------------------------------------------------------------------------- */

static void set_state(struct desk *desk, const char *fields)
{
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 200,
             tt_printf(&desk->arena,
                       "{\"server\": {\"id\": \"" SERVER "\", \"name\": \"lb\", " OURS ", %s}}",
                       fields));
}

/* It goes to the port of the machine's own network, wherever it was; and once only. */
static void test_an_address_moves_to_the_right_port(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_set(desk, "GET /neutron/v2.0/floatingips?floating_ip_address=203.0.113.9", 200,
             "{\"floatingips\": [{\"id\": \"f\", \"port_id\": \"of-another\"}]}");
    desk_set(desk, "GET /neutron/v2.0/floatingips?floating_ip_address=203.0.113.9", 200,
             "{\"floatingips\": [{\"id\": \"f\", \"port_id\": \"p2\"}]}");
    desk_set(desk, "GET /neutron/v2.0/floatingips?floating_ip_address=203.0.113.8", 200,
             "{\"floatingips\": []}");
    desk_nova(desk, "2.90");
    set_state(desk,
              "\"status\": \"ACTIVE\", \"addresses\": {\"prod\": [{\"addr\": \"10.0.0.7\"}]}");
    desk_set(desk, "GET /neutron/v2.0/ports?device_id=" SERVER, 200,
             "{\"ports\": [{\"id\": \"p1\", \"fixed_ips\": [{\"ip_address\": \"192.168.0.7\"}]}, "
             "{\"id\": \"p2\", \"fixed_ips\": [{\"ip_address\": \"10.0.0.7\"}]}]}");
    desk_set(desk, "PUT /neutron/v2.0/floatingips/f ", 200, "{}");
    desk_open_well(desk);
    assert_int_equal(
        tt_provider_move_address(desk->provider, "north", "203.0.113.9", SERVER, &desk->err), 0);
    assert_true(desk_was_asked(desk, "{\"floatingip\":{\"port_id\":\"p2\"}}"));
    assert_int_equal(
        tt_provider_move_address(desk->provider, "north", "203.0.113.9", SERVER, &desk->err), 0);
    assert_int_equal(desk_count(desk, "neutron update floating address"), 1);
    desk_failed(
        desk, tt_provider_move_address(desk->provider, "north", "203.0.113.8", SERVER, &desk->err),
        TT_ERR_NOT_FOUND, "no floating address 203.0.113.8");
}

static void test_a_neutron_that_does_not_tell_of_ports(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_set(desk, "GET /neutron/v2.0/floatingips", 200,
             "{\"floatingips\": [{\"floating_ip_address\": \"203.0.113.9\", \"fixed_ip_address\": "
             "\"10.0.0.7\", \"port_id\": \"p\"}]}");
    desk_nova(desk, "2.90");
    desk_set(
        desk, "GET /nova/v2.1/servers/detail ", 200,
        "{\"servers\": [{\"id\": \"a\", \"name\": \"a\", \"status\": \"ACTIVE\", \"addresses\": "
        "{\"prod\": [{\"addr\": \"10.0.0.7\"}]}, " OURS "}]}");
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_string_equal(desk->region.addresses.items[0].server, "a");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_answer_tells_of_a_small_project),
        TEST(test_a_cell_that_is_down_hides_its_servers),
        TEST(test_a_cell_that_is_down_in_a_crowded_project),
        TEST(test_a_cell_that_comes_and_goes),
        TEST(test_what_changes_between_two_lists),
        TEST(test_a_server_of_ours_that_is_in_no_list),
        TEST(test_a_server_that_only_neutron_knows),
        TEST(test_an_older_nova_is_compared_with_neutron),
        TEST(test_an_image_that_is_replaced_changes_no_server),
        TEST(test_what_a_failed_attempt_left_is_not_taken),
        TEST(test_a_build_that_fails_tells_why),
        TEST(test_an_older_nova_knows_servers_by_metadata_alone),
        TEST(test_an_address_moves_to_the_right_port),
        TEST(test_a_neutron_that_does_not_tell_of_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
