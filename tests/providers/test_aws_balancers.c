/*
 * Balancers of AWS in states that moto does not have: members that boot, fail, drain; zones that
 * are not served; and the names that a target group goes by.
 * Covers providers/aws/elb.c, elbv2_read.c, elbv2_observe.c, balancers.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/providers/support/aws_account.h"

#define SERVER(id, zone)                                                                           \
    "<item><instanceId>" id "</instanceId><instanceState><name>running</name></instanceState>"     \
    "<placement><availabilityZone>" zone "</availabilityZone></placement></item>"
#define STATE(id, state, text)                                                                     \
    "<member><InstanceId>" id "</InstanceId><State>" state "</State><Description>" text            \
    "</Description></member>"
#define TARGET(id, port, state)                                                                    \
    "<member><Target><Id>" id "</Id><Port>" port "</Port></Target><TargetHealth><State>" state     \
    "</State></TargetHealth></member>"
#define LISTENER(balancer, port, group)                                                            \
    "<member><ListenerArn>arn:l" port "</ListenerArn><LoadBalancerArn>" balancer                   \
    "</LoadBalancerArn><Port>" port "</Port><Protocol>HTTP</Protocol><DefaultActions><member>"     \
    "<Type>forward</Type><TargetGroupArn>" group "</TargetGroupArn></member></DefaultActions>"     \
    "</member>"
#define GROUP(arn, name)                                                                           \
    "<member><TargetGroupArn>" arn "</TargetGroupArn><TargetGroupName>" name                       \
    "</TargetGroupName><Protocol>HTTP</Protocol><Port>8080</Port><LoadBalancerArns><member>arn:b"  \
    "</member></LoadBalancerArns><HealthCheckProtocol>HTTP</HealthCheckProtocol>"                  \
    "<HealthCheckPath>/up</HealthCheckPath><HealthCheckIntervalSeconds>15"                         \
    "</HealthCheckIntervalSeconds></member>"

/* An answer of Elastic Load Balancing. */
#define RESULT(action, list, items)                                                                \
    "<" action "Response><" action "Result><" list ">" items "</" list "></" action                \
    "Result></" action "Response>"

#define CLASSIC                                                                                    \
    "<member><LoadBalancerName>old</LoadBalancerName><AvailabilityZones><member>a</member>"        \
    "</AvailabilityZones><ListenerDescriptions><member><Listener><Protocol>SSL</Protocol>"         \
    "<LoadBalancerPort>443</LoadBalancerPort><InstancePort>8443</InstancePort></Listener>"         \
    "</member></ListenerDescriptions><HealthCheck><Target>TCP:8443</Target>"                       \
    "<Interval>30</Interval></HealthCheck><Instances><member><InstanceId>i-1</InstanceId>"         \
    "</member></Instances></member><member><LoadBalancerName>unasked</LoadBalancerName>"           \
    "<Instances><member><InstanceId>i-9</InstanceId></member></Instances></member>"
#define FRONT                                                                                      \
    "<member><LoadBalancerArn>arn:b</LoadBalancerArn><LoadBalancerName>front</LoadBalancerName>"   \
    "<AvailabilityZones><member><ZoneName>a</ZoneName></member></AvailabilityZones></member>"
#define STATES                                                                                     \
    STATE("i-1", "InService", "N/A")                                                               \
    STATE("i-2", "InService", "N/A")                                                               \
    STATE("i-3", "InService", "Instance deregistration currently in progress.")                    \
    STATE("i-4", "OutOfService", "Instance has failed")                                            \
    STATE("i-4", "InService", "N/A")                                                               \
    STATE("i-5", "Unknown", "")
#define TARGETS                                                                                    \
    TARGET("i-1", "8080", "initial")                                                               \
    TARGET("i-2", "8080", "healthy")                                                               \
    TARGET("i-3", "8080", "draining")                                                              \
    TARGET("i-4", "8080", "unhealthy")                                                             \
    TARGET("i-4", "8081", "healthy")                                                               \
    TARGET("i-5", "8080", "unavailable")                                                           \
    TARGET("i-6", "8080", "unused")
