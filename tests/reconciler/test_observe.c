/*
 * Covers reconciler/observe.c, observe_pools.c, clouds.c and parallel.c: unreachable regions, and
 * pools.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "reconciler/parallel.h"
#include "tests/reconciler/support/observe_fixture.h"

/* --- regions -----------------------------------------------------------------------------------
 */

static void what_was_not_seen_is_unreachable(void **state)
{
    struct fixture *f = *state;
    const struct tt_region *region;

    observe_add_server(f, "i-1", "web");
    f->far.fault.call = TOY_OBSERVE;
    f->far.fault.nth = 1;
    f->far.fault.times = 1000;
    f->far.fault.class = TT_ERR_DENIED;
    assert_non_null(observe_world(f, "i-1"));
    region = tt_world_region(f->world, "there", "r");
    assert_false(region->observed);
    assert_string_equal(region->error, "the test's fault");
    assert_int_equal(f->far.calls[TOY_OBSERVE], 1);
    assert_true(tt_world_region(f->world, "here", "r")->observed);
}

static void a_limit_hit_for_a_moment_hides_nothing(void **state)
{
    struct fixture *f = *state;

    f->far.fault.call = TOY_OBSERVE;
    f->far.fault.nth = 1;
    f->far.fault.times = 2;
    f->far.fault.class = TT_ERR_THROTTLED;
    observe_world(f, "");
    assert_true(tt_world_region(f->world, "there", "r")->observed);
}

static void an_account_that_is_not_open_is_unreachable(void **state)
{
    struct fixture *f = *state;

    f->clouds.items.items[1].provider = NULL;
    f->clouds.items.items[1].error = "cannot open account there: no such file";
    observe_world(f, "");
    assert_false(tt_world_region(f->world, "there", "r")->observed);
    assert_string_equal(tt_world_region(f->world, "there", "r")->error,
                        "cannot open account there: no such file");
}

static void only_some_accounts_are_asked(void **state)
{
    struct fixture *f = *state;
    struct tt_strings only = {0};

    tt_strings_add(&f->arena, &only, "there");
    f->options.only_accounts = &only;
    observe_world(f, "");
    assert_null(tt_world_region(f->world, "here", "r"));
    assert_int_equal(f->toy.calls[TOY_OBSERVE], 0);
    assert_int_equal(f->far.calls[TOY_OBSERVE], 1);
}

static void accounts_open_or_say_why(void **state)
{
    struct fixture *f = *state;
    struct tt_registry registry = {0};
    struct tt_clouds clouds;
    struct tt_clouds_request request = {
        .registry = &registry, .desired = &f->desired, .clock = &f->toy.clock};

    tt_clouds_open(&f->arena, &request, &clouds);
    assert_int_equal(clouds.items.count, 2);
    assert_null(tt_clouds_find(&clouds, "here"));
    assert_string_equal(tt_clouds_cloud(&clouds, "here")->error,
                        "cannot open account here: this trimtab has no provider local");
    tt_clouds_close(&clouds);
}

/* --- balancer machines ---------------------------------------------------------------------------
 */

static void set_member(struct fixture *f, const char *machine)
{
    f->toy.members[f->toy.member_count++] = (struct toy_member){.machine = machine,
                                                                .service = "shop.web",
                                                                .server = "10.0.0.4",
                                                                .port = 8080,
                                                                .state = TT_MEMBER_IN_SERVICE};
}

static void pools_are_read_from_their_machines(void **state)
{
    struct fixture *f = *state;
    struct tt_tags none = {.slot = -1};
    struct toy_machine *veteran = toy_add_machine(&f->toy, "i-9", &none);
    const struct tt_pool *pool;

    veteran->name = "veteran";
    observe_add_edge(f);
    toy_add_machine(&f->toy, "i-other", &none);
    set_member(f, "i-edge");
    set_member(f, "i-9");
    observe_world(f, "");
    pool = tt_region_pool(tt_world_region(f->world, "here", "r"), "i-edge");
    assert_non_null(pool);
    assert_int_equal(pool->members.count, 1);
    assert_string_equal(pool->members.items[0].service, "shop.web");
    assert_string_equal(pool->members.items[0].address, "10.0.0.4");
    assert_int_equal(pool->members.items[0].port, 8080);
    assert_int_equal(pool->members.items[0].state, TT_MEMBER_IN_SERVICE);
    /* by its name, as the LoadBalancer says */
    assert_non_null(tt_region_pool(tt_world_region(f->world, "here", "r"), "i-9"));
    assert_int_equal(tt_world_region(f->world, "here", "r")->pools.count, 2);
}

