/*
 * Memory: what earlier runs learnt, passed into the planner as data. The store keeps it; without
 * a store it is empty, and the plan is still right.
 */
#ifndef TT_MODEL_MEMORY_H
#define TT_MODEL_MEMORY_H

#include "base/clock.h"
#include "base/vec.h"
#include "model/words.h"

/* A replacement of a failed balancer that was begun. */
struct tt_recovery {
    const char *deployment;
    const char *balancer;
    tt_time at;
};

/* An owned server that the last run saw alive and did not delete. */
struct tt_known_server {
    const char *deployment;
    const char *account;
    const char *region;
    const char *id;
};

/* A port of a machine that failed its last probes. */
struct tt_failing_port {
    const char *account;
    const char *region;
    const char *server; /* its id */
    int port;           /* 0: what tells its pool */
    int failures;       /* in a row; 0: it passed again */
    tt_time at;         /* of the last one */
};

/* Where they are remembered: by account, region, server and port. */
typedef TT_VEC(struct tt_failing_port) tt_failing_ports;

/* A member that a machine that cannot tell its pool was told of, and not asked to drop. */
struct tt_told_member {
    const char *account;
    const char *region;
    const char *machine; /* its id */
    const char *service; /* "DEPLOYMENT.SERVICE" */
    const char *address;
    int port;
};

typedef TT_VEC(struct tt_told_member) tt_told_members; /* sorted by all of these in turn */

/* A member that a vm-static machine was told of, and not asked to drop. Such a machine is somebody
 * else's and has no mark of ours: when no LoadBalancer names it any more, this alone tells what is
 * to be taken back. */
struct tt_lent_member {
    const char *balancer; /* of the service's deployment, through which it was told */
    struct tt_told_member member;
};

typedef TT_VEC(struct tt_lent_member) tt_lent_members; /* sorted by member */

struct tt_memory {
    TT_VEC(struct tt_recovery) recoveries;
    TT_VEC(struct tt_known_server) servers;
    tt_told_members told;
    tt_lent_members lent;
    struct tt_strings deployments; /* whose servers are known, even when there are none; sorted */
};

#endif
