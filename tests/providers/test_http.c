/*
 * The HTTP client against a scripted server: replies, classes of failures, what is repeated and
 * what never is, bounds, the bucket, the count.
 * Covers providers/http/http.c, transfer.c, bucket.c; providers/tally.c.
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
#include "providers/http/bucket.h"
#include "providers/http/http.h"
#include "tests/providers/support/jumping.h"
#include "tests/providers/support/scripted.h"

struct test {
    struct scripted server;
    struct jumping jumping;
    struct tt_arena arena;
    struct tt_tally tally;
    struct tt_http *http;
    struct tt_http_request request;
    struct tt_http_reply reply;
    struct tt_error err;
};

static void open_client(struct test *test, struct tt_http_settings settings)
{
    tt_http_free(test->http);
    settings.clock = &test->jumping.clock;
    settings.account = "prod";
    settings.tally = &test->tally;
    test->http = tt_http_new(&test->arena, &settings);
}

static int begin(void **state)
{
    struct test *test = calloc(1, sizeof(*test));

    if (!test)
        return -1;
    jumping_init(&test->jumping);
    tt_tally_init(&test->tally);
    scripted_start(&test->server);
    open_client(test, (struct tt_http_settings){0});
    test->request = (struct tt_http_request){
        .api = "cloud List",
        .method = "GET",
        .url = tt_printf(&test->arena, "http://127.0.0.1:%d/x?key=secret", test->server.port),
        .reads = true,
    };
    *state = test;
    return 0;
}

static int end(void **state)
{
    struct test *test = *state;

    tt_http_free(test->http);
    scripted_stop(&test->server);
    tt_tally_release(&test->tally);
    jumping_release(&test->jumping);
    tt_arena_release(&test->arena);
    free(test);
    return 0;
}

static void say(struct test *test, int status, const char *headers, const char *body)
{
    scripted_say(&test->server,
                 (struct scripted_answer){.status = status, .headers = headers, .body = body});
}

static void break_with(struct test *test, enum scripted_fault fault)
{
    scripted_say(&test->server,
                 (struct scripted_answer){.body = "{\"half\": \"and half\"}", .fault = fault});
}

static int call(struct test *test)
{
    test->err = (struct tt_error){0};
    return tt_http_call(test->http, &test->request, &test->arena, &test->reply, &test->err);
}

static void fails_as(struct test *test, enum tt_error_class class)
{
    assert_int_equal(call(test), -1);
    if (test->err.class != class)
        fail_msg("%s, not %s: %s", tt_error_class_name(test->err.class), tt_error_class_name(class),
                 test->err.message);
    assert_null(strstr(test->err.message, "secret"));
}

static void change(struct test *test)
{
    test->request.method = "POST";
    test->request.body = "do=it";
    test->request.size = 5;
    test->request.reads = false;
}

static void test_a_reply_is_returned(void **state)
{
    struct test *test = *state;

    say(test, 200, "X-Mark:  two words \r\nx-mark: second\r\n", "hello");
    tt_http_add_header(&test->arena, &test->request, "X-Asked", "this");
    tt_http_add_header(&test->arena, &test->request, "X-Empty", "");
    assert_int_equal(call(test), 0);
    assert_int_equal(test->reply.status, 200);
    assert_string_equal(test->reply.body, "hello");
    assert_int_equal(test->reply.size, 5);
    assert_string_equal(tt_http_header(&test->reply, "X-MARK"), "two words");
    assert_null(tt_http_header(&test->reply, "x-none"));
    assert_non_null(strstr(scripted_request(&test->server, 0), "GET /x?key=secret HTTP/1.1\r\n"));
    assert_non_null(strstr(scripted_request(&test->server, 0), "\r\nX-Asked: this\r\n"));
    assert_non_null(strstr(scripted_request(&test->server, 0), "\r\nX-Empty:\r\n"));
}

static void test_a_body_is_sent(void **state)
{
    struct test *test = *state;
    const char *text;

    change(test);
    assert_int_equal(call(test), 0);
    text = scripted_request(&test->server, 0);
    assert_non_null(strstr(text, "POST /x"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\ndo=it");
    assert_null(strcasestr(text, "expect:"));
    test->request.body = NULL;
    test->request.method = "DELETE";
    assert_int_equal(call(test), 0);
    assert_non_null(strstr(scripted_request(&test->server, 1), "DELETE /x"));
}

static void test_a_connection_is_used_again(void **state)
{
    struct test *test = *state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(call(test), 0);
    assert_int_equal(scripted_connections(&test->server), 1);
}

static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                                       0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
                                       0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00};

static void test_gzip_is_unpacked(void **state)
{
    struct test *test = *state;

    scripted_say(&test->server, (struct scripted_answer){.headers = "Content-Encoding: gzip\r\n",
                                                         .body = (const char *)packed,
                                                         .size = sizeof(packed)});
    assert_int_equal(call(test), 0);
    assert_string_equal(test->reply.body, "hello");
    assert_non_null(strcasestr(scripted_request(&test->server, 0), "accept-encoding: gzip"));
    /* what unpacks to more than the bound is as large as it unpacks */
    open_client(test, (struct tt_http_settings){.reply_limit = 4});
    scripted_say(&test->server, (struct scripted_answer){.headers = "Content-Encoding: gzip\r\n",
                                                         .body = (const char *)packed,
                                                         .size = sizeof(packed)});
    fails_as(test, TT_ERR_INTERNAL);
}

