/*
 * Covers reconciler/observe*.c, clouds.c and parallel.c: unreachable regions, pools, and the
 * verdicts of health checks, with machines in memory whose ports are real ones of the loopback.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "reconciler/observe.h"
#include "reconciler/parallel.h"
#include "tests/reconciler/support/toy.h"

struct fixture {
    struct tt_arena arena;
    struct toy toy, far;
    struct tt_account here, there;
    struct tt_deployment deployment;
    struct tt_health_check check;
    struct tt_service web;
    struct tt_balancer edge, old; /* vm-dynamic, vm-static */
    struct tt_listeners listeners;
    struct tt_desired desired;
    struct tt_clouds clouds;
    struct tt_observe_options options;
    int listener; /* a socket that listens at web's port */
    int closed_port;
    struct tt_world *world;
};

static int open_port(int *ret_port, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    if (listening)
        assert_int_equal(listen(fd, 100), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct tt_arena *arena = &f->arena;

    toy_init(&f->toy);
    toy_init(&f->far);
    f->here = (struct tt_account){.name = "here", .provider = TT_PROVIDER_LOCAL};
    f->there = (struct tt_account){.name = "there", .provider = TT_PROVIDER_SIM};
    tt_strings_add(arena, &f->here.regions, "r");
    tt_strings_add(arena, &f->there.regions, "r");
    f->deployment = (struct tt_deployment){.name = "shop", .running = true};
    f->check = (struct tt_health_check){
        .interval = 10000, .timeout = 2000, .unhealthy_after = 3, .grace = 60000};
    f->web = (struct tt_service){.name = "web", .deployment = &f->deployment, .health = &f->check};
    f->listener = open_port(&f->web.port, true);
    close(open_port(&f->closed_port, false));
    f->edge = (struct tt_balancer){.name = "edge",
                                   .deployment = &f->deployment,
                                   .type = TT_BALANCER_VM_DYNAMIC,
                                   .account = &f->here,
                                   .region = "r",
                                   .recovery = {.unhealthy_after = 2, .interval = 5000}};
    f->old = (struct tt_balancer){.name = "old",
                                  .deployment = &f->deployment,
                                  .type = TT_BALANCER_VM_STATIC,
                                  .account = &f->here,
                                  .region = "r",
                                  .machine = "veteran"};
    *TT_VEC_ADD(arena, &f->deployment.services) = &f->web;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->edge;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->old;
    f->desired = (struct tt_desired){.owner = "acme", .revision = "abc"};
    *TT_VEC_ADD(arena, &f->desired.accounts) = &f->here;
    *TT_VEC_ADD(arena, &f->desired.accounts) = &f->there;
    *TT_VEC_ADD(arena, &f->desired.deployments) = &f->deployment;
    toy_add(arena, &f->clouds, &f->here, &f->toy);
    toy_add(arena, &f->clouds, &f->there, &f->far);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close(f->listener);
    toy_release(&f->toy);
    toy_release(&f->far);
    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

static struct toy_machine *add_server(struct fixture *f, const char *id, const char *service)
{
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .service = service};
    struct toy_machine *machine = toy_add_machine(&f->toy, id, &tags);

    machine->private_address = "127.0.0.1";
    return machine;
}

static struct toy_machine *add_edge_machine(struct fixture *f)
{
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .balancer = "edge"};
    struct toy_machine *machine = toy_add_machine(&f->toy, "i-edge", &tags);

    machine->private_address = "127.0.0.1";
    return machine;
}

static const struct tt_server *observe(struct fixture *f, const char *id)
{
    const struct tt_region *region;

    f->world = tt_observe(&f->arena, &f->clouds, &f->desired, &f->toy.clock, &f->options);
    region = tt_world_region(f->world, "here", "r");
    return region ? tt_region_server(region, id) : NULL;
}

/* --- regions -----------------------------------------------------------------------------------
 */

static void what_was_not_seen_is_unreachable(void **state)
{
    struct fixture *f = *state;
    const struct tt_region *region;

    add_server(f, "i-1", "web");
    f->far.fault.call = TOY_OBSERVE;
    f->far.fault.nth = 1;
    f->far.fault.times = 1000;
    f->far.fault.class = TT_ERR_DENIED;
    assert_non_null(observe(f, "i-1"));
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
    observe(f, "");
    assert_true(tt_world_region(f->world, "there", "r")->observed);
}

