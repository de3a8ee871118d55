/*
 * Signature Version 4 over libcrypto's HMAC: canonical request, string to sign, derived key,
 * signature.
 */
#include "providers/aws/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/sha256.h"
#include "base/str.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DIGEST    32

char *tt_sigv4_date(struct tt_arena *arena, tt_time at)
{
    time_t seconds = (time_t)(at / 1000);
    struct tm tm = {0};
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
    return tt_strdup(arena, text);
}

/* --- the path ------------------------------------------------------------------------------- */

/* RFC 3986's removal of dot segments, and of empty ones. */
static char *normalize(struct tt_arena *arena, const char *path)
{
    char *out = tt_alloc(arena, strlen(path) + 2);
    size_t length = 0;
    bool ends_open = true; /* the last segment leads into a folder */

    while (*path) {
        size_t size = strcspn(path, "/");

        ends_open = size == 0 || (size == 1 && path[0] == '.') ||
                    (size == 2 && path[0] == '.' && path[1] == '.');
        if (size == 2 && path[0] == '.' && path[1] == '.') {
            while (length && out[--length] != '/')
                ;
        } else if (!ends_open) {
            out[length++] = '/';
            memcpy(out + length, path, size);
            length += size;
        }
        path += size;
        if (*path == '/') {
            path++;
            ends_open = true;
        }
    }
    if (ends_open)
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

/* --- the query ------------------------------------------------------------------------------ */

struct pair {
    const char *name;
    const char *value;
};

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* LENGTH characters of TEXT, unescaped and escaped again, as the service will do it. */
static char *escape_again(struct tt_arena *arena, const char *text, size_t length)
{
    char *plain = tt_alloc(arena, length + 1);
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && digit(text[i + 1]) >= 0 &&
            digit(text[i + 2]) >= 0) {
            plain[count++] = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            plain[count++] = text[i];
        }
    }
    return tt_http_escape(arena, plain, false);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *one = a, *other = b;
    int order = strcmp(one->name, other->name);

    return order ? order : strcmp(one->value, other->value);
}

static void add_query(struct tt_arena *arena, struct tt_buf *out, const char *query)
{
    TT_VEC(struct pair) pairs = {0};

    while (query && *query) {
        size_t length = strcspn(query, "&");
        size_t name = strcspn(query, "=&");
        size_t value = name < length ? name + 1 : length;

        if (length)
            *TT_VEC_ADD(arena, &pairs) =
                (struct pair){escape_again(arena, query, name),
                              escape_again(arena, query + value, length - value)};
        query += length + (query[length] == '&');
    }
    if (pairs.count)
        qsort(pairs.items, pairs.count, sizeof(*pairs.items), compare_pairs);
    TT_EACH (pair, &pairs)
        tt_buf_addf(out, "%s%s=%s", pair == pairs.items ? "" : "&", pair->name, pair->value);
}

/* --- the headers ---------------------------------------------------------------------------- */

/* Without space at its ends, and with single ones inside. */
static void add_trimmed(struct tt_buf *out, const char *value)
{
    bool space = false, any = false;

    for (; *value; value++) {
        if (strchr(" \t\r\n", *value)) {
            space = true;
            continue;
        }
        if (space && any)
            tt_buf_add(out, " ");
        tt_buf_addn(out, value, 1);
        space = false;
        any = true;
    }
}

struct line {
    const char *name;
    const char *value;
    size_t index; /* headers of the same name keep their order */
};

static int compare_lines(const void *a, const void *b)
{
    const struct line *one = a, *other = b;
    int order = strcmp(one->name, other->name);

    if (order)
        return order;
    return one->index < other->index ? -1 : 1;
}

static char *lower(struct tt_arena *arena, const char *text)
{
    char *copy = tt_strdup(arena, text);

    for (char *c = copy; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    return copy;
}

/* The canonical headers go to OUT, their names to NAMES. */
static void add_headers(struct tt_arena *arena, struct tt_buf *out, struct tt_buf *names,
                        const struct tt_http_headers *headers)
{
    struct line *lines = TT_NEW_ARRAY(arena, headers->count, struct line);

    for (size_t i = 0; i < headers->count; i++)
        lines[i] = (struct line){lower(arena, headers->items[i].name), headers->items[i].value, i};
    qsort(lines, headers->count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < headers->count; i++) {
        if (i && strcmp(lines[i].name, lines[i - 1].name) == 0) {
            tt_buf_add(out, ",");
        } else {
            tt_buf_addf(out, "%s%s:", i ? "\n" : "", lines[i].name);
            tt_buf_addf(names, "%s%s", i ? ";" : "", lines[i].name);
        }
        add_trimmed(out, lines[i].value);
    }
    tt_buf_add(out, "\n");
}

/* --- the signature -------------------------------------------------------------------------- */

static void hmac(const void *key, size_t key_size, const char *text, unsigned char out[DIGEST])
{
    if (!HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, strlen(text), out,
              NULL))
        abort();
}

