/*
 * Order: cycles are told, and many that wait for many do not make the plan explode.
 */
#include "reconciler/planner/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "reconciler/planner.h"

#define MANY 2000

static void add_step(struct tt_arena *arena, struct tt_steps *steps, int slot, int after)
{
    struct tt_step *step = TT_VEC_ADD(arena, steps);

    *step = (struct tt_step){
        .action = TT_STEP_DELETE_SERVER,
        .subject = {.kind = TT_SUBJECT_SERVICE, .deployment = "shop", .name = "web", .slot = slot},
    };
    if (after >= 0)
        *TT_VEC_ADD(arena, &step->after) = after;
}

/* 4 waits for 3, which waits for 1, which waits for 2, which waits for 3. */
static void test_cycle_is_named(void **state)
{
    struct tt_steps steps = {0};
    struct tt_error err = {0};
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena);
    add_step(&arena, &steps, 4, 3);
    add_step(&arena, &steps, 1, 2);
    add_step(&arena, &steps, 2, 3);
    add_step(&arena, &steps, 3, 1);
    add_step(&arena, &steps, 5, -1);
    assert_int_equal(tt_order_sort(&arena, &steps, &err), -1);
    assert_int_equal(err.class, TT_ERR_INTERNAL);
    assert_non_null(strstr(err.message, "delete-server of Service/shop/web/1"));
    assert_non_null(strstr(err.message, "delete-server of Service/shop/web/2"));
    assert_non_null(strstr(err.message, "delete-server of Service/shop/web/3"));
    assert_null(strstr(err.message, "web/4"));
    assert_null(strstr(err.message, "web/5"));
    tt_arena_release(&arena);
}

static void test_nothing_to_sort(void **state)
{
    struct tt_steps steps = {0};
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena);
    assert_int_equal(tt_order_sort(&arena, &steps, NULL), 0);
    tt_arena_release(&arena);
}

/* --- two services, one of which depends on the other --------------------------------------------
 */

struct pair {
    struct tt_account account;
    struct tt_deployment deployment;
    struct tt_service services[2]; /* the first depends on the second */
    struct tt_balancer balancer;
    struct tt_desired desired;
    struct tt_world world;
};

static void make_pair(struct tt_arena *arena, struct pair *p, int count)
{
    struct tt_world_account *account = TT_VEC_ADD(arena, &p->world.accounts);
    struct tt_region *region = TT_VEC_ADD(arena, &account->regions);

    *account =
        (struct tt_world_account){.name = "cloud", .provider = "sim", .regions = account->regions};
    *region = (struct tt_region){.name = "east", .observed = true};
    *TT_VEC_ADD(arena, &region->zones) = (struct tt_zone){.name = "a", .state = TT_ZONE_AVAILABLE};
    p->account = (struct tt_account){.name = "cloud", .provider = TT_PROVIDER_SIM, .folder = ""};
    tt_strings_add(arena, &p->account.regions, "east");
    p->deployment =
        (struct tt_deployment){.name = "shop", .running = true, .prune = true, .guard = {100, 100}};
    for (int i = 0; i < 2; i++) {
        p->services[i] = (struct tt_service){.name = i ? "db" : "web",
                                             .deployment = &p->deployment,
                                             .port = 80,
                                             .max_surge = {1, false}};
        *TT_VEC_ADD(arena, &p->services[i].placements) = (struct tt_placement){
            .account = &p->account, .region = "east", .count = count, .server = {.template = "t"}};
        *TT_VEC_ADD(arena, &p->deployment.services) = &p->services[i];
    }
    *TT_VEC_ADD(arena, &p->services[0].depends_on) = &p->services[1];
    p->desired = (struct tt_desired){.owner = "acme", .revision = "r", .guard = {100, 100}};
    *TT_VEC_ADD(arena, &p->desired.accounts) = &p->account;
    *TT_VEC_ADD(arena, &p->desired.deployments) = &p->deployment;
}

