/*
 * Actions: the table. That a role is assumed changes nothing: it may be repeated.
 */
#include "providers/aws/actions.h"

#define EC2(name, reads)                                                                           \
    {                                                                                              \
        "ec2", "ec2", name, "2016-11-15", reads                                                    \
    }
#define ELB(name, reads)                                                                           \
    {                                                                                              \
        "elb", "elasticloadbalancing", name, "2012-06-01", reads                                   \
    }
#define ELBV2(name, reads)                                                                         \
    {                                                                                              \
        "elbv2", "elasticloadbalancing", name, "2015-12-01", reads                                 \
    }
#define STS(name, reads)                                                                           \
    {                                                                                              \
        "sts", "sts", name, "2011-06-15", reads                                                    \
    }

static const struct tt_aws_action_row rows[TT_AWS_ACTIONS] = {
    [TT_AWS_DESCRIBE_INSTANCES] = EC2("DescribeInstances", true),
    [TT_AWS_DESCRIBE_INSTANCE_STATUS] = EC2("DescribeInstanceStatus", true),
    [TT_AWS_DESCRIBE_ZONES] = EC2("DescribeAvailabilityZones", true),
    [TT_AWS_DESCRIBE_ADDRESSES] = EC2("DescribeAddresses", true),
    [TT_AWS_DESCRIBE_IMAGES] = EC2("DescribeImages", true),
    [TT_AWS_DESCRIBE_SECURITY_GROUPS] = EC2("DescribeSecurityGroups", true),
    [TT_AWS_DESCRIBE_SUBNETS] = EC2("DescribeSubnets", true),
    [TT_AWS_DESCRIBE_VPCS] = EC2("DescribeVpcs", true),
    [TT_AWS_GET_CONSOLE_OUTPUT] = EC2("GetConsoleOutput", true),
    [TT_AWS_RUN_INSTANCES] = EC2("RunInstances", false),
    [TT_AWS_TERMINATE_INSTANCES] = EC2("TerminateInstances", false),
    [TT_AWS_START_INSTANCES] = EC2("StartInstances", false),
    [TT_AWS_STOP_INSTANCES] = EC2("StopInstances", false),
    [TT_AWS_CREATE_TAGS] = EC2("CreateTags", false),
    [TT_AWS_ASSOCIATE_ADDRESS] = EC2("AssociateAddress", false),
    [TT_ELB_DESCRIBE_LOAD_BALANCERS] = ELB("DescribeLoadBalancers", true),
    [TT_ELB_DESCRIBE_INSTANCE_HEALTH] = ELB("DescribeInstanceHealth", true),
    [TT_ELB_REGISTER_INSTANCES] = ELB("RegisterInstancesWithLoadBalancer", false),
    [TT_ELB_DEREGISTER_INSTANCES] = ELB("DeregisterInstancesFromLoadBalancer", false),
    [TT_ELB_ENABLE_ZONES] = ELB("EnableAvailabilityZonesForLoadBalancer", false),
    [TT_ELB_DISABLE_ZONES] = ELB("DisableAvailabilityZonesForLoadBalancer", false),
    [TT_ELB_ATTACH_SUBNETS] = ELB("AttachLoadBalancerToSubnets", false),
    [TT_ELB_DETACH_SUBNETS] = ELB("DetachLoadBalancerFromSubnets", false),
    [TT_ELB_CREATE_LISTENERS] = ELB("CreateLoadBalancerListeners", false),
    [TT_ELB_DELETE_LISTENERS] = ELB("DeleteLoadBalancerListeners", false),
    [TT_ELB_CONFIGURE_HEALTH_CHECK] = ELB("ConfigureHealthCheck", false),
    [TT_ELBV2_DESCRIBE_LOAD_BALANCERS] = ELBV2("DescribeLoadBalancers", true),
    [TT_ELBV2_DESCRIBE_TARGET_GROUPS] = ELBV2("DescribeTargetGroups", true),
    [TT_ELBV2_DESCRIBE_TARGET_HEALTH] = ELBV2("DescribeTargetHealth", true),
    [TT_ELBV2_DESCRIBE_LISTENERS] = ELBV2("DescribeListeners", true),
    [TT_ELBV2_REGISTER_TARGETS] = ELBV2("RegisterTargets", false),
    [TT_ELBV2_DEREGISTER_TARGETS] = ELBV2("DeregisterTargets", false),
    [TT_ELBV2_SET_SUBNETS] = ELBV2("SetSubnets", false),
    [TT_ELBV2_CREATE_LISTENER] = ELBV2("CreateListener", false),
    [TT_ELBV2_MODIFY_LISTENER] = ELBV2("ModifyListener", false),
    [TT_ELBV2_DELETE_LISTENER] = ELBV2("DeleteListener", false),
    [TT_ELBV2_MODIFY_TARGET_GROUP] = ELBV2("ModifyTargetGroup", false),
    [TT_STS_ASSUME_ROLE] = STS("AssumeRole", true),
    [TT_STS_ASSUME_ROLE_WITH_WEB_IDENTITY] = STS("AssumeRoleWithWebIdentity", true),
};

const struct tt_aws_action_row *tt_aws_action_row(enum tt_aws_action action)
{
    return &rows[action];
}
