/*
 * The floor against brute force: every moment of every execution of small plans.
 *
 * The states that an execution can stop in are the down-sets of the step graph. Here all of them
 * are carried out in the playground, one after another, and the members that serve are counted by
 * the words of the design (support/serving.h): the least of these counts must be the floor that
 * prove.h and closure.h find by flow. First for the plans of generated cases as they are, of which
 * none is refused; then with some of their edges taken away, and with machines deleted or zones
 * taken out that nobody left, so that there are floors that no planner would leave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reconciler/planner/balance.h"
#include "reconciler/planner/balance_zones.h"
#include "reconciler/planner/diff.h"
#include "reconciler/planner/order.h"
#include "reconciler/planner/place.h"
#include "reconciler/planner/prove.h"
#include "support/generate.h"
#include "support/generate_more.h"
#include "support/serving.h"

#define STEPS     16 /* of a plan that is searched */
#define DOWN_SETS 6000
#ifdef __SANITIZE_ADDRESS__
#define CASES 1500 /* with sanitizers a case takes ten times as long */
#else
#define CASES 6000
#endif
#define FLOORS 16

/* What a plan is made worse by. */
enum harm { NO_HARM, EDGES_DROPPED, NOBODY_LEAVES };

struct search {
    struct tt_arena arena;
    struct tt_case what;
    struct tt_view *view;
    struct tt_steps steps;
    struct tt_floors floors;
    struct tt_plan plan; /* the steps and floors, as the playground wants them */
    const char *serving[FLOORS];
    int least[FLOORS];
    int down_sets;
    bool refused; /* by tt_prove */
    uint64_t random;
};

static unsigned draw(struct search *s, unsigned sides)
{
    s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(s->random >> 33) % sides;
}

/* A case of few machines, so that its plan has few steps. */
static void make_case(struct search *s, uint64_t seed)
{
    struct tt_shrink shrink = {.services = ~(1u << draw(s, 2)), .balancers = ~(1u << draw(s, 4))};

    for (int i = 0; i < TT_GENERATE_SERVERS; i++)
        shrink.servers |= (uint64_t)(draw(s, 3) == 0) << i;
    tt_generate(&s->arena, seed, &shrink, &s->what);
    if (draw(s, 2))
        tt_generate_more(&s->arena, seed, &s->what);
}

/* The stages of the planner but for the last. */
static void make_steps(struct search *s)
{
    s->view = tt_view_new(&s->arena, s->what.desired, s->what.world, s->what.memory, s->what.now,
                          s->what.options);
    tt_balance(s->view);
    tt_place(s->view);
    tt_balance_zones(s->view);
    tt_order(s->view, tt_diff(s->view), &s->steps);
    assert_int_equal(tt_order_sort(&s->arena, &s->steps, NULL), 0);
}

static bool is_enrolled_before(const struct search *s, const struct tt_step *leaving)
{
    TT_EACH (step, &s->steps)
        if (step->action == TT_STEP_ENROLL && leaving->server && step->server &&
            strcmp(step->server, leaving->server) == 0)
            return true;
    return false;
}

/* Withdraws, and in every other case deletes too, do nothing. Whom the plan itself enrols leaves as
 * planned: a proof need not know of one that joins and is then deleted out of its pool. */
static void let_nobody_leave(struct search *s)
{
    bool deletes = draw(s, 2);

    for (size_t i = 0; i < s->steps.count; i++) {
        struct tt_step *step = &s->steps.items[i];

        if (step->subject.kind == TT_SUBJECT_SERVICE &&
            ((step->action == TT_STEP_WITHDRAW && !is_enrolled_before(s, step)) ||
             (deletes && step->action == TT_STEP_DELETE_SERVER)))
            step->action = TT_STEP_FENCE;
    }
}

/* Without these a step could not be carried out at all, or take away twice what is there once: an
 * enroll waits for the machines that the plan makes or starts, a delete for the withdraws of its
 * server, and the zones for what leaves them. Whoever joins in a new zone waits for it: that is a
 * law of its own (moment_laws.c), which the floor takes for granted. */