/* Both services run COUNT servers behind a cloud balancer, and the deployment is to stop. */
static void stop_pair(struct tt_arena *arena, struct pair *p, int count)
{
    struct tt_region *region = &p->world.accounts.items[0].regions.items[0];
    struct tt_cloud_balancer *cloud = TT_VEC_ADD(arena, &region->balancers);

    p->balancer = (struct tt_balancer){
        .name = "edge",
        .deployment = &p->deployment,
        .type = TT_BALANCER_CLOUD,
        .cloud_name = "elb",
        .account = &p->account,
        .region = "east",
        .scope = TT_SCOPE_REGIONAL,
    };
    *TT_VEC_ADD(arena, &p->deployment.balancers) = &p->balancer;
    p->deployment.running = false;
    *cloud = (struct tt_cloud_balancer){.id = "elb", .name = "elb"};
    for (int i = 0; i < 2 * count; i++) {
        const char *id = tt_printf(arena, "i-%d", i);

        *TT_VEC_ADD(arena, &region->servers) = (struct tt_server){
            .id = id,
            .zone = "a",
            .state = TT_SERVER_RUNNING,
            .health = TT_HEALTH_PASSING,
            .tags = {.owner = "acme",
                     .deployment = "shop",
                     .service = p->services[i % 2].name,
                     .slot = i / 2},
        };
        *TT_VEC_ADD(arena, &cloud->members) =
            (struct tt_member){.server = id, .state = TT_MEMBER_IN_SERVICE};
    }
    for (int i = 0; i < 2; i++)
        *TT_VEC_ADD(arena, &p->services[i].balancers) = &p->balancer;
    tt_world_sort(&p->world);
}

static bool is_of(const struct tt_step *step, const char *service)
{
    return strcmp(step->subject.name, service) == 0;
}

/* How many steps of SERVICE the step STEP waits for, directly or not. */
static size_t count_before(struct tt_arena *arena, const struct tt_plan *plan, size_t step,
                           const char *service)
{
    bool *before = TT_NEW_ARRAY(arena, plan->steps.count, bool);
    size_t count = 0;

    before[step] = true;
    for (size_t i = step + 1; i-- > 0;)
        if (before[i]) {
            count += is_of(&plan->steps.items[i], service);
            TT_EACH (index, &plan->steps.items[i].after)
                before[*index] = true;
        }
    return count;
}

static void check_pair(int count, size_t most_edges)
{
    struct tt_plan_options options = {.world_hash = "-"};
    struct tt_memory memory = {0};
    struct tt_error err = {0};
    struct pair pair = {0};
    struct tt_arena arena;
    struct tt_plan *plan;
    size_t edges = 0;

    tt_arena_init(&arena);
    make_pair(&arena, &pair, count);
    assert_int_equal(
        tt_planner_plan(&arena, &pair.desired, &pair.world, &memory, 0, &options, &plan, &err), 0);
    assert_int_equal(plan->steps.count, 2 * count);
    for (size_t i = 0; i < plan->steps.count; i++) {
        edges += plan->steps.items[i].after.count;
        if (is_of(&plan->steps.items[i], "web") && (i % 16 == 0 || i < 4))
            assert_int_equal(count_before(&arena, plan, i, "db"), count);
    }
    assert_true(edges <= most_edges);
    tt_arena_release(&arena);
}

static void test_few_wait_for_few_each(void **state)
{
    (void)state;
    check_pair(20, 400);
}

/* A deployment that stops: nothing of db is touched before every server of web is gone. */
static void test_stop_in_reverse(void **state)
{
    struct tt_plan_options options = {.world_hash = "-"};
    struct tt_memory memory = {0};
    struct tt_error err = {0};
    struct pair pair = {0};
    struct tt_arena arena;
    struct tt_plan *plan;

    (void)state;
    tt_arena_init(&arena);
    make_pair(&arena, &pair, MANY);
    stop_pair(&arena, &pair, MANY);
    assert_int_equal(
        tt_planner_plan(&arena, &pair.desired, &pair.world, &memory, 0, &options, &plan, &err), 0);
    assert_int_equal(plan->steps.count, 4 * MANY);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (is_of(&plan->steps.items[i], "db") && i % 16 == 0)
            assert_int_equal(count_before(&arena, plan, i, "web"), 2 * MANY);
    tt_arena_release(&arena);
}

static void test_many_wait_for_many_through_one(void **state)
{
    (void)state;
    check_pair(MANY, 2 * MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycle_is_named),
        cmocka_unit_test(test_nothing_to_sort),
        cmocka_unit_test(test_few_wait_for_few_each),
        cmocka_unit_test(test_many_wait_for_many_through_one),
        cmocka_unit_test(test_stop_in_reverse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
