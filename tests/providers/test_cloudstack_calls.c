/*
 * What `cloudstack` sends and reads, against a scripted server: recorded real answers, pages,
 * jobs, and what is no answer at all.
 * Covers providers/cloudstack/call.c, list.c, jobs.c, lookup.c, machines.c, rules.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/str.h"
#include "providers/cloudstack/cloudstack.h"
#include "providers/tally.h"
#include "tests/providers/support/jumping.h"
#include "tests/providers/support/scripted.h"

#define RECORDED TT_SOURCE_DIR "/tests/clouds/cloudstack/recorded/"
#define MACHINE  "915653c4-298b-4d74-bdee-4ced282114f1"
#define ADDRESS  "192.168.2.107"
#define MOST     16

/* An account whose server gives each command the answers that were set for it, the last again and
 * again. */
struct desk {
    struct scripted server;
    struct jumping jumping;
    struct tt_arena arena;
    struct tt_account account;
    struct tt_tally tally;
    struct tt_provider *provider;
    struct tt_region region;
    struct tt_error err;
    struct answer {
        const char *command;
        const char *body;
        int status;
        bool given;
    } answers[MOST];
    size_t count;
};

static bool answer(void *self, const char *request, struct scripted_answer *ret_answer)
{
    struct desk *desk = self;
    struct answer *found = NULL;

    for (size_t i = 0; i < desk->count; i++) {
        struct answer *one = &desk->answers[i];
        char command[80];

        snprintf(command, sizeof(command), "&command=%s&", one->command);
        if (strstr(request, command) && (!found || found->given))
            found = one;
    }
    if (!found)
        return false;
    found->given = true;
    *ret_answer = (struct scripted_answer){.status = found->status, .body = found->body};
    return true;
}

static void set(struct desk *desk, const char *command, int status, const char *body)
{
    assert_true(desk->count < MOST);
    desk->answers[desk->count++] =
        (struct answer){.command = command, .body = body, .status = status};
}

static json_t *recorded(const char *command)
{
    struct tt_arena arena = {0};
    json_error_t why;
    json_t *whole = json_load_file(tt_printf(&arena, "%s%s.json", RECORDED, command), 0, &why);

    if (!whole)
        fail_msg("%s: %s", command, why.text);
    tt_arena_release(&arena);
    return whole;
}

/* JSON as text that lives as long as the desk; takes the reference. */
static const char *text_of(struct desk *desk, json_t *json)
{
    char *text = json_dumps(json, 0);
    const char *kept = tt_strdup(&desk->arena, text);

    free(text);
    json_decref(json);
    return kept;
}

/* A list answer of one recorded item, PATH is where it stands. */
static const char *list_of(struct desk *desk, const char *command, const char *const *path,
                           const char *key)
{
    json_t *whole = recorded(command);
    json_t *item = whole;

    for (; *path; path++)
        item = json_object_get(item, *path);
    assert_non_null(item);
    item = json_pack("{s:{s:i, s:[O]}}", "listresponse", "count", 1, key, item);
    json_decref(whole);
    return text_of(desk, item);
}

static int begin(void **state)
{
    struct desk *desk = calloc(1, sizeof(*desk));

    if (!desk)
        return -1;
    setenv("DESK_API_KEY", "the-key", 1);
    setenv("DESK_SECRET_KEY", "hush", 1);
    jumping_init(&desk->jumping);
    tt_tally_init(&desk->tally);
    scripted_start(&desk->server);
    desk->server.answer = answer;
    desk->server.self = desk;
    desk->account = (struct tt_account){
        .name = "dc1",
        .provider = TT_PROVIDER_CLOUDSTACK,
        .endpoint = tt_printf(&desk->arena, "http://127.0.0.1:%d/client/api", desk->server.port),
        .credentials_env = "DESK",
        .folder = "",
    };
    *state = desk;
    return tt_cloudstack_ops()->open(&(struct tt_provider_settings){.account = &desk->account,
                                                                    .owner = "acme",
                                                                    .state_folder = "/nonexistent",
                                                                    .base_folder = "/nonexistent",
                                                                    .clock = &desk->jumping.clock,
                                                                    .tally = &desk->tally},
                                     &desk->arena, &desk->provider, &desk->err);
}