static void test_statuses_have_classes(void **state)
{
    static const struct {
        int status;
        enum tt_error_class reads, changes;
    } cases[] = {
        {302, TT_ERR_UNAVAILABLE, TT_ERR_TIMEOUT}, {400, TT_ERR_SPEC, TT_ERR_SPEC},
        {401, TT_ERR_DENIED, TT_ERR_DENIED},       {403, TT_ERR_DENIED, TT_ERR_DENIED},
        {404, TT_ERR_NOT_FOUND, TT_ERR_NOT_FOUND}, {409, TT_ERR_CONFLICT, TT_ERR_CONFLICT},
        {408, TT_ERR_UNAVAILABLE, TT_ERR_TIMEOUT}, {429, TT_ERR_THROTTLED, TT_ERR_THROTTLED},
        {422, TT_ERR_SPEC, TT_ERR_SPEC},           {500, TT_ERR_UNAVAILABLE, TT_ERR_TIMEOUT},
        {502, TT_ERR_UNAVAILABLE, TT_ERR_TIMEOUT}, {503, TT_ERR_UNAVAILABLE, TT_ERR_TIMEOUT},
    };
    struct test *test = *state;

    open_client(test, (struct tt_http_settings){.tries = 1});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test->request.reads = true;
        say(test, cases[i].status, NULL, "{\"why\": \"so\"}");
        fails_as(test, cases[i].reads);
        assert_non_null(strstr(test->err.message, "\"why\""));
        assert_int_equal(test->reply.status, cases[i].status);
        test->request.reads = false;
        say(test, cases[i].status, NULL, "<html>a page</html>");
        fails_as(test, cases[i].changes);
        assert_null(strstr(test->err.message, "page"));
    }
    say(test, 503, "Retry-After: 7\r\n", NULL);
    fails_as(test, TT_ERR_THROTTLED);
}

static void test_reading_is_repeated(void **state)
{
    struct test *test = *state;

    say(test, 500, NULL, NULL);
    break_with(test, SCRIPTED_HANG_UP);
    break_with(test, SCRIPTED_CUT);
    say(test, 200, NULL, "there");
    assert_int_equal(call(test), 0);
    assert_string_equal(test->reply.body, "there");
    assert_int_equal(scripted_requests(&test->server), 4);
    assert_true(test->jumping.slept > 0);
}

