/*
 * Covers serve/notify.c and notify_send.c: which events are told and how they read, a signed POST
 * that is tried again, what is refused for good, the limit in a minute, a command; what is
 * given up, and who goes on where another one ended.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/notify.h"
#include "serve/webhook.h"

#define PATIENCE INT64_C(10000)

/* A server of HTTP that answers with the statuses it is given, then with 204. */
struct server {
    int fd, port, statuses[4];
    pthread_t thread;
    _Atomic int requests;
    char last[8192];
};

static void *answer_all(void *self)
{
    struct server *server = self;
    int client;

    while ((client = accept(server->fd, NULL, NULL)) >= 0) {
        char text[8192] = "", answer[128];
        size_t length = 0;
        ssize_t size;
        char *body;

        while (!((body = strstr(text, "\r\n\r\n")) && strstr(body, "}}")) &&
               !((body = strstr(text, "\r\n\r\n")) && strstr(body, "\"}")) &&
               (size = read(client, text + length, sizeof(text) - 1 - length)) > 0)
            length += (size_t)size;
        memcpy(server->last, text, sizeof(text));
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                 server->requests < 4 ? server->statuses[server->requests] : 204);
        if (write(client, answer, strlen(answer)) > 0)
            server->requests++;
        close(client);
    }
    return NULL;
}

static void start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(server->fd, 8), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, answer_all, server), 0);
}

