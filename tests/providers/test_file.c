/*
 * The file provider: what a snapshot shows, and that nothing in it can be changed.
 * Covers providers/file/, providers/copy.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/world_json.h"
#include "providers/file/file.h"

static const char snapshot[] =
    "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-11-23T04:00:00Z\", \"accounts\": ["
    "{\"name\": \"dc1\", \"provider\": \"file\", \"capabilities\": [\"cloud-balancer\"],"
    " \"regions\": ["
    " {\"name\": \"paris\", \"status\": \"observed\", \"error\": null, \"templates\": [\"web-1\"],"
    "  \"zones\": [{\"name\": \"a\", \"state\": \"available\"},"
    "             {\"name\": \"b\", \"state\": \"impaired\"}],"
    "  \"servers\": [{\"id\": \"i-1\", \"name\": \"storefront-web-0\", \"zone\": \"a\","
    "    \"state\": \"running\", \"template\": \"web-1\", \"size\": \"small\","
    "    \"firewalls\": [\"web\"], \"privateAddress\": \"10.0.0.4\", \"publicAddress\": null,"
    "    \"health\": \"passing\", \"key\": \"ops\", \"network\": \"prod\","
    "    \"createdAt\": \"2026-11-01T00:00:00Z\","
    "    \"tags\": {\"trimtab:owner\": \"acme\", \"trimtab:deployment\": \"storefront\","
    "    \"trimtab:service\": \"web\", \"trimtab:slot\": \"0\","
    "    \"trimtab:incarnation\": \"7f3a\"}}],"
    "  \"balancers\": [{\"id\": \"elb\", \"name\": \"elb\", \"zones\": [\"a\"],"
    "    \"listeners\": [{\"port\": 80, \"protocol\": \"http\", \"targetPort\": 8080}],"
    "    \"members\": [{\"server\": \"i-1\", \"state\": \"in-service\"}]}],"
    "  \"pools\": [{\"machine\": \"i-9\", \"software\": \"haproxy\", \"members\": ["
    "    {\"service\": \"storefront.web\", \"address\": \"10.0.0.4\", \"port\": 8080,"
    "     \"state\": \"in-service\"}]}],"
    "  \"addresses\": [{\"address\": \"203.0.113.9\", \"server\": \"i-9\"}]},"
    " {\"name\": \"rome\", \"status\": \"unreachable\", \"error\": \"no route to host\"}]}]}";

struct place {
    char folder[64];
    struct tt_arena arena;
    struct tt_account account;
    struct tt_provider *provider;
    struct tt_error err;
};

static int begin(void **state)
{
    static struct place place;

    place = (struct place){.account = {.name = "dc1", .snapshot = "world.json"}};
    snprintf(place.folder, sizeof(place.folder), "/tmp/trimtab-file-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    assert_int_equal(tt_file_write(tt_printf(&place.arena, "%s/world.json", place.folder), snapshot,
                                   strlen(snapshot), 0600, NULL),
                     0);
    *state = &place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;

    tt_provider_close(place->provider);
    tt_remove_tree(place->folder, NULL);
    tt_arena_release(&place->arena);
    return 0;
}

static int open_it(struct place *place)
{
    return tt_file_ops()->open(&(struct tt_provider_settings){.account = &place->account,
                                                              .owner = "acme",
                                                              .base_folder = place->folder},
                               &place->arena, &place->provider, &place->err);
}

static int observe(struct place *place, const char *region, struct tt_arena *arena,
                   struct tt_region *ret_region)
{
    return tt_provider_observe(place->provider,
                               &(struct tt_observe_request){.region = region, .owner = "acme"},
                               arena, ret_region, &place->err);
}

/* The observation as a snapshot equals the snapshot; it outlives the account. */
static void test_region_is_returned_as_it_stands(void **state)
{
    struct place *place = *state;
    struct tt_arena arena = {0};
    struct tt_world *whole, world = {0};
    struct tt_world_account *account = TT_VEC_ADD(&arena, &world.accounts);
    struct tt_region *region = TT_VEC_ADD(&arena, &account->regions);

    assert_int_equal(open_it(place), 0);
    assert_int_equal(observe(place, "paris", &arena, region), 0);
    tt_provider_close(place->provider);
    place->provider = NULL;
    tt_arena_release(&place->arena);
    assert_int_equal(tt_world_from_json(&place->arena, snapshot, strlen(snapshot), "snapshot",
                                        &whole, &place->err),
                     0);
    whole->accounts.items[0].regions.count = 1; /* paris; rome is unreachable */
    account->name = "dc1";
    account->provider = "file";
    account->features = TT_FEATURE_CLOUD_BALANCER;
    assert_string_equal(tt_world_hash(&arena, &world), tt_world_hash(&arena, whole));
    assert_int_equal(region->pools.count, 1);
    assert_string_equal(region->pools.items[0].members.items[0].address, "10.0.0.4");
    tt_arena_release(&arena);
}

