/*
 * Replies: the input as answers, a clock that only sleeping moves, and one call for each letter.
 */
#include "tests/fuzz/replies.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/http/http.h"

#define MOST_REPLIES 64
#define MOST_CALLS   300 /* then nobody answers any more */
#define MOST_LETTERS 16

struct reply {
    int status;
    const char *api; /* with its length, within the input */
    size_t api_size;
    const char *body;
    size_t size;
    bool given;
};

/* Of the input that is played now: libFuzzer runs one after the other. */
static struct {
    struct reply replies[MOST_REPLIES];
    int count, calls;
    tt_time now;
} play;

/* The name is the linker's choice (--wrap).
 * NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __wrap_tt_http_call(struct tt_http *http, const struct tt_http_request *request,
                        struct tt_arena *arena, struct tt_http_reply *ret_reply,
                        struct tt_error *err);

static struct reply *find_reply(const char *api)
{
    struct reply *found = NULL;

    for (int i = 0; i < play.count; i++) {
        struct reply *reply = &play.replies[i];

        if (reply->api_size == strlen(api) && memcmp(reply->api, api, reply->api_size) == 0 &&
            (!found || found->given))
            found = reply;
    }
    for (int i = 0; i < play.count && !found; i++)
        if (!play.replies[i].given)
            found = &play.replies[i];
    return found;
}

int __wrap_tt_http_call(struct tt_http *http, const struct tt_http_request *request,
                        struct tt_arena *arena, struct tt_http_reply *ret_reply,
                        struct tt_error *err)
{
    struct reply *reply = find_reply(request->api);
    struct tt_error own = {0};

    (void)http;
    *ret_reply = (struct tt_http_reply){0};
    if (!reply || ++play.calls > MOST_CALLS)
        return tt_fail(err, request->reads ? TT_ERR_UNAVAILABLE : TT_ERR_TIMEOUT, "no answer");
    reply->given = true;
    ret_reply->status = reply->status;
    ret_reply->body = tt_strndup(arena, reply->body, reply->size);
    ret_reply->size = strlen(ret_reply->body);
    /* as of Keystone */
    *TT_VEC_ADD(arena, &ret_reply->headers) = (struct tt_http_header){"x-subject-token", "token"};
    if ((request->judge ? request->judge(request->self, request, ret_reply, &own)
                        : tt_http_judge(request, ret_reply, &own)) == 0)
        return 0;
    if (!own.message[0])
        abort();
    if (err)
        *err = own;
    return -1;
}

static void add_reply(const char *text, size_t size)
{
    const char *line = memchr(text, '\n', size);
    struct reply *reply = &play.replies[play.count];
    size_t head = line ? (size_t)(line - text) : 0;

    if (play.count == MOST_REPLIES || head < 4 || text[3] != ' ')
        return;
    *reply = (struct reply){.status = atoi(text),
                            .api = text + 4,
                            .api_size = head - 4,
                            .body = line + 1,
                            .size = size - head - 1};
    if (reply->status >= 200 && reply->status < 600)
        play.count++;
}

/* Returns what is asked for. */
static const char *read_input(struct tt_arena *arena, const uint8_t *data, size_t size)
{
    const char *text = tt_strndup(arena, (const char *)data, size);
    const char *line = strchr(text, '\n'), *next;

    play.count = play.calls = 0;
    play.now = INT64_C(1800000000) * 1000;
    for (const char *at = line ? line + 1 : ""; *at; at = next) {
        const char *end = strstr(at, "\n%%\n");

        next = end ? end + 4 : at + strlen(at);
        add_reply(at, (size_t)((end ? end : next) - at));
    }
    return tt_strndup(arena, text, line ? (size_t)(line - text) : strlen(text));
}

/* --- what is asked --------------------------------------------------------------------------- */

static const char *const zones[] = {"us-east-1a", "az1"};

