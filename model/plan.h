/*
 * Plan: the steps that lead from the world to what is desired, the problems that stand in the
 * way, and the floors that are proven. Made by the planner, never changed afterwards; everything
 * in it lives in the arena it was made in (strings may be borrowed from desired and world).
 */
#ifndef TT_MODEL_PLAN_H
#define TT_MODEL_PLAN_H

#include "base/error.h"
#include "model/words.h"

struct tt_subject {
    enum tt_subject_kind kind;
    const char *deployment;
    const char *name;
    int slot; /* -1: none, written as null */
};

struct tt_step {
    enum tt_action action;
    struct tt_subject subject;
    const char *account;
    const char *region;
    const char *zone;    /* NULL: none */
    const char *server;  /* the id of the machine acted on; NULL: yet to be made, or none */
    const char *address; /* "IP:PORT" of a VM balancer's member; NULL: none or not yet known */
    const char
        *balancer; /* the LoadBalancer's name for enroll, withdraw, set-*, move-address, fence */
    const char *machine; /* the id of the balancer's machine; NULL: cloud, or made by this plan */
    const struct tt_strings *zones; /* the whole set after a set-zones; NULL else */
    enum tt_because because;
    struct tt_strings fields; /* of outdated and drift: what differs */
    const char *reason;       /* one sentence for a person */
    TT_VEC(int) after;        /* indices into the plan's steps, ascending */
    bool held;
};

struct tt_problem {
    enum tt_severity severity;
    const char *code;
    const char *subject; /* "LoadBalancer/storefront/edge", "Account/aws-prod/us-east-1" */
    const char *message;
    struct tt_mark mark; /* file NULL: not from a file */
};

struct tt_floor {
    const char *deployment;
    const char *service;
    const char *balancer;
    int now;
    int floor; /* the least number of serving members at any moment of any execution */
    int end;
};

struct tt_plan {
    const char *revision;
    const char *world; /* "sha256:..." of the canonical snapshot */
    TT_VEC(struct tt_problem) problems;
    TT_VEC(struct tt_step) steps; /* step I has the id "s<I+1>" */
    TT_VEC(struct tt_floor) floors;
};

struct tt_summary {
    int create, delete, enroll, withdraw, change; /* numbers of steps */
};

enum tt_result tt_plan_result(const struct tt_plan *plan);
struct tt_summary tt_plan_summary(const struct tt_plan *plan);

/* "Service/storefront/web/3", "LoadBalancer/storefront/edge". */
char *tt_subject_text(struct tt_arena *arena, const struct tt_subject *subject);

/* The exit code of the result: none and changes 0, error 1, held 3. */
int tt_result_exit(enum tt_result result);

#endif
