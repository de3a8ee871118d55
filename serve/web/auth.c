/*
 * Who asks: a bearer token in a header, the password of HTTP's basic form (for browsers, which ask
 * for it by themselves), or the field `token` of a form that was posted. Only the digests of tokens
 * are known, and they are compared in constant time. A browser sends its basic password whoever
 * made it ask: so what changes something needs a bearer token or the form's field.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/sha256.h"
#include "serve/web/request.h"

#define DIGEST  64
#define LONGEST 512

static const struct tt_web_token *find_token(const struct tt_web_request *request, const char *text)
{
    const struct tt_web_token *found = NULL;
    const char *digest = tt_sha256_hex(request->arena, text, strlen(text));

    TT_EACH (token, &request->options->tokens)
        if (strlen(token->sha256) == DIGEST && CRYPTO_memcmp(token->sha256, digest, DIGEST) == 0)
            found = token;
    return found;
}

/* "Basic bmFtZTp0b2tlbg==": what stands after the colon. */
static const char *basic_password(struct tt_arena *arena, const char *encoded)
{
    size_t length = strlen(encoded);
    char *text;
    int size;

    if (length > LONGEST || length % 4 != 0)
        return NULL;
    text = tt_alloc(arena, length + 1);
    size = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)encoded, (int)length);
    if (size < 0)
        return NULL;
    text[size] = '\0'; /* padding decodes to zeros */
    text = strchr(text, ':');
    return text ? text + 1 : NULL;
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

const char *tt_web_form(const struct tt_web_request *request, const char *name)
{
    char *text = tt_strndup(request->arena, request->size ? request->body : "", request->size);
    char *next = text;

    while (next) {
        char *field = strsep(&next, "&"), *value = strchr(field, '='), *to;

        if (!value)
            continue;
        *value++ = '\0';
        if (strcmp(field, name) != 0)
            continue;
        to = value;
        for (const char *from = value; *from; from++) {
            if (*from == '%' && isxdigit((unsigned char)from[1]) &&
                isxdigit((unsigned char)from[2])) {
                *to++ = (char)(digit(from[1]) * 16 + digit(from[2]));
                from += 2;
            } else {
                *to++ = *from == '+' ? ' ' : *from;
            }
        }
        *to = '\0';
        return value;
    }
    return NULL;
}

void tt_web_authenticate(struct tt_web_request *request)
{
    const char *header = request->header(request->connection, "Authorization");
    bool posted = strcmp(request->method, "POST") == 0;
    const struct tt_web_token *token = NULL;
    const char *text = NULL;

    if (header && strncasecmp(header, "Bearer ", 7) == 0)
        text = header + 7;
    else if (posted)
        text = tt_web_form(request, "token");
    else if (header && strncasecmp(header, "Basic ", 6) == 0)
        text = basic_password(request->arena, header + 6);
    if (text && strlen(text) <= LONGEST)
        token = find_token(request, text);
    request->role = request->options->tokens.count ? TT_WEB_NOBODY : TT_WEB_VIEWER;
    if (token) {
        request->role = token->is_operator ? TT_WEB_OPERATOR : TT_WEB_VIEWER;
        request->who = token->name;
    }
}

/* However it is spelled, as it is listened on. NULL: the default is. */
static bool is_loopback(const char *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    bool is;

    if (!address)
        return true;
    if (getaddrinfo(address, NULL, &hints, &found) != 0)
        return false;
    if (found->ai_family == AF_INET6) {
        memcpy(&six, found->ai_addr, sizeof(six));
        is = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) ||
             (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) && six.sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
    } else {
        memcpy(&four, found->ai_addr, sizeof(four));
        is = ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    freeaddrinfo(found);
    return is;
}

/* "127.0.0.1:8080", "[::1]:8080", "localhost": what no other's DNS decides. */
static bool names_address(struct tt_arena *arena, const char *host)
{
    struct in6_addr address;
    const char *name;

    if (*host == '[') {
        name = tt_strndup(arena, host + 1, strcspn(host + 1, "]"));
        return inet_pton(AF_INET6, name, &address) == 1;
    }
    name = tt_strndup(arena, host, strcspn(host, ":"));
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &address) == 1;
}

bool tt_web_is_rebound(const struct tt_web_request *request)
{
    const char *host = request->header(request->connection, "Host");

    return !request->options->tokens.count && is_loopback(request->options->address) && host &&
           !names_address(request->arena, host);
}