static void test_reading_is_given_up(void **state)
{
    struct test *test = *state;

    for (int i = 0; i < 9; i++)
        say(test, 503, NULL, NULL);
    fails_as(test, TT_ERR_UNAVAILABLE);
    assert_int_equal(scripted_requests(&test->server), 4);
}

static void test_denied_is_not_repeated(void **state)
{
    struct test *test = *state;

    say(test, 403, NULL, NULL);
    fails_as(test, TT_ERR_DENIED);
    assert_int_equal(scripted_requests(&test->server), 1);
}

static void test_retry_after_is_heeded(void **state)
{
    struct test *test = *state;

    say(test, 429, "Retry-After: 11\r\n", NULL);
    assert_int_equal(call(test), 0);
    assert_true(test->jumping.slept >= 11000);
}

/* Not even by libcurl, which would send it again when a connection that was used before is cut. */
static void test_changes_are_never_repeated(void **state)
{
    static const enum scripted_fault faults[] = {SCRIPTED_HANG_UP, SCRIPTED_CUT, SCRIPTED_GARBAGE};
    struct test *test = *state;

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        int before = scripted_requests(&test->server);

        test->request.reads = true;
        assert_int_equal(call(test), 0);
        change(test);
        break_with(test, faults[i]);
        fails_as(test, TT_ERR_TIMEOUT);
        assert_int_equal(scripted_requests(&test->server), before + 2);
    }
    say(test, 500, NULL, NULL);
    fails_as(test, TT_ERR_TIMEOUT);
    assert_int_equal(scripted_requests(&test->server), 7);
}

static void test_nobody_listening_is_without_effect(void **state)
{
    struct test *test = *state;

    change(test);
    test->request.url = "http://127.0.0.1:1/";
    fails_as(test, TT_ERR_UNAVAILABLE);
    test->request.url = "ftp://127.0.0.1/";
    fails_as(test, TT_ERR_SPEC);
    test->request.url = "http://[";
    fails_as(test, TT_ERR_SPEC);
}

static void test_silence_ends(void **state)
{
    struct test *test = *state;

    open_client(test, (struct tt_http_settings){.whole_timeout = 200, .tries = 1});
    break_with(test, SCRIPTED_SILENT);
    fails_as(test, TT_ERR_UNAVAILABLE);
    change(test);
    break_with(test, SCRIPTED_SILENT);
    fails_as(test, TT_ERR_TIMEOUT);
    open_client(test, (struct tt_http_settings){.stall_timeout = 1000, .tries = 1});
    break_with(test, SCRIPTED_STALL);
    fails_as(test, TT_ERR_TIMEOUT);
    test->request.whole_timeout = 100;
    break_with(test, SCRIPTED_SILENT);
    fails_as(test, TT_ERR_TIMEOUT);
}

static void test_a_reply_is_bounded(void **state)
{
    struct test *test = *state;

    open_client(test, (struct tt_http_settings){.reply_limit = 100000});
    break_with(test, SCRIPTED_ENDLESS);
    fails_as(test, TT_ERR_INTERNAL);
    assert_non_null(strstr(test->err.message, "larger than 100000 bytes"));
    change(test);
    break_with(test, SCRIPTED_ENDLESS);
    fails_as(test, TT_ERR_TIMEOUT);
    assert_int_equal(scripted_requests(&test->server), 2);
}

static int sign(void *self, struct tt_arena *arena, struct tt_http_request *try,
                struct tt_error *err)
{
    int *count = self;

    if (*count == 3)
        return tt_fail(err, TT_ERR_DENIED, "no credentials");
    tt_http_add_header(arena, try, "X-Try", tt_printf(arena, "%d", ++*count));
    return 0;
}

static void test_each_try_is_prepared(void **state)
{
    struct test *test = *state;
    int count = 0;

    test->request.prepare = sign;
    test->request.self = &count;
    say(test, 500, NULL, NULL);
    say(test, 500, NULL, NULL);
    assert_int_equal(call(test), 0);
    for (int i = 0; i < 3; i++)
        assert_non_null(strstr(scripted_request(&test->server, i),
                               tt_printf(&test->arena, "\r\nX-Try: %d\r\n\r\n", i + 1)));
    fails_as(test, TT_ERR_DENIED);
    assert_int_equal(scripted_requests(&test->server), 3);
}

