/*
 * AWS's answers that moto cannot give: ten thousand machines, hostile ones, a clock that is wrong,
 * a key that expires on the way.
 * Covers providers/aws/call.c, errors.c, instances.c, xml.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/aws/xml.h"
#include "tests/providers/support/aws_account.h"

#define ZONES                                                                                      \
    "<DescribeAvailabilityZonesResponse><availabilityZoneInfo><item>"                              \
    "<zoneName>us-east-1a</zoneName><zoneState>available</zoneState></item><item>"                 \
    "<zoneName>us-east-1b</zoneName><zoneState>impaired</zoneState></item>"                        \
    "</availabilityZoneInfo></DescribeAvailabilityZonesResponse>"
#define NONE   "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>"
#define STATUS "<DescribeInstanceStatusResponse/>"

static void open_with_key(struct aws_account *account)
{
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI", 1);
    if (aws_account_open(account) < 0)
        fail_msg("%s", account->err.message);
}

/* --- many machines -------------------------------------------------------------------------- */

#define PAGES     10
#define OF_PAGE   1000
#define BALANCERS 20

struct many {
    const char *pages[PAGES];
    int next;
    int with_max_results;
    struct tt_arena *arena;
    const char *balancers;
};

static const char *write_page(struct tt_arena *arena, int number)
{
    TT_BUF_AUTO text = {0};
    struct tt_buf *page = &text;

    tt_buf_add(page, "<DescribeInstancesResponse><reservationSet><item><instancesSet>");
    for (int i = 0; i < OF_PAGE; i++) {
        int id = number * OF_PAGE + i;

        tt_buf_addf(page,
                    "<item><instanceId>i-%08x</instanceId><imageId>ami-1</imageId>"
                    "<instanceState><code>16</code><name>running</name></instanceState>"
                    "<instanceType>m5.large</instanceType>"
                    "<launchTime>2026-11-01T00:00:00.000Z</launchTime>"
                    "<placement><availabilityZone>us-east-1a</availabilityZone></placement>"
                    "<privateIpAddress>10.0.%d.%d</privateIpAddress>"
                    "<networkInterfaceSet><item><groupSet><item><groupId>sg-9</groupId></item>"
                    "</groupSet></item></networkInterfaceSet>"
                    "<groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item>"
                    "</groupSet><tagSet><item><key>Name</key><value>shop-web-%d</value></item>"
                    "<item><key>trimtab:owner</key><value>acme</value></item>"
                    "<item><key>trimtab:slot</key><value>%d</value></item></tagSet></item>",
                    id, id / 250, id % 250, id, id);
    }
    tt_buf_add(page, "</instancesSet></item></reservationSet>");
    if (number + 1 < PAGES)
        tt_buf_addf(page, "<nextToken>page+%d/=</nextToken>", number + 1);
    tt_buf_add(page, "</DescribeInstancesResponse>");
    return tt_strdup(arena, tt_buf_text(page));
}

static bool answer_many(void *self, const char *request, struct scripted_answer *ret_answer)
{
    struct many *many = self;

    if (strstr(request, "Action=DescribeInstances&")) {
        many->with_max_results += strstr(request, "&MaxResults=1000") != NULL;
        if (many->next && !strstr(request, "&NextToken=page%2B"))
            return false;
        ret_answer->body = many->pages[many->next++];
    } else if (strstr(request, "Action=DescribeInstanceStatus&")) {
        ret_answer->body = STATUS;
    } else if (strstr(request, "Action=DescribeAvailabilityZones&")) {
        ret_answer->body = ZONES;
    } else if (strstr(request, "Action=DescribeLoadBalancers&Version=2012")) {
        ret_answer->body = many->balancers;
    } else { /* of balancers */
        const char *name = strstr(request, "Action=") + strlen("Action=");

        ret_answer->body = tt_printf(many->arena, "<%.*sResponse/>", (int)strcspn(name, "&"), name);
    }
    return true;
}