static bool is_needed(const struct tt_step *step, const struct tt_step *earlier)
{
    if (earlier->action == TT_STEP_SET_ZONES)
        return true;
    if (step->action == TT_STEP_ENROLL)
        return earlier->action == TT_STEP_CREATE_SERVER || earlier->action == TT_STEP_START_SERVER;
    if (step->action == TT_STEP_SET_ZONES)
        return earlier->action != TT_STEP_FENCE; /* one of let_nobody_leave */
    return step->action == TT_STEP_DELETE_SERVER && earlier->action == TT_STEP_WITHDRAW &&
           strcmp(step->server, earlier->server ? earlier->server : "") == 0;
}

static void drop_edges(struct search *s)
{
    for (size_t i = 0; i < s->steps.count; i++) {
        struct tt_step *step = &s->steps.items[i];
        size_t kept = 0;

        for (size_t j = 0; j < step->after.count; j++)
            if (is_needed(step, &s->steps.items[step->after.items[j]]) || draw(s, 3) != 0)
                step->after.items[kept++] = step->after.items[j];
        step->after.count = kept;
    }
}

static void make_plan(struct search *s)
{
    struct tt_error err = {0};

    s->floors = (struct tt_floors){0};
    s->refused = tt_prove(&s->arena, s->view, &s->steps, &s->floors, &err) < 0;
    if (s->refused)
        assert_non_null(strstr(err.message, "this is a bug in the planner"));
    s->plan = (struct tt_plan){.world = "", .revision = ""};
    s->plan.steps.items = s->steps.items;
    s->plan.steps.count = s->steps.count;
    s->plan.floors.items = s->floors.items;
    s->plan.floors.count = s->floors.count;
}

static void count_serving(struct search *s, struct tt_playground *ground)
{
    for (size_t i = 0; i < s->floors.count; i++) {
        int serving = tt_serving_count(ground, &s->floors.items[i], s->serving[i]);

        if (serving < s->least[i])
            s->least[i] = serving;
    }
}

/* Decides about step NEXT and those after it, in GROUND, where the steps of DONE were carried out;
 * false: there are too many down-sets. */
static bool visit(struct search *s, struct tt_playground *ground, uint32_t done, size_t next)
{
    struct tt_playground with;
    uint32_t needs = 0;

    if (next == s->steps.count) {
        count_serving(s, ground);
        return ++s->down_sets < DOWN_SETS;
    }
    TT_EACH (index, &s->steps.items[next].after)
        needs |= UINT32_C(1) << *index;
    if ((needs & done) == needs) {
        tt_playground_init(&with, &s->arena, s->what.desired, &ground->world, &s->plan);
        memcpy(with.made, ground->made, s->steps.count * sizeof(*with.made));
        tt_playground_step(&with, (int)next);
        if (!visit(s, &with, done | UINT32_C(1) << next, next + 1))
            return false;
    }
    return visit(s, ground, done, next + 1);
}

/* Finds the least count of every floor of the steps; false: there was nothing to search. */
static bool search(struct search *s)
{
    struct tt_playground ground;

    if (s->steps.count > STEPS || !s->steps.count)
        return false;
    make_plan(s);
    if (!s->floors.count || s->floors.count > FLOORS)
        return false;
    tt_playground_init(&ground, &s->arena, s->what.desired, s->what.world, &s->plan);
    for (size_t i = 0; i < s->floors.count; i++) {
        const struct tt_balancer *balancer = tt_floor_balancer(&ground, &s->floors.items[i]);

        if (balancer->type != TT_BALANCER_CLOUD)
            s->serving[i] = tt_serving_machine(&ground, balancer, NULL);
        s->least[i] = 1000;
    }
    return visit(s, &ground, 0, 0);
}

