/*
 * The simulated cloud beyond the common contract: time, limits, misfortune, and the people at the
 * console. Covers providers/sim/.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/providers/support/sim_cloud.h"

static void options(struct sim_cloud *cloud, struct tt_sim_options options)
{
    tt_sim_set_options(cloud->sim, &options);
}

static void later(struct sim_cloud *cloud, tt_time delay)
{
    cloud->clock.clock.sleep(&cloud->clock, delay);
}

static const char *zone_of(struct sim_cloud *cloud, const char *id)
{
    return tt_region_server(sim_cloud_look(cloud), id)->zone;
}

static enum tt_server_state state_of(struct sim_cloud *cloud, const char *id)
{
    const struct tt_server *server = tt_region_server(sim_cloud_look(cloud), id);

    return server ? server->state : TT_SERVER_GONE;
}

/* The state of the member, or -1. */
static int member(struct sim_cloud *cloud, const char *server)
{
    const struct tt_cloud_balancer *balancer = tt_region_balancer(sim_cloud_look(cloud), "elb");

    TT_EACH (item, &balancer->members)
        if (strcmp(item->server, server) == 0)
            return (int)item->state;
    return -1;
}

static void enroll(struct sim_cloud *cloud, const char *server)
{
    if (tt_provider_enroll(cloud->provider, "r1", "elb", server, &cloud->err) < 0)
        fail_msg("%s", cloud->err.message);
}

static void withdraw(struct sim_cloud *cloud, const char *server, tt_time drain)
{
    if (tt_provider_withdraw(cloud->provider, "r1", "elb", server, drain, &cloud->err) < 0)
        fail_msg("%s", cloud->err.message);
}

