/*
 * HTTP: what cloud providers send their requests through.
 *
 * A client (struct tt_http) belongs to an account: its connections, its bucket (bucket.h), its
 * count of requests (providers/tally.h). It may be used by many threads at once. HTTP/1.1 and 2,
 * gzip; proxies by HTTPS_PROXY, HTTP_PROXY and NO_PROXY; the CA bundle by the settings, else
 * CURL_CA_BUNDLE or SSL_CERT_FILE; no redirects, no cookies, no scheme but http and https.
 *
 * Classes of errors: what failed before a byte of the request left, and whatever happens to a
 * request that READS, is UNAVAILABLE; a request that changes something and got no whole answer is
 * TIMEOUT. Statuses are judged by the request's `judge`, else by tt_http_judge. Only requests that
 * read are repeated here, those that were throttled or unavailable, with growing, jittered delays.
 */
#ifndef TT_PROVIDERS_HTTP_HTTP_H
#define TT_PROVIDERS_HTTP_HTTP_H

#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/vec.h"
#include "providers/tally.h"

struct tt_http;
struct tt_bucket;

struct tt_http_settings {
    const struct tt_clock *clock;
    const char *account;     /* for the tally */
    struct tt_tally *tally;  /* NULL: not counted */
    const char *ca_bundle;   /* NULL: by the environment, else the system's */
    tt_time connect_timeout; /* 0: 10 s */
    tt_time stall_timeout;   /* no byte for so long; whole seconds; 0: 30 s */
    tt_time whole_timeout;   /* 0: 120 s */
    size_t reply_limit;      /* bytes after unpacking; 0: 64 MiB */
    int tries;               /* of a request that reads; 0: 4 */
    tt_time first_delay;     /* between tries, doubled each time; 0: 200 ms */
    double rate;             /* requests a second; 0: 20 */
    double burst;            /* 0: 50 */
};

struct tt_http_header {
    const char *name; /* replies: lower case */
    const char *value;
};

struct tt_http_headers {
    struct tt_http_header *items;
    size_t count;
    size_t capacity;
};

struct tt_http_reply {
    int status;
    struct tt_http_headers headers;
    const char *body; /* NUL-terminated */
    size_t size;
};

struct tt_http_request {
    const char *api;    /* what it is counted as: "ec2 DescribeInstances" */
    const char *method; /* "GET" */
    const char *url;    /* without credentials: it appears in errors */
    struct tt_http_headers headers;
    const char *body; /* NULL: none */
    size_t size;
    bool reads;               /* changes nothing: may be repeated, and safely */
    bool direct;              /* past any proxy: an instance's metadata */
    tt_time whole_timeout;    /* 0: the client's */
    struct tt_bucket *bucket; /* NULL: the client's own */

    /* NULL, or called before each try to fill in what depends on the moment (a signature): it may
     * change headers, url and body of TRY, a copy of the request, with memory of ARENA. */
    int (*prepare)(void *self, struct tt_arena *arena, struct tt_http_request *try,
                   struct tt_error *err);
    /* NULL (tt_http_judge), or says what REPLY means: 0, or -1 with the class of the error. */
    int (*judge)(void *self, const struct tt_http_request *request,
                 const struct tt_http_reply *reply, struct tt_error *err);
    void *self;
};

/* ARENA is where the client lives; SETTINGS is copied, its strings and clock are borrowed. */
struct tt_http *tt_http_new(struct tt_arena *arena, const struct tt_http_settings *settings);

/* Closes the connections; nobody may be inside a call. NULL is nothing. */
void tt_http_free(struct tt_http *http);

/* Makes REQUEST and waits for its reply, which lives in ARENA. -1 also for a status that is judged
 * an error; RET_REPLY is filled even then when there was a reply (status 0: there was none), so
 * that the caller can look into it. */
int tt_http_call(struct tt_http *http, const struct tt_http_request *request,
                 struct tt_arena *arena, struct tt_http_reply *ret_reply, struct tt_error *err);

/* By the status alone: below 300 is success, 401 and 403 denied, 404 and 410 not-found, 409 and 412
 * conflict, 429 (and 503 with Retry-After) throttled, other 4xx spec; 3xx and 5xx are unavailable
 * to a request that reads, and a timeout, an unknown outcome, to any other. The message quotes the
 * beginning of a short textual body. */
int tt_http_judge(const struct tt_http_request *request, const struct tt_http_reply *reply,
                  struct tt_error *err);

/* The first header of that name (any case), or NULL. */
const char *tt_http_header(const struct tt_http_reply *reply, const char *name);
void tt_http_add_header(struct tt_arena *arena, struct tt_http_request *request, const char *name,
                        const char *value);

/* TEXT with everything but A-Z a-z 0-9 - . _ ~ (and '/' with KEEP_SLASHES) as %XX. */
char *tt_http_escape(struct tt_arena *arena, const char *text, bool keep_slashes);

/* The client's own bucket. */
struct tt_bucket *tt_http_bucket(struct tt_http *http);

#endif
