/*
 * Proxy: the command lines that reach a machine, word by word, and what becomes of its answers.
 * Covers providers/proxies/proxy.c.
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
#include "providers/proxies/proxy.h"

#define MAX_CALLS 4

/* A provider whose machine says what the test wants. */
struct talker {
    struct tt_provider base;
    struct tt_provider_ops ops;
    struct tt_arena arena;
    struct tt_error err;
    const char *has;     /* the scripts there are, all in one text; NULL: all */
    int exit_code;       /* of the script FAILS */
    const char *fails;   /* NULL: of none */
    const char *outputs; /* of listProxy */
    const char *listeners;
    const char *errors;
    int call_count;
    const char *calls[MAX_CALLS]; /* "path|argument|..." */
    const char *inputs[MAX_CALLS];
    tt_time timeouts[MAX_CALLS];
    struct tt_proxy proxy;
};

static const char *join(struct tt_arena *arena, const char *const *argv)
{
    const char *text = tt_strdup(arena, argv[0]);

    for (size_t i = 1; argv[i]; i++)
        text = tt_printf(arena, "%s|%s", text, argv[i]);
    return text;
}

static int run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    struct talker *talker = (struct talker *)provider;
    const char *name = strrchr(request->argv[0], '/') + 1;
    bool of_listeners = tt_streq(request->argv[1], "--listeners");

    assert_true(talker->call_count < MAX_CALLS);
    assert_string_equal(request->region, "r1");
    assert_string_equal(request->machine, "m-1");
    talker->timeouts[talker->call_count] = request->timeout;
    talker->inputs[talker->call_count] = tt_strdup(&talker->arena, request->input);
    talker->calls[talker->call_count++] = join(&talker->arena, request->argv);
    if (talker->has && !strstr(talker->has, name))
        return tt_fail(err, TT_ERR_NOT_FOUND, "m-1 has no %s", request->argv[0]);
    *ret_result = (struct tt_run_result){
        .exit_code = talker->fails && strcmp(talker->fails, name) == 0 ? talker->exit_code : 0,
        .output = tt_strdup(arena, of_listeners ? talker->listeners : talker->outputs),
        .errors = tt_strdup(arena, talker->errors),
    };
    return 0;
}

static int begin(void **state)
{
    struct talker *talker = calloc(1, sizeof(*talker));

    talker->ops = (struct tt_provider_ops){.name = "talker", .run = run};
    talker->base.ops = &talker->ops;
    talker->outputs = talker->errors = "";
    talker->listeners = "";
    talker->proxy = (struct tt_proxy){
        .provider = &talker->base, .region = "r1", .machine = "m-1", .address = "10.9.9.9"};
    *state = talker;
    return 0;
}

static int end(void **state)
{
    struct talker *talker = *state;

    tt_arena_release(&talker->arena);
    free(talker);
    return 0;
}

#define ok(talker, call)                                                                           \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s", #call, (talker)->err.message);                                      \
    } while (0)

static struct tt_service web_of(struct talker *talker, struct tt_deployment *deployment,
                                const char *names)
{
    struct tt_service service = {.name = "web", .deployment = deployment};
    char *rest = tt_strdup(&talker->arena, names);

    deployment->name = "shop";
    for (char *name; (name = strtok_r(rest, " ", &rest));)
        tt_strings_add(&talker->arena, &service.names, name);
    return service;
}

static const char *start_with(struct talker *talker, const char *names, const char *certificate,
                              const char *chain)
{
    struct tt_deployment deployment = {0};
    struct tt_service service = web_of(talker, &deployment, names);
    struct tt_proxy_member member = {.service = &service,
                                     .address = "10.0.0.1",
                                     .port = 8080,
                                     .certificate = certificate,
                                     .key = certificate ? "/k" : NULL,
                                     .chain = chain};

    talker->call_count = 0;
    ok(talker, tt_proxy_start(&talker->proxy, &member, &talker->err));
    assert_int_equal(talker->call_count, 1);
    return talker->calls[0];
}

