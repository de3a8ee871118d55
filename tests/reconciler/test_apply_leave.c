/*
 * Covers what apply does when members leave: how long their connections may take to end, and who
 * else was dropped by a stopProxy that knows the address alone (reconciler/apply_restore.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reconciler/observe.h"
#include "tests/reconciler/support/apply_fixture.h"

struct leaving {
    struct fixture *f;
    struct tt_service api; /* behind edge, too */
};

static int setup(void **state)
{
    struct leaving *l = calloc(1, sizeof(*l));
    struct fixture *f;
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .balancer = "edge", .slot = -1};

    if (apply_setup((void **)&l->f) < 0)
        return -1;
    f = l->f;
    l->api = (struct tt_service){
        .name = "api", .deployment = &f->deployment, .port = 9000, .drain = 7000};
    f->web.drain = 5000;
    *TT_VEC_ADD(&f->arena, &f->deployment.services) = &l->api;
    *TT_VEC_ADD(&f->arena, &f->web.balancers) = &f->edge;
    *TT_VEC_ADD(&f->arena, &f->web.balancers) = &f->lb;
    *TT_VEC_ADD(&f->arena, &l->api.balancers) = &f->edge;
    toy_add_machine(&f->toy, "i-edge", &tags);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct leaving *l = *state;
    void *f = l->f;

    free(l);
    return apply_teardown(&f);
}

/* A server of SERVICE at ADDRESS. */
static struct toy_machine *add_server(struct leaving *l, const char *id, const char *service,
                                      const char *address)
{
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .service = service, .slot = 0};
    struct toy_machine *machine = toy_add_machine(&l->f->toy, id, &tags);

    machine->private_address = address;
    return machine;
}

static void add_member(struct leaving *l, const char *service, const char *address, int port)
{
    struct toy *toy = &l->f->toy;

    toy->members[toy->member_count++] = (struct toy_member){.machine = "i-edge",
                                                            .service = service,
                                                            .server = address,
                                                            .port = port,
                                                            .state = TT_MEMBER_IN_SERVICE};
}

/* A step that takes SERVER, or the entry at ADDRESS, out of edge. */
static struct tt_step *plan_withdraw(struct leaving *l, const char *server, const char *address)
{
    struct tt_step *step = plan_add_step(l->f, TT_STEP_WITHDRAW, server ? 0 : -1);

    step->balancer = "edge";
    step->machine = "i-edge";
    step->server = server;
    step->address = address;
    return step;
}

static void apply_on_world(struct leaving *l)
{
    struct fixture *f = l->f;
    struct tt_observe_options options = {.skip_health = true};

    f->request.world = tt_observe(&f->arena, &f->clouds, &f->desired, &f->toy.clock, &options);
    run_whole_plan(f);
}

static bool has_member(const struct leaving *l, const char *service, const char *address, int port)
{
    const struct toy *toy = &l->f->toy;

    for (int i = 0; i < toy->member_count; i++)
        if (tt_streq(toy->members[i].service, service) && toy->members[i].port == port &&
            tt_streq(toy->members[i].server, address))
            return true;
    return false;
}

/* --- how long --------------------------------------------------------------------------------- */

static void a_member_that_lives_may_end_its_connections(void **state)
{
    struct leaving *l = *state;

    add_server(l, "i-1", "web", "10.0.0.1");
    add_member(l, "shop.web", "10.0.0.1", 8080);
    plan_withdraw(l, "i-1", "10.0.0.1:8080");
    apply_on_world(l);
    assert_int_equal(l->f->toy.drain, 5);
    assert_int_equal(l->f->toy.member_count, 0);
}

static void nobody_waits_for_a_dead_member(void **state)
{
    struct leaving *l = *state;

    add_server(l, "i-1", "web", "10.0.0.1")->state = TT_SERVER_FAILED;
    add_member(l, "shop.web", "10.0.0.1", 8080);
    plan_withdraw(l, "i-1", "10.0.0.1:8080");
    apply_on_world(l);
    assert_int_equal(l->f->toy.drain, 0);
    assert_int_equal(l->f->toy.member_count, 0);
}

static void nobody_waits_where_no_server_is(void **state)
{
    struct leaving *l = *state;

    add_member(l, "shop.web", "10.0.0.1", 8080);
    plan_withdraw(l, NULL, "10.0.0.1:8080");
    apply_on_world(l);
    assert_int_equal(l->f->toy.drain, 0);
}