/* Wants BALANCERS classic ones, which there are. */
static void want_balancers(struct many *many, struct tt_observe_request *request)
{
    TT_BUF_AUTO list = {0};

    tt_buf_add(&list, "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult>"
                      "<LoadBalancerDescriptions>");
    for (int i = 0; i < BALANCERS; i++) {
        const char *name = tt_printf(many->arena, "elb-%d", i);

        tt_buf_addf(&list, "<member><LoadBalancerName>%s</LoadBalancerName></member>", name);
        tt_strings_add(many->arena, &request->balancers, name);
    }
    tt_buf_add(&list, "</LoadBalancerDescriptions></DescribeLoadBalancersResult>"
                      "</DescribeLoadBalancersResponse>");
    many->balancers = tt_strdup(many->arena, tt_buf_text(&list));
}

static void test_ten_thousand_machines_are_twelve_calls(void **state)
{
    struct aws_account *account = *state;
    struct many *many = TT_NEW(&account->arena, struct many);
    const struct tt_server *server;
    struct tt_observe_request request = {.region = "us-east-1", .owner = "acme"};
    int calls = 0;

    many->arena = &account->arena;
    for (int i = 0; i < PAGES; i++)
        many->pages[i] = write_page(&account->arena, i);
    account->server.answer = answer_many;
    account->server.self = many;
    open_with_key(account);
    if (aws_account_look(account) < 0)
        fail_msg("%s", account->err.message);
    TT_EACH (line, &account->tally.lines)
        calls += line->count;
    assert_int_equal(calls, 12);
    assert_int_equal(many->with_max_results, PAGES);
    assert_int_equal(account->region.servers.count, PAGES * OF_PAGE);
    server = &account->region.servers.items[PAGES * OF_PAGE - 1];
    assert_string_equal(server->id, "i-0000270f");
    assert_string_equal(server->name, "shop-web-9999");
    assert_int_equal(server->tags.slot, 9999);
    assert_int_equal(server->firewalls->count, 1);
    assert_string_equal(server->firewalls->items[0], "web");
    assert_int_equal(server->created_at, INT64_C(1793491200000));
    assert_int_equal(account->region.zones.items[1].state, TT_ZONE_IMPAIRED);

    /* balancers: their lists, and one call for the members of each */
    want_balancers(many, &request);
    many->next = 0;
    assert_int_equal(tt_provider_observe(account->provider, &request, &account->arena,
                                         &account->region, &account->err),
                     0);
    TT_EACH (line, &account->tally.lines)
        calls -= line->count;
    assert_int_equal(-calls, 12 + 3 + BALANCERS);
    assert_int_equal(account->region.balancers.count, BALANCERS);
}

static void test_pages_without_an_end_are_an_error(void **state)
{
    struct aws_account *account = *state;

    open_with_key(account);
    aws_account_say(account, 200, ZONES);
    for (int i = 0; i < 3; i++)
        aws_account_say(account, 200,
                        "<DescribeInstancesResponse><reservationSet/><nextToken>again</nextToken>"
                        "</DescribeInstancesResponse>");
    assert_int_equal(aws_account_look(account), -1);
    assert_non_null(strstr(account->err.message, "has no end"));
    assert_false(account->region.observed);
}

/* --- hostile answers ------------------------------------------------------------------------ */

static void refuses(struct aws_account *account, const char *body)
{
    aws_account_say(account, 200, ZONES);
    aws_account_say(account, 200, body);
    assert_int_equal(aws_account_look(account), -1);
    if (account->err.class != TT_ERR_INTERNAL)
        fail_msg("%.60s: %s", body, account->err.message);
    assert_false(account->region.observed);
    assert_int_equal(account->region.servers.count, 0);
}

static void test_hostile_answers_are_refused(void **state)
{
    struct aws_account *account = *state;
    TT_BUF_AUTO deep = {0};

    open_with_key(account);
    for (int i = 0; i < 200; i++)
        tt_buf_add(&deep, i ? "<a>" : "<DescribeInstancesResponse>");
    refuses(account, "");
    refuses(account, "   ");
    refuses(account, "{\"json\": true}");
    refuses(account, "<html><body>Sign in</body></html>");
    refuses(account, "<DescribeVpcsResponse/>");
    refuses(account, "<DescribeInstancesResponse><reservationSet>");
    refuses(account, "<DescribeInstancesResponse></reservationSet>");
    refuses(account, "<DescribeInstancesResponse>\xff\xfe</DescribeInstancesResponse>");
    refuses(account, "<!DOCTYPE a [<!ENTITY b \"c\">]><DescribeInstancesResponse/>");
    refuses(account, "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><DescribeInstancesResponse/>");
    refuses(account, "<DescribeInstancesResponse>&nothing;</DescribeInstancesResponse>");
    refuses(account, tt_strdup(&account->arena, tt_buf_text(&deep)));
}

