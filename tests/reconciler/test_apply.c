/*
 * Covers reconciler/apply*.c: the way it should go, order, failed steps, the stop flag and the
 * shared waits, against a cloud in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/reconciler/support/apply_fixture.h"

/* --- the way it should go ----------------------------------------------------------------------
 */

static void an_empty_plan_is_done(void **state)
{
    struct fixture *f = *state;

    run_whole_plan(f);
    assert_int_equal(f->outcome.done, 0);
    assert_int_equal(f->toy.calls[TOY_OBSERVE], 0);
}

static void servers_are_made_and_enrolled(void **state)
{
    struct fixture *f = *state;
    const struct toy_machine *machine;

    for (int slot = 0; slot < 3; slot++)
        plan_add_arrival(f, slot, "lb");
    f->plan.steps.items[0].zone = "a";
    run_whole_plan(f);
    assert_int_equal(toy_count(&f->toy), 3);
    machine = toy_find(&f->toy, "shop-web-0");
    assert_non_null(machine);
    assert_int_equal(machine->state, TT_SERVER_RUNNING);
    assert_string_equal(machine->zone, "a");
    assert_string_equal(machine->tags.owner, "acme");
    assert_string_equal(machine->tags.deployment, "shop");
    assert_string_equal(machine->tags.service, "web");
    assert_null(machine->tags.balancer);
    assert_int_equal(machine->tags.slot, 0);
    assert_int_equal(strlen(machine->tags.incarnation), 12);
    assert_int_equal(strspn(machine->tags.incarnation, "0123456789abcdef"), 12);
    assert_string_equal(machine->tags.spec,
                        tt_server_spec_hash(&f->arena, &f->web.placements.items[0].server));
    assert_int_equal(toy_member(&f->toy, machine->id)->state, TT_MEMBER_IN_SERVICE);
    assert_string_not_equal(machine->tags.incarnation,
                            toy_find(&f->toy, "shop-web-1")->tags.incarnation);
}

static void a_new_run_makes_new_incarnations(void **state)
{
    struct fixture *f = *state;

    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    run_whole_plan(f);
    run_whole_plan(f);
    assert_int_equal(f->toy.machine_count, 2);
    assert_string_not_equal(f->toy.machines[0].tags.incarnation,
                            f->toy.machines[1].tags.incarnation);
}

static void members_leave_and_machines_go(void **state)
{
    struct fixture *f = *state;
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .service = "web"};
    struct tt_step *step;

    toy_add_machine(&f->toy, "i-old", &tags);
    f->toy.members[f->toy.member_count++] =
        (struct toy_member){.server = "i-old", .state = TT_MEMBER_IN_SERVICE};
    step = plan_add_step(f, TT_STEP_WITHDRAW, 0);
    step->balancer = "lb";
    step->server = "i-old";
    step = plan_add_step(f, TT_STEP_DELETE_SERVER, 0);
    step->server = "i-old";
    plan_after(f, 1, 0);
    run_whole_plan(f);
    assert_null(toy_member(&f->toy, "i-old"));
    assert_int_equal(toy_count(&f->toy), 0);
}

static void a_balancer_machine_gets_its_members(void **state)
{
    struct fixture *f = *state;
    int edge = plan_add_edge(f, TT_BECAUSE_MISSING);
    const struct toy_machine *machine;
    struct tt_step *far;

    plan_add_arrival(f, 0, "edge");
    plan_after(f, 2, edge);
    far = plan_add_step(f, TT_STEP_CREATE_SERVER, 1);
    far->account = "there";
    plan_add_step(f, TT_STEP_ENROLL, 1)->balancer = "edge";
    plan_after(f, 4, 3);
    plan_after(f, 4, edge);
    plan_add_step(f, TT_STEP_MOVE_ADDRESS, -1)->balancer = "edge";
    plan_after(f, 5, edge);
    f->plan.steps.items[5].subject = (struct tt_subject){
        .kind = TT_SUBJECT_LOAD_BALANCER, .deployment = "shop", .name = "edge", .slot = -1};
    run_whole_plan(f);
    machine = toy_find(&f->toy, "shop-edge");
    assert_non_null(machine);
    assert_string_equal(machine->tags.balancer, "edge");
    assert_null(machine->tags.service);
    assert_int_equal(machine->tags.slot, 0);
    assert_string_equal(f->toy.address_holder, machine->id);
    assert_int_equal(f->toy.member_count, 2);
    assert_string_equal(f->toy.members[0].machine, machine->id);
    /* at home by the private address, from elsewhere by the public one */
    assert_non_null(toy_member(&f->toy, toy_find(&f->toy, "shop-web-0")->private_address));
    assert_non_null(toy_member(&f->toy, toy_find(&f->far, "shop-web-1")->public_address));
    assert_string_equal(f->toy.members[0].service, "shop.web");
    assert_int_equal(f->toy.members[0].port, 8080);
}