static void test_start_is_the_contract_word_by_word(void **state)
{
    struct talker *talker = *state;

    assert_string_equal(start_with(talker, "", NULL, NULL),
                        "/enstratus/bin/startProxy|shop.web|NONE|NONE|10.9.9.9|10.0.0.1|8080");
    assert_string_equal(start_with(talker, "a.example", NULL, NULL),
                        "/enstratus/bin/startProxy|shop.web|a.example|NONE|10.9.9.9|10.0.0.1|8080");
    assert_string_equal(
        start_with(talker, "a.example b.example c.example", "/c", "/ch"),
        "/enstratus/bin/startProxy|shop.web|a.example|b.example,c.example|10.9.9.9|10.0.0.1|8080"
        "|/c|/k|/ch");
    assert_string_equal(
        start_with(talker, "a.example", "/c", NULL),
        "/enstratus/bin/startProxy|shop.web|a.example|NONE|10.9.9.9|10.0.0.1|8080|/c|/k|NONE");
    talker->proxy.agent_folder = "/opt/agent";
    assert_string_equal(start_with(talker, "", NULL, NULL),
                        "/opt/agent/startProxy|shop.web|NONE|NONE|10.9.9.9|10.0.0.1|8080");
}

static void test_many_start_by_one_call(void **state)
{
    struct talker *talker = *state;
    struct tt_deployment deployment = {0};
    struct tt_service service = web_of(talker, &deployment, "a.example b.example");
    struct tt_proxy_member one = {.service = &service, .address = "10.0.0.1", .port = 8080};
    struct tt_proxy_member two = {
        .service = &service, .address = "10.0.0.2", .port = 8081, .certificate = "/c", .key = "/k"};
    const struct tt_proxy_member *const members[] = {&one, &two};

    ok(talker, tt_proxy_start_all(&talker->proxy, members, 2, &talker->err));
    assert_int_equal(talker->call_count, 1);
    assert_string_equal(talker->calls[0], "/enstratus/bin/joinProxy");
    assert_string_equal(talker->inputs[0],
                        "shop.web a.example b.example 10.9.9.9 10.0.0.1 8080\n"
                        "shop.web a.example b.example 10.9.9.9 10.0.0.2 8081 /c /k NONE\n");
    two.key = "/a key";
    assert_int_equal(tt_proxy_start_all(&talker->proxy, members, 2, &talker->err), -1);
    assert_int_equal(talker->err.class, TT_ERR_NOT_FOUND);
    assert_int_equal(talker->call_count, 1);
    two.key = "/k";
    talker->has = "startProxy stopProxy";
    assert_int_equal(tt_proxy_start_all(&talker->proxy, members, 2, &talker->err), -1);
    assert_int_equal(talker->err.class, TT_ERR_NOT_FOUND);
}

static void test_stop_is_the_contract_and_waits_for_the_drain(void **state)
{
    struct talker *talker = *state;

    ok(talker, tt_proxy_stop(&talker->proxy, "shop.web", "10.0.0.1", 8080, 90500, &talker->err));
    assert_int_equal(talker->call_count, 2);
    assert_string_equal(talker->calls[0],
                        "/enstratus/bin/configureProxy|--drain|shop.web|91|10.0.0.1|8080");
    assert_string_equal(talker->calls[1], "/enstratus/bin/stopProxy|10.0.0.1|shop.web|8080");
    assert_true(talker->timeouts[1] > 90500);
}

static void test_stop_needs_no_configure(void **state)
{
    struct talker *talker = *state;

    talker->has = "startProxy stopProxy";
    ok(talker, tt_proxy_stop(&talker->proxy, "shop.web", "10.0.0.1", 8080, 0, &talker->err));
    assert_string_equal(talker->calls[1], "/enstratus/bin/stopProxy|10.0.0.1|shop.web|8080");
    talker->has = "startProxy";
    talker->call_count = 0;
    assert_int_equal(tt_proxy_stop(&talker->proxy, "shop.web", "10.0.0.1", 8080, 0, &talker->err),
                     -1);
    assert_int_equal(talker->err.class, TT_ERR_NOT_FOUND);
}

