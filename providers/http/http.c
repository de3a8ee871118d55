/*
 * HTTP: the client around single transfers (transfer.h): idle handles with their connections, the
 * bucket, the count, and the repeating of requests that read.
 */
#include "providers/http/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "providers/http/bucket.h"
#include "providers/http/transfer.h"

#define MOST_IDLE     32
#define LONGEST_DELAY 20000
#define QUOTED        200 /* characters of a body in a message */

struct tt_http {
    struct tt_http_settings settings;
    struct tt_bucket bucket;
    pthread_mutex_t lock;
    CURL *idle[MOST_IDLE]; /* the last used one on top */
    size_t idle_count;
};

static void fill_in(struct tt_http_settings *settings)
{
    if (!settings->connect_timeout)
        settings->connect_timeout = 10000;
    if (!settings->stall_timeout)
        settings->stall_timeout = 30000;
    if (!settings->whole_timeout)
        settings->whole_timeout = 120000;
    if (!settings->reply_limit)
        settings->reply_limit = (size_t)64 * 1024 * 1024;
    if (!settings->tries)
        settings->tries = 4;
    if (!settings->first_delay)
        settings->first_delay = 200;
    if (settings->rate <= 0)
        settings->rate = 20;
    if (settings->burst <= 0)
        settings->burst = 50;
}

struct tt_http *tt_http_new(struct tt_arena *arena, const struct tt_http_settings *settings)
{
    struct tt_http *http = TT_NEW(arena, struct tt_http);

    http->settings = *settings;
    fill_in(&http->settings);
    tt_bucket_init(&http->bucket, settings->clock, http->settings.rate, http->settings.burst);
    pthread_mutex_init(&http->lock, NULL);
    return http;
}

void tt_http_free(struct tt_http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->idle_count; i++)
        curl_easy_cleanup(http->idle[i]);
    http->idle_count = 0;
    tt_bucket_release(&http->bucket);
    pthread_mutex_destroy(&http->lock);
}

struct tt_bucket *tt_http_bucket(struct tt_http *http)
{
    return &http->bucket;
}

/* --- handles -------------------------------------------------------------------------------- */

static CURL *borrow(struct tt_http *http)
{
    CURL *easy = NULL;

    pthread_mutex_lock(&http->lock);
    if (http->idle_count)
        easy = http->idle[--http->idle_count];
    pthread_mutex_unlock(&http->lock);
    return easy ? easy : curl_easy_init();
}

static void give_back(struct tt_http *http, CURL *easy)
{
    pthread_mutex_lock(&http->lock);
    if (http->idle_count < MOST_IDLE) {
        http->idle[http->idle_count++] = easy;
        easy = NULL;
    }
    pthread_mutex_unlock(&http->lock);
    curl_easy_cleanup(easy);
}

/* --- one try -------------------------------------------------------------------------------- */

static int transfer(struct tt_http *http, const struct tt_http_request *request,
                    struct tt_arena *arena, struct tt_http_reply *ret_reply, struct tt_error *err)
{
    CURL *easy = borrow(http);
    int result;

    if (!easy)
        return tt_fail(err, TT_ERR_INTERNAL, "out of memory for a connection");
    tt_tally_add(http->settings.tally, http->settings.account, request->api);
    result = tt_http_transfer(easy, &http->settings, request, arena, ret_reply, err);
    give_back(http, easy);
    return result;
}

static int try_once(struct tt_http *http, const struct tt_http_request *request,
                    struct tt_arena *arena, struct tt_http_reply *ret_reply, struct tt_error *err)
{
    struct tt_bucket *bucket = request->bucket ? request->bucket : &http->bucket;
    struct tt_http_request try = *request;
    int result;

    *ret_reply = (struct tt_http_reply){0};
    try.headers = (struct tt_http_headers){0};
    TT_EACH (header, &request->headers)
        *TT_VEC_ADD(arena, &try.headers) = *header;
    tt_bucket_take(bucket);
    if (request->prepare && request->prepare(request->self, arena, &try, err) < 0)
        return -1;
    if (transfer(http, &try, arena, ret_reply, err) < 0)
        return -1;
    result = request->judge ? request->judge(request->self, &try, ret_reply, err)
                            : tt_http_judge(&try, ret_reply, err);
    if (result < 0 && err->class == TT_ERR_THROTTLED)
        tt_bucket_throttled(bucket);
    else if (result == 0)
        tt_bucket_succeeded(bucket);
    return result;
}

