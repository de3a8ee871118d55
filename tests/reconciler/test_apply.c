/*
 * Covers reconciler/apply*.c: order, failures, retries, adoption after a timeout, the journal, the
 * stop flag and the waits, against a cloud in memory.
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
#include "reconciler/apply.h"
#include "tests/reconciler/support/toy.h"

struct fixture {
    struct tt_arena arena;
    struct toy toy, far; /* accounts "here" and "there" */
    struct tt_account here, there;
    struct tt_deployment deployment;
    struct tt_service web;
    struct tt_balancer lb, edge; /* cloud, vm-dynamic */
    struct tt_desired desired;
    struct tt_world *world;
    struct tt_plan plan;
    struct tt_clouds clouds;
    atomic_bool stop;
    struct tt_apply_request request;
    struct tt_apply_outcome outcome;
    struct tt_error err;
    char folder[64];
};

static void make_desired(struct fixture *f)
{
    struct tt_arena *arena = &f->arena;

    f->here = (struct tt_account){.name = "here", .provider = TT_PROVIDER_SIM};
    f->there = (struct tt_account){.name = "there", .provider = TT_PROVIDER_SIM};
    tt_strings_add(arena, &f->here.regions, "r");
    tt_strings_add(arena, &f->there.regions, "r");
    f->deployment = (struct tt_deployment){.name = "shop", .running = true};
    f->web = (struct tt_service){
        .name = "web", .deployment = &f->deployment, .port = 8080, .drain = 1000};
    *TT_VEC_ADD(arena, &f->web.placements) = (struct tt_placement){
        .account = &f->here, .region = "r", .count = 3, .server = {.template = "small"}};
    *TT_VEC_ADD(arena, &f->web.placements) =
        (struct tt_placement){.account = &f->there, .region = "r", .count = 1};
    f->lb = (struct tt_balancer){.name = "lb",
                                 .deployment = &f->deployment,
                                 .type = TT_BALANCER_CLOUD,
                                 .account = &f->here,
                                 .region = "r",
                                 .cloud_name = "lb"};
    f->edge = (struct tt_balancer){.name = "edge",
                                   .deployment = &f->deployment,
                                   .type = TT_BALANCER_VM_DYNAMIC,
                                   .account = &f->here,
                                   .region = "r",
                                   .address = "203.0.113.9"};
    *TT_VEC_ADD(arena, &f->deployment.services) = &f->web;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->edge;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->lb;
    f->desired = (struct tt_desired){.owner = "acme", .revision = "abc"};
    *TT_VEC_ADD(arena, &f->desired.accounts) = &f->here;
    *TT_VEC_ADD(arena, &f->desired.accounts) = &f->there;
    *TT_VEC_ADD(arena, &f->desired.deployments) = &f->deployment;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    toy_init(&f->toy);
    toy_init(&f->far);
    make_desired(f);
    toy_add(&f->arena, &f->clouds, &f->here, &f->toy);
    toy_add(&f->arena, &f->clouds, &f->there, &f->far);
    f->world = TT_NEW(&f->arena, struct tt_world);
    f->plan = (struct tt_plan){.revision = "abc", .world = "sha256:0"};
    f->request = (struct tt_apply_request){
        .desired = &f->desired,
        .world = f->world,
        .plan = &f->plan,
        .clouds = &f->clouds,
        .clock = &f->toy.clock,
        .parallelism = 8,
        .stop = &f->stop,
    };
    snprintf(f->folder, sizeof(f->folder), "/tmp/tt-apply-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tt_store_close(f->request.store);
    assert_int_equal(tt_remove_tree(f->folder, NULL), 0);
    toy_release(&f->toy);
    toy_release(&f->far);
    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

/* --- plans ----------------------------------------------------------------------------------- */

static struct tt_step *add_step(struct fixture *f, enum tt_action action, int slot)
{
    struct tt_step *step = TT_VEC_ADD(&f->arena, &f->plan.steps);

    *step = (struct tt_step){
        .action = action,
        .subject = {.kind = TT_SUBJECT_SERVICE, .deployment = "shop", .name = "web", .slot = slot},
        .account = "here",
        .region = "r",
        .reason = "test",
    };
    return step;
}

static void after(struct fixture *f, int step, int before)
{
    *TT_VEC_ADD(&f->arena, &f->plan.steps.items[step].after) = before;
}

/* A server that is made and enrolled in BALANCER: two steps. */
static void add_arrival(struct fixture *f, int slot, const char *balancer)
{
    struct tt_step *enroll;

    add_step(f, TT_STEP_CREATE_SERVER, slot);
    enroll = add_step(f, TT_STEP_ENROLL, slot);
    enroll->balancer = balancer;
    after(f, (int)f->plan.steps.count - 1, (int)f->plan.steps.count - 2);
}

/* The machine of edge, made by the plan. */
static int add_edge(struct fixture *f, enum tt_because because)
{
    struct tt_step *step = add_step(f, TT_STEP_CREATE_SERVER, -1);

    step->subject.kind = TT_SUBJECT_LOAD_BALANCER;
    step->subject.name = "edge";
    step->because = because;
    return (int)f->plan.steps.count - 1;
}

static void apply(struct fixture *f)
{
    if (tt_apply(&f->arena, &f->request, &f->outcome, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

static void apply_all(struct fixture *f)
{
    apply(f);
    for (size_t i = 0; i < f->plan.steps.count; i++)
        if (f->outcome.steps[i].state != TT_STEP_STATE_DONE)
            fail_msg("step s%zu: %s", i + 1, f->outcome.steps[i].error.message);
    assert_int_equal(f->outcome.done, f->plan.steps.count);
}

static const char *error_of(const struct fixture *f, int step)
{
    return f->outcome.steps[step].error.message;
}

static void open_store(struct fixture *f)
{
    if (tt_store_open(f->folder, &f->request.store, &f->err) < 0 ||
        tt_store_begin_run(f->request.store, "apply", "abc", 1, &f->request.run, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

/* --- the way it should go ----------------------------------------------------------------------
 */

static void an_empty_plan_is_done(void **state)
{
    struct fixture *f = *state;

    apply_all(f);
    assert_int_equal(f->outcome.done, 0);
    assert_int_equal(f->toy.calls[TOY_OBSERVE], 0);
}

static void servers_are_made_and_enrolled(void **state)
{
    struct fixture *f = *state;
    const struct toy_machine *machine;

    for (int slot = 0; slot < 3; slot++)
        add_arrival(f, slot, "lb");
    f->plan.steps.items[0].zone = "a";
    apply_all(f);
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

    add_step(f, TT_STEP_CREATE_SERVER, 0);
    apply_all(f);
    apply_all(f);
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
    step = add_step(f, TT_STEP_WITHDRAW, 0);
    step->balancer = "lb";
    step->server = "i-old";
    step = add_step(f, TT_STEP_DELETE_SERVER, 0);
    step->server = "i-old";
    after(f, 1, 0);
    apply_all(f);
    assert_null(toy_member(&f->toy, "i-old"));
    assert_int_equal(toy_count(&f->toy), 0);
}

static void a_balancer_machine_gets_its_members(void **state)
{
    struct fixture *f = *state;
    int edge = add_edge(f, TT_BECAUSE_MISSING);
    const struct toy_machine *machine;
    struct tt_step *far;

    add_arrival(f, 0, "edge");
    after(f, 2, edge);
    far = add_step(f, TT_STEP_CREATE_SERVER, 1);
    far->account = "there";
    add_step(f, TT_STEP_ENROLL, 1)->balancer = "edge";
    after(f, 4, 3);
    after(f, 4, edge);
    add_step(f, TT_STEP_MOVE_ADDRESS, -1)->balancer = "edge";
    after(f, 5, edge);
    f->plan.steps.items[5].subject = (struct tt_subject){
        .kind = TT_SUBJECT_LOAD_BALANCER, .deployment = "shop", .name = "edge", .slot = -1};
    apply_all(f);
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
    int edge = add_edge(f, TT_BECAUSE_MISSING);

    f->far.no_public = true;
    add_arrival(f, 1, "edge");
    f->plan.steps.items[1].account = "there";
    after(f, 2, edge);
    apply(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_non_null(strstr(error_of(f, 2), "no public address"));
    assert_non_null(strstr(error_of(f, 2), "edge"));
}

static void a_machine_without_listProxy_is_believed(void **state)
{
    struct fixture *f = *state;
    int edge = add_edge(f, TT_BECAUSE_MISSING);

    f->toy.no_list = true;
    add_arrival(f, 0, "edge");
    after(f, 2, edge);
    apply_all(f);
    assert_int_equal(f->toy.member_count, 1);
}

/* --- order, failure, stopping ------------------------------------------------------------------
 */

static void a_failed_step_stops_only_what_follows(void **state)
{
    struct fixture *f = *state;

    add_arrival(f, 0, "lb");
    add_arrival(f, 1, "lb");
    f->plan.steps.items[0].account = "nowhere";
    add_step(f, TT_STEP_TAG, 5);
    after(f, 4, 1);
    apply(f);
    assert_int_equal(f->outcome.done, 2);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.skipped, 2);
    assert_non_null(strstr(error_of(f, 0), "account nowhere is not open"));
    assert_non_null(strstr(error_of(f, 1), "after step s1, which failed"));
    assert_non_null(strstr(error_of(f, 4), "after step s2"));
    assert_int_equal(f->outcome.steps[3].state, TT_STEP_STATE_DONE);
}

static void held_steps_stay_out(void **state)
{
    struct fixture *f = *state;

    add_arrival(f, 0, "lb");
    add_step(f, TT_STEP_CREATE_SERVER, 1);
    f->plan.steps.items[0].held = true;
    apply(f);
    assert_int_equal(f->outcome.held, 1);
    assert_int_equal(f->outcome.skipped, 1);
    assert_int_equal(f->outcome.done, 1);
    assert_null(toy_find(&f->toy, "shop-web-0"));
    assert_non_null(strstr(error_of(f, 1), "s1, which is held"));
}

static void impossible_plans_do_nothing(void **state)
{
    struct fixture *f = *state;

    add_step(f, TT_STEP_CREATE_SERVER, 0);
    add_step(f, TT_STEP_CREATE_SERVER, 1);
    after(f, 0, 1);
    after(f, 1, 0);
    apply(f);
    assert_int_equal(f->outcome.skipped, 2);
    assert_int_equal(toy_count(&f->toy), 0);
    after(f, 0, 7);
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
        add_step(f, actions[i % count], 0)->balancer = balancers[i / count];
    add_step(f, TT_STEP_CREATE_SERVER, 0)->subject.name = "nothing";
    add_step(f, TT_STEP_CREATE_SERVER, 0)->region = "nowhere";
    apply(f);
    for (int i = 0; i < count * 4 + 2; i++) {
        assert_int_equal(f->outcome.steps[i].state, TT_STEP_STATE_FAILED);
        assert_int_equal(f->outcome.steps[i].error.class, TT_ERR_SPEC);
        assert_true(strlen(error_of(f, i)) > 10);
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
        add_arrival(f, slot, "lb");
    f->request.parallelism = 1;
    f->request.progress = stop_at_once;
    f->request.progress_self = f;
    apply(f);
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
        add_arrival(f, slot, "lb");
    f->toy.boot = 4;
    f->request.progress = watch;
    f->request.progress_self = &watcher;
    apply_all(f);
    assert_int_equal(watcher.wrong, 0);
    assert_true(watcher.waiting_notes >= 1);
    for (int i = 0; i < 40; i++)
        assert_int_equal(watcher.last[i], TT_STEP_STATE_DONE);
}

static void the_limit_of_parallel_calls_holds(void **state)
{
    struct fixture *f = *state;

    for (int slot = 0; slot < 40; slot++)
        add_step(f, TT_STEP_CREATE_SERVER, slot);
    f->toy.call_time = 2000;
    f->request.parallelism = 5;
    apply_all(f);
    assert_true(f->toy.most_busy <= 5);
    assert_true(f->toy.most_busy > 1);
}

static void waits_share_their_observations(void **state)
{
    struct fixture *f = *state;

    for (int slot = 0; slot < 300; slot++)
        add_arrival(f, slot, "lb");
    f->toy.boot = 5;
    f->request.parallelism = 64;
    apply_all(f);
    assert_int_equal(toy_count(&f->toy), 300);
    assert_true(f->toy.calls[TOY_OBSERVE] < 100);
    assert_int_equal(f->far.calls[TOY_OBSERVE], 0);
}

/* --- errors ------------------------------------------------------------------------------------
 */

static void set_fault(struct toy *toy, enum toy_call call, int nth, int times,
                      enum tt_error_class class, bool late)
{
    toy->fault.call = call;
    toy->fault.nth = nth;
    toy->fault.times = times;
    toy->fault.class = class;
    toy->fault.after = late;
}

static void what_is_busy_is_tried_again(void **state)
{
    struct fixture *f = *state;
    const enum tt_error_class classes[] = {TT_ERR_THROTTLED, TT_ERR_UNAVAILABLE, TT_ERR_TIMEOUT,
                                           TT_ERR_CONFLICT};

    add_arrival(f, 0, "lb");
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        tt_time began = f->toy.now;

        f->toy.calls[TOY_ENROLL] = 0;
        set_fault(&f->toy, TOY_ENROLL, 1, 1, classes[i], false);
        apply_all(f);
        assert_int_equal(f->toy.calls[TOY_ENROLL], 2);
        assert_true(f->toy.now > began + 200);
    }
}

static void tries_come_to_an_end(void **state)
{
    struct fixture *f = *state;

    add_step(f, TT_STEP_CREATE_SERVER, 0);
    set_fault(&f->toy, TOY_CREATE, 1, 1000, TT_ERR_THROTTLED, false);
    apply(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->toy.calls[TOY_CREATE], 5);
    assert_int_equal(f->outcome.steps[0].error.class, TT_ERR_THROTTLED);
}

static void what_cannot_work_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    const enum tt_error_class classes[] = {TT_ERR_DENIED, TT_ERR_SPEC, TT_ERR_UNSUPPORTED,
                                           TT_ERR_NOT_FOUND, TT_ERR_INTERNAL};

    add_step(f, TT_STEP_CREATE_SERVER, 0);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        f->toy.calls[TOY_CREATE] = 0;
        set_fault(&f->toy, TOY_CREATE, 1, 1000, classes[i], false);
        apply(f);
        assert_int_equal(f->outcome.failed, 1);
        assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    }
    f->toy.calls[TOY_CREATE] = 0;
    set_fault(&f->toy, TOY_CREATE, 1, 1000, TT_ERR_CONFLICT, false);
    f->toy.fault.code = "no-capacity";
    apply(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
}

static void a_create_with_unknown_outcome_is_adopted(void **state)
{
    struct fixture *f = *state;

    add_arrival(f, 0, "lb");
    set_fault(&f->toy, TOY_CREATE, 1, 1, TT_ERR_TIMEOUT, true);
    apply_all(f);
    assert_int_equal(f->toy.machine_count, 1);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    assert_non_null(toy_member(&f->toy, f->toy.machines[0].id));
}

static void a_create_that_never_arrived_is_made_again(void **state)
{
    struct fixture *f = *state;

    add_step(f, TT_STEP_CREATE_SERVER, 0);
    set_fault(&f->toy, TOY_CREATE, 1, 1, TT_ERR_TIMEOUT, false);
    apply_all(f);
    assert_int_equal(f->toy.machine_count, 1);
    assert_int_equal(f->toy.calls[TOY_CREATE], 2);
}

/* Nothing may be repeated blindly: as long as the region cannot be seen, there is one call. */
static void a_create_is_not_repeated_blindly(void **state)
{
    struct fixture *f = *state;

    add_step(f, TT_STEP_CREATE_SERVER, 0);
    f->web.placements.items[0].account = &f->here;
    set_fault(&f->toy, TOY_CREATE, 1, 1, TT_ERR_TIMEOUT, true);
    f->clouds.items.items[0].provider =
        tt_decorate_fault(&f->arena, &f->toy.provider, 2, TT_FAULT_BEFORE, TT_ERR_UNAVAILABLE);
    apply_all(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    assert_int_equal(f->toy.machine_count, 1);
}

static void a_machine_that_fails_to_boot_fails_its_step(void **state)
{
    struct fixture *f = *state;

    add_arrival(f, 0, "lb");
    f->toy.fail_boot = true;
    apply(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_non_null(strstr(error_of(f, 0), "failed while it was to come up"));
}

static void a_machine_that_never_runs_is_given_up(void **state)
{
    struct fixture *f = *state;
    tt_time began = f->toy.now;

    add_step(f, TT_STEP_CREATE_SERVER, 0);
    f->toy.never_run = true;
    apply(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.steps[0].error.class, TT_ERR_TIMEOUT);
    assert_non_null(strstr(error_of(f, 0), "gave up after 11m"));
    assert_non_null(strstr(error_of(f, 0), "booting"));
    assert_true(f->toy.now - began >= 11 * 60 * 1000);
    assert_true(f->toy.calls[TOY_OBSERVE] < 200);
}

/* Makes probes real: the machines are on the loopback. Returns a socket bound to web's port. */
static int probe_web(struct fixture *f, struct tt_health_check *check, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    if (listening)
        assert_int_equal(listen(fd, 1000), 0);
    *check = (struct tt_health_check){
        .interval = 1000, .timeout = 2000, .unhealthy_after = 3, .grace = 60000};
    f->web.health = check;
    f->web.port = ntohs(address.sin_port);
    f->here.provider = TT_PROVIDER_LOCAL;
    f->toy.address = "127.0.0.1";
    return fd;
}

static void a_machine_is_up_when_its_health_check_passes(void **state)
{
    struct fixture *f = *state;
    struct tt_health_check check;
    int fd = probe_web(f, &check, true);

    add_arrival(f, 0, "lb");
    add_arrival(f, 1, "lb");
    apply_all(f);
    close(fd);
}

static void a_machine_whose_check_never_passes_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct tt_health_check check;
    int fd = probe_web(f, &check, false);

    add_arrival(f, 0, "lb");
    apply(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.skipped, 1);
    assert_non_null(strstr(error_of(f, 0), "gave up after 11m"));
    assert_non_null(strstr(error_of(f, 0), "waiting for its health check"));
    close(fd);
}

static void a_machine_that_cannot_be_fenced_is_left_to_its_deletion(void **state)
{
    struct fixture *f = *state;
    struct tt_step *step = add_step(f, TT_STEP_FENCE, -1);

    step->server = "i-1";
    apply_all(f);
    assert_non_null(strstr(f->outcome.steps[0].note, "cannot fence"));
}

/* --- the journal and the memory ------------------------------------------------------------------
 */

static void what_exists_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .service = "web"};
    struct tt_world_account *account = TT_VEC_ADD(&f->arena, &f->world->accounts);
    struct tt_region *region = TT_VEC_ADD(&f->arena, &account->regions);
    struct tt_memory memory = {0};

    account->name = "here";
    region->name = "r";
    region->observed = true;
    *TT_VEC_ADD(&f->arena, &region->servers) =
        (struct tt_server){.id = "i-keep", .tags = tags, .state = TT_SERVER_RUNNING};
    *TT_VEC_ADD(&f->arena, &region->servers) =
        (struct tt_server){.id = "i-old", .tags = tags, .state = TT_SERVER_RUNNING};
    open_store(f);
    assert_int_equal(tt_store_set_known(f->request.store, "shop",
                                        (struct tt_known_server[]){{"shop", "here", "r", "i-gone"},
                                                                   {"shop", "there", "r", "i-x"}},
                                        2, &f->err),
                     0);
    add_step(f, TT_STEP_CREATE_SERVER, 0);
    add_step(f, TT_STEP_DELETE_SERVER, 1)->server = "i-old";
    apply_all(f);
    assert_int_equal(tt_store_load_memory(f->request.store, &f->arena, 1, &memory, &f->err), 0);
    assert_int_equal(memory.servers.count, 3);
    assert_string_equal(memory.servers.items[0].id, "i-0");
    assert_string_equal(memory.servers.items[1].id, "i-keep");
    /* its region was not seen */
    assert_string_equal(memory.servers.items[2].id, "i-x");
}

static void a_held_deployment_keeps_its_memory(void **state)
{
    struct fixture *f = *state;
    struct tt_memory memory = {0};

    open_store(f);
    assert_int_equal(tt_store_set_known(f->request.store, "shop",
                                        &(struct tt_known_server){"shop", "here", "r", "i-gone"}, 1,
                                        &f->err),
                     0);
    add_step(f, TT_STEP_CREATE_SERVER, 0)->held = true;
    apply(f);
    assert_int_equal(tt_store_load_memory(f->request.store, &f->arena, 1, &memory, &f->err), 0);
    assert_int_equal(memory.servers.count, 1);
    assert_string_equal(memory.servers.items[0].id, "i-gone");
}

static void replacements_of_balancers_are_counted(void **state)
{
    struct fixture *f = *state;
    struct tt_memory memory = {0};

    open_store(f);
    add_edge(f, TT_BECAUSE_FAILED);
    apply_all(f);
    assert_int_equal(
        tt_store_load_memory(f->request.store, &f->arena, f->toy.now, &memory, &f->err), 0);
    assert_int_equal(memory.recoveries.count, 1);
    assert_string_equal(memory.recoveries.items[0].balancer, "edge");
}

static void nothing_is_done_without_a_journal(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;

    open_store(f);
    tt_store_close(f->request.store);
    f->request.store = NULL;
    assert_int_equal(sqlite3_open(tt_printf(&f->arena, "%s/store.db", f->folder), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE journal", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    if (tt_store_open(f->folder, &f->request.store, &f->err) < 0)
        fail_msg("%s", f->err.message);
    for (int slot = 0; slot < 3; slot++)
        add_step(f, TT_STEP_CREATE_SERVER, slot);
    f->request.parallelism = 1;
    apply(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 0);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.skipped, 2);
    assert_non_null(strstr(error_of(f, 0), "the journal cannot be written"));
    assert_non_null(strstr(error_of(f, 2), "the journal cannot be written"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(what_is_busy_is_tried_again),
        TEST(tries_come_to_an_end),
        TEST(what_cannot_work_is_not_repeated),
        TEST(a_create_with_unknown_outcome_is_adopted),
        TEST(a_create_that_never_arrived_is_made_again),
        TEST(a_create_is_not_repeated_blindly),
        TEST(a_machine_that_fails_to_boot_fails_its_step),
        TEST(a_machine_that_never_runs_is_given_up),
        TEST(a_machine_is_up_when_its_health_check_passes),
        TEST(a_machine_whose_check_never_passes_is_given_up),
        TEST(a_machine_that_cannot_be_fenced_is_left_to_its_deletion),
        TEST(what_exists_is_remembered),
        TEST(a_held_deployment_keeps_its_memory),
        TEST(replacements_of_balancers_are_counted),
        TEST(nothing_is_done_without_a_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
