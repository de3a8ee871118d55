/*
 * Covers reconciler/apply*.c with the real planner on the simulated cloud: from nothing to what is
 * desired, a failed balancer replaced, everything stopped; and law 7: whatever call fails, before
 * or after it took effect, the next run leads to the desired state with no duplicate and no leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/sim/sim.h"
#include "reconciler/apply.h"
#include "reconciler/observe.h"
#include "reconciler/planner.h"

#define START  (INT64_C(1700000000) * 1000)
#define BOOT   20000
#define ROUNDS 4 /* runs until nothing may be left to do */

struct fixture {
    struct tt_arena arena;
    struct tt_sim_clock clock;
    struct tt_sim *sim;
    struct tt_account here, there;
    struct tt_deployment deployment;
    struct tt_service web;
    struct tt_balancer lb, edge;
    struct tt_desired desired;
    int parallelism;
    struct tt_store *store; /* NULL: none */
    /* the fault of the next run */
    int nth;
    enum tt_fault_moment moment;
    enum tt_error_class class;
};

static void add_account(struct fixture *f, struct tt_account *account, const char *name)
{
    static const char *const zones[] = {"a", "b", "c", NULL};

    *account = (struct tt_account){.name = name, .provider = TT_PROVIDER_SIM};
    tt_strings_add(&f->arena, &account->regions, "r");
    *TT_VEC_ADD(&f->arena, &f->desired.accounts) = account;
    tt_sim_add_region(f->sim, name, "r", zones);
}

static void make_desired(struct fixture *f)
{
    struct tt_arena *arena = &f->arena;

    f->desired = (struct tt_desired){
        .owner = "acme", .revision = "abc", .guard = {.max_destroy = 50, .max_vanished = 50}};
    add_account(f, &f->here, "here");
    add_account(f, &f->there, "there");
    tt_sim_add_balancer(f->sim, "here", "r", "elb", NULL);
    tt_sim_add_address(f->sim, "here", "r", "203.0.113.9");
    f->deployment = (struct tt_deployment){
        .name = "shop", .running = true, .prune = true, .guard = f->desired.guard};
    f->web = (struct tt_service){.name = "web",
                                 .deployment = &f->deployment,
                                 .port = 8080,
                                 .max_surge = {.value = 1},
                                 .drain = 30000};
    *TT_VEC_ADD(arena, &f->web.placements) = (struct tt_placement){
        .account = &f->here, .region = "r", .count = 3, .server = {.template = "web"}};
    *TT_VEC_ADD(arena, &f->web.placements) = (struct tt_placement){
        .account = &f->there, .region = "r", .count = 1, .server = {.template = "web"}};
    f->edge = (struct tt_balancer){
        .name = "edge",
        .deployment = &f->deployment,
        .type = TT_BALANCER_VM_DYNAMIC,
        .account = &f->here,
        .region = "r",
        .scope = TT_SCOPE_GLOBAL,
        .server = {.template = "lb"},
        .address = "203.0.113.9",
        .recovery = {.unhealthy_after = 3, .interval = 5000, .max_per_hour = 100}};
    f->lb = (struct tt_balancer){.name = "lb",
                                 .deployment = &f->deployment,
                                 .type = TT_BALANCER_CLOUD,
                                 .account = &f->here,
                                 .region = "r",
                                 .scope = TT_SCOPE_REGIONAL,
                                 .cloud_name = "elb"};
    *TT_VEC_ADD(arena, &f->deployment.services) = &f->web;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->edge;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->lb;
    *TT_VEC_ADD(arena, &f->web.balancers) = &f->edge;
    *TT_VEC_ADD(arena, &f->web.balancers) = &f->lb;
    *TT_VEC_ADD(arena, &f->desired.deployments) = &f->deployment;
}

/* LATE: the cloud shows what is new only after a while. */
static struct fixture *new_fixture(bool late)
{
    const struct tt_sim_options options = {.boot = BOOT,
                                           .into_service = 3000,
                                           .drain = 5000,
                                           .create_seen = late ? 7000 : 0,
                                           .tags_seen = late ? 9000 : 0};
    struct fixture *f = calloc(1, sizeof(*f));

    tt_sim_clock_init(&f->clock, START);
    f->sim = tt_sim_new(&f->clock.clock, &options);
    make_desired(f);
    f->parallelism = 4;
    return f;
}

static void free_fixture(struct fixture *f)
{
    tt_sim_free(f->sim);
    tt_arena_release(&f->arena);
    free(f);
}

static int setup(void **state)
{
    *state = new_fixture(false);
    return 0;
}

static int teardown(void **state)
{
    free_fixture(*state);
    return 0;
}