static void a_member_without_a_public_address_says_so(void **state)
{
    struct fixture *f = *state;
    int edge = plan_add_edge(f, TT_BECAUSE_MISSING);

    f->far.no_public = true;
    plan_add_arrival(f, 1, "edge");
    f->plan.steps.items[1].account = "there";
    plan_after(f, 2, edge);
    run_plan(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_non_null(strstr(step_error(f, 2), "no public address"));
    assert_non_null(strstr(step_error(f, 2), "edge"));
}

static void a_machine_without_listProxy_is_believed(void **state)
{
    struct fixture *f = *state;
    int edge = plan_add_edge(f, TT_BECAUSE_MISSING);

    f->toy.no_list = true;
    plan_add_arrival(f, 0, "edge");
    plan_after(f, 2, edge);
    run_whole_plan(f);
    assert_int_equal(f->toy.member_count, 1);
}

/* --- order, failure, stopping ------------------------------------------------------------------
 */

static void a_failed_step_stops_only_what_follows(void **state)
{
    struct fixture *f = *state;

    plan_add_arrival(f, 0, "lb");
    plan_add_arrival(f, 1, "lb");
    f->plan.steps.items[0].account = "nowhere";
    plan_add_step(f, TT_STEP_TAG, 5);
    plan_after(f, 4, 1);
    run_plan(f);
    assert_int_equal(f->outcome.done, 2);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.skipped, 2);
    assert_non_null(strstr(step_error(f, 0), "account nowhere is not open"));
    assert_non_null(strstr(step_error(f, 1), "after step s1, which failed"));
    assert_non_null(strstr(step_error(f, 4), "after step s2"));
    assert_int_equal(f->outcome.steps[3].state, TT_STEP_STATE_DONE);
}

static void held_steps_stay_out(void **state)
{
    struct fixture *f = *state;

    plan_add_arrival(f, 0, "lb");
    plan_add_step(f, TT_STEP_CREATE_SERVER, 1);
    f->plan.steps.items[0].held = true;
    run_plan(f);
    assert_int_equal(f->outcome.held, 1);
    assert_int_equal(f->outcome.skipped, 1);
    assert_int_equal(f->outcome.done, 1);
    assert_null(toy_find(&f->toy, "shop-web-0"));
    assert_non_null(strstr(step_error(f, 1), "s1, which is held"));
}

