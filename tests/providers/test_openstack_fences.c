/*
 * Fences of `openstack` against a scripted server: when a machine is off, and when it only looks
 * so. Covers providers/openstack/power.c, machines.c.
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
#define OURS   "\"metadata\": {\"trimtab:owner\": \"acme\"}"

static void begin(struct desk *desk)
{
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
}

static void set_state(struct desk *desk, const char *fields)
{
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 200,
             tt_printf(&desk->arena,
                       "{\"server\": {\"id\": \"" SERVER "\", \"name\": \"lb\", " OURS ", %s}}",
                       fields));
}

static int fence(struct desk *desk)
{
    desk->err = (struct tt_error){0};
    return tt_provider_fence(desk->provider, "north", SERVER, &desk->err);
}

static void test_a_fence_ends_when_the_machine_is_off(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\"");
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"powering-off\"");
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"powering-off\"");
    set_state(desk, "\"status\": \"SHUTOFF\"");
    desk_set(desk, "POST /nova/v2.1/servers/" SERVER "/action", 202, "");
    desk_open_well(desk);
    assert_int_equal(fence(desk), 0);
    assert_int_equal(desk_count(desk, "nova show server"), 4);
    assert_int_equal(desk_count(desk, "nova stop server"), 1);
    assert_int_equal(desk_count(desk, "nova delete server"), 0);
}

/* Somebody sets the wall clock an hour ahead: that is no reason to delete a machine that stops. */
static void test_a_clock_that_is_set_ends_no_wait(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\"");
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"powering-off\"");
    set_state(desk, "\"status\": \"SHUTOFF\"");
    desk_set(desk, "POST /nova/v2.1/servers/" SERVER "/action", 202, "");
    desk_open_well(desk);
    desk->jumping.set = 3600 * 1000;
    assert_int_equal(fence(desk), 0);
    assert_int_equal(desk_count(desk, "nova delete server"), 0);
}

/* Something else is done with it at the moment: that is no reason to delete it. */
static void test_a_conflict_is_waited_out(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\"");
    set_state(desk, "\"status\": \"ACTIVE\"");
    set_state(desk, "\"status\": \"SHUTOFF\"");
    desk_set(desk, "POST /nova/v2.1/servers/" SERVER "/action", 409,
             "{\"conflictingRequest\": {\"message\": \"task_state reboot_started\"}}");
    desk_set(desk, "POST /nova/v2.1/servers/" SERVER "/action", 202, "");
    desk_open_well(desk);
    assert_int_equal(fence(desk), 0);
    assert_int_equal(desk_count(desk, "nova stop server"), 2);
    assert_int_equal(desk_count(desk, "nova delete server"), 0);
}

static void test_a_locked_machine_is_told(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\", \"locked\": true");
    desk_open_well(desk);
    desk_failed(desk, fence(desk), TT_ERR_CONFLICT, "is locked");
}

static void test_a_machine_that_does_not_stop_is_deleted(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"powering-off\"");
    desk_set(desk, "DELETE /nova/v2.1/servers/" SERVER, 204, "");
    desk_open_well(desk);
    desk_failed(desk, fence(desk), TT_ERR_CONFLICT, "could neither be stopped nor deleted");
    assert_int_equal(desk_count(desk, "nova delete server"), 1);
    assert_true(desk->jumping.slept >= 150 * 1000);
}

static void test_a_machine_whose_host_is_lost_is_deleted(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\", \"host_status\": \"UNKNOWN\"");
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 404, "{\"itemNotFound\": {\"code\": 404}}");
    desk_set(desk, "DELETE /nova/v2.1/servers/" SERVER, 204, "");
    desk_open_well(desk);
    assert_int_equal(fence(desk), 0);
    assert_int_equal(desk_count(desk, "nova stop server"), 0);
}

/* Nova says that it is being deleted before the host does anything: it may serve still. */
static void test_a_fence_waits_until_the_machine_is_deleted(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\", \"host_status\": \"UNKNOWN\"");
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"deleting\"");
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"soft-deleting\"");
    set_state(desk, "\"status\": \"SOFT_DELETED\"");
    desk_set(desk, "DELETE /nova/v2.1/servers/" SERVER, 204, "");
    desk_open_well(desk);
    assert_int_equal(fence(desk), 0);
    assert_int_equal(desk_count(desk, "nova show server"), 4);
}