/* Compares every floor of the case; false: there was nothing to compare, or one is wrong. */
static bool compare_case(struct search *s, uint64_t seed, enum harm harm)
{
    s->random = seed * UINT64_C(0x9e3779b97f4a7c15);
    make_case(s, seed);
    make_steps(s);
    if (harm == NOBODY_LEAVES)
        let_nobody_leave(s);
    if (harm != NO_HARM)
        drop_edges(s);
    if (!search(s))
        return false;
    for (size_t i = 0; i < s->floors.count; i++)
        if (s->least[i] != s->floors.items[i].floor) {
            print_error("seed %llu: %s behind %s falls to %d, its floor is said to be %d\n",
                        (unsigned long long)seed, s->floors.items[i].service,
                        s->floors.items[i].balancer, s->least[i], s->floors.items[i].floor);
            return false;
        }
    return true;
}

/* Compares CASES cases, from the seed FIRST on; how many plans were refused. */
static int compare(enum harm harm, uint64_t first)
{
    int compared = 0, down_sets = 0, wrong = 0, refused = 0;

    for (uint64_t seed = first; seed < first + CASES; seed++) {
        struct search s = {0};

        tt_arena_init(&s.arena);
        if (compare_case(&s, seed, harm)) {
            compared++;
            refused += s.refused;
            down_sets += s.down_sets;
        } else if (s.down_sets && s.down_sets < DOWN_SETS) {
            wrong++;
        }
        tt_arena_release(&s.arena);
    }
    print_message("%d step graphs, %d down-sets, %d refused\n", compared, down_sets, refused);
    assert_int_equal(wrong, 0);
    assert_true(compared > CASES / 10);
    return refused;
}

static void test_plans(void **state)
{
    (void)state;
    assert_int_equal(compare(NO_HARM, 1), 0);
}

static void test_plans_without_some_edges(void **state)
{
    (void)state;
    assert_true(compare(EDGES_DROPPED, 1) > 0);
}

/* Of these one withdraws, from the machine that takes over, a member that may not have joined it.
 */
static void test_withdraws_without_their_enroll(void **state)
{
    (void)state;
    assert_true(compare(EDGES_DROPPED, 18001) > 0);
}

static void test_plans_in_which_nobody_leaves(void **state)
{
    (void)state;
    assert_true(compare(NOBODY_LEAVES, 12001) > 0); /* with zones taken out, which is rare */
}

/* A machine that goes later does not take over from one that went, be the new one empty. */
static void test_an_empty_machine_takes_over(void **state)
{
    struct search s = {0};

    (void)state;
    tt_arena_init(&s.arena);
    assert_true(compare_case(&s, 53215, NOBODY_LEAVES));
    assert_int_equal(s.floors.items[0].floor, 0);
    tt_arena_release(&s.arena);
}

/* --- a case by hand -------------------------------------------------------------------------- */

/* A cloud balancer that is to have zone a alone, before one server. */
static struct tt_desired *desire_zone_a(struct tt_arena *arena)
{
    struct tt_desired *desired = TT_NEW(arena, struct tt_desired);
    struct tt_account *account = TT_NEW(arena, struct tt_account);
    struct tt_deployment *deployment = TT_NEW(arena, struct tt_deployment);
    struct tt_service *service = TT_NEW(arena, struct tt_service);
    struct tt_balancer *balancer = TT_NEW(arena, struct tt_balancer);

    *account = (struct tt_account){.name = "cloud", .provider = TT_PROVIDER_SIM, .folder = ""};
    *deployment =
        (struct tt_deployment){.name = "shop", .running = true, .prune = true, .guard = {100, 100}};
    *balancer = (struct tt_balancer){.name = "edge",
                                     .deployment = deployment,
                                     .type = TT_BALANCER_CLOUD,
                                     .account = account,
                                     .region = "east",
                                     .scope = TT_SCOPE_DATA_CENTER,
                                     .cloud_name = "elb"};
    *service = (struct tt_service){
        .name = "web", .deployment = deployment, .port = 80, .max_surge = {1, false}};
    *desired = (struct tt_desired){.owner = "acme", .revision = "r", .guard = {100, 100}};
    tt_strings_add(arena, &account->regions, "east");
    tt_strings_add(arena, &balancer->zones, "a");
    *TT_VEC_ADD(arena, &service->placements) = (struct tt_placement){
        .account = account, .region = "east", .count = 1, .server = {.template = "v1"}};
    *TT_VEC_ADD(arena, &service->balancers) = balancer;
    *TT_VEC_ADD(arena, &deployment->services) = service;
    *TT_VEC_ADD(arena, &deployment->balancers) = balancer;
    *TT_VEC_ADD(arena, &desired->accounts) = account;
    *TT_VEC_ADD(arena, &desired->deployments) = deployment;
    return desired;
}