static int judge_body(void *self, const struct tt_http_request *request,
                      const struct tt_http_reply *reply, struct tt_error *err)
{
    (void)self;
    if (strcmp(reply->body, "Throttling") == 0)
        return tt_fail(err, TT_ERR_THROTTLED, "%s: asked too often", request->api);
    return 0;
}

static void test_throttling_slows_everyone_down(void **state)
{
    struct test *test = *state;
    struct tt_bucket *bucket = tt_http_bucket(test->http);

    test->request.judge = judge_body;
    say(test, 400, NULL, "Throttling");
    say(test, 400, NULL, "Throttling");
    assert_int_equal(call(test), 0);
    assert_true(tt_bucket_rate(bucket) < 6 && tt_bucket_rate(bucket) > 5);
    for (int i = 0; i < 100; i++)
        assert_int_equal(call(test), 0);
    assert_true(tt_bucket_rate(bucket) > 19.9);
    /* one that may not be repeated counts, too */
    change(test);
    say(test, 400, NULL, "Throttling");
    fails_as(test, TT_ERR_THROTTLED);
    assert_true(tt_bucket_rate(bucket) < 11);
}

static void test_requests_are_counted(void **state)
{
    struct test *test = *state;

    say(test, 500, NULL, NULL);
    assert_int_equal(call(test), 0);
    test->request.api = "cloud Add";
    assert_int_equal(call(test), 0);
    assert_int_equal(test->tally.lines.count, 2);
    assert_string_equal(test->tally.lines.items[0].account, "prod");
    assert_string_equal(test->tally.lines.items[0].api, "cloud Add");
    assert_int_equal(test->tally.lines.items[0].count, 1);
    assert_int_equal(test->tally.lines.items[1].count, 2);
    tt_tally_add(NULL, "prod", "cloud Add");
}

#define THREADS 8

static void *call_often(void *self)
{
    struct test *test = self;
    struct tt_arena arena = {0};
    struct tt_http_reply reply;
    long failed = 0;

    for (int i = 0; i < 20; i++)
        failed += tt_http_call(test->http, &test->request, &arena, &reply, NULL) < 0;
    tt_arena_release(&arena);
    return (void *)(intptr_t)failed;
}

static void test_threads_share_a_client(void **state)
{
    struct test *test = *state;
    pthread_t threads[THREADS];
    void *failed;

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, test), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failed);
        assert_int_equal((intptr_t)failed, 0);
    }
    assert_int_equal(test->tally.lines.items[0].count, 20 * THREADS);
    assert_true(scripted_connections(&test->server) <= THREADS);
}

static void test_text_is_escaped(void **state)
{
    struct test *test = *state;

    assert_string_equal(tt_http_escape(&test->arena, "a b/c~\xc3\xa4+", false),
                        "a%20b%2Fc~%C3%A4%2B");
    assert_string_equal(tt_http_escape(&test->arena, "/a/", true), "/a/");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_reply_is_returned),
        TEST(test_a_body_is_sent),
        TEST(test_a_connection_is_used_again),
        TEST(test_gzip_is_unpacked),
        TEST(test_statuses_have_classes),
        TEST(test_reading_is_repeated),
        TEST(test_reading_is_given_up),
        TEST(test_denied_is_not_repeated),
        TEST(test_retry_after_is_heeded),
        TEST(test_changes_are_never_repeated),
        TEST(test_nobody_listening_is_without_effect),
        TEST(test_silence_ends),
        TEST(test_a_reply_is_bounded),
        TEST(test_each_try_is_prepared),
        TEST(test_throttling_slows_everyone_down),
        TEST(test_requests_are_counted),
        TEST(test_threads_share_a_client),
        TEST(test_text_is_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