static void test_a_reply_without_end_is_refused(void **state)
{
    struct aws_account *account = *state;

    open_with_key(account);
    aws_account_say(account, 200, ZONES);
    scripted_say(&account->server, (struct scripted_answer){.fault = SCRIPTED_ENDLESS});
    assert_int_equal(aws_account_look(account), -1);
    assert_non_null(strstr(account->err.message, "larger than"));
    assert_int_equal(aws_account_count(account, "ec2 DescribeInstances"), 1);
}

/* --- clocks and keys ------------------------------------------------------------------------ */

#define EXPIRED                                                                                    \
    "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message>"  \
    "</Error></Errors></Response>"

static void test_a_wrong_clock_is_corrected(void **state)
{
    struct aws_account *account = *state;

    open_with_key(account);
    scripted_say(&account->server,
                 (struct scripted_answer){.status = 400,
                                          .headers = "Date: Mon, 23 Nov 2026 06:00:00 GMT\r\n",
                                          .body = EXPIRED});
    aws_account_say(account, 200, ZONES);
    aws_account_say(account, 200, NONE);
    assert_int_equal(aws_account_look(account), 0);
    assert_non_null(strstr(scripted_request(&account->server, 0), "x-amz-date: 20261123T0400"));
    assert_non_null(strstr(scripted_request(&account->server, 1), "x-amz-date: 20261123T0600"));
    assert_non_null(strstr(scripted_request(&account->server, 2), "x-amz-date: 20261123T0600"));
}

static void test_a_clock_that_is_right_is_not_the_reason(void **state)
{
    struct aws_account *account = *state;

    open_with_key(account);
    scripted_say(&account->server,
                 (struct scripted_answer){.status = 400,
                                          .headers = "Date: Mon, 23 Nov 2026 04:00:01 GMT\r\n",
                                          .body = EXPIRED});
    assert_int_equal(aws_account_look(account), -1);
    assert_int_equal(account->err.class, TT_ERR_DENIED);
    assert_int_equal(scripted_requests(&account->server), 1);
    assert_null(strstr(account->err.message, "wJalrXUtnFEMI"));
}

static void test_a_key_that_expires_is_renewed(void **state)
{
    struct aws_account *account = *state;
    const char *script = tt_printf(&account->arena, "%s/process", account->folder);
    const char *config = tt_printf(&account->arena, "%s/config", account->folder);
    const char *text =
        "#!/bin/sh\n"
        "echo x >>\"$HOME/times\"\n"
        "echo \"{\\\"Version\\\": 1, \\\"AccessKeyId\\\": \\\"ASIA$(wc -l <$HOME/times)\\\","
        " \\\"SecretAccessKey\\\": \\\"wJalrXUtnFEMI\\\"}\"\n";
    const char *profile =
        tt_printf(&account->arena, "[default]\ncredential_process = \"%s\" 'a b'\n", script);

    assert_int_equal(tt_file_write(script, text, strlen(text), 0700, NULL), 0);
    assert_int_equal(tt_file_write(config, profile, strlen(profile), 0600, NULL), 0);
    setenv("AWS_CONFIG_FILE", config, 1);
    assert_int_equal(aws_account_open(account), 0);
    aws_account_say(account, 200, ZONES);
    aws_account_say(
        account, 400,
        "<Response><Errors><Error><Code>ExpiredToken</Code></Error></Errors></Response>");
    aws_account_say(account, 200, NONE);
    assert_int_equal(aws_account_look(account), 0);
    assert_non_null(strstr(scripted_request(&account->server, 0), "Credential=ASIA1/"));
    assert_non_null(strstr(scripted_request(&account->server, 1), "Credential=ASIA1/"));
    assert_non_null(strstr(scripted_request(&account->server, 2), "Credential=ASIA2/"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, aws_account_begin, aws_account_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ten_thousand_machines_are_twelve_calls),
        TEST(test_pages_without_an_end_are_an_error),
        TEST(test_hostile_answers_are_refused),
        TEST(test_a_reply_without_end_is_refused),
        TEST(test_a_wrong_clock_is_corrected),
        TEST(test_a_clock_that_is_right_is_not_the_reason),
        TEST(test_a_key_that_expires_is_renewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