static int create(struct tt_provider *provider, const char *region, struct tt_arena *arena,
                  struct tt_error *err)
{
    static const struct tt_server_spec spec = {
        .template = "web", .size = "small", .key = "ops", .network = "prod"};
    const struct tt_create_request request = {
        .region = region,
        .zone = zones[0],
        .name = "shop-web-0",
        .tags = {.owner = "acme", .deployment = "shop", .service = "web", .incarnation = "7f3a"},
        .client_token = "token",
        .spec = &spec,
        .port = 8080};
    const char *id = NULL;
    int result = tt_provider_create_server(provider, &request, arena, &id, err);

    if (result == 0 && (!id || !*id))
        abort();
    return result;
}

static int observe(struct tt_provider *provider, const char *region, struct tt_arena *arena,
                   struct tt_error *err)
{
    const struct tt_observe_request request = {
        .region = region, .owner = "acme", .everything = true};
    struct tt_region seen = {0};
    int result = tt_provider_observe(provider, &request, arena, &seen, err);

    TT_EACH (server, &seen.servers)
        if (!server->id)
            abort();
    return result;
}

static int ask(char letter, struct tt_provider *provider, const char *region,
               struct tt_arena *arena, struct tt_error *err)
{
    struct tt_listener listener = {.port = 80, .protocol = TT_PROTOCOL_HTTP, .target_port = 8080};
    struct tt_listeners listeners = {.items = &listener, .count = 1, .capacity = 1};
    struct tt_strings both = {.items = (const char **)zones, .count = 2, .capacity = 2};
    struct tt_health_check health = {.http = true, .path = "/", .interval = 10000, .timeout = 2000};
    struct tt_tags tags = {.owner = "acme", .slot = 1};

    switch (letter) {
    case 'o':
        return observe(provider, region, arena, err);
    case 'c':
        return create(provider, region, arena, err);
    case 'd':
        return tt_provider_delete_server(provider, region, "i-1", err);
    case 's':
        return tt_provider_start_server(provider, region, "i-1", err);
    case 'e':
        return tt_provider_enroll(provider, region, "elb", "i-1", err);
    case 'w':
        return tt_provider_withdraw(provider, region, "elb", "i-1", 1000, err);
    case 'z':
        return tt_provider_set_zones(provider, region, "elb", &both, err);
    case 'l':
        return tt_provider_set_listeners(provider, region, "elb", &listeners, err);
    case 'h':
        return tt_provider_set_health_check(provider, region, "elb", &health, err);
    case 'm':
        return tt_provider_move_address(provider, region, "203.0.113.9", "i-1", err);
    case 'f':
        return tt_provider_fence(provider, region, "i-1", err);
    case 't':
        return tt_provider_tag(provider, region, "i-1", &tags, err);
    default:
        return 0;
    }
}

static tt_time now_of(void *self)
{
    (void)self;
    return play.now;
}

static void sleep_for(void *self, tt_time delay)
{
    (void)self;
    play.now += delay > 0 ? delay : 0;
}

void replies_play(const struct tt_provider_ops *ops, const struct tt_account *account,
                  const uint8_t *data, size_t size)
{
    static const struct tt_clock clock = {.now = now_of, .sleep = sleep_for};
    const struct tt_provider_settings settings = {.account = account,
                                                  .owner = "acme",
                                                  .state_folder = "/nonexistent",
                                                  .base_folder = "/nonexistent",
                                                  .clock = &clock};
    struct tt_arena arena = {0};
    struct tt_provider *provider;
    struct tt_error err = {0};
    const char *letters = read_input(&arena, data, size);

    if (ops->open(&settings, &arena, &provider, &err) < 0)
        abort();
    for (int i = 0; i < MOST_LETTERS && letters[i]; i++) {
        err = (struct tt_error){0};
        if (ask(letters[i], provider, account->regions.items[0], &arena, &err) < 0 &&
            (!err.message[0] || err.class == TT_ERR_NONE))
            abort();
    }
    tt_provider_close(provider);
    tt_arena_release(&arena);
}
