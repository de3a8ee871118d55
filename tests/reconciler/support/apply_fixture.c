/*
 * What the tests of apply share.
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

int apply_setup(void **state)
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

int apply_teardown(void **state)
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

struct tt_step *plan_add_step(struct fixture *f, enum tt_action action, int slot)
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

void plan_after(struct fixture *f, int step, int before)
{
    *TT_VEC_ADD(&f->arena, &f->plan.steps.items[step].after) = before;
}

/* A server that is made and enrolled in BALANCER: two steps. */
void plan_add_arrival(struct fixture *f, int slot, const char *balancer)
{
    struct tt_step *enroll;

    plan_add_step(f, TT_STEP_CREATE_SERVER, slot);
    enroll = plan_add_step(f, TT_STEP_ENROLL, slot);
    enroll->balancer = balancer;
    plan_after(f, (int)f->plan.steps.count - 1, (int)f->plan.steps.count - 2);
}

/* The machine of edge, made by the plan. */
int plan_add_edge(struct fixture *f, enum tt_because because)
{
    struct tt_step *step = plan_add_step(f, TT_STEP_CREATE_SERVER, -1);

    step->subject.kind = TT_SUBJECT_LOAD_BALANCER;
    step->subject.name = "edge";
    step->because = because;
    return (int)f->plan.steps.count - 1;
}

void run_plan(struct fixture *f)
{
    if (tt_apply(&f->arena, &f->request, &f->outcome, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

void run_whole_plan(struct fixture *f)
{
    run_plan(f);
    for (size_t i = 0; i < f->plan.steps.count; i++)
        if (f->outcome.steps[i].state != TT_STEP_STATE_DONE)
            fail_msg("step s%zu: %s", i + 1, f->outcome.steps[i].error.message);
    assert_int_equal(f->outcome.done, f->plan.steps.count);
}

const char *step_error(const struct fixture *f, int step)
{
    return f->outcome.steps[step].error.message;
}

void keep_journal(struct fixture *f)
{
    struct tt_run_record record = {.command = "apply", .revision = "abc", .began = 1};

    if (tt_store_open(f->folder, &f->request.store, &f->err) < 0 ||
        tt_store_begin_run(f->request.store, &record, NULL, &f->request.run, &f->err) < 0)
        fail_msg("%s", f->err.message);
}