static void test_exit_codes_are_told_with_the_last_line(void **state)
{
    static const struct {
        int code;
        const char *words;
    } cases[] = {{1, "refused its arguments"},
                 {20, "the change of its list failed"},
                 {21, "its backend failed"},
                 {22, "its reload failed"},
                 {99, "it failed (exit 99)"}};
    struct talker *talker = *state;

    talker->fails = "stopProxy";
    talker->errors = "first\nwhat \x1b[31mwent wrong\r\n\n";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        talker->exit_code = cases[i].code;
        talker->call_count = 0;
        talker->err = (struct tt_error){0};
        assert_int_equal(
            tt_proxy_stop(&talker->proxy, "shop.web", "10.0.0.1", 8080, 0, &talker->err), -1);
        assert_non_null(strstr(talker->err.message, cases[i].words));
        assert_non_null(strstr(talker->err.message, "stopProxy on m-1"));
        assert_non_null(strstr(talker->err.message, "what ?[31mwent wrong"));
        assert_null(strstr(talker->err.message, "first"));
    }
}

static void test_configure_tells_settings(void **state)
{
    struct talker *talker = *state;
    struct tt_listeners listeners = {0};
    struct tt_health_check health = {
        .http = true, .path = "/healthz", .interval = 5000, .timeout = 2000, .unhealthy_after = 3};
    struct tt_balancer_setup setup = {
        .listeners = &listeners, .algorithm = TT_ALGORITHM_LEAST_CONNECTIONS, .health = &health};

    *TT_VEC_ADD(&talker->arena, &listeners) =
        (struct tt_listener){.port = 80, .protocol = TT_PROTOCOL_HTTP};
    *TT_VEC_ADD(&talker->arena, &listeners) = (struct tt_listener){.port = 443,
                                                                   .protocol = TT_PROTOCOL_HTTPS,
                                                                   .target_port = 8443,
                                                                   .certificate = "/c.pem",
                                                                   .key = "/k.pem"};
    ok(talker, tt_proxy_configure(&talker->proxy, &setup, &talker->err));
    assert_string_equal(talker->calls[0], "/enstratus/bin/configureProxy");
    assert_string_equal(talker->inputs[0], "algorithm least-connections\n"
                                           "health http /healthz 5000 2000 3\n"
                                           "listener 80 http - - - -\n"
                                           "listener 443 https 8443 /c.pem /k.pem -\n");
    talker->has = "startProxy";
    assert_int_equal(tt_proxy_configure(&talker->proxy, &setup, &talker->err), -1);
    assert_int_equal(talker->err.class, TT_ERR_UNSUPPORTED);
}

static void test_list_is_read(void **state)
{
    struct talker *talker = *state;
    struct tt_pool pool = {0};

    talker->outputs = "shop.web\t10.0.0.1\t8080\tin-service\nshop.api\t10.0.0.10\t1\tdraining\n"
                      "x\t10.0.0.2\t65535\tout-of-service\nx\t10.0.0.3\t80\tunknown\n";
    talker->listeners = "80\thttp\t-\t10080\n443\thttps\t8443\t-\n8080\ttcp\t-\t8080\n";
    ok(talker, tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err));
    assert_string_equal(pool.machine, "m-1");
    assert_int_equal(pool.members.count, 4);
    assert_string_equal(pool.members.items[0].service, "shop.web");
    assert_string_equal(pool.members.items[1].address, "10.0.0.10");
    assert_int_equal(pool.members.items[1].state, TT_MEMBER_DRAINING);
    assert_int_equal(pool.members.items[2].port, 65535);
    assert_int_equal(pool.members.items[3].state, TT_MEMBER_UNKNOWN);
    assert_int_equal(pool.listeners->count, 3);
    assert_int_equal(pool.listeners->items[0].bound_port, 10080);
    assert_int_equal(pool.listeners->items[1].target_port, 8443);
    assert_int_equal(pool.listeners->items[1].bound_port, -1);
    assert_int_equal(pool.listeners->items[2].bound_port, 0);
}