static char *compute(struct tt_arena *arena, const struct tt_aws_key *key, const char *day,
                     const struct tt_sigv4_request *request, const char *to_sign)
{
    TT_BUF_AUTO secret = {0};
    unsigned char digest[DIGEST];
    char *signature = tt_alloc(arena, DIGEST * 2 + 1);

    tt_buf_addf(&secret, "AWS4%s", key->secret);
    hmac(tt_buf_text(&secret), secret.length, day, digest);
    hmac(digest, DIGEST, request->region, digest);
    hmac(digest, DIGEST, request->service, digest);
    hmac(digest, DIGEST, "aws4_request", digest);
    hmac(digest, DIGEST, to_sign, digest);
    for (int i = 0; i < DIGEST; i++)
        snprintf(signature + (size_t)i * 2, 3, "%02x", digest[i]);
    return signature;
}

void tt_sigv4_sign(struct tt_arena *arena, const struct tt_aws_key *key,
                   const struct tt_sigv4_request *request, struct tt_sigv4 *ret_signed)
{
    const char *date = tt_sigv4_date(arena, request->at);
    const char *day = tt_strndup(arena, date, 8);
    const char *scope =
        tt_printf(arena, "%s/%s/%s/aws4_request", day, request->region, request->service);
    const char *path = request->normalize ? normalize(arena, request->path) : request->path;
    TT_BUF_AUTO canonical = {0};
    TT_BUF_AUTO names = {0};

    tt_buf_addf(&canonical, "%s\n%s\n", request->method, tt_http_escape(arena, path, true));
    add_query(arena, &canonical, request->query);
    tt_buf_add(&canonical, "\n");
    add_headers(arena, &canonical, &names, request->headers);
    tt_buf_addf(&canonical, "\n%s\n%s", tt_buf_text(&names),
                tt_sha256_hex(arena, request->body ? request->body : "", request->size));
    ret_signed->canonical = tt_strdup(arena, tt_buf_text(&canonical));
    ret_signed->to_sign =
        tt_printf(arena, ALGORITHM "\n%s\n%s\n%s", date, scope,
                  tt_sha256_hex(arena, ret_signed->canonical, strlen(ret_signed->canonical)));
    ret_signed->signature = compute(arena, key, day, request, ret_signed->to_sign);
    ret_signed->authorization =
        tt_printf(arena, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->id,
                  scope, tt_buf_text(&names), ret_signed->signature);
}

/* --- requests ------------------------------------------------------------------------------- */

/* "https://host:port/" to "host:port". */
static char *host_of(struct tt_arena *arena, const char *url)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    return tt_strndup(arena, host, strcspn(host, "/"));
}

static char *path_of(struct tt_arena *arena, const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + 3 : url, '/');

    return tt_strdup(arena, path ? path : "/");
}

void tt_sigv4_add(struct tt_arena *arena, const struct tt_aws_key *key, const char *service,
                  const char *region, tt_time at, struct tt_http_request *request)
{
    struct tt_http_headers headers = {0};
    struct tt_sigv4 sign;

    tt_http_add_header(arena, request, "x-amz-date", tt_sigv4_date(arena, at));
    if (key->token)
        tt_http_add_header(arena, request, "x-amz-security-token", key->token);
    TT_EACH (header, &request->headers)
        *TT_VEC_ADD(arena, &headers) = *header;
    *TT_VEC_ADD(arena, &headers) = (struct tt_http_header){"host", host_of(arena, request->url)};
    tt_sigv4_sign(arena, key,
                  &(struct tt_sigv4_request){
                      .method = request->method,
                      .path = path_of(arena, request->url),
                      .normalize = true,
                      .headers = &headers,
                      .body = request->body,
                      .size = request->size,
                      .region = region,
                      .service = service,
                      .at = at,
                  },
                  &sign);
    tt_http_add_header(arena, request, "authorization", sign.authorization);
}