#define SERVERS                                                                                    \
    SERVER("i-1", "a") SERVER("i-2", "b") SERVER("i-3", "a") SERVER("i-4", "a") SERVER("i-5", "a")

/* What each call is answered with; classic balancers and others share names, not versions. */
static const struct {
    const char *call;
    const char *body;
} answers[] = {
    {"Action=DescribeAvailabilityZones&", "<DescribeAvailabilityZonesResponse/>"},
    {"Action=DescribeInstances&", "<DescribeInstancesResponse><reservationSet><item>"
                                  "<instancesSet>" SERVERS "</instancesSet></item>"
                                  "</reservationSet></DescribeInstancesResponse>"},
    {"Action=DescribeInstanceStatus&", "<DescribeInstanceStatusResponse/>"},
    {"Action=DescribeLoadBalancers&Version=2012",
     RESULT("DescribeLoadBalancers", "LoadBalancerDescriptions", CLASSIC)},
    {"Action=DescribeInstanceHealth&", RESULT("DescribeInstanceHealth", "InstanceStates", STATES)},
    {"Action=DescribeLoadBalancers&Version=2015",
     RESULT("DescribeLoadBalancers", "LoadBalancers", FRONT)},
    {"Action=DescribeTargetGroups&", RESULT("DescribeTargetGroups", "TargetGroups",
                                            GROUP("arn:web", "web") GROUP("arn:api", "api"))},
    {"Action=DescribeListeners&",
     RESULT("DescribeListeners", "Listeners",
            LISTENER("arn:b", "80", "arn:web") LISTENER("arn:b", "8081", "arn:api"))},
    {"Action=DescribeTargetHealth&",
     RESULT("DescribeTargetHealth", "TargetHealthDescriptions", TARGETS)},
};

static bool answer(void *self, const char *request, struct scripted_answer *ret_answer)
{
    (void)self;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (strstr(request, answers[i].call)) {
            ret_answer->body = answers[i].body;
            return true;
        }
    ret_answer->status = 404;
    return true;
}

static void look_for(struct aws_account *account, const char *name)
{
    struct tt_observe_request request = {.region = "us-east-1", .owner = "acme"};

    if (!account->provider) {
        account->server.answer = answer;
        setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
        setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI", 1);
        assert_int_equal(aws_account_open(account), 0);
    }
    if (name)
        tt_strings_add(&account->arena, &request.balancers, name);
    account->region = (struct tt_region){0};
    if (tt_provider_observe(account->provider, &request, &account->arena, &account->region,
                            &account->err) < 0)
        fail_msg("%s", account->err.message);
}

static enum tt_member_state state_of(const struct tt_cloud_balancer *balancer, const char *server)
{
    enum tt_member_state state = TT_MEMBER_UNKNOWN;
    int count = 0;

    TT_EACH (member, &balancer->members)
        if (tt_streq(member->server, server)) {
            state = member->state;
            count++;
        }
    assert_int_equal(count, 1);
    return state;
}

static void test_members_of_a_classic_balancer(void **state)
{
    struct aws_account *account = *state;
    const struct tt_cloud_balancer *balancer;

    look_for(account, "old");
    balancer = tt_region_balancer(&account->region, "old");
    assert_non_null(balancer);
    assert_int_equal(state_of(balancer, "i-1"), TT_MEMBER_IN_SERVICE);
    assert_int_equal(state_of(balancer, "i-2"), TT_MEMBER_OUT_OF_SERVICE); /* in zone b */
    assert_int_equal(state_of(balancer, "i-3"), TT_MEMBER_DRAINING);
    assert_int_equal(state_of(balancer, "i-4"), TT_MEMBER_OUT_OF_SERVICE); /* listed twice */
    assert_int_equal(state_of(balancer, "i-5"), TT_MEMBER_UNKNOWN);
    assert_int_equal(balancer->listeners->items[0].protocol, TT_PROTOCOL_SSL);
    assert_int_equal(balancer->listeners->items[0].target_port, 8443);
    assert_false(balancer->health->http);
    assert_int_equal(balancer->health->interval, 30000);
    /* one that nobody asked about is listed, and nothing more is asked about it */
    balancer = tt_region_balancer(&account->region, "unasked");
    assert_int_equal(state_of(balancer, "i-9"), TT_MEMBER_UNKNOWN);
    assert_int_equal(aws_account_count(account, "elb DescribeInstanceHealth"), 1);
}

