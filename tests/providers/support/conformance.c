/*
 * Conformance: the runner, and the tests of a machine's life, marks and attributes. Those of
 * balancers, addresses and commands are in conformance_balance.c.
 */
#include "tests/providers/support/conformance.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/world_json.h"
#include "providers/registry.h"
#include "tests/providers/support/conformance_tools.h"

#define THREADS 8

static void test_table_is_accepted(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_registry registry = {0};

    ok(tt_registry_add(&registry, test->provider->ops, &test->err));
    assert_ptr_equal(tt_registry_find(&registry, test->provider->ops->name), test->provider->ops);
}

static void test_life_cycle(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *id = make_server(test, 0, test->is.zones[0]);
    const struct tt_server *server = await_seen(test, id);

    assert_true(server->state == TT_SERVER_PENDING || server->state == TT_SERVER_RUNNING);
    assert_string_equal(server->name, "storefront-web-0");
    await_state(test, id, TT_SERVER_RUNNING);
    ok(tt_provider_delete_server(test->is.provider, test->is.region, id, &test->err));
    await_gone(test, id);
}

static void test_tags_and_attributes_are_read_back(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *id = make_server(test, 3, test->is.zones[1]);
    const struct tt_server *server = await_state(test, id, TT_SERVER_RUNNING);

    assert_string_equal(server->tags.owner, test->is.owner);
    assert_string_equal(server->tags.deployment, "storefront");
    assert_string_equal(server->tags.service, "web");
    assert_null(server->tags.balancer);
    assert_int_equal(server->tags.slot, 3);
    assert_string_equal(server->tags.incarnation, "inc-3");
    assert_string_equal(server->tags.spec, "0123456789abcdef");
    assert_string_equal(server->zone, test->is.zones[1]);
    assert_string_equal(server->template, test->is.template);
    assert_non_null(server->private_address);
    assert_true(server->created_at != TT_TIME_UNKNOWN);
    if (test->is.reads_back & TT_READS_SIZE)
        assert_string_equal(server->size, "small");
    if (test->is.reads_back & TT_READS_FIREWALLS) {
        assert_int_equal(server->firewalls->count, 1);
        assert_string_equal(server->firewalls->items[0], "web");
    }
    if (test->is.reads_back & TT_READS_KEY)
        assert_string_equal(server->key, "ops");
    if (test->is.reads_back & TT_READS_NETWORK)
        assert_string_equal(server->network, "prod");
}

static void test_each_zone_takes_machines(void **state)
{
    struct tt_conformance_test *test = *state;

    for (int i = 0; test->is.zones[i]; i++) {
        const char *id = make_server(test, i, test->is.zones[i]);

        assert_string_equal(await_seen(test, id)->zone, test->is.zones[i]);
        assert_non_null(tt_region_zone(look(test), test->is.zones[i]));
    }
}

static void test_addresses_differ(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *one = make_server(test, 0, test->is.zones[0]);
    const char *other = make_server(test, 1, test->is.zones[0]);

    assert_string_not_equal(one, other);
    assert_string_not_equal(await_state(test, one, TT_SERVER_RUNNING)->private_address,
                            await_state(test, other, TT_SERVER_RUNNING)->private_address);
}

static void test_same_token_makes_one_machine(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *first = make_server(test, 0, test->is.zones[0]);
    const char *second = make_server(test, 0, test->is.zones[0]);

    assert_string_equal(first, second);
    await_seen(test, first);
    assert_int_equal(count_owned(test), 1);
}

struct racer {
    struct tt_conformance_test *test;
    struct tt_arena arena;
    struct tt_error err;
    const char *id;
    int result;
};

/* No assertion here: cmocka knows the main thread alone. */
static void *race(void *self)
{
    struct racer *racer = self;
    struct made made;

    describe_server(racer->test, 0, racer->test->is.zones[0], &made);
    racer->result = tt_provider_create_server(racer->test->is.provider, &made.request,
                                              &racer->arena, &racer->id, &racer->err);
    return NULL;
}