static int end(void **state)
{
    struct desk *desk = *state;

    tt_provider_close(desk->provider);
    scripted_stop(&desk->server);
    tt_tally_release(&desk->tally);
    jumping_release(&desk->jumping);
    tt_arena_release(&desk->arena);
    free(desk);
    return 0;
}

static int look(struct desk *desk)
{
    struct tt_observe_request request = {
        .region = "shouldwork", .owner = "acme", .everything = true};

    desk->err = (struct tt_error){0};
    desk->region = (struct tt_region){0};
    return tt_provider_observe(desk->provider, &request, &desk->arena, &desk->region, &desk->err);
}

static void refuses(struct desk *desk, enum tt_error_class class, const char *why)
{
    assert_int_equal(look(desk), -1);
    if (desk->err.class != class || !strstr(desk->err.message, why))
        fail_msg("not %s \"%s\": %s: %s", tt_error_class_name(class), why,
                 tt_error_class_name(desk->err.class), desk->err.message);
    assert_null(strstr(desk->err.message, "hush"));
}

static int count_of(struct desk *desk, const char *api)
{
    TT_EACH (line, &desk->tally.lines)
        if (tt_streq(line->api, api))
            return line->count;
    return 0;
}

static const char zones[] = "{\"listzonesresponse\":{\"count\":1,\"zone\":[{\"id\":\"1d8d87d4-1425-"
                            "459c-8d81-c6f57dca2bd2\",\"name\":\"shouldwork\","
                            "\"allocationstate\":\"Enabled\"}]}}";
static const char nothing[] = "{\"listresponse\":{}}";

/* A zone with nothing in it but what a test sets before. */
static void set_rest(struct desk *desk)
{
    set(desk, "listZones", 200, zones);
    set(desk, "listVirtualMachines", 200, nothing);
    set(desk, "listPublicIpAddresses", 200, nothing);
    set(desk, "listLoadBalancerRules", 200, nothing);
    set(desk, "listTemplates", 200, nothing);
}

static void test_recorded_answers_are_read(void **state)
{
    static const char *const rule[] = {"createloadbalancerruleresponse", "jobresult",
                                       "loadbalancer", NULL};
    static const char *const machine[] = {"deployvirtualmachineresponse", "jobresult",
                                          "virtualmachine", NULL};
    static const char *const address[] = {"associateipaddressresponse", "jobresult", "ipaddress",
                                          NULL};
    struct desk *desk = *state;
    const struct tt_server *server;
    const struct tt_cloud_balancer *balancer;

    set(desk, "listVirtualMachines", 200, text_of(desk, recorded("listVirtualMachines")));
    set(desk, "listLoadBalancerRules", 200,
        list_of(desk, "createLoadBalancerRule", rule, "loadbalancerrule"));
    set(desk, "listLoadBalancerRuleInstances", 200,
        list_of(desk, "deployVirtualMachine", machine, "loadbalancerruleinstance"));
    set(desk, "listPublicIpAddresses", 200,
        list_of(desk, "associateIpAddress", address, "publicipaddress"));
    set_rest(desk);
    if (look(desk) < 0)
        fail_msg("%s", desk->err.message);
    server = tt_region_server(&desk->region, MACHINE);
    assert_non_null(server);
    assert_string_equal(server->name, "testDummyVM");
    assert_int_equal(server->state, TT_SERVER_RUNNING);
    assert_string_equal(server->template, "CentOS 5.6 (64-bit)");
    assert_string_equal(server->size, "Very small instance");
    assert_string_equal(server->network, "test");
    assert_string_equal(server->private_address, "10.1.1.62");
    assert_null(server->public_address);
    assert_null(server->tags.owner);
    assert_string_equal(tt_time_format(&desk->arena, server->created_at), "2021-10-04T09:24:38Z");
    balancer = tt_region_balancer(&desk->region, ADDRESS);
    assert_non_null(balancer);
    assert_string_equal(balancer->name, "testLBRule");
    assert_int_equal(balancer->listeners->count, 1);
    assert_int_equal(balancer->listeners->items[0].port, 9090);
    assert_int_equal(balancer->listeners->items[0].target_port, 9090);
    assert_int_equal(balancer->members.count, 1);
    assert_string_equal(balancer->members.items[0].server, MACHINE);
    assert_int_equal(balancer->members.items[0].state, TT_MEMBER_IN_SERVICE);
    assert_int_equal(desk->region.addresses.count, 0); /* it is a source address */
}

