/*
 * The simulated cloud of an Account: kept in a file, shared by processes, seeded by a snapshot.
 * Covers providers/sim/store.c, providers/sim/extras.c, providers/sim/sim.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/sim/sim.h"

#define START INT64_C(1795406400000) /* 2026-11-23T04:00:00Z */

struct place {
    char folder[64];
    struct tt_sim_clock clock;
    struct tt_arena arena;
    struct tt_account account;
    struct tt_error err;
};

static int begin(void **state)
{
    static struct place place;

    place = (struct place){.account = {.name = "east", .provider = TT_PROVIDER_SIM, .folder = ""}};
    tt_sim_clock_init(&place.clock, START);
    snprintf(place.folder, sizeof(place.folder), "/tmp/trimtab-sim-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    tt_strings_add(&place.arena, &place.account.regions, "r1");
    *state = &place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;

    tt_remove_tree(place->folder, NULL);
    tt_arena_release(&place->arena);
    return 0;
}

static int try_open(struct place *place, struct tt_provider **ret_provider)
{
    return tt_sim_ops()->open(&(struct tt_provider_settings){.account = &place->account,
                                                             .owner = "acme",
                                                             .state_folder = place->folder,
                                                             .base_folder = place->folder,
                                                             .clock = &place->clock.clock},
                              &place->arena, ret_provider, &place->err);
}

static struct tt_provider *open_it(struct place *place)
{
    struct tt_provider *provider = NULL;

    if (try_open(place, &provider) < 0)
        fail_msg("%s", place->err.message);
    return provider;
}

static void write_file(struct place *place, const char *name, const char *text)
{
    assert_int_equal(tt_file_write(tt_printf(&place->arena, "%s/%s", place->folder, name), text,
                                   strlen(text), 0600, NULL),
                     0);
}

static const char *path_of(struct place *place)
{
    return tt_printf(&place->arena, "%s/sim/east.json", place->folder);
}

/* Puts WITH where AT points; what comes after it stays. */
static void overwrite(char *at, const char *with)
{
    assert_non_null(at);
    while (*with)
        *at++ = *with++;
}

static int create(struct tt_provider *provider, struct tt_arena *arena, const char *token,
                  const char **ret_id, struct tt_error *err)
{
    struct tt_server_spec spec = {.template = "web-1"};
    struct tt_create_request request = {.region = "r1",
                                        .name = "storefront-web-0",
                                        .client_token = token,
                                        .spec = &spec,
                                        .tags = {.owner = "acme", .slot = 0}};

    return tt_provider_create_server(provider, &request, arena, ret_id, err);
}

static struct tt_region *look(struct place *place, struct tt_provider *provider)
{
    struct tt_region *region = TT_NEW(&place->arena, struct tt_region);

    if (tt_provider_observe(provider, &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                            &place->arena, region, &place->err) < 0)
        fail_msg("%s", place->err.message);
    return region;
}

static void test_regions_have_three_zones(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider = open_it(place);
    const struct tt_region *region = look(place, provider);

    assert_int_equal(region->zones.count, 3);
    assert_non_null(tt_region_zone(region, "r1-a"));
    assert_non_null(tt_region_zone(region, "r1-b"));
    assert_non_null(tt_region_zone(region, "r1-c"));
    assert_int_equal(access(path_of(place), F_OK), -1); /* looking writes nothing */
    tt_provider_close(provider);
}

static void test_the_cloud_outlives_its_account(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider = open_it(place);
    const char *id = NULL, *again = NULL;

    assert_int_equal(create(provider, &place->arena, "t", &id, &place->err), 0);
    assert_int_equal(look(place, provider)->servers.items[0].state, TT_SERVER_PENDING);
    tt_provider_close(provider);
    place->clock.clock.sleep(&place->clock, 1000);
    provider = open_it(place);
    assert_string_equal(look(place, provider)->servers.items[0].id, id);
    assert_int_equal(look(place, provider)->servers.items[0].state, TT_SERVER_RUNNING);
    assert_int_equal(look(place, provider)->servers.items[0].health, TT_HEALTH_PASSING);
    assert_int_equal(create(provider, &place->arena, "t", &again, &place->err), 0);
    assert_string_equal(again, id);
    assert_int_equal(tt_provider_delete_server(provider, "r1", id, &place->err), 0);
    tt_provider_close(provider);
    provider = open_it(place);
    assert_int_equal(look(place, provider)->servers.count, 0);
    assert_int_equal(create(provider, &place->arena, "u", &again, &place->err), 0);
    assert_string_not_equal(again, id);
    tt_provider_close(provider);
}

static const char seed[] =
    "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-11-23T04:00:00Z\", \"accounts\": ["
    "{\"name\": \"east\", \"provider\": \"sim\", \"regions\": [{\"name\": \"r1\","
    " \"status\": \"observed\", \"zones\": [{\"name\": \"x\", \"state\": \"available\"}],"
    " \"servers\": [{\"id\": \"i-0\", \"name\": \"old\", \"zone\": \"x\", \"state\": \"running\","
    "  \"tags\": {\"trimtab:owner\": \"acme\"}}],"
    " \"balancers\": [{\"id\": \"elb\", \"name\": \"elb\", \"zones\": [\"x\"],"
    "  \"members\": [{\"server\": \"i-0\", \"state\": \"in-service\"}]}]}]}],"
    " \"sim\": {\"options\": {\"boot\": \"1m\", \"drain\": \"1m\"}, \"capacity\": {\"r1/x\": 2}}}";

static void test_a_seed_is_planted_once(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider;
    const char *id = NULL;

    write_file(place, "seed.json", seed);
    place->account.endpoint = "file://seed.json";
    provider = open_it(place);
    assert_int_equal(look(place, provider)->zones.count, 1);
    assert_int_equal(create(provider, &place->arena, "t", &id, &place->err), 0);
    assert_int_equal(create(provider, &place->arena, "u", &id, &place->err), -1);
    assert_string_equal(place->err.code, "no-capacity");
    assert_int_equal(
        tt_provider_withdraw(provider, "r1", "elb", "i-0", INT64_C(600000), &place->err), 0);
    tt_provider_close(provider);
    write_file(place, "seed.json", "no longer read");
    place->clock.clock.sleep(&place->clock, 59999);
    provider = open_it(place);
    assert_int_equal(tt_region_server(look(place, provider), id)->state, TT_SERVER_PENDING);
    assert_int_equal(tt_region_balancer(look(place, provider), "elb")->members.items[0].state,
                     TT_MEMBER_DRAINING);
    place->clock.clock.sleep(&place->clock, 1);
    assert_int_equal(tt_region_server(look(place, provider), id)->state, TT_SERVER_RUNNING);
    assert_int_equal(tt_region_balancer(look(place, provider), "elb")->members.count, 0);
    tt_provider_close(provider);
}

static void test_a_seed_is_beside_the_spec_that_names_it(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider;

    assert_int_equal(
        tt_make_folders(tt_printf(&place->arena, "%s/fleet", place->folder), 0700, NULL), 0);
    write_file(place, "fleet/seed.json", seed);
    place->account.endpoint = "file://seed.json";
    place->account.folder = "fleet";
    provider = open_it(place);
    assert_non_null(tt_region_zone(look(place, provider), "x"));
    tt_provider_close(provider);
    place->account.endpoint = tt_printf(&place->arena, "file://%s/fleet/seed.json", place->folder);
    place->account.folder = "elsewhere";
    provider = open_it(place);
    assert_non_null(tt_region_zone(look(place, provider), "x"));
    tt_provider_close(provider);
}

static void test_people_edit_the_file(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider = open_it(place);
    const char *id = NULL;
    char *text, *found;

    assert_int_equal(create(provider, &place->arena, "t", &id, &place->err), 0);
    place->clock.clock.sleep(&place->clock, 1000);
    assert_int_equal(tt_provider_start_server(provider, "r1", id, &place->err), 0);
    assert_int_equal(tt_file_read(&place->arena, path_of(place), 1 << 20, &text, NULL, &place->err),
                     0);
    found = strstr(text, "\"running\"");
    assert_non_null(found);
    overwrite(found, "\"failed\" ");
    assert_int_equal(tt_file_write(path_of(place), text, strlen(text), 0600, NULL), 0);
    assert_int_equal(look(place, provider)->servers.items[0].state, TT_SERVER_FAILED);
    tt_provider_close(provider);
}

/* A seed that nothing has changed yet is read anew each time, and time passes in it all the same.
 */
static void test_time_passes_in_a_seed(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider;
    char *text = tt_strdup(&place->arena, seed);

    overwrite(strstr(text, "\"running\""), "\"pending\"");
    write_file(place, "seed.json", text);
    place->account.endpoint = "file://seed.json";
    provider = open_it(place);
    assert_int_equal(look(place, provider)->servers.items[0].state, TT_SERVER_PENDING);
    place->clock.clock.sleep(&place->clock, 60000);
    assert_int_equal(look(place, provider)->servers.items[0].state, TT_SERVER_RUNNING);
    tt_provider_close(provider);
}

static void test_bad_settings_are_refused(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider = NULL;

    place->account.endpoint = "https://sim.example";
    assert_int_equal(try_open(place, &provider), -1);
    assert_int_equal(place->err.class, TT_ERR_SPEC);
    place->account.endpoint = "file://missing.json";
    assert_int_equal(try_open(place, &provider), -1);
    assert_int_equal(place->err.class, TT_ERR_NOT_FOUND);
    assert_non_null(strstr(place->err.message, "missing.json"));
    write_file(place, "seed.json", seed);
    place->account.endpoint = "file://seed.json";
    place->account.name = "west";
    assert_int_equal(try_open(place, &provider), -1);
    assert_non_null(strstr(place->err.message, "has no account west"));
    place->account.name = "../east";
    assert_int_equal(try_open(place, &provider), -1);
    assert_int_equal(place->err.class, TT_ERR_SPEC);
    assert_null(provider);
}

static void test_broken_extras_are_refused(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider = NULL;

    place->account.endpoint = "file://seed.json";
    write_file(place, "seed.json",
               "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-11-23T04:00:00Z\","
               " \"accounts\": [{\"name\": \"east\", \"provider\": \"sim\", \"regions\": []}],"
               " \"sim\": {\"options\": {\"boot\": \"soon\"}}}");
    assert_int_equal(try_open(place, &provider), -1);
    assert_int_equal(place->err.class, TT_ERR_SPEC);
    assert_non_null(strstr(place->err.message, "sim.options.boot"));
}

static void test_a_cloud_that_cannot_be_kept_says_so(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider = open_it(place);
    const char *id = NULL;

    write_file(place, "sim", "a file where the folder should be");
    assert_int_equal(create(provider, &place->arena, "t", &id, &place->err), -1);
    assert_int_equal(place->err.class, TT_ERR_INTERNAL);
    assert_null(id);
    assert_int_equal(unlink(tt_printf(&place->arena, "%s/sim", place->folder)), 0);
    assert_int_equal(look(place, provider)->servers.count, 0);
    tt_provider_close(provider);
}

/* Each child opens the account for itself and makes machines; none is lost. */
static void test_processes_share_one_cloud(void **state)
{
    struct place *place = *state;
    struct tt_provider *provider;
    pid_t children[4];

    for (int child = 0; child < 4; child++) {
        children[child] = fork();
        assert_true(children[child] >= 0);
        if (children[child] > 0)
            continue;
        int failures = try_open(place, &provider) < 0;

        for (int i = 0; !failures && i < 10; i++) {
            const char *id;

            failures = create(provider, &place->arena,
                              tt_printf(&place->arena, "t-%d-%d", child, i), &id, &place->err) < 0;
        }
        _exit(failures);
    }
    for (int child = 0; child < 4; child++) {
        int status;

        assert_int_equal(waitpid(children[child], &status, 0), children[child]);
        assert_int_equal(status, 0);
    }
    provider = open_it(place);
    assert_int_equal(look(place, provider)->servers.count, 40);
    tt_provider_close(provider);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_regions_have_three_zones),
        TEST(test_the_cloud_outlives_its_account),
        TEST(test_a_seed_is_planted_once),
        TEST(test_a_seed_is_beside_the_spec_that_names_it),
        TEST(test_people_edit_the_file),
        TEST(test_time_passes_in_a_seed),
        TEST(test_bad_settings_are_refused),
        TEST(test_broken_extras_are_refused),
        TEST(test_a_cloud_that_cannot_be_kept_says_so),
        TEST(test_processes_share_one_cloud),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