static void test_same_token_from_many_threads(void **state)
{
    struct tt_conformance_test *test = *state;
    struct racer racers[THREADS] = {0};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        racers[i].test = test;
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        if (racers[i].result < 0)
            fail_msg("thread %d: %s", i, racers[i].err.message);
        assert_string_equal(racers[i].id, racers[0].id);
    }
    await_seen(test, racers[0].id);
    assert_int_equal(count_owned(test), 1);
    for (int i = 0; i < THREADS; i++)
        tt_arena_release(&racers[i].arena);
}

static void test_delete_is_idempotent(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *id = make_server(test, 0, test->is.zones[0]);

    ok(tt_provider_delete_server(test->is.provider, test->is.region, id, &test->err));
    ok(tt_provider_delete_server(test->is.provider, test->is.region, id, &test->err));
    await_gone(test, id);
    ok(tt_provider_delete_server(test->is.provider, test->is.region, id, &test->err));
}

static void test_foreign_machine_is_safe(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_provider *provider = test->is.provider;

    if (!test->is.foreign)
        skip();
    fails(test, TT_ERR_DENIED,
          tt_provider_delete_server(provider, test->is.region, test->is.foreign, &test->err));
    if (provider->ops->fence)
        fails(test, TT_ERR_DENIED,
              tt_provider_fence(provider, test->is.region, test->is.foreign, &test->err));
    assert_int_equal(tt_region_server(look_everywhere(test), test->is.foreign)->state,
                     TT_SERVER_RUNNING);
}

static void test_foreign_machine_is_seen_when_asked_for(void **state)
{
    struct tt_conformance_test *test = *state;

    if (!test->is.foreign)
        skip();
    assert_null(tt_region_server(look(test), test->is.foreign));
    assert_non_null(tt_region_server(look_for(test, test->is.foreign), test->is.foreign));
    assert_non_null(tt_region_server(look_for(test, test->is.foreign_name), test->is.foreign));
    assert_non_null(tt_region_server(look_everywhere(test), test->is.foreign));
}

static void test_another_owners_machine_is_safe(void **state)
{
    struct tt_conformance_test *test = *state;
    struct made made;
    const char *id;

    describe_server(test, 0, test->is.zones[0], &made);
    made.request.tags.owner = "somebody-else";
    ok(tt_provider_create_server(test->is.provider, &made.request, &test->arena, &id, &test->err));
    await_seen_by_all(test, id);
    assert_null(tt_region_server(look(test), id));
    fails(test, TT_ERR_DENIED,
          tt_provider_delete_server(test->is.provider, test->is.region, id, &test->err));
    assert_non_null(tt_region_server(look_everywhere(test), id));
}

static void test_unknown_things_are_refused(void **state)
{
    struct tt_conformance_test *test = *state;
    struct made made;
    const char *id = NULL;

    describe_server(test, 0, "no-such-zone", &made);
    fails(
        test, TT_ERR_SPEC,
        tt_provider_create_server(test->is.provider, &made.request, &test->arena, &id, &test->err));
    describe_server(test, 0, test->is.zones[0], &made);
    made.spec.template = "no-such-template";
    if (test->is.refuses_templates)
        fails(test, TT_ERR_SPEC,
              tt_provider_create_server(test->is.provider, &made.request, &test->arena, &id,
                                        &test->err));
    assert_null(id);
    assert_int_equal(count_owned(test), 0);
}

static void test_unknown_region_is_an_error(void **state)
{
    struct tt_conformance_test *test = *state;
    struct tt_observe_request request = {.region = "no-such-region", .owner = test->is.owner};
    struct tt_region region;
    struct made made;
    const char *id;

    fails(test, TT_ERR_SPEC,
          tt_provider_observe(test->is.provider, &request, &test->arena, &region, &test->err));
    describe_server(test, 0, NULL, &made);
    made.request.region = "no-such-region";
    fails(
        test, TT_ERR_SPEC,
        tt_provider_create_server(test->is.provider, &made.request, &test->arena, &id, &test->err));
}