static void an_account_that_is_not_open_is_unreachable(void **state)
{
    struct fixture *f = *state;

    f->clouds.items.items[1].provider = NULL;
    f->clouds.items.items[1].error = "cannot open account there: no such file";
    observe(f, "");
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
    observe(f, "");
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

/* --- health ------------------------------------------------------------------------------------
 */

static void a_server_that_answers_passes(void **state)
{
    struct fixture *f = *state;

    add_server(f, "i-1", "web");
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_PASSING);
    assert_int_equal(f->world->accounts.items[0].regions.items[0].servers.items[0].state,
                     TT_SERVER_RUNNING);
}

static void a_server_fails_after_so_many_failures(void **state)
{
    struct fixture *f = *state;
    tt_time began = f->toy.now;

    f->web.port = f->closed_port;
    add_server(f, "i-1", "web");
    add_server(f, "i-2", "web");
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_FAILING);
    /* two intervals between three probes, shared by both */
    assert_true(f->toy.now - began >= 19000 && f->toy.now - began <= 21000);
}

/* Opens the port when the observer sleeps between two probes. */
static void open_while_asleep(void *self, tt_time delay)
{
    struct fixture *f = self;

    (void)delay;
    assert_int_equal(listen(f->listener, 10), 0);
}

static void one_success_ends_the_failures(void **state)
{
    struct fixture *f = *state;
    struct tt_clock clock = {.now = tt_clock_real()->now, .sleep = open_while_asleep, .self = f};

    close(f->listener);
    f->listener = open_port(&f->web.port, false);
    add_server(f, "i-1", "web");
    f->world = tt_observe(&f->arena, &f->clouds, &f->desired, &clock, &f->options);
    assert_int_equal(tt_region_server(tt_world_region(f->world, "here", "r"), "i-1")->health,
                     TT_HEALTH_PASSING);
}

static void within_its_grace_a_server_boots(void **state)
{
    struct fixture *f = *state;
    struct toy_machine *machine = add_server(f, "i-1", "web");

    f->web.port = f->closed_port;
    machine->created_at = f->toy.now - 59000;
    assert_int_equal(observe(f, "i-1")->state, TT_SERVER_PENDING);
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_UNKNOWN);
    machine->created_at = f->toy.now - 61000;
    assert_int_equal(observe(f, "i-1")->state, TT_SERVER_RUNNING);
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_FAILING);
}

static void a_single_probe_gives_no_bad_verdict(void **state)
{
    struct fixture *f = *state;
    tt_time began = f->toy.now;

    f->web.port = f->closed_port;
    add_server(f, "i-1", "web")->created_at = f->toy.now;
    f->options.single_probe = true;
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe(f, "i-1")->state, TT_SERVER_RUNNING);
    assert_int_equal(f->toy.now, began);
}

static void what_is_not_checked_is_unknown(void **state)
{
    struct fixture *f = *state;
    struct tt_tags other = {.owner = "somebody", .deployment = "shop", .service = "web"};

    f->web.port = f->closed_port;
    add_server(f, "i-gone", "left-git");
    toy_add_machine(&f->toy, "i-foreign", &other)->private_address = "127.0.0.1";
    add_server(f, "i-stopped", "web")->state = TT_SERVER_STOPPED;
    add_server(f, "i-said", "web")->health = TT_HEALTH_FAILING;
    assert_int_equal(observe(f, "i-gone")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe(f, "i-foreign")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe(f, "i-stopped")->health, TT_HEALTH_UNKNOWN);
    /* the provider's own word */
    assert_int_equal(observe(f, "i-said")->health, TT_HEALTH_FAILING);
    f->web.health = NULL;
    add_server(f, "i-1", "web");
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_UNKNOWN);
}

static void without_a_private_address_the_public_one_is_probed(void **state)
{
    struct fixture *f = *state;
    struct toy_machine *machine = add_server(f, "i-1", "web");

    machine->private_address = NULL;
    machine->public_address = "127.0.0.1";
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_PASSING);
}