static void impossible_plans_do_nothing(void **state)
{
    struct fixture *f = *state;

    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    plan_add_step(f, TT_STEP_CREATE_SERVER, 1);
    plan_after(f, 0, 1);
    plan_after(f, 1, 0);
    run_plan(f);
    assert_int_equal(f->outcome.skipped, 2);
    assert_int_equal(toy_count(&f->toy), 0);
    plan_after(f, 0, 7);
    assert_int_equal(tt_apply(&f->arena, &f->request, &f->outcome, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_SPEC);
}

/* A plan file may say anything. */
static void steps_that_say_too_little_are_refused(void **state)
{
    struct fixture *f = *state;
    const enum tt_action actions[] = {
        TT_STEP_START_SERVER, TT_STEP_DELETE_SERVER,    TT_STEP_ENROLL,       TT_STEP_WITHDRAW,
        TT_STEP_SET_ZONES,    TT_STEP_SET_LISTENERS,    TT_STEP_MOVE_ADDRESS, TT_STEP_FENCE,
        TT_STEP_TAG,          TT_STEP_SET_HEALTH_CHECK,
    };
    const char *const balancers[] = {"lb", "edge", "nothing", NULL};
    const int count = sizeof(actions) / sizeof(actions[0]);

    for (int i = 0; i < count * 4; i++)
        plan_add_step(f, actions[i % count], 0)->balancer = balancers[i / count];
    plan_add_step(f, TT_STEP_CREATE_SERVER, 0)->subject.name = "nothing";
    plan_add_step(f, TT_STEP_CREATE_SERVER, 0)->region = "nowhere";
    run_plan(f);
    for (int i = 0; i < count * 4 + 2; i++) {
        assert_int_equal(f->outcome.steps[i].state, TT_STEP_STATE_FAILED);
        assert_int_equal(f->outcome.steps[i].error.class, TT_ERR_SPEC);
        assert_true(strlen(step_error(f, i)) > 10);
    }
    for (int i = 0; i < TOY_CALLS; i++)
        assert_int_equal(f->toy.calls[i], 0);
}

/* Raises the stop flag when the first step begins. */
static void stop_at_once(void *self, int step, const struct tt_step_progress *progress)
{
    struct fixture *f = self;

    if (step == 0 && progress->state == TT_STEP_STATE_RUNNING)
        atomic_store(&f->stop, true);
}

static void a_stopped_run_finishes_what_runs(void **state)
{
    struct fixture *f = *state;

    for (int slot = 0; slot < 4; slot++)
        plan_add_arrival(f, slot, "lb");
    f->request.parallelism = 1;
    f->request.progress = stop_at_once;
    f->request.progress_self = f;
    run_plan(f);
    assert_true(f->outcome.stopped);
    assert_int_equal(f->outcome.done, 1);
    assert_int_equal(f->outcome.skipped, 7);
    assert_int_equal(toy_find(&f->toy, "shop-web-0")->state, TT_SERVER_RUNNING);
    assert_int_equal(toy_count(&f->toy), 1);
}

struct watcher {
    atomic_int inside;
    int waiting_notes, wrong;
    enum tt_step_state last[64];
};

static void watch(void *self, int step, const struct tt_step_progress *progress)
{
    struct watcher *watcher = self;

    watcher->wrong += atomic_fetch_add(&watcher->inside, 1) != 0;
    watcher->waiting_notes += strcmp(progress->note, "booting") == 0;
    watcher->wrong += progress->state < watcher->last[step];
    watcher->last[step] = progress->state;
    atomic_fetch_sub(&watcher->inside, 1);
}

static void progress_is_told_by_one_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct watcher watcher = {0};

    for (int slot = 0; slot < 20; slot++)
        plan_add_arrival(f, slot, "lb");
    f->toy.boot = 4;
    f->request.progress = watch;
    f->request.progress_self = &watcher;
    run_whole_plan(f);
    assert_int_equal(watcher.wrong, 0);
    assert_true(watcher.waiting_notes >= 1);
    for (int i = 0; i < 40; i++)
        assert_int_equal(watcher.last[i], TT_STEP_STATE_DONE);
}

static void the_limit_of_parallel_calls_holds(void **state)
{
    struct fixture *f = *state;

    for (int slot = 0; slot < 40; slot++)
        plan_add_step(f, TT_STEP_CREATE_SERVER, slot);
    f->toy.call_time = 2000;
    f->request.parallelism = 5;
    run_whole_plan(f);
    assert_true(f->toy.most_busy <= 5);
    assert_true(f->toy.most_busy > 1);
}

static void waits_share_their_observations(void **state)
{
    struct fixture *f = *state;

    for (int slot = 0; slot < 300; slot++)
        plan_add_arrival(f, slot, "lb");
    f->toy.boot = 5;
    f->request.parallelism = 64;
    run_whole_plan(f);
    assert_int_equal(toy_count(&f->toy), 300);
    assert_true(f->toy.calls[TOY_OBSERVE] < 100);
    assert_int_equal(f->far.calls[TOY_OBSERVE], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, apply_setup, apply_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_plan_is_done),
        TEST(servers_are_made_and_enrolled),
        TEST(a_new_run_makes_new_incarnations),
        TEST(members_leave_and_machines_go),
        TEST(a_balancer_machine_gets_its_members),
        TEST(a_member_without_a_public_address_says_so),
        TEST(a_machine_without_listProxy_is_believed),
        TEST(a_failed_step_stops_only_what_follows),
        TEST(held_steps_stay_out),
        TEST(impossible_plans_do_nothing),
        TEST(steps_that_say_too_little_are_refused),
        TEST(a_stopped_run_finishes_what_runs),
        TEST(progress_is_told_by_one_at_a_time),
        TEST(the_limit_of_parallel_calls_holds),
        TEST(waits_share_their_observations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