static void a_cloud_is_told_the_same(void **state)
{
    struct leaving *l = *state;
    struct tt_step *step;

    add_server(l, "i-1", "web", "10.0.0.1")->state = TT_SERVER_STOPPED;
    step = plan_withdraw(l, "i-1", NULL);
    step->balancer = "lb";
    step->machine = NULL;
    apply_on_world(l);
    assert_int_equal(l->f->toy.drain, 0);
}

/* --- who else --------------------------------------------------------------------------------- */

/* web's server is gone, and api's new one got its address. */
static void share_an_address(struct leaving *l)
{
    add_server(l, "i-2", "api", "10.0.0.1");
    add_member(l, "shop.web", "10.0.0.1", 8080);
    add_member(l, "shop.api", "10.0.0.1", 9000);
    add_server(l, "i-3", "api", "10.0.0.3");
    add_member(l, "shop.api", "10.0.0.3", 9000);
    plan_withdraw(l, NULL, "10.0.0.1:8080");
    l->f->toy.old_stop = true;
}

static void who_was_dropped_with_it_is_started_again(void **state)
{
    struct leaving *l = *state;

    share_an_address(l);
    apply_on_world(l);
    assert_false(has_member(l, "shop.web", "10.0.0.1", 8080));
    assert_true(has_member(l, "shop.api", "10.0.0.1", 9000));
    assert_true(has_member(l, "shop.api", "10.0.0.3", 9000));
}

static void so_it_is_without_listProxy(void **state)
{
    struct leaving *l = *state;

    share_an_address(l);
    l->f->toy.no_list = true;
    apply_on_world(l);
    assert_false(has_member(l, "shop.web", "10.0.0.1", 8080));
    assert_true(has_member(l, "shop.api", "10.0.0.1", 9000));
}

static void who_leaves_as_well_is_not(void **state)
{
    struct leaving *l = *state;
    struct tt_step *step;

    share_an_address(l);
    step = plan_withdraw(l, "i-2", "10.0.0.1:9000");
    step->subject.name = "api";
    plan_after(l->f, 0, 1);
    apply_on_world(l);
    assert_false(has_member(l, "shop.api", "10.0.0.1", 9000));
}

static void who_is_no_member_is_not(void **state)
{
    struct leaving *l = *state;

    share_an_address(l);
    l->f->toy.members[1].port = 9001; /* of nobody that Git names */
    apply_on_world(l);
    assert_false(has_member(l, "shop.api", "10.0.0.1", 9000));
}

/* The port of web changes: the same server joins at the new one first. */
static void who_joined_in_this_run_is_started_again(void **state)
{
    struct leaving *l = *state;
    struct tt_step *join = plan_add_step(l->f, TT_STEP_ENROLL, 0);

    l->f->toy.old_stop = true;
    add_server(l, "i-1", "web", "10.0.0.1");
    add_member(l, "shop.web", "10.0.0.1", 80);
    join->balancer = "edge";
    join->machine = "i-edge";
    join->server = "i-1";
    plan_withdraw(l, "i-1", "10.0.0.1:80");
    plan_after(l->f, 1, 0);
    apply_on_world(l);
    assert_true(has_member(l, "shop.web", "10.0.0.1", 8080));
    assert_false(has_member(l, "shop.web", "10.0.0.1", 80));
}

/* The machine was that of a LoadBalancer that left Git, and is another one's, too. */
static void a_machine_that_is_given_back_goes_on_for_others(void **state)
{
    struct leaving *l = *state;

    share_an_address(l);
    l->f->edge.type = TT_BALANCER_VM_STATIC;
    l->f->edge.machine = "i-edge";
    l->f->plan.steps.items[0].balancer = "front";
    apply_on_world(l);
    assert_false(has_member(l, "shop.web", "10.0.0.1", 8080));
    assert_true(has_member(l, "shop.api", "10.0.0.1", 9000));
    /* now edge has another machine, and nobody is wanted at this one */
    l->f->edge.machine = "i-other";
    add_member(l, "shop.web", "10.0.0.1", 8080);
    l->f->plan.steps.items[0].balancer = "edge";
    apply_on_world(l);
    assert_false(has_member(l, "shop.web", "10.0.0.1", 8080));
    assert_false(has_member(l, "shop.api", "10.0.0.1", 9000));
}

/* --- what is remembered ----------------------------------------------------------------------- */

static size_t count_told(struct leaving *l)
{
    struct tt_memory memory = {0};

    assert_int_equal(
        tt_store_load_memory(l->f->request.store, &l->f->arena, 1, &memory, &l->f->err), 0);
    return memory.told.count;
}