/* An image's own listProxy may print members and know nothing of listeners. */
static void test_unknown_listeners_do_not_hide_members(void **state)
{
    /* the second takes it for a service that has no member */
    static const char *const answers[] = {"usage: listProxy [SERVICE]\n", ""};
    struct talker *talker = *state;
    struct tt_pool pool = {0};

    talker->outputs = "shop.web\t10.0.0.1\t8080\tin-service\n";
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        talker->listeners = answers[i];
        talker->call_count = 0;
        ok(talker, tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err));
        assert_int_equal(pool.members.count, 1);
        assert_null(pool.listeners);
    }
    talker->listeners = "none\n"; /* ours, before any was set */
    ok(talker, tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err));
    assert_int_equal(pool.listeners->count, 0);
}

static void test_odd_lists_are_refused_whole(void **state)
{
    static const char *const odd[] = {
        "shop.web\t10.0.0.1\t8080\n",
        "shop.web\t10.0.0.1\t8080\tin-service\textra\n",
        "shop.web\t10.0.0.1\t0\tin-service\n",
        "shop.web\t10.0.0.1\t65536\tin-service\n",
        "shop.web\t10.0.0.1\t-1\tin-service\n",
        "shop.web\t10.0.0.1\t80x\tin-service\n",
        "shop.web\t10.0.0.1\t\tin-service\n",
        "shop.web\t10.0.0.1\t8080\tup\n",
        "shop.web 10.0.0.1 8080 in-service\n",
        "\t10.0.0.1\t8080\tin-service\n",
        "shop.web\t\t8080\tin-service\n",
        "shop\x1b[2J\t10.0.0.1\t8080\tin-service\n",
        "shop.web\t10.0.0.1\t8080\tin-service\ngarbage",
        "shop.web\t10.0.0.1\t99999999999999999999\tin-service\n",
    };
    struct talker *talker = *state;

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct tt_pool pool = {0};

        talker->outputs = odd[i];
        talker->call_count = 0;
        if (tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err) == 0)
            fail_msg("taken: %s", odd[i]);
        assert_non_null(strstr(talker->err.message, "listProxy on m-1"));
        assert_int_equal(pool.members.count, 0);
    }
}

/* A list of SIZE bytes. */
static const char *long_list(struct talker *talker, size_t size)
{
    static const char line[] = "shop.web\t10.0.0.1\t8080\tin-service\n";
    char *text = tt_alloc(&talker->arena, size + 1);

    memset(text, '\n', size);
    for (size_t at = 0; at + sizeof(line) < size; at += sizeof(line) - 1)
        memcpy(text + at, line, sizeof(line) - 1);
    return text;
}

static void test_list_that_was_cut_is_no_list(void **state)
{
    struct talker *talker = *state;
    struct tt_pool pool = {0};

    talker->outputs = long_list(talker, 1024 * 1024 - 1);
    ok(talker, tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err));
    assert_true(pool.members.count > 20000);
    talker->outputs = long_list(talker, 1024 * 1024);
    talker->call_count = 0;
    assert_int_equal(tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err), -1);
    assert_non_null(strstr(talker->err.message, "larger than 1 MiB"));
}

static void test_missing_list_is_not_found(void **state)
{
    struct talker *talker = *state;
    struct tt_pool pool = {0};

    talker->has = "startProxy stopProxy";
    assert_int_equal(tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err), -1);
    assert_int_equal(talker->err.class, TT_ERR_NOT_FOUND);
    talker->has = NULL;
    talker->fails = "listProxy";
    talker->exit_code = 21;
    assert_int_equal(tt_proxy_list(&talker->proxy, &talker->arena, &pool, &talker->err), -1);
    assert_non_null(strstr(talker->err.message, "its backend failed"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_start_is_the_contract_word_by_word),
        TEST(test_many_start_by_one_call),
        TEST(test_stop_is_the_contract_and_waits_for_the_drain),
        TEST(test_stop_needs_no_configure),
        TEST(test_exit_codes_are_told_with_the_last_line),
        TEST(test_configure_tells_settings),
        TEST(test_list_is_read),
        TEST(test_unknown_listeners_do_not_hide_members),
        TEST(test_odd_lists_are_refused_whole),
        TEST(test_list_that_was_cut_is_no_list),
        TEST(test_missing_list_is_not_found),
    };

    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