static void only_some_machines_are_probed(void **state)
{
    struct fixture *f = *state;
    struct tt_strings only = {0};

    tt_strings_add(&f->arena, &only, "i-2");
    f->options.only_machines = &only;
    add_server(f, "i-1", "web");
    add_server(f, "i-2", "web");
    add_edge_machine(f);
    assert_int_equal(observe(f, "i-1")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(observe(f, "i-2")->health, TT_HEALTH_PASSING);
    assert_int_equal(f->toy.calls[TOY_RUN], 0);
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
    add_edge_machine(f);
    toy_add_machine(&f->toy, "i-other", &none);
    set_member(f, "i-edge");
    set_member(f, "i-9");
    observe(f, "");
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

    add_edge_machine(f);
    f->toy.no_list = true;
    assert_int_equal(observe(f, "i-edge")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(tt_world_region(f->world, "here", "r")->pools.count, 0);
    assert_true(tt_world_region(f->world, "here", "r")->observed);
}

static void fail_run(struct fixture *f, int times, enum tt_error_class class)
{
    f->toy.fault.call = TOY_RUN;
    f->toy.fault.nth = 1;
    f->toy.fault.times = times;
    f->toy.fault.class = class;
}

static void a_machine_that_does_not_answer_fails(void **state)
{
    struct fixture *f = *state;

    add_edge_machine(f);
    fail_run(f, 1000, TT_ERR_UNAVAILABLE);
    assert_int_equal(observe(f, "i-edge")->health, TT_HEALTH_FAILING);
    assert_int_equal(f->toy.calls[TOY_RUN], 2); /* recovery.unhealthyAfter */
}

static void a_machine_that_answers_late_does_not_fail(void **state)
{
    struct fixture *f = *state;

    add_edge_machine(f);
    fail_run(f, 1, TT_ERR_UNAVAILABLE);
    assert_int_equal(observe(f, "i-edge")->health, TT_HEALTH_UNKNOWN);
    assert_int_equal(tt_world_region(f->world, "here", "r")->pools.count, 1);
}

/* That we may not ask is no failure of the machine: nothing there may be touched. */
static void being_refused_is_being_blind(void **state)
{
    struct fixture *f = *state;
    const struct tt_region *region;

    add_edge_machine(f);
    fail_run(f, 1000, TT_ERR_DENIED);
    observe(f, "");
    region = tt_world_region(f->world, "here", "r");
    assert_false(region->observed);
    assert_non_null(strstr(region->error, "cannot read the pool of balancer machine i-edge"));
    assert_int_equal(region->servers.count, 0);
}

static void a_balancer_must_answer_at_its_listeners(void **state)
{
    struct fixture *f = *state;
    struct toy_machine *machine = add_edge_machine(f);

    *TT_VEC_ADD(&f->arena, &f->listeners) = (struct tt_listener){.port = f->web.port};
    f->edge.listeners = &f->listeners;
    assert_int_equal(observe(f, "i-edge")->health, TT_HEALTH_PASSING);
    *TT_VEC_ADD(&f->arena, &f->listeners) = (struct tt_listener){.port = f->closed_port};
    assert_int_equal(observe(f, "i-edge")->health, TT_HEALTH_FAILING);
    machine->created_at = f->toy.now;
    assert_int_equal(observe(f, "i-edge")->state, TT_SERVER_PENDING);
    f->options.skip_health = true;
    assert_int_equal(observe(f, "i-edge")->state, TT_SERVER_RUNNING);
    assert_int_equal(observe(f, "i-edge")->health, TT_HEALTH_UNKNOWN);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_not_seen_is_unreachable),
        TEST(a_limit_hit_for_a_moment_hides_nothing),
        TEST(an_account_that_is_not_open_is_unreachable),
        TEST(only_some_accounts_are_asked),
        TEST(accounts_open_or_say_why),
        TEST(a_server_that_answers_passes),
        TEST(a_server_fails_after_so_many_failures),
        TEST(one_success_ends_the_failures),
        TEST(within_its_grace_a_server_boots),
        TEST(a_single_probe_gives_no_bad_verdict),
        TEST(what_is_not_checked_is_unknown),
        TEST(without_a_private_address_the_public_one_is_probed),
        TEST(only_some_machines_are_probed),
        TEST(pools_are_read_from_their_machines),
        TEST(an_image_without_listProxy_has_no_pool),
        TEST(a_machine_that_does_not_answer_fails),
        TEST(a_machine_that_answers_late_does_not_fail),
        TEST(being_refused_is_being_blind),
        TEST(a_balancer_must_answer_at_its_listeners),
        TEST(every_item_is_visited_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
