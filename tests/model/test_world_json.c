/*
 * Covers model/world_json*.c: the format of the contract, round trips, errors with their path, and
 * the hash.
 */
#include "model/world_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char example[] =
    "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-11-23T04:00:00Z\", \"accounts\": ["
    "{\"name\": \"aws-prod\", \"provider\": \"aws\", \"capabilities\": [\"cloud-balancer\"],"
    " \"regions\": [{\"name\": \"us-east-1\", \"status\": \"observed\", \"error\": null,"
    " \"zones\": [{\"name\": \"b\"}, {\"name\": \"a\", \"state\": \"impaired\"}],"
    " \"servers\": [{\"id\": \"i-1\", \"state\": \"running\", \"firewalls\": [\"web\", \"ssh\"],"
    " \"privateAddress\": \"10.0.0.4\", \"publicAddress\": null, \"health\": \"passing\","
    " \"createdAt\": \"2026-11-01T00:00:00Z\", \"later\": 1,"
    " \"tags\": {\"trimtab:owner\": \"acme\", \"trimtab:slot\": \"7\", \"other\": \"x\"}}],"
    " \"balancers\": [{\"id\": \"elb\", \"members\": [{\"server\": \"i-1\"}]}],"
    " \"pools\": [{\"machine\": \"i-9\", \"members\": [{\"service\": \"s.web\","
    " \"address\": \"10.0.0.4\", \"port\": 80, \"state\": \"draining\"}]}],"
    " \"addresses\": [{\"address\": \"203.0.113.9\", \"server\": \"i-9\"}]}]}]}";

static int setup(void **state)
{
    struct tt_arena *arena = test_calloc(1, sizeof(*arena));

    tt_arena_init(arena);
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    tt_arena_release(*state);
    test_free(*state);
    return 0;
}

static struct tt_world *parse(struct tt_arena *arena, const char *text)
{
    struct tt_error err = {0};
    struct tt_world *world = NULL;

    if (tt_world_from_json(arena, text, strlen(text), "w.json", &world, &err) < 0)
        fail_msg("%s", err.message);
    return world;
}

static void refuse(struct tt_arena *arena, const char *text, const char *message)
{
    struct tt_error err = {0};
    struct tt_world *world = NULL;

    assert_int_equal(tt_world_from_json(arena, text, strlen(text), "w.json", &world, &err), -1);
    assert_string_equal(err.message, message);
    assert_null(world);
}

static void the_example_is_read(void **state)
{
    const struct tt_world *world = parse(*state, example);
    const struct tt_region *region = tt_world_region(world, "aws-prod", "us-east-1");
    const struct tt_server *server = tt_region_server(region, "i-1");

    assert_true(region->observed);
    assert_string_equal(region->zones.items[0].name, "a");
    assert_int_equal(region->zones.items[0].state, TT_ZONE_IMPAIRED);
    assert_int_equal(server->tags.slot, 7);
    assert_null(server->public_address);
    assert_null(server->template);
    assert_null(region->templates);
    assert_null(region->balancers.items[0].zones);
    assert_int_equal(region->balancers.items[0].members.items[0].state, TT_MEMBER_UNKNOWN);
    assert_int_equal(region->pools.items[0].members.items[0].state, TT_MEMBER_DRAINING);
    assert_int_equal(world->accounts.items[0].features,
                     TT_FEATURE_CLOUD_BALANCER | TT_FEATURE_START_SERVER);
}

static void writing_and_reading_is_the_same(void **state)
{
    const char *once = tt_world_to_json(*state, parse(*state, example));

    assert_string_equal(once, tt_world_to_json(*state, parse(*state, once)));
}

static void the_hash_knows_no_order_and_no_time(void **state)
{
    struct tt_world *one = parse(*state, example), *other = parse(*state, example);
    struct tt_region *region = (struct tt_region *)tt_world_region(other, "aws-prod", "us-east-1");
    struct tt_zone first = region->zones.items[0];
    const char *hash = tt_world_hash(*state, one);

    other->taken_at = 0;
    region->zones.items[0] = region->zones.items[1];
    region->zones.items[1] = first;
    tt_world_sort(other);
    assert_string_equal(hash, tt_world_hash(*state, other));
    assert_int_equal(strlen(hash), strlen("sha256:") + 64);
    region->servers.items[0].state = TT_SERVER_FAILED;
    assert_string_not_equal(hash, tt_world_hash(*state, other));
}

static void wrong_types_name_their_path(void **state)
{
    refuse(*state, "{\"format\": \"trimtab.world/v2\"}",
           "w.json: format: expected trimtab.world/v1, found trimtab.world/v2");
    refuse(*state, "[]", "w.json: the document: expected an object, found an array");
    refuse(*state, "{\"format\": \"trimtab.world/v1\", \"accounts\": [{\"name\": 3}]}",
           "w.json: accounts[0].name: expected a string, found a number");
    refuse(*state,
           "{\"format\": \"trimtab.world/v1\", \"accounts\": [{\"name\": \"a\", \"regions\": "
           "[{\"name\": \"r\", \"servers\": [{\"id\": \"i\", \"state\": \"odd\"}]}]}]}",
           "w.json: accounts[0].regions[0].servers[0].state: \"odd\" is not one of pending, "
           "running, stopped, failed, gone");
}

static void hostile_text_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "{", "{\"format\": \"trimtab.world/v1\", \"format\": \"trimtab.world/v1\"}",
        "{\"format\": \"trimtab.world/v1\", \"accounts\": {}}",
        "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"yesterday\"}"};
    char deep[4097];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct tt_world *world;
        struct tt_error err = {0};

        assert_int_equal(
            tt_world_from_json(*state, texts[i], strlen(texts[i]), "w.json", &world, &err), -1);
        assert_true(err.message[0] != '\0');
    }
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    {
        struct tt_world *world;
        struct tt_error err = {0};

        assert_int_equal(tt_world_from_json(*state, deep, strlen(deep), "w.json", &world, &err),
                         -1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_example_is_read),
        TEST(writing_and_reading_is_the_same),
        TEST(the_hash_knows_no_order_and_no_time),
        TEST(wrong_types_name_their_path),
        TEST(hostile_text_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