static void what_a_silent_machine_was_told_is_kept_while_it_runs(void **state)
{
    struct leaving *l = *state;
    struct fixture *f = l->f;
    struct tt_step *join = plan_add_step(f, TT_STEP_ENROLL, 0);

    keep_journal(f);
    f->toy.no_list = true;
    add_server(l, "i-1", "web", "10.0.0.1");
    join->balancer = "edge";
    join->machine = "i-edge";
    join->server = "i-1";
    apply_on_world(l);
    assert_int_equal(count_told(l), 1);
    f->plan.steps.count = 0;
    apply_on_world(l);
    assert_int_equal(count_told(l), 1);
    plan_withdraw(l, "i-1", "10.0.0.1:8080");
    apply_on_world(l);
    assert_int_equal(count_told(l), 0);
    /* a machine that failed may have forgotten */
    f->plan.steps.items[0].action = TT_STEP_ENROLL;
    apply_on_world(l);
    assert_int_equal(count_told(l), 1);
    f->plan.steps.count = 0;
    toy_find(&f->toy, "i-edge")->state = TT_SERVER_FAILED;
    apply_on_world(l);
    assert_int_equal(count_told(l), 0);
}

static void one_that_lists_its_pool_needs_no_memory(void **state)
{
    struct leaving *l = *state;
    struct tt_step *join = plan_add_step(l->f, TT_STEP_ENROLL, 0);

    keep_journal(l->f);
    add_server(l, "i-1", "web", "10.0.0.1");
    join->balancer = "edge";
    join->machine = "i-edge";
    join->server = "i-1";
    apply_on_world(l);
    assert_int_equal(count_told(l), 0);
}

static size_t count_lent(struct leaving *l)
{
    tt_lent_members lent = {0};

    assert_int_equal(tt_store_read_lent(l->f->request.store, &l->f->arena, &lent, &l->f->err), 0);
    TT_EACH (item, &lent) {
        assert_string_equal(item->balancer, "edge");
        assert_string_equal(item->member.machine, "i-edge");
        assert_string_equal(item->member.service, "shop.web");
        assert_string_equal(item->member.address, "10.0.0.1");
        assert_int_equal(item->member.port, 8080);
    }
    return lent.count;
}

/* Nobody has asked for the member; memory follows what is there. */
static void what_a_static_machine_was_told_is_kept_until_it_is_gone(void **state)
{
    struct leaving *l = *state;
    struct fixture *f = l->f;
    struct tt_step *join = plan_add_step(f, TT_STEP_ENROLL, 0);

    keep_journal(f);
    f->edge.type = TT_BALANCER_VM_STATIC;
    f->edge.machine = "i-edge";
    add_server(l, "i-1", "web", "10.0.0.1");
    join->balancer = "edge";
    join->machine = "i-edge";
    join->server = "i-1";
    apply_on_world(l);
    assert_int_equal(count_lent(l), 1);
    plan_withdraw(l, "i-1", "10.0.0.1:8080");
    f->plan.steps.items[0] = f->plan.steps.items[1];
    f->plan.steps.count = 1;
    apply_on_world(l);
    assert_int_equal(count_lent(l), 0);
    /* what is there is known by the next run, even one that has nothing to do */
    add_member(l, "shop.web", "10.0.0.1", 8080);
    add_member(l, "other.app", "10.0.0.9", 80);
    f->plan.steps.count = 0;
    apply_on_world(l);
    assert_int_equal(count_lent(l), 1);
    /* as long as the machine cannot be reached, nobody can say */
    toy_find(&f->toy, "i-edge")->state = TT_SERVER_FAILED;
    apply_on_world(l);
    assert_int_equal(count_lent(l), 1);
    f->request.allow_vanished = true; /* Git names it */
    apply_on_world(l);
    assert_int_equal(count_lent(l), 1);
    f->edge.machine = "i-other";
    f->toy.now += 1000;
    apply_on_world(l);
    assert_int_equal(count_lent(l), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_member_that_lives_may_end_its_connections),
        TEST(nobody_waits_for_a_dead_member),
        TEST(nobody_waits_where_no_server_is),
        TEST(a_cloud_is_told_the_same),
        TEST(who_was_dropped_with_it_is_started_again),
        TEST(so_it_is_without_listProxy),
        TEST(who_leaves_as_well_is_not),
        TEST(who_is_no_member_is_not),
        TEST(who_joined_in_this_run_is_started_again),
        TEST(what_a_silent_machine_was_told_is_kept_while_it_runs),
        TEST(one_that_lists_its_pool_needs_no_memory),
        TEST(a_machine_that_is_given_back_goes_on_for_others),
        TEST(what_a_static_machine_was_told_is_kept_until_it_is_gone),
    };

    return cmocka_run_group_tests_name("apply leave", tests, NULL, NULL);
}
