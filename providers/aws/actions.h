/*
 * Actions: every call of an AWS API that this program can make, in one table. Nothing is called
 * that is not in it; the policy in docs/aws.md is made from it.
 */
#ifndef TT_PROVIDERS_AWS_ACTIONS_H
#define TT_PROVIDERS_AWS_ACTIONS_H

#include <stdbool.h>

enum tt_aws_action {
    TT_AWS_DESCRIBE_INSTANCES,
    TT_AWS_DESCRIBE_INSTANCE_STATUS,
    TT_AWS_DESCRIBE_ZONES,
    TT_AWS_DESCRIBE_ADDRESSES,
    TT_AWS_DESCRIBE_IMAGES,
    TT_AWS_DESCRIBE_SECURITY_GROUPS,
    TT_AWS_DESCRIBE_SUBNETS,
    TT_AWS_DESCRIBE_VPCS,
    TT_AWS_GET_CONSOLE_OUTPUT,
    TT_AWS_RUN_INSTANCES,
    TT_AWS_TERMINATE_INSTANCES,
    TT_AWS_START_INSTANCES,
    TT_AWS_STOP_INSTANCES,
    TT_AWS_CREATE_TAGS,
    TT_AWS_ASSOCIATE_ADDRESS,
    TT_ELB_DESCRIBE_LOAD_BALANCERS,
    TT_ELB_DESCRIBE_INSTANCE_HEALTH,
    TT_ELB_REGISTER_INSTANCES,
    TT_ELB_DEREGISTER_INSTANCES,
    TT_ELB_ENABLE_ZONES,
    TT_ELB_DISABLE_ZONES,
    TT_ELB_ATTACH_SUBNETS,
    TT_ELB_DETACH_SUBNETS,
    TT_ELB_CREATE_LISTENERS,
    TT_ELB_DELETE_LISTENERS,
    TT_ELB_CONFIGURE_HEALTH_CHECK,
    TT_ELBV2_DESCRIBE_LOAD_BALANCERS,
    TT_ELBV2_DESCRIBE_TARGET_GROUPS,
    TT_ELBV2_DESCRIBE_TARGET_HEALTH,
    TT_ELBV2_DESCRIBE_LISTENERS,
    TT_ELBV2_REGISTER_TARGETS,
    TT_ELBV2_DEREGISTER_TARGETS,
    TT_ELBV2_SET_SUBNETS,
    TT_ELBV2_CREATE_LISTENER,
    TT_ELBV2_MODIFY_LISTENER,
    TT_ELBV2_DELETE_LISTENER,
    TT_ELBV2_MODIFY_TARGET_GROUP,
    TT_STS_ASSUME_ROLE,
    TT_STS_ASSUME_ROLE_WITH_WEB_IDENTITY,
    TT_AWS_ACTIONS,
};

struct tt_aws_action_row {
    const char *api;     /* what it is counted as: "ec2", "elb", "elbv2", "sts" */
    const char *service; /* as it is signed, and named in policies */
    const char *name;    /* "DescribeInstances" */
    const char *version;
    bool reads;
};

const struct tt_aws_action_row *tt_aws_action_row(enum tt_aws_action action);

#endif