/* It has the zones a and b, and the server serves in b. */
static struct tt_world *observe_zone_b(struct tt_arena *arena)
{
    struct tt_world *world = TT_NEW(arena, struct tt_world);
    struct tt_strings *zones = TT_NEW(arena, struct tt_strings);
    struct tt_world_account *account = TT_VEC_ADD(arena, &world->accounts);
    struct tt_region *region = TT_VEC_ADD(arena, &account->regions);
    struct tt_cloud_balancer *cloud = TT_VEC_ADD(arena, &region->balancers);

    account->name = "cloud";
    account->provider = "sim";
    region->name = "east";
    region->observed = true;
    tt_strings_add(arena, zones, "a");
    tt_strings_add(arena, zones, "b");
    TT_EACH (zone, zones)
        *TT_VEC_ADD(arena, &region->zones) =
            (struct tt_zone){.name = *zone, .state = TT_ZONE_AVAILABLE};
    *TT_VEC_ADD(arena, &region->servers) = (struct tt_server){
        .id = "i-0",
        .zone = "b",
        .state = TT_SERVER_RUNNING,
        .health = TT_HEALTH_PASSING,
        .template = "v1",
        .private_address = "10.0.0.1",
        .tags = {.owner = "acme", .deployment = "shop", .service = "web", .slot = 0},
    };
    *cloud = (struct tt_cloud_balancer){.id = "elb", .name = "elb", .zones = zones};
    *TT_VEC_ADD(arena, &cloud->members) =
        (struct tt_member){.server = "i-0", .state = TT_MEMBER_IN_SERVICE};
    return world;
}

/* One serves now. */
static void check_floor(const struct search *s, int floor, int end)
{
    const struct tt_floor *only = s->floors.items;

    assert_int_equal(s->floors.count, 1);
    if (!only)
        return;
    assert_int_equal(only->now, 1);
    assert_int_equal(only->floor, floor);
    assert_int_equal(only->end, end);
    assert_int_equal(s->least[0], floor);
}

/* A zone that is taken out takes those with it who did not leave: nobody in the plan as it is; the
 * old server when it never leaves, at first after the new one joined, then perhaps before. */
static void test_zone_takes_its_members(void **state)
{
    static const struct tt_memory memory = {0};
    static const struct tt_plan_options options = {.world_hash = "-"};
    struct search s = {0};

    (void)state;
    tt_arena_init(&s.arena);
    s.what = (struct tt_case){.desired = desire_zone_a(&s.arena),
                              .world = observe_zone_b(&s.arena),
                              .memory = &memory,
                              .options = &options};
    make_steps(&s);
    assert_true(search(&s));
    check_floor(&s, 1, 1);
    assert_false(s.refused);
    TT_EACH (step, &s.steps)
        if (step->action == TT_STEP_WITHDRAW || step->action == TT_STEP_DELETE_SERVER)
            step->action = TT_STEP_FENCE;
    assert_true(search(&s));
    check_floor(&s, 1, 1);
    assert_false(s.refused);
    TT_EACH (step, &s.steps)
        if (step->action == TT_STEP_FENCE)
            step->after.count = 0;
    assert_true(search(&s));
    check_floor(&s, 0, 1);
    assert_true(s.refused);
    tt_arena_release(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_plans_without_some_edges),
        cmocka_unit_test(test_withdraws_without_their_enroll),
        cmocka_unit_test(test_plans_in_which_nobody_leaves),
        cmocka_unit_test(test_an_empty_machine_takes_over),
        cmocka_unit_test(test_zone_takes_its_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