static void test_machines_boot(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id;

    options(cloud, (struct tt_sim_options){.boot = 30000});
    id = sim_cloud_create(cloud, "a");
    assert_int_equal(state_of(cloud, id), TT_SERVER_PENDING);
    assert_int_equal(tt_region_server(sim_cloud_look(cloud), id)->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(tt_region_server(sim_cloud_look(cloud), id)->created_at, START);
    later(cloud, 29999);
    assert_int_equal(state_of(cloud, id), TT_SERVER_PENDING);
    later(cloud, 1);
    assert_int_equal(state_of(cloud, id), TT_SERVER_RUNNING);
    assert_int_equal(tt_region_server(sim_cloud_look(cloud), id)->health, TT_HEALTH_PASSING);
}

static void test_deleted_machines_are_seen_as_gone_for_a_while(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id;

    options(cloud, (struct tt_sim_options){.vanish = 1000});
    id = sim_cloud_create(cloud, "a");
    enroll(cloud, id);
    assert_int_equal(tt_provider_delete_server(cloud->provider, "r1", id, &cloud->err), 0);
    assert_int_equal(tt_region_server(sim_cloud_look(cloud), id)->state, TT_SERVER_GONE);
    assert_int_equal(member(cloud, id), TT_MEMBER_OUT_OF_SERVICE);
    later(cloud, 1000);
    assert_null(tt_region_server(sim_cloud_look(cloud), id));
    assert_int_equal(member(cloud, id), -1);
}

static void test_dead_members_can_stay(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id;

    options(cloud, (struct tt_sim_options){.keep_dead_members = true});
    id = sim_cloud_create(cloud, "a");
    enroll(cloud, id);
    tt_sim_set_server_state(cloud->sim, "east", "r1", id, TT_SERVER_GONE);
    assert_null(tt_region_server(sim_cloud_look(cloud), id));
    assert_int_equal(member(cloud, id), TT_MEMBER_OUT_OF_SERVICE);
    withdraw(cloud, id, 0);
    assert_int_equal(member(cloud, id), -1);
}

static void test_members_come_into_service(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id;

    options(cloud, (struct tt_sim_options){.boot = 10000, .into_service = 5000});
    id = sim_cloud_create(cloud, "a");
    enroll(cloud, id);
    later(cloud, 5000);
    assert_int_equal(member(cloud, id), TT_MEMBER_OUT_OF_SERVICE);
    later(cloud, 5000);
    assert_int_equal(member(cloud, id), TT_MEMBER_IN_SERVICE);
    tt_sim_set_health(cloud->sim, "east", "r1", id, TT_HEALTH_FAILING);
    assert_int_equal(member(cloud, id), TT_MEMBER_OUT_OF_SERVICE);
    tt_sim_set_health(cloud->sim, "east", "r1", id, TT_HEALTH_PASSING);
    assert_int_equal(member(cloud, id), TT_MEMBER_IN_SERVICE);
    tt_sim_set_server_state(cloud->sim, "east", "r1", id, TT_SERVER_FAILED);
    assert_int_equal(member(cloud, id), TT_MEMBER_OUT_OF_SERVICE);
}

static void test_withdrawing_drains(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id, *other;

    options(cloud, (struct tt_sim_options){.drain = 10000});
    id = sim_cloud_create(cloud, "a");
    other = sim_cloud_create(cloud, "b");
    enroll(cloud, id);
    enroll(cloud, other);
    withdraw(cloud, id, 60000);
    withdraw(cloud, other, 2000);
    assert_int_equal(member(cloud, id), TT_MEMBER_DRAINING);
    later(cloud, 2000);
    assert_int_equal(member(cloud, other), -1);
    withdraw(cloud, id, 60000); /* does not begin anew */
    later(cloud, 8000);
    assert_int_equal(member(cloud, id), -1);
}

static void test_capacity_of_a_zone(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id = NULL, *first;

    tt_sim_set_capacity(cloud->sim, "east", "r1", "a", 1);
    first = sim_cloud_create(cloud, "a");
    assert_int_equal(sim_cloud_try_create(cloud, "a", &id), -1);
    assert_int_equal(cloud->err.class, TT_ERR_CONFLICT);
    assert_string_equal(cloud->err.code, "no-capacity");
    assert_string_equal(zone_of(cloud, sim_cloud_create(cloud, NULL)), "b");
    assert_int_equal(tt_provider_delete_server(cloud->provider, "r1", first, &cloud->err), 0);
    sim_cloud_create(cloud, "a");
    tt_sim_set_capacity(cloud->sim, "east", "r1", "b", 1);
    assert_int_equal(sim_cloud_try_create(cloud, NULL, &id), -1);
    assert_string_equal(cloud->err.code, "no-capacity");
    assert_null(id);
}

static void test_impaired_zone_makes_nothing_and_keeps_what_runs(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *running = sim_cloud_create(cloud, "a"), *id = NULL;

    tt_sim_set_zone_state(cloud->sim, "east", "r1", "a", TT_ZONE_IMPAIRED);
    assert_int_equal(tt_region_zone(sim_cloud_look(cloud), "a")->state, TT_ZONE_IMPAIRED);
    assert_int_equal(sim_cloud_try_create(cloud, "a", &id), -1);
    assert_string_equal(cloud->err.code, "zone-impaired");
    assert_int_equal(state_of(cloud, running), TT_SERVER_RUNNING);
    assert_string_equal(zone_of(cloud, sim_cloud_create(cloud, NULL)), "b");
}

static void test_new_machines_and_marks_are_seen_late(void **state)
{
    struct sim_cloud *cloud = *state;
    struct tt_tags tags = {.slot = -1, .spec = "new"};
    const char *id;

    options(cloud, (struct tt_sim_options){.create_seen = 1000, .tags_seen = 3000});
    id = sim_cloud_create(cloud, "a");
    assert_null(tt_region_server(sim_cloud_look(cloud), id));
    assert_int_equal(
        tt_sim_world(cloud->sim, &cloud->arena)->accounts.items[0].regions.items[0].servers.count,
        1);
    later(cloud, 1000);
    assert_null(tt_region_server(sim_cloud_look(cloud), id)); /* no owner's mark yet */
    later(cloud, 2000);
    assert_string_equal(tt_region_server(sim_cloud_look(cloud), id)->tags.owner, "acme");
    assert_int_equal(tt_provider_tag(cloud->provider, "r1", id, &tags, &cloud->err), 0);
    assert_null(tt_region_server(sim_cloud_look(cloud), id)->tags.spec);
    later(cloud, 3000);
    assert_string_equal(tt_region_server(sim_cloud_look(cloud), id)->tags.spec, "new");
}

static void test_throttling(void **state)
{
    struct sim_cloud *cloud = *state;
    struct tt_error *err = &cloud->err;

    options(cloud, (struct tt_sim_options){.calls_per_second = 2});
    sim_cloud_look(cloud);
    sim_cloud_look(cloud);
    assert_int_equal(tt_provider_delete_server(cloud->provider, "r1", "x", err), -1);
    assert_int_equal(err->class, TT_ERR_THROTTLED);
    assert_int_equal(tt_sim_calls(cloud->sim, "delete_server"), 1);
    later(cloud, 1000);
    assert_int_equal(tt_provider_delete_server(cloud->provider, "r1", "x", err), 0);
    assert_int_equal(tt_sim_calls(cloud->sim, "delete_server"), 2);
}

static void test_calls_take_time(void **state)
{
    struct sim_cloud *cloud = *state;

    options(cloud, (struct tt_sim_options){.call = 70});
    sim_cloud_look(cloud);
    assert_int_equal(cloud->clock.clock.now(&cloud->clock), START + 70);
}

static void test_unreachable_region_fails_without_effect(void **state)
{
    struct sim_cloud *cloud = *state;
    struct tt_region region;
    const char *id = NULL;

    tt_sim_set_reachable(cloud->sim, "east", "r1", false);
    assert_int_equal(
        tt_provider_observe(cloud->provider,
                            &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                            &cloud->arena, &region, &cloud->err),
        -1);
    assert_int_equal(cloud->err.class, TT_ERR_UNAVAILABLE);
    assert_int_equal(sim_cloud_try_create(cloud, "a", &id), -1);
    assert_int_equal(cloud->err.class, TT_ERR_UNAVAILABLE);
    tt_sim_set_reachable(cloud->sim, "east", "r1", true);
    assert_int_equal(sim_cloud_look(cloud)->servers.count, 0);
}

static void test_a_token_is_kept_beyond_its_machine(void **state)
{
    struct sim_cloud *cloud = *state;
    struct tt_server_spec spec = {.template = "web-1"};
    struct tt_create_request request = {.region = "r1",
                                        .name = "x",
                                        .client_token = "same",
                                        .spec = &spec,
                                        .tags = {.owner = "acme", .slot = 0}};
    const char *first = NULL, *second = NULL;

    assert_int_equal(
        tt_provider_create_server(cloud->provider, &request, &cloud->arena, &first, &cloud->err),
        0);
    tt_sim_set_server_state(cloud->sim, "east", "r1", first, TT_SERVER_GONE);
    assert_int_equal(
        tt_provider_create_server(cloud->provider, &request, &cloud->arena, &second, &cloud->err),
        0);
    assert_string_equal(first, second);
    assert_int_equal(sim_cloud_look(cloud)->servers.count, 0);
}

static void test_address_leaves_with_its_machine(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id = sim_cloud_create(cloud, "a");
    struct tt_error *err = &cloud->err;

    assert_int_equal(tt_provider_move_address(cloud->provider, "r1", "203.0.113.9", id, err), 0);
    assert_string_equal(sim_cloud_look(cloud)->addresses.items[0].server, id);
    assert_int_equal(tt_provider_delete_server(cloud->provider, "r1", id, err), 0);
    assert_null(sim_cloud_look(cloud)->addresses.items[0].server);
    id = sim_cloud_create(cloud, "a");
    tt_sim_set_server_state(cloud->sim, "east", "r1", id, TT_SERVER_STOPPED);
    assert_int_equal(tt_provider_move_address(cloud->provider, "r1", "203.0.113.9", id, err), -1);
    assert_int_equal(err->class, TT_ERR_CONFLICT);
}

static void test_stopped_and_failed_machines(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id = sim_cloud_create(cloud, "a");
    struct tt_error *err = &cloud->err;

    options(cloud, (struct tt_sim_options){.boot = 5000});
    tt_sim_set_server_state(cloud->sim, "east", "r1", id, TT_SERVER_STOPPED);
    assert_int_equal(state_of(cloud, id), TT_SERVER_STOPPED);
    assert_int_equal(tt_provider_start_server(cloud->provider, "r1", id, err), 0);
    assert_int_equal(state_of(cloud, id), TT_SERVER_PENDING);
    later(cloud, 5000);
    assert_int_equal(state_of(cloud, id), TT_SERVER_RUNNING);
    tt_sim_set_server_state(cloud->sim, "east", "r1", id, TT_SERVER_FAILED);
    assert_int_equal(tt_provider_start_server(cloud->provider, "r1", id, err), -1);
    assert_int_equal(err->class, TT_ERR_CONFLICT);
    assert_int_equal(tt_provider_fence(cloud->provider, "r1", id, err), 0);
    assert_int_equal(state_of(cloud, id), TT_SERVER_STOPPED);
}

static void test_lost_marks_make_a_machine_foreign(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *id = sim_cloud_create(cloud, "a");

    tt_sim_set_tags(cloud->sim, "east", "r1", id, &(struct tt_tags){.slot = -1});
    assert_null(tt_region_server(sim_cloud_look(cloud), id));
    assert_int_equal(tt_provider_delete_server(cloud->provider, "r1", id, &cloud->err), -1);
    assert_int_equal(cloud->err.class, TT_ERR_DENIED);
}

static void test_people_change_memberships(void **state)
{
    struct sim_cloud *cloud = *state;
    const char *legacy = tt_sim_add_machine(cloud->sim, "east", "r1", "b", "legacy");

    tt_sim_add_member(cloud->sim, "east", "r1", "elb", legacy);
    assert_int_equal(member(cloud, legacy), TT_MEMBER_IN_SERVICE);
    tt_sim_remove_member(cloud->sim, "east", "r1", "elb", legacy);
    assert_int_equal(member(cloud, legacy), -1);
}

struct user {
    struct sim_cloud *cloud;
    struct tt_arena arena;
    int number, failures;
};

static void *use(void *self)
{
    struct user *user = self;
    struct tt_provider *provider = user->cloud->provider;
    struct tt_server_spec spec = {.template = "web-1"};

    for (int i = 0; i < 20; i++) {
        char token[32];
        struct tt_create_request request = {.region = "r1",
                                            .name = token,
                                            .client_token = token,
                                            .spec = &spec,
                                            .tags = {.owner = "acme", .slot = i}};
        struct tt_region region = {0};
        const char *id = NULL;

        snprintf(token, sizeof(token), "t-%d-%d", user->number, i);
        user->failures +=
            tt_provider_create_server(provider, &request, &user->arena, &id, NULL) < 0 ||
            tt_provider_enroll(provider, "r1", "elb", id, NULL) < 0 ||
            tt_provider_observe(provider,
                                &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                                &user->arena, &region, NULL) < 0 ||
            (i % 2 && tt_provider_delete_server(provider, "r1", id, NULL) < 0);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    struct sim_cloud *cloud = *state;
    struct user users[4] = {0};
    pthread_t threads[4];

    options(cloud, (struct tt_sim_options){.boot = 20, .call = 3});
    for (int i = 0; i < 4; i++) {
        users[i] = (struct user){.cloud = cloud, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(users[i].failures, 0);
        tt_arena_release(&users[i].arena);
    }
    assert_int_equal(sim_cloud_look(cloud)->servers.count, 40);
    assert_int_equal(tt_region_balancer(sim_cloud_look(cloud), "elb")->members.count, 40);
    assert_int_equal(tt_sim_calls(cloud->sim, "create_server"), 80);
}

static void test_sleeps_overlap(void **state)
{
    struct sim_cloud *cloud = *state;

    later(cloud, 100);
    assert_int_equal(cloud->clock.clock.now(&cloud->clock), START + 100);
    later(cloud, -5);
    later(cloud, 0);
    assert_int_equal(cloud->clock.clock.now(&cloud->clock), START + 100);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, sim_cloud_begin, sim_cloud_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_machines_boot),
        TEST(test_deleted_machines_are_seen_as_gone_for_a_while),
        TEST(test_dead_members_can_stay),
        TEST(test_members_come_into_service),
        TEST(test_withdrawing_drains),
        TEST(test_capacity_of_a_zone),
        TEST(test_impaired_zone_makes_nothing_and_keeps_what_runs),
        TEST(test_new_machines_and_marks_are_seen_late),
        TEST(test_throttling),
        TEST(test_calls_take_time),
        TEST(test_unreachable_region_fails_without_effect),
        TEST(test_a_token_is_kept_beyond_its_machine),
        TEST(test_address_leaves_with_its_machine),
        TEST(test_stopped_and_failed_machines),
        TEST(test_lost_marks_make_a_machine_foreign),
        TEST(test_people_change_memberships),
        TEST(test_many_threads),
        TEST(test_sleeps_overlap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