static void test_members_of_a_target_group(void **state)
{
    struct aws_account *account = *state;
    const struct tt_cloud_balancer *balancer;

    look_for(account, "tg/web");
    balancer = tt_region_balancer(&account->region, "tg/web");
    assert_non_null(balancer);
    assert_string_equal(balancer->id, "arn:web");
    assert_int_equal(state_of(balancer, "i-1"), TT_MEMBER_OUT_OF_SERVICE);
    assert_int_equal(state_of(balancer, "i-2"), TT_MEMBER_OUT_OF_SERVICE); /* in zone b */
    assert_int_equal(state_of(balancer, "i-3"), TT_MEMBER_DRAINING);
    assert_int_equal(state_of(balancer, "i-4"), TT_MEMBER_IN_SERVICE); /* at its other port */
    assert_int_equal(state_of(balancer, "i-5"), TT_MEMBER_IN_SERVICE);
    assert_int_equal(state_of(balancer, "i-6"), TT_MEMBER_OUT_OF_SERVICE);
    assert_int_equal(balancer->listeners->count, 1);
    assert_int_equal(balancer->listeners->items[0].port, 80);
    assert_int_equal(balancer->listeners->items[0].target_port, 8080);
    assert_string_equal(balancer->health->path, "/up");
    assert_non_null(tt_region_balancer(&account->region, "tg/api"));
    assert_int_equal(aws_account_count(account, "elbv2 DescribeTargetHealth"), 1);
}

static void test_a_target_group_by_its_listener(void **state)
{
    struct aws_account *account = *state;

    look_for(account, "front:8081");
    assert_string_equal(tt_region_balancer(&account->region, "front:8081")->id, "arn:api");
    look_for(account, "front:80");
    assert_string_equal(tt_region_balancer(&account->region, "front:80")->id, "arn:web");
    /* its listeners forward to two groups: which one is meant is not guessed */
    look_for(account, "front");
    assert_null(tt_region_balancer(&account->region, "front"));
    look_for(account, "front:443");
    assert_null(tt_region_balancer(&account->region, "front:443"));
    look_for(account, "nothing:80");
    assert_null(tt_region_balancer(&account->region, "nothing:80"));
}

static void test_balancers_are_not_asked_for_in_vain(void **state)
{
    struct aws_account *account = *state;

    look_for(account, NULL);
    assert_int_equal(account->region.balancers.count, 0);
    assert_int_equal(aws_account_count(account, "elb DescribeLoadBalancers"), 0);
    assert_int_equal(aws_account_count(account, "elbv2 DescribeTargetGroups"), 0);
}

static void test_what_aws_cannot_have_is_refused(void **state)
{
    struct aws_account *account = *state;
    struct tt_health_check check = {.interval = 1500, .timeout = 1000, .unhealthy_after = 2};
    struct tt_listener secure = {.port = 444, .protocol = TT_PROTOCOL_HTTPS, .target_port = 8443};
    struct tt_listener elsewhere = {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 9};
    struct tt_listeners listeners = {.items = &secure, .count = 1};

    look_for(account, NULL);
    assert_int_equal(
        tt_provider_set_health_check(account->provider, "us-east-1", "old", &check, &account->err),
        -1);
    assert_non_null(strstr(account->err.message, "whole seconds"));
    assert_int_equal(
        tt_provider_set_listeners(account->provider, "us-east-1", "old", &listeners, &account->err),
        -1);
    assert_non_null(strstr(account->err.message, "ARN of a certificate"));
    listeners.items = &elsewhere;
    assert_int_equal(tt_provider_set_listeners(account->provider, "us-east-1", "arn:web",
                                               &listeners, &account->err),
                     -1);
    assert_non_null(strstr(account->err.message, "sends to port 8080"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, aws_account_begin, aws_account_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_members_of_a_classic_balancer),   TEST(test_members_of_a_target_group),
        TEST(test_a_target_group_by_its_listener),  TEST(test_balancers_are_not_asked_for_in_vain),
        TEST(test_what_aws_cannot_have_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
