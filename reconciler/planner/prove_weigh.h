/*
 * Prove: the question that prove.c asks for each service behind each balancer, and the weights of
 * the steps in it.
 */
#ifndef TT_PLANNER_PROVE_WEIGH_H
#define TT_PLANNER_PROVE_WEIGH_H

#include "reconciler/planner/emit.h"
#include "reconciler/planner/view.h"

/* The withdraw of a member that only the plan's own enroll brings, and may come without it. */
struct tt_rejoin {
    int withdraw, enroll; /* indices of steps */
};

/* One service behind one balancer. */
struct tt_question {
    struct tt_arena *scratch;
    const struct tt_steps *steps; /* of the whole plan */
    size_t begin, end;            /* those of the deployment */
    const struct tt_service_view *service;
    struct tt_balancer_view *balancer;
    const struct tt_server *old; /* the machine that serves now; NULL: cloud, or none */
    int switch_over;             /* the step after which another machine serves; -1: none */
    const char *new;             /* that machine; NULL: made by the plan, or none */
    int cut; /* the step that deletes the old machine while it may have the address; -1: none */
    const struct tt_indices *own;     /* the steps of the service */
    int *weights;                     /* by step, from begin; all zero between questions */
    TT_VEC(struct tt_rejoin) rejoins; /* a withdraw without its enroll takes nothing: +1 */
};

/* Finds the machine that serves now, and the step at which another one takes over. */
void tt_question_find_phases(struct tt_question *q);

/* Weighs every step for the phase in which MACHINE (an id; NULL: a cloud balancer, or one that the
 * plan makes) serves, which is SERVER when it exists; returns what serves there before any step. */
int tt_question_weigh(struct tt_question *q, const struct tt_server *server, const char *machine);

/* The sum of all weights; all weights back to zero. */
long tt_question_sum(const struct tt_question *q);
void tt_question_forget(const struct tt_question *q);

#endif