static void test_absolute_path(void **state)
{
    struct place *place = *state;

    place->account.snapshot = tt_printf(&place->arena, "%s/world.json", place->folder);
    assert_int_equal(
        tt_file_ops()->open(&(struct tt_provider_settings){.account = &place->account,
                                                           .base_folder = "/nonexistent"},
                            &place->arena, &place->provider, &place->err),
        0);
}

static void test_features_are_the_snapshots(void **state)
{
    struct place *place = *state;

    assert_int_equal(tt_file_ops()->features, 0);
    assert_int_equal(open_it(place), 0);
    assert_int_equal(place->provider->ops->features, TT_FEATURE_CLOUD_BALANCER);
}

static void test_unreachable_region_is_an_error(void **state)
{
    struct place *place = *state;
    struct tt_region region;

    assert_int_equal(open_it(place), 0);
    assert_int_equal(observe(place, "rome", &place->arena, &region), -1);
    assert_int_equal(place->err.class, TT_ERR_UNAVAILABLE);
    assert_string_equal(place->err.message, "no route to host");
}

static void test_unknown_region_is_an_error(void **state)
{
    struct place *place = *state;
    struct tt_region region;

    assert_int_equal(open_it(place), 0);
    assert_int_equal(observe(place, "oslo", &place->arena, &region), -1);
    assert_int_equal(place->err.class, TT_ERR_SPEC);
    assert_string_equal(place->err.message, "the snapshot of account dc1 has no region oslo");
}

static void test_bad_settings_are_refused(void **state)
{
    struct place *place = *state;

    place->account.snapshot = "missing.json";
    assert_int_equal(open_it(place), -1);
    assert_int_equal(place->err.class, TT_ERR_NOT_FOUND);
    assert_non_null(strstr(place->err.message, "missing.json"));
    place->account.snapshot = NULL;
    assert_int_equal(open_it(place), -1);
    assert_int_equal(place->err.class, TT_ERR_SPEC);
    place->account.snapshot = "world.json";
    place->account.name = "dc2";
    assert_int_equal(open_it(place), -1);
    assert_int_equal(place->err.class, TT_ERR_SPEC);
    assert_non_null(strstr(place->err.message, "has no account dc2"));
}

static void test_broken_snapshot_names_file_and_place(void **state)
{
    struct place *place = *state;
    const char *path = tt_printf(&place->arena, "%s/broken.json", place->folder);

    assert_int_equal(tt_file_write(path, "{\"format\":", 10, 0600, NULL), 0);
    place->account.snapshot = "broken.json";
    assert_int_equal(open_it(place), -1);
    assert_int_equal(place->err.class, TT_ERR_SPEC);
    assert_non_null(strstr(place->err.message, "account dc1"));
}

static void test_nothing_can_be_changed(void **state)
{
    struct place *place = *state;
    struct tt_server_spec spec = {.template = "web-1"};
    struct tt_create_request request = {
        .region = "paris", .name = "storefront-web-1", .spec = &spec};
    const char *id = NULL;

    assert_int_equal(open_it(place), 0);
    assert_int_equal(
        tt_provider_create_server(place->provider, &request, &place->arena, &id, &place->err), -1);
    assert_int_equal(place->err.class, TT_ERR_UNSUPPORTED);
    assert_string_equal(
        place->err.message,
        "creating storefront-web-1 is impossible: the world of a file account is a snapshot");
    assert_null(id);
    assert_int_equal(tt_provider_delete_server(place->provider, "paris", "i-1", &place->err), -1);
    assert_int_equal(place->err.class, TT_ERR_UNSUPPORTED);
    assert_int_equal(tt_provider_enroll(place->provider, "paris", "elb", "i-1", &place->err), -1);
    assert_int_equal(place->err.class, TT_ERR_UNSUPPORTED);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_region_is_returned_as_it_stands),      TEST(test_absolute_path),
        TEST(test_features_are_the_snapshots),           TEST(test_unreachable_region_is_an_error),
        TEST(test_unknown_region_is_an_error),           TEST(test_bad_settings_are_refused),
        TEST(test_broken_snapshot_names_file_and_place), TEST(test_nothing_can_be_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