static void an_image_without_listProxy_has_no_pool(void **state)
{
    struct fixture *f = *state;

    observe_add_edge(f);
    f->toy.no_list = true;
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(tt_world_region(f->world, "here", "r")->pools.count, 0);
    assert_true(tt_world_region(f->world, "here", "r")->observed);
}

static void a_machine_that_does_not_answer_fails(void **state)
{
    struct fixture *f = *state;

    observe_add_edge(f);
    observe_fail_run(f, 1000, TT_ERR_UNAVAILABLE);
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_FAILING);
    assert_int_equal(f->toy.calls[TOY_RUN], 2); /* recovery.unhealthyAfter */
}

static void a_machine_that_answers_late_does_not_fail(void **state)
{
    struct fixture *f = *state;

    observe_add_edge(f);
    observe_fail_run(f, 1, TT_ERR_UNAVAILABLE);
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(tt_world_region(f->world, "here", "r")->pools.count, 1);
}

static void within_its_grace_a_machine_boots(void **state)
{
    struct fixture *f = *state;
    struct toy_machine *machine = observe_add_edge(f);

    observe_fail_run(f, 1000, TT_ERR_UNAVAILABLE);
    machine->created_at = f->toy.now - 59000;
    assert_int_equal(observe_world(f, "i-edge")->state, TT_SERVER_PENDING);
    assert_int_equal(f->toy.calls[TOY_RUN], 1);
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_UNKNOWN);
    machine->created_at = f->toy.now - 61000;
    assert_int_equal(observe_world(f, "i-edge")->state, TT_SERVER_RUNNING);
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_FAILING);
    /* a cloud's clock is ahead by a minute, not by an hour */
    machine->created_at = f->toy.now + 59000;
    assert_int_equal(observe_world(f, "i-edge")->state, TT_SERVER_PENDING);
    machine->created_at = f->toy.now + 3600000;
    assert_int_equal(observe_world(f, "i-edge")->health, TT_HEALTH_FAILING);
}

/* That we may not ask is no failure of the machine: nothing there may be touched. */
static void being_refused_is_being_blind(void **state)
{
    struct fixture *f = *state;
    const struct tt_region *region;

    observe_add_edge(f);
    observe_fail_run(f, 1000, TT_ERR_DENIED);
    observe_world(f, "");
    region = tt_world_region(f->world, "here", "r");
    assert_false(region->observed);
    assert_non_null(strstr(region->error, "cannot read the pool of balancer machine i-edge"));
    assert_int_equal(region->servers.count, 0);
}

/* --- parallel ------------------------------------------------------------------------------------
 */

static void count_visit(void *self, size_t index)
{
    atomic_int *visits = self;

    atomic_fetch_add(&visits[index], 1);
}

static void every_item_is_visited_once(void **state)
{
    atomic_int visits[500] = {0};

    (void)state;
    tt_parallel(NULL, 500, 16, count_visit, visits);
    for (int i = 0; i < 500; i++)
        assert_int_equal(visits[i], 1);
    tt_parallel(NULL, 0, 16, count_visit, visits);
    tt_parallel(NULL, 1, 1, count_visit, visits);
    assert_int_equal(visits[0], 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, observe_setup, observe_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_not_seen_is_unreachable),
        TEST(a_limit_hit_for_a_moment_hides_nothing),
        TEST(an_account_that_is_not_open_is_unreachable),
        TEST(only_some_accounts_are_asked),
        TEST(accounts_open_or_say_why),
        TEST(pools_are_read_from_their_machines),
        TEST(an_image_without_listProxy_has_no_pool),
        TEST(a_machine_that_does_not_answer_fails),
        TEST(a_machine_that_answers_late_does_not_fail),
        TEST(within_its_grace_a_machine_boots),
        TEST(being_refused_is_being_blind),
        TEST(every_item_is_visited_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
