/*
 * Target groups and the application and network balancers in front of them, as they were read.
 */
#ifndef TT_PROVIDERS_AWS_ELBV2_H
#define TT_PROVIDERS_AWS_ELBV2_H

#include "providers/aws/cloud.h"

struct tt_target_group {
    const char *arn;
    const char *name;
    const char *protocol; /* "HTTP", "TCP" */
    int port;
    struct tt_health_check health;
    struct tt_strings balancers; /* ARNs */
};

struct tt_elbv2_balancer {
    const char *arn;
    const char *name;
    const char *vpc;
    struct tt_strings zones, subnets;
};

struct tt_elbv2_listener {
    const char *arn;
    const char *balancer; /* ARN */
    const char *protocol;
    int port;
    const char *group; /* ARN of the target group that its default action forwards to */
};

struct tt_elbv2 {
    TT_VEC(struct tt_target_group) groups;
    TT_VEC(struct tt_elbv2_balancer) balancers;
    TT_VEC(struct tt_elbv2_listener) listeners; /* of the balancers that were asked for */
};

/* All target groups, or the one with that ARN, and all balancers. */
int tt_elbv2_read(const struct tt_aws_visit *visit, const char *arn, struct tt_elbv2 *elbv2,
                  struct tt_error *err);
int tt_elbv2_read_listeners(const struct tt_aws_visit *visit, const char *balancer,
                            struct tt_elbv2 *elbv2, struct tt_error *err);

/* The balancer with that name or ARN; NULL: none. */
const struct tt_elbv2_balancer *tt_elbv2_balancer(const struct tt_elbv2 *elbv2, const char *name);

enum tt_protocol tt_elbv2_protocol(const char *word);

#endif