static void test_requests_are_signed_and_expire(void **state)
{
    struct desk *desk = *state;
    const char *request;

    set_rest(desk);
    assert_int_equal(look(desk), 0);
    request = scripted_request(&desk->server, 0);
    assert_non_null(strstr(request, "POST /client/api HTTP/1.1"));
    assert_non_null(strstr(request, "apikey=the-key&command=listZones&expires=2026-11-23T"));
    assert_non_null(
        strstr(request, "%2B0000&page=1&pagesize=500&response=json&signatureversion=3&signature="));
    assert_null(strstr(request, "hush"));
}

/* COUNT machines from FIRST on. */
static const char *page_of(struct desk *desk, int first, int count)
{
    json_t *items = json_array();

    for (int i = first; i < first + count; i++)
        json_array_append_new(
            items, json_pack("{s:s, s:s, s:s}", "id", tt_printf(&desk->arena, "machine-%d", i),
                             "name", tt_printf(&desk->arena, "m%d", i), "state", "Running"));
    return text_of(desk, json_pack("{s:{s:i, s:o}}", "listvirtualmachinesresponse", "count", 502,
                                   "virtualmachine", items));
}

static void test_all_pages_are_read_once(void **state)
{
    struct desk *desk = *state;

    set(desk, "listVirtualMachines", 200, page_of(desk, 0, 500));
    set(desk, "listVirtualMachines", 200, page_of(desk, 499, 3)); /* one has moved */
    set_rest(desk);
    if (look(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(desk->region.servers.count, 502);
    assert_int_equal(count_of(desk, "cloudstack listVirtualMachines"), 2);
}

/* Some lists know no pages. */
static void test_a_list_that_gives_all_each_time_ends(void **state)
{
    struct desk *desk = *state;

    set(desk, "listVirtualMachines", 200, page_of(desk, 0, 500));
    set_rest(desk);
    desk->answers[desk->count - 4].given = true; /* nothing but that page, again and again */
    desk->answers[desk->count - 4].command = "no-command";
    if (look(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(desk->region.servers.count, 500);
    assert_int_equal(count_of(desk, "cloudstack listVirtualMachines"), 2);
}

static void test_smaller_pages_are_learnt(void **state)
{
    static const char refused[] =
        "{\"x\":{\"errorcode\":431,\"errortext\":\"Page size can't exceed max allowed page size "
        "value: 100\"}}";
    struct desk *desk = *state;

    set(desk, "listZones", 431, refused);
    set(desk, "listVirtualMachines", 200, page_of(desk, 0, 100));
    set(desk, "listVirtualMachines", 200, page_of(desk, 100, 7));
    set_rest(desk);
    if (look(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(desk->region.servers.count, 107);
    assert_int_equal(count_of(desk, "cloudstack listZones"), 2);
    assert_int_equal(count_of(desk, "cloudstack listVirtualMachines"), 2);
}

static void test_what_is_no_answer(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum tt_error_class class;
        const char *why;
    } rows[] = {
        {200, "<html>", TT_ERR_SPEC, "an endpoint is https://HOST/client/api"},
        {200, "", TT_ERR_SPEC, "an endpoint is"},
        {200, "[]", TT_ERR_SPEC, "an endpoint is"},
        {200, "{}", TT_ERR_SPEC, "an endpoint is"},
        {200, "{\"x\":3}", TT_ERR_SPEC, "an endpoint is"},
        {200, "{\"x\":{\"zone\":{}}}", TT_ERR_UNAVAILABLE, "zone that is no list"},
        {200, "{\"x\":{\"errorcode\":401,\"errortext\":\"no\"}}", TT_ERR_DENIED, "says 401: no"},
        {401, "{\"x\":{\"errorcode\":401,\"errortext\":\"no\"}}", TT_ERR_DENIED, "check the keys"},
        {404, "<html>", TT_ERR_NOT_FOUND, "404"},
        {200, "{\"x\":{}}", TT_ERR_SPEC, "account dc1 has no zone shouldwork; there are: none"},
        {200, "{\"x\":{\"zone\":[{\"id\":\"a\",\"name\":\"b\"}]}}", TT_ERR_SPEC, "there are: b"},
    };
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        desk->count = 0;
        set(desk, "listZones", rows[i].status, rows[i].body);
        refuses(desk, rows[i].class, rows[i].why);
    }
}

static void test_reads_are_repeated(void **state)
{
    static const char throttled[] = "{\"x\":{\"errorcode\":429,\"errortext\":\"too often\"}}";
    static const char broken[] = "{\"x\":{\"errorcode\":530,\"errortext\":\"oops\"}}";
    struct desk *desk = *state;

    set(desk, "listZones", 429, throttled);
    set(desk, "listZones", 530, broken);
    set(desk, "listZones", 503, "<html>");
    set_rest(desk);
    if (look(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(count_of(desk, "cloudstack listZones"), 4);
}

static void set_stopped_machine(struct desk *desk)
{
    json_t *machines = recorded("listVirtualMachines");
    json_t *machine = json_array_get(
        json_object_get(json_object_get(machines, "listVirtualMachines"), "virtualmachine"), 0);

    json_object_set_new(machine, "state", json_string("Stopped"));
    json_object_set_new(machine, "tags",
                        json_pack("[{s:s, s:s}]", "key", "trimtab:owner", "value", "acme"));
    set(desk, "listVirtualMachines", 200, text_of(desk, machines));
    set(desk, "startVirtualMachine", 200, "{\"startvirtualmachineresponse\":{\"jobid\":\"j1\"}}");
}

static int start(struct desk *desk)
{
    desk->err = (struct tt_error){0};
    return tt_provider_start_server(desk->provider, "shouldwork", MACHINE, &desk->err);
}

static void test_jobs_are_waited_for(void **state)
{
    static const char pending[] = "{\"x\":{\"jobid\":\"j1\",\"jobstatus\":0}}";
    struct desk *desk = *state;

    set_stopped_machine(desk);
    set(desk, "queryAsyncJobResult", 200, pending);
    set(desk, "queryAsyncJobResult", 200, pending);
    set(desk, "queryAsyncJobResult", 200, text_of(desk, recorded("startVirtualMachine")));
    if (start(desk) < 0)
        fail_msg("%s", desk->err.message);
    assert_int_equal(count_of(desk, "cloudstack queryAsyncJobResult"), 3);
    assert_int_equal(count_of(desk, "cloudstack startVirtualMachine"), 1);
}

static void test_jobs_that_fail_say_why(void **state)
{
    struct desk *desk = *state;

    set_stopped_machine(desk);
    set(desk, "queryAsyncJobResult", 200,
        "{\"x\":{\"jobid\":\"j1\",\"jobstatus\":2,\"jobresultcode\":530,\"jobresult\":"
        "{\"errorcode\":535,\"errortext\":\"no host has room\"}}}");
    assert_int_equal(start(desk), -1);
    assert_int_equal(desk->err.class, TT_ERR_CONFLICT);
    assert_string_equal(desk->err.code, "no-capacity");
    assert_non_null(
        strstr(desk->err.message, "startVirtualMachine: CloudStack says 535: no host has room"));
}

static void test_a_job_that_cannot_be_asked_for_is_unknown(void **state)
{
    struct desk *desk = *state;

    set_stopped_machine(desk);
    set(desk, "queryAsyncJobResult", 431,
        "{\"x\":{\"errorcode\":431,\"errortext\":\"no such job\"}}");
    assert_int_equal(start(desk), -1);
    assert_int_equal(desk->err.class, TT_ERR_TIMEOUT);
    assert_non_null(strstr(desk->err.message, "the end of job j1 is unknown"));
}

static void test_an_answer_without_a_job_is_unknown(void **state)
{
    struct desk *desk = *state;

    set_stopped_machine(desk);
    desk->answers[1].body = "{\"startvirtualmachineresponse\":{}}";
    assert_int_equal(start(desk), -1);
    assert_int_equal(desk->err.class, TT_ERR_TIMEOUT);
    assert_int_equal(count_of(desk, "cloudstack startVirtualMachine"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_recorded_answers_are_read),
        TEST(test_requests_are_signed_and_expire),
        TEST(test_all_pages_are_read_once),
        TEST(test_a_list_that_gives_all_each_time_ends),
        TEST(test_smaller_pages_are_learnt),
        TEST(test_what_is_no_answer),
        TEST(test_reads_are_repeated),
        TEST(test_jobs_are_waited_for),
        TEST(test_jobs_that_fail_say_why),
        TEST(test_a_job_that_cannot_be_asked_for_is_unknown),
        TEST(test_an_answer_without_a_job_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
