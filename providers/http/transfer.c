/*
 * Transfer: sets a handle up, performs, and classifies.
 *
 * libcurl repeats a request by itself when a connection that it had used before turns out dead,
 * whatever the method; so a request that changes something always opens a connection of its own.
 * Requests that read use those connections later.
 */
#include "providers/http/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define HEADERS_LIMIT ((size_t)256 * 1024)

/* What comes in. */
struct intake {
    struct tt_arena *arena;
    struct tt_http_headers headers;
    size_t headers_size;
    struct tt_buf body;
    size_t limit;
    bool too_large;
};

static size_t take_body(char *data, size_t size, size_t count, void *self)
{
    struct intake *intake = self;

    if (size * count > intake->limit - intake->body.length) {
        intake->too_large = true;
        return 0;
    }
    tt_buf_addn(&intake->body, data, size * count);
    return size * count;
}

static char *trimmed(struct tt_arena *arena, const char *text, size_t length)
{
    while (length && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length && strchr(" \t\r\n", text[length - 1]))
        length--;
    return tt_strndup(arena, text, length);
}

static size_t take_header(char *data, size_t size, size_t count, void *self)
{
    struct intake *intake = self;
    size_t length = size * count;
    const char *colon = memchr(data, ':', length);
    char *name;

    intake->headers_size += length;
    if (intake->headers_size > HEADERS_LIMIT) {
        intake->too_large = true;
        return 0;
    }
    if (length > 5 && memcmp(data, "HTTP/", 5) == 0)
        intake->headers = (struct tt_http_headers){0}; /* those of a 100 Continue before */
    if (!colon)
        return length;
    name = trimmed(intake->arena, data, (size_t)(colon - data));
    for (char *c = name; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    *TT_VEC_ADD(intake->arena, &intake->headers) = (struct tt_http_header){
        name, trimmed(intake->arena, colon + 1, length - (size_t)(colon + 1 - data))};
    return length;
}

/* libcurl itself knows the proxies of the environment, but not the bundles. */
static const char *find_ca_bundle(const struct tt_http_settings *settings)
{
    const char *bundle = settings->ca_bundle;

    if (!bundle || !*bundle)
        bundle = getenv("CURL_CA_BUNDLE");
    if (!bundle || !*bundle)
        bundle = getenv("SSL_CERT_FILE");
    return bundle && *bundle ? bundle : NULL;
}

static void set_limits(CURL *easy, const struct tt_http_settings *settings,
                       const struct tt_http_request *request)
{
    tt_time whole = request->whole_timeout ? request->whole_timeout : settings->whole_timeout;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)whole);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((settings->stall_timeout + 999) / 1000));
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->reads ? 0L : 1L);
}

static struct curl_slist *list_headers(const struct tt_http_request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    TT_EACH (header, &request->headers) {
        TT_BUF_AUTO line = {0};

        /* libcurl takes "name;" for a header without a value */
        tt_buf_addf(&line, header->value[0] ? "%s: %s" : "%s;", header->name, header->value);
        list = curl_slist_append(list, tt_buf_text(&line));
    }
    return list;
}

static void set_request(CURL *easy, const struct tt_http_settings *settings,
                        const struct tt_http_request *request, struct curl_slist *headers,
                        struct intake *intake)
{
    const char *bundle = find_ca_bundle(settings);

    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "trimtab/" TT_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    } else if (tt_streq(request->method, "POST")) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    }
    if (tt_streq(request->method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (bundle)
        curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
    if (request->direct)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, intake);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, intake);
}

/* What a query holds may be secret. */
static int plain_length(const char *url)
{
    return (int)strcspn(url, "?#");
}

static int explain(const struct tt_http_request *request, CURL *easy, CURLcode code,
                   const char *detail, struct tt_error *err)
{
    int length = plain_length(request->url);
    long sent = 0;

    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    if (!*detail)
        detail = curl_easy_strerror(code);
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        if (sent) /* the answer was not HTTP */
            break;
        return tt_fail(err, TT_ERR_SPEC, "%.*s is not an address to send requests to: %s", length,
                       request->url, detail);
    case CURLE_PEER_FAILED_VERIFICATION:
        return tt_fail(err, TT_ERR_DENIED,
                       "the certificate of %.*s is not trusted: %s (a bundle of your own is named "
                       "by CURL_CA_BUNDLE)",
                       length, request->url, detail);
    case CURLE_SSL_CACERT_BADFILE:
        return tt_fail(err, TT_ERR_SPEC, "the CA bundle cannot be read: %s", detail);
    default:
        break;
    }
    if (request->reads || sent == 0)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "no answer from %.*s: %s", length, request->url,
                       detail);
    return tt_fail(err, TT_ERR_TIMEOUT, "no whole answer from %.*s, the outcome is unknown: %s",
                   length, request->url, detail);
}

/* With the NULs that it may have. */
static char *copy_body(const struct intake *intake)
{
    char *body = tt_alloc(intake->arena, intake->body.length + 1);

    memcpy(body, tt_buf_text(&intake->body), intake->body.length);
    return body;
}

static int conclude(CURL *easy, CURLcode code, const struct tt_http_request *request,
                    const char *detail, struct intake *intake, struct tt_http_reply *ret_reply,
                    struct tt_error *err)
{
    long status = 0;

    if (intake->too_large && request->reads)
        return tt_fail(err, TT_ERR_INTERNAL, "the answer of %.*s is larger than %zu bytes",
                       plain_length(request->url), request->url, intake->limit);
    if (code != CURLE_OK)
        return explain(request, easy, code, intake->too_large ? "it is too large" : detail, err);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    ret_reply->status = (int)status;
    ret_reply->headers = intake->headers;
    ret_reply->size = intake->body.length;
    ret_reply->body = copy_body(intake);
    return 0;
}

int tt_http_transfer(CURL *easy, const struct tt_http_settings *settings,
                     const struct tt_http_request *request, struct tt_arena *arena,
                     struct tt_http_reply *ret_reply, struct tt_error *err)
{
    struct intake intake = {.arena = arena, .limit = settings->reply_limit};
    struct curl_slist *headers = list_headers(request);
    char detail[CURL_ERROR_SIZE] = "";
    CURLcode code;
    int result;

    *ret_reply = (struct tt_http_reply){0};
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
    set_limits(easy, settings, request);
    set_request(easy, settings, request, headers, &intake);
    code = curl_easy_perform(easy);
    result = conclude(easy, code, request, detail, &intake, ret_reply, err);
    curl_easy_reset(easy); /* nothing of ours stays in it, its connections do */
    curl_slist_free_all(headers);
    tt_buf_release(&intake.body);
    return result;
}