/* --- trying again --------------------------------------------------------------------------- */

/* What the server asks for, in seconds only; else -1. */
static tt_time retry_after(const struct tt_http_reply *reply)
{
    const char *text = tt_http_header(reply, "retry-after");
    char *end;
    long seconds;

    if (!text)
        return -1;
    seconds = strtol(text, &end, 10);
    if (end == text || *end || seconds < 0)
        return -1;
    return seconds < LONGEST_DELAY / 1000 ? seconds * 1000 : LONGEST_DELAY;
}

/* Half of it by chance, so that many clients do not come back together. */
static tt_time jittered(tt_time delay)
{
    return delay / 2 + (tt_time)arc4random_uniform((unsigned)(delay / 2) + 1);
}

static void back_off(const struct tt_http *http, const struct tt_http_reply *reply, int tries)
{
    const struct tt_clock *clock = http->settings.clock;
    tt_time delay = http->settings.first_delay << (tries - 1 < 16 ? tries - 1 : 16);
    tt_time asked = retry_after(reply);

    if (delay > LONGEST_DELAY)
        delay = LONGEST_DELAY;
    delay = jittered(delay);
    clock->sleep(clock->self, asked > delay ? asked : delay);
}

int tt_http_call(struct tt_http *http, const struct tt_http_request *request,
                 struct tt_arena *arena, struct tt_http_reply *ret_reply, struct tt_error *err)
{
    struct tt_error own = {0};
    int tries = 1;

    while (try_once(http, request, arena, ret_reply, &own) < 0) {
        if (!request->reads || !tt_error_is_retryable(&own) || tries == http->settings.tries) {
            if (err)
                *err = own;
            return -1;
        }
        back_off(http, ret_reply, tries++);
    }
    return 0;
}

/* --- replies -------------------------------------------------------------------------------- */

const char *tt_http_header(const struct tt_http_reply *reply, const char *name)
{
    TT_EACH (header, &reply->headers)
        if (strcasecmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

void tt_http_add_header(struct tt_arena *arena, struct tt_http_request *request, const char *name,
                        const char *value)
{
    *TT_VEC_ADD(arena, &request->headers) = (struct tt_http_header){name, value};
}

/* The beginning of a body that a person can read: one line, no pages of HTML. */
static void quote(const struct tt_http_reply *reply, char *text, size_t size)
{
    const char *body = reply->body ? reply->body : "";
    size_t length = 0;

    text[0] = '\0';
    while (*body == ' ' || *body == '\n' || *body == '\r' || *body == '\t')
        body++;
    if (!*body || *body == '<')
        return;
    for (; *body && length + 4 < size && length < QUOTED; body++)
        text[length++] = (char)((unsigned char)*body < ' ' || *body == 127 ? ' ' : *body);
    snprintf(text + length, size - length, "%s", *body ? "..." : "");
}

static enum tt_error_class class_of(const struct tt_http_request *request,
                                    const struct tt_http_reply *reply)
{
    switch (reply->status) {
    case 401:
    case 403:
        return TT_ERR_DENIED;
    case 404:
    case 410:
        return TT_ERR_NOT_FOUND;
    case 409:
    case 412:
        return TT_ERR_CONFLICT;
    case 429:
        return TT_ERR_THROTTLED;
    default:
        break;
    }
    if (reply->status == 503 && tt_http_header(reply, "retry-after"))
        return TT_ERR_THROTTLED;
    /* 408: it took too long, which says nothing against the request itself */
    if (reply->status >= 400 && reply->status < 500 && reply->status != 408)
        return TT_ERR_SPEC;
    return request->reads ? TT_ERR_UNAVAILABLE : TT_ERR_TIMEOUT;
}

int tt_http_judge(const struct tt_http_request *request, const struct tt_http_reply *reply,
                  struct tt_error *err)
{
    char text[QUOTED + 8];

    if (reply->status < 300)
        return 0;
    quote(reply, text, sizeof(text));
    tt_fail(err, class_of(request, reply), "%s: HTTP %d%s%s", request->api, reply->status,
            *text ? ": " : "", text);
    if (err)
        snprintf(err->code, sizeof(err->code), "%d", reply->status);
    return -1;
}

char *tt_http_escape(struct tt_arena *arena, const char *text, bool keep_slashes)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    char *escaped = tt_alloc(arena, strlen(text) * 3 + 1);
    char *out = escaped;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (strchr(plain, c) || (keep_slashes && c == '/')) {
            *out++ = (char)c;
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    return escaped;
}