static void open_clouds(struct fixture *f, struct tt_arena *arena, struct tt_clouds *clouds,
                        bool faulty)
{
    TT_EACH (account, &f->desired.accounts) {
        struct tt_provider *provider =
            tt_sim_account(f->sim, arena, (*account)->name, f->desired.owner);

        if (faulty && *account == &f->here)
            provider = tt_decorate_fault(arena, provider, f->nth, f->moment, f->class);
        *TT_VEC_ADD(arena, &clouds->items) =
            (struct tt_cloud){.account = *account, .provider = provider};
    }
}

static struct tt_plan *make_plan(struct fixture *f, struct tt_arena *arena,
                                 struct tt_world **ret_world)
{
    const struct tt_plan_options plan_options = {0};
    const struct tt_observe_options observe_options = {0};
    struct tt_memory memory = {0};
    struct tt_clouds clouds = {0};
    struct tt_error err = {0};
    struct tt_plan *plan = NULL;
    tt_time now = f->clock.clock.now(f->clock.clock.self);

    open_clouds(f, arena, &clouds, false);
    *ret_world = tt_observe(arena, &clouds, &f->desired, &f->clock.clock, &observe_options);
    tt_clouds_close(&clouds);
    if ((f->store && tt_store_load_memory(f->store, arena, now, &memory, &err) < 0) ||
        tt_planner_plan(arena, &f->desired, *ret_world, &memory, now, &plan_options, &plan, &err) <
            0)
        fail_msg("%s", err.message);
    return plan;
}

/* One run; returns how many steps its plan had. */
static size_t run_once(struct fixture *f, bool faulty, struct tt_apply_outcome *ret_outcome)
{
    struct tt_arena arena = {0};
    struct tt_clouds clouds = {0};
    struct tt_error err = {0};
    struct tt_world *world;
    const struct tt_plan *plan = make_plan(f, &arena, &world);
    struct tt_apply_request request = {.desired = &f->desired,
                                       .world = world,
                                       .plan = plan,
                                       .clouds = &clouds,
                                       .clock = &f->clock.clock,
                                       .store = f->store,
                                       .parallelism = f->parallelism};
    size_t steps = plan->steps.count;

    open_clouds(f, &arena, &clouds, faulty);
    if (tt_apply(&arena, &request, ret_outcome, &err) < 0)
        fail_msg("%s", err.message);
    if (!faulty)
        for (size_t i = 0; i < steps; i++)
            if (ret_outcome->steps[i].state != TT_STEP_STATE_DONE)
                fail_msg("s%zu %s did not go: %s", i + 1,
                         tt_action_words[plan->steps.items[i].action],
                         ret_outcome->steps[i].error.message);
    ret_outcome->steps = NULL;
    tt_clouds_close(&clouds);
    tt_arena_release(&arena);
    return steps;
}

/* What the cloud itself says: every slot once, one machine of edge with its address, everybody in
 * both balancers, nothing else. */
static void check_world(struct fixture *f)
{
    struct tt_arena arena = {0};
    const struct tt_world *world = tt_sim_world(f->sim, &arena);
    const struct tt_region *here = tt_world_region(world, "here", "r");
    const struct tt_pool *pool = NULL;
    int slots[4] = {0}, edges = 0, total = 0;

    TT_EACH (account, &world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                if (server->state == TT_SERVER_GONE)
                    continue;
                total++;
                assert_int_equal(server->state, TT_SERVER_RUNNING);
                if (server->tags.service) {
                    assert_in_range(server->tags.slot, 0, 3);
                    slots[server->tags.slot]++;
                } else {
                    edges++;
                    pool = tt_region_pool(region, server->id);
                    assert_string_equal(here->addresses.items[0].server, server->id);
                }
            }
    assert_int_equal(edges, 1);
    assert_int_equal(total, 5);
    for (int i = 0; i < 4; i++)
        assert_int_equal(slots[i], 1);
    assert_non_null(pool);
    assert_int_equal(pool->members.count, 4);
    assert_int_equal(tt_region_balancer(here, "elb")->members.count, 3);
    tt_arena_release(&arena);
}