static void end(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

struct fixture {
    struct tt_arena arena;
    struct tt_events events;
    struct tt_log log;
    struct tt_notify_config config;
    struct tt_notifier notifier;
    char secret[64];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int fd;

    tt_arena_init(&fixture->arena);
    tt_events_init(&fixture->events);
    fixture->log.clock = tt_clock_real();
    fixture->config.kinds = ~0u;
    fixture->config.per_minute = 30;
    strcpy(fixture->secret, "/tmp/trimtab-notify-XXXXXX");
    fd = mkstemp(fixture->secret);
    assert_int_equal(write(fd, "key\n", 4), 4);
    close(fd);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    unlink(fixture->secret);
    tt_events_release(&fixture->events);
    tt_arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

static void begin(struct fixture *fixture)
{
    struct tt_error err = {0};

    fixture->notifier.config = &fixture->config;
    fixture->notifier.events = &fixture->events;
    fixture->notifier.log = &fixture->log;
    fixture->notifier.first_wait = 50;
    assert_int_equal(tt_notify_begin(&fixture->notifier, &err), 0);
}

static void finish(struct fixture *fixture)
{
    tt_notify_stop(&fixture->notifier);
    tt_events_end(&fixture->events);
    tt_notify_end(&fixture->notifier);
}

static void say(struct fixture *fixture, const char *type, const char *more)
{
    char text[512];

    snprintf(text, sizeof(text), "{\"repository\":\"fleet\",\"deployment\":\"shop\"%s}", more);
    tt_events_add(&fixture->events, INT64_C(1700000000000), type, json_loads(text, 0, NULL));
}

static void wait_for(struct fixture *fixture, uint64_t sent, uint64_t lost)
{
    tt_time until = tt_monotonic() + PATIENCE;

    while ((fixture->notifier.sent < sent || fixture->notifier.lost < lost) &&
           tt_monotonic() < until)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    assert_int_equal(fixture->notifier.sent, sent);
    assert_int_equal(fixture->notifier.lost, lost);
}

static const char *text_of(struct fixture *fixture, const char *type, const char *more)
{
    struct tt_daemon_event event = {
        .type = type,
        .json = tt_printf(&fixture->arena, "{\"repository\":\"fleet\",\"deployment\":\"shop\"%s}",
                          more)};
    unsigned kind = 0;

    return tt_notify_text(&fixture->arena, &event, &kind);
}

static void what_is_told(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(text_of(fixture, "held", ",\"run\":7,\"message\":\"3 steps are held\""),
                        "fleet/shop: the plan of run 7 is held: 3 steps are held");
    assert_string_equal(
        text_of(fixture, "run-ended", ",\"result\":\"failed\",\"inARow\":1,\"message\":\"no\""),
        "fleet/shop: failed: no");
    assert_null(text_of(fixture, "run-ended", ",\"result\":\"failed\",\"inARow\":2"));
    assert_null(text_of(fixture, "run-ended", ",\"result\":\"done\""));
    assert_string_equal(text_of(fixture, "recovery", ",\"subject\":\"LoadBalancer/shop/edge\""),
                        "fleet/shop: LoadBalancer/shop/edge failed and was replaced");
    assert_string_equal(text_of(fixture, "drift", ",\"steps\":2"),
                        "fleet/shop: the world differed from Git in 2 steps");
    assert_null(text_of(fixture, "step", ""));
}

static void signed_and_tried_again(void **state)
{
    struct fixture *fixture = *state;
    struct server server = {.statuses = {503, 429, 204, 403}};
    unsigned char digest[32];
    char *body;

    start(&server);
    fixture->config.url = tt_printf(&fixture->arena, "http://127.0.0.1:%d/hook", server.port);
    fixture->config.secret.file = fixture->secret;
    say(fixture, "drift", ",\"steps\":9"); /* from before: not told */
    begin(fixture);
    say(fixture, "step", "");
    say(fixture, "drift", ",\"steps\":2");
    wait_for(fixture, 1, 0);
    assert_int_equal(server.requests, 3);
    body = strstr(server.last, "\r\n\r\n");
    assert_non_null(body);
    body += 4;
    tt_webhook_hmac("key", 3, body, strlen(body), digest);
    assert_non_null(strstr(server.last, tt_printf(&fixture->arena, "X-Signature: sha256=%s\r\n",
                                                  tt_webhook_hex(&fixture->arena, digest))));
    assert_non_null(strstr(server.last, "Content-Type: application/cloudevents+json"));
    assert_non_null(strstr(body, "\"type\":\"trimtab.drift\""));
    assert_non_null(strstr(body, "\"specversion\":\"1.0\""));
    assert_non_null(strstr(body, "\"time\":\"2023-11-14T22:13:20Z\""));
    assert_non_null(strstr(body, "\"subject\":\"fleet/shop\""));
    say(fixture, "recovery", ",\"subject\":\"x\""); /* refused for good */
    wait_for(fixture, 1, 1);
    assert_int_equal(server.requests, 4);
    finish(fixture);
    end(&server);
}

static void limited_and_slack(void **state)
{
    struct fixture *fixture = *state;
    struct server server = {.statuses = {200, 200, 200, 200}};

    start(&server);
    fixture->config.type = TT_NOTIFY_SLACK;
    fixture->config.kinds = TT_NOTIFY_DRIFT;
    fixture->config.per_minute = 2;
    fixture->config.url = tt_printf(&fixture->arena, "http://127.0.0.1:%d/", server.port);
    begin(fixture);
    say(fixture, "recovery", ",\"subject\":\"x\""); /* not asked for */
    for (int i = 0; i < 5; i++)
        say(fixture, "drift", ",\"steps\":2");
    wait_for(fixture, 2, 3);
    assert_non_null(
        strstr(server.last, "{\"text\":\"fleet/shop: the world differed from Git in 2 steps\"}"));
    finish(fixture);
    end(&server);
}

static void a_command_reads_it(void **state)
{
    struct fixture *fixture = *state;
    char *text;

    fixture->config.type = TT_NOTIFY_COMMAND;
    tt_strings_add(&fixture->arena, &fixture->config.command, "/usr/bin/tee");
    tt_strings_add(&fixture->arena, &fixture->config.command, fixture->secret);
    begin(fixture);
    say(fixture, "held", ",\"run\":7,\"message\":\"m\"");
    wait_for(fixture, 1, 0);
    finish(fixture);
    assert_int_equal(tt_file_read(&fixture->arena, fixture->secret, 8192, &text, NULL, NULL), 0);
    assert_non_null(strstr(text, "trimtab.plan.held"));
}

static void what_is_given_up_is_counted(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.type = TT_NOTIFY_COMMAND;
    fixture->config.kinds = TT_NOTIFY_DRIFT;
    tt_strings_add(&fixture->arena, &fixture->config.command, "/bin/false");
    begin(fixture);
    assert_int_equal(tt_notify_give_up(&fixture->notifier), 0);
    tt_notify_stop(&fixture->notifier);
    say(fixture, "drift", ",\"steps\":1");
    say(fixture, "recovery", ",\"subject\":\"x\""); /* not asked for */
    say(fixture, "drift", ",\"steps\":2");
    finish(fixture);
    assert_int_equal(fixture->notifier.lost, 0);
    assert_int_equal(tt_notify_give_up(&fixture->notifier), 2);
}

static void each_goes_on_where_its_like_ended(void **state)
{
    enum { HELD, ALL };
    struct tt_notify_config one[] = {{.url = "http://a/", .kinds = TT_NOTIFY_HELD},
                                     {.url = "http://a/", .kinds = ~0u}};
    struct tt_notify_config two[] = {{.url = "http://a/", .kinds = TT_NOTIFY_DRIFT},
                                     {.url = "http://a/", .kinds = ~0u},
                                     {.url = "http://a/", .kinds = TT_NOTIFY_FAILED},
                                     {.url = "http://b/", .kinds = ~0u}};
    struct tt_notifier before[] = {{.config = &one[HELD], .after = 3},
                                   {.config = &one[ALL], .after = 7}};
    struct tt_notifier after[] = {
        {.config = &two[0]}, {.config = &two[1]}, {.config = &two[2]}, {.config = &two[3]}};

    (void)state;
    tt_notify_go_on(after, 4, before, 2);
    assert_int_equal(after[0].after, 3); /* of the same target, when none is more like it */
    assert_int_equal(after[1].after, 7);
    assert_false(after[2].goes_on); /* none is left */
    assert_false(after[3].goes_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signed_and_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limited_and_slack, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_command_reads_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_given_up_is_counted, set_up, tear_down),
        cmocka_unit_test(each_goes_on_where_its_like_ended),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