static void test_accounts_are_apart(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *id = make_server(test, 0, test->is.zones[0]);
    struct tt_observe_request request = {
        .region = test->is.region, .owner = test->is.owner, .everything = true};
    struct tt_region region = {0};

    if (!test->is.other)
        skip();
    await_seen(test, id);
    ok(tt_provider_observe(test->is.other, &request, &test->arena, &region, &test->err));
    assert_null(tt_region_server(&region, id));
    tt_provider_delete_server(test->is.other, test->is.region, id, &test->err);
    assert_non_null(tt_region_server(look(test), id));
}

static const char *hash_of(struct tt_conformance_test *test)
{
    struct tt_world *world = world_of(test);

    tt_world_sort(world);
    for (size_t i = 1; i < world->accounts.items[0].regions.items[0].servers.count; i++) {
        const struct tt_server *servers = world->accounts.items[0].regions.items[0].servers.items;
        assert_true(strcmp(servers[i - 1].id, servers[i].id) < 0);
    }
    return tt_world_hash(&test->arena, world);
}

static void test_observations_of_the_same_are_the_same(void **state)
{
    struct tt_conformance_test *test = *state;
    const char *hash;

    for (int slot = 4; slot >= 0; slot--)
        await_state(test, make_server(test, slot, test->is.zones[slot % 2]), TT_SERVER_RUNNING);
    hash = hash_of(test);
    assert_string_equal(hash, hash_of(test));
}

static const struct CMUnitTest own_tests[] = {
    cmocka_unit_test(test_table_is_accepted),
    cmocka_unit_test(test_life_cycle),
    cmocka_unit_test(test_tags_and_attributes_are_read_back),
    cmocka_unit_test(test_each_zone_takes_machines),
    cmocka_unit_test(test_addresses_differ),
    cmocka_unit_test(test_same_token_makes_one_machine),
    cmocka_unit_test(test_same_token_from_many_threads),
    cmocka_unit_test(test_delete_is_idempotent),
    cmocka_unit_test(test_foreign_machine_is_safe),
    cmocka_unit_test(test_foreign_machine_is_seen_when_asked_for),
    cmocka_unit_test(test_another_owners_machine_is_safe),
    cmocka_unit_test(test_unknown_things_are_refused),
    cmocka_unit_test(test_unknown_region_is_an_error),
    cmocka_unit_test(test_accounts_are_apart),
    cmocka_unit_test(test_observations_of_the_same_are_the_same),
};

#define OWN_TESTS (sizeof(own_tests) / sizeof(own_tests[0]))

static int begin(void **state)
{
    const struct tt_conformance_provider *provider = *state;
    struct tt_conformance_test *test = calloc(1, sizeof(*test));

    if (!test)
        return -1;
    test->provider = provider;
    provider->begin(&test->is);
    *state = test;
    return 0;
}

/* Whoever owns them: a failed test leaves no machine either. */
static int end(void **state)
{
    struct tt_conformance_test *test = *state;

    sweep(test);
    test->provider->end(&test->is);
    tt_arena_release(&test->arena);
    free(test);
    return 0;
}

static struct CMUnitTest prepared(struct CMUnitTest test,
                                  const struct tt_conformance_provider *provider)
{
    test.setup_func = begin;
    test.teardown_func = end;
    test.initial_state = (void *)(uintptr_t)provider;
    return test;
}

int tt_conformance_run(const struct tt_conformance_provider *provider)
{
    struct CMUnitTest tests[OWN_TESTS + TT_CONFORMANCE_BALANCE_TESTS];

    for (size_t i = 0; i < OWN_TESTS; i++)
        tests[i] = prepared(own_tests[i], provider);
    for (size_t i = 0; i < TT_CONFORMANCE_BALANCE_TESTS; i++)
        tests[OWN_TESTS + i] = prepared(tt_conformance_balance_tests[i], provider);
    return cmocka_run_group_tests_name(provider->name, tests, NULL, NULL);
}