static void check_nothing_is_left(struct fixture *f)
{
    struct tt_arena arena = {0};
    const struct tt_world *world = tt_sim_world(f->sim, &arena);

    TT_EACH (account, &world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                assert_int_equal(server->state, TT_SERVER_GONE);
    assert_int_equal(tt_region_balancer(tt_world_region(world, "here", "r"), "elb")->members.count,
                     0);
    tt_arena_release(&arena);
}

static void converge(struct fixture *f)
{
    struct tt_apply_outcome outcome;

    for (int i = 0; i < ROUNDS; i++) {
        size_t steps = run_once(f, false, &outcome);

        /* a machine of a run before may still boot, which the planner waits for */
        f->clock.clock.sleep(f->clock.clock.self, BOOT);
        if (!steps && run_once(f, false, &outcome) == 0)
            return;
    }
    fail_msg("there is still something to do after %d runs", ROUNDS);
}

static void fail_edge(struct fixture *f)
{
    struct tt_arena arena = {0};
    const struct tt_world *world = tt_sim_world(f->sim, &arena);

    TT_EACH (server, &tt_world_region(world, "here", "r")->servers)
        if (server->tags.balancer && server->state == TT_SERVER_RUNNING)
            tt_sim_set_server_state(f->sim, "here", "r", server->id, TT_SERVER_FAILED);
    tt_arena_release(&arena);
}

static void it_is_made_repaired_and_stopped(void **state)
{
    struct fixture *f = *state;
    struct tt_apply_outcome outcome;

    assert_true(run_once(f, false, &outcome) > 0);
    check_world(f);
    assert_int_equal(run_once(f, false, &outcome), 0); /* law 1 */
    fail_edge(f);
    assert_true(run_once(f, false, &outcome) > 0);
    check_world(f);
    assert_int_equal(run_once(f, false, &outcome), 0);
    f->deployment.running = false;
    assert_true(run_once(f, false, &outcome) > 0);
    check_nothing_is_left(f);
    assert_int_equal(run_once(f, false, &outcome), 0);
}

static void many_workers_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct tt_apply_outcome outcome;

    f->parallelism = 64;
    f->web.placements.items[0].count = 200;
    assert_true(run_once(f, false, &outcome) >= 400);
    assert_int_equal(run_once(f, false, &outcome), 0);
    f->deployment.running = false;
    run_once(f, false, &outcome);
    check_nothing_is_left(f);
}

/* A cloud that lists for an hour what we deleted, as gone: with the store that is no loss. */
static void our_own_deletions_are_no_loss(void **state)
{
    const struct tt_sim_options options = {.boot = BOOT, .vanish = INT64_C(3600) * 1000};
    struct fixture *f = *state;
    char folder[] = "/tmp/tt-apply-sim-XXXXXX";
    struct tt_apply_outcome outcome;
    struct tt_error err = {0};

    assert_non_null(mkdtemp(folder));
    if (tt_store_open(folder, &f->store, &err) < 0)
        fail_msg("%s", err.message);
    tt_sim_set_options(f->sim, &options);
    for (int i = 0; i < 2; i++) {
        f->deployment.running = true;
        run_once(f, false, &outcome);
        assert_int_equal(run_once(f, false, &outcome), 0);
        check_world(f);
        f->deployment.running = false;
        run_once(f, false, &outcome);
        check_nothing_is_left(f);
    }
    tt_store_close(f->store);
    assert_int_equal(tt_remove_tree(folder, NULL), 0);
}

/* The three lives of the deployment, each with a fault in its way. */
enum life { BORN, REPAIRED, STOPPED };

static void live_through(enum life life, int nth, enum tt_fault_moment moment,
                         enum tt_error_class class)
{
    struct fixture *f = new_fixture(nth % 2);
    struct tt_apply_outcome outcome;

    f->nth = nth;
    f->moment = moment;
    f->class = class;
    if (life != BORN)
        converge(f);
    if (life == REPAIRED)
        fail_edge(f);
    if (life == STOPPED)
        f->deployment.running = false;
    run_once(f, true, &outcome);
    converge(f);
    if (life == STOPPED)
        check_nothing_is_left(f);
    else
        check_world(f);
    free_fixture(f);
}

static void survive(enum life life, int calls)
{
    const enum tt_error_class classes[] = {TT_ERR_TIMEOUT, TT_ERR_INTERNAL, TT_ERR_DENIED};

    for (int nth = 1; nth <= calls; nth++)
        for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
            live_through(life, nth, TT_FAULT_BEFORE, classes[i]);
            live_through(life, nth, TT_FAULT_AFTER, classes[i]);
        }
}

static void any_failing_call_at_birth_is_survived(void **state)
{
    (void)state;
    survive(BORN, 25);
}

static void any_failing_call_in_a_repair_is_survived(void **state)
{
    (void)state;
    survive(REPAIRED, 20);
}

static void any_failing_call_at_the_end_is_survived(void **state)
{
    (void)state;
    survive(STOPPED, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_made_repaired_and_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(many_workers_do_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(our_own_deletions_are_no_loss, setup, teardown),
        cmocka_unit_test(any_failing_call_at_birth_is_survived),
        cmocka_unit_test(any_failing_call_in_a_repair_is_survived),
        cmocka_unit_test(any_failing_call_at_the_end_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