static void test_a_delete_that_never_ends_is_told(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\", \"host_status\": \"UNKNOWN\"");
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"deleting\"");
    desk_set(desk, "DELETE /nova/v2.1/servers/" SERVER, 204, "");
    desk_open_well(desk);
    desk_failed(desk, fence(desk), TT_ERR_CONFLICT, "could neither be stopped nor deleted");
}

/* Somebody else deletes it: that is waited for, and not taken for done. */
static void test_a_fence_of_what_is_being_deleted(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ACTIVE\", \"OS-EXT-STS:task_state\": \"deleting\"");
    desk_set(desk, "GET /nova/v2.1/servers/" SERVER, 404, "{\"itemNotFound\": {\"code\": 404}}");
    desk_open_well(desk);
    assert_int_equal(fence(desk), 0);
    assert_int_equal(desk_count(desk, "nova show server"), 2);
    assert_int_equal(desk_count(desk, "nova stop server"), 0);
}

/* Its status is that of before until it runs. */
static void test_a_machine_that_is_being_started_is_not_off(void **state)
{
    static const char *const starting[] = {
        "\"status\": \"SHUTOFF\", \"OS-EXT-STS:task_state\": \"powering-on\"",
        "\"status\": \"PAUSED\", \"OS-EXT-STS:task_state\": \"unpausing\"",
        "\"status\": \"SUSPENDED\", \"OS-EXT-STS:task_state\": \"resuming\"",
    };
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof(starting) / sizeof(*starting); i++) {
        desk->count = 0;
        begin(desk);
        set_state(desk, starting[i]);
        set_state(desk, "\"status\": \"ACTIVE\"");
        set_state(desk, "\"status\": \"SHUTOFF\"");
        desk_set(desk, "POST /nova/v2.1/servers/" SERVER "/action", 202, "");
        if (!desk->provider)
            desk_open_well(desk);
        assert_int_equal(fence(desk), 0);
        assert_int_equal(desk_count(desk, "nova stop server"), (int)i + 1);
    }
}

static void test_what_is_being_put_into_the_bin_is_gone(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    desk_set(desk, "GET /nova/v2.1/servers/detail ", 200,
             "{\"servers\": [{\"id\": \"a\", \"name\": \"a\", \"status\": \"ACTIVE\", "
             "\"OS-EXT-STS:task_state\": \"soft-deleting\", " OURS "}]}");
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_int_equal(desk->region.servers.count, 0);
}

static void test_what_never_ran_is_off(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"ERROR\", \"OS-SRV-USG:launched_at\": null");
    desk_open_well(desk);
    assert_int_equal(fence(desk), 0);
}

static void test_a_frozen_machine_is_thawed(void **state)
{
    struct desk *desk = *state;

    begin(desk);
    set_state(desk, "\"status\": \"PAUSED\"");
    desk_set(desk, "POST /nova/v2.1/servers/" SERVER "/action", 202, "");
    desk_open_well(desk);
    assert_int_equal(tt_provider_start_server(desk->provider, "north", SERVER, &desk->err), 0);
    assert_true(desk_was_asked(desk, "{\"unpause\":null}"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_fence_ends_when_the_machine_is_off),
        TEST(test_a_clock_that_is_set_ends_no_wait),
        TEST(test_a_conflict_is_waited_out),
        TEST(test_a_locked_machine_is_told),
        TEST(test_a_machine_that_does_not_stop_is_deleted),
        TEST(test_a_machine_whose_host_is_lost_is_deleted),
        TEST(test_a_fence_waits_until_the_machine_is_deleted),
        TEST(test_a_delete_that_never_ends_is_told),
        TEST(test_a_fence_of_what_is_being_deleted),
        TEST(test_a_machine_that_is_being_started_is_not_off),
        TEST(test_what_is_being_put_into_the_bin_is_gone),
        TEST(test_what_never_ran_is_off),
        TEST(test_a_frozen_machine_is_thawed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
