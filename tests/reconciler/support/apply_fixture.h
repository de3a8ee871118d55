/*
 * What the tests of apply share: a deployment with two accounts in memory, plans made by hand, and
 * a run of them.
 */
#ifndef TT_TESTS_APPLY_FIXTURE_H
#define TT_TESTS_APPLY_FIXTURE_H

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

int apply_setup(void **state);
int apply_teardown(void **state);
struct tt_step *plan_add_step(struct fixture *f, enum tt_action action, int slot);
void plan_after(struct fixture *f, int step, int before);
/* A server that is made and enrolled in BALANCER: two steps. */
void plan_add_arrival(struct fixture *f, int slot, const char *balancer);
/* The machine of edge, made by the plan. */
int plan_add_edge(struct fixture *f, enum tt_because because);
void run_plan(struct fixture *f);
void run_whole_plan(struct fixture *f);
const char *step_error(const struct fixture *f, int step);
void keep_journal(struct fixture *f);

#endif
