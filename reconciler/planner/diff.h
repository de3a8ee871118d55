/*
 * Diff: from fates to arrivals and departures.
 *
 * An arrival is a machine that begins to serve: made, started, or only enrolled where it is
 * missing. A departure is one that leaves some balancers, and is deleted or not. Which may happen
 * when is not said here: order.h does.
 */
#ifndef TT_PLANNER_DIFF_H
#define TT_PLANNER_DIFF_H

#include "reconciler/planner/members.h"
#include "reconciler/planner/view.h"

struct tt_joining {
    const struct tt_link *link;
    enum tt_because because;
    bool gain; /* it does not serve there yet */
    const char *reason;
};

struct tt_arrival {
    const struct tt_create *create; /* NULL: the machine exists */
    struct tt_machine *machine;     /* NULL: yet to be made */
    bool start;
    TT_VEC(struct tt_joining) joins;
};

/* An entry that is to go. */
struct tt_leaving {
    struct tt_balancer_view *balancer;
    const char *address; /* "IP:PORT" of a pool's entry; NULL: a cloud member */
    const char *machine; /* the balancer's machine when it is not the target */
};

struct tt_departure {
    struct tt_machine *machine; /* NULL: no machine is known behind the entry */
    const char *server;         /* id; NULL: unknown */
    int slot;
    const char *service; /* of a stray that a lent machine was told: its service's name; or NULL */
    bool delete;
    enum tt_because because;
    const char *reason;
    TT_VEC(struct tt_leaving) leaves;
};

/* What changes of one service. */
struct tt_service_change {
    struct tt_service_view *service;
    TT_VEC(struct tt_link) links; /* the balancers it is behind, by name */
    TT_VEC(struct tt_arrival) arrivals;
    TT_VEC(struct tt_departure) departures; /* those that delete first, by slot */
};

struct tt_deployment_change {
    struct tt_deployment_view *deployment;
    TT_VEC(struct tt_service_change) services; /* by name */
    TT_VEC(struct tt_departure) strays;        /* entries of pools that belong to no service */
};

struct tt_changes {
    TT_VEC(struct tt_deployment_change) deployments; /* by name */
};

/* Reports foreign-member. */
struct tt_changes *tt_diff(struct tt_view *view);

#endif
