/*
 * Web: from libmicrohttpd's callbacks to a request and back. One thread for each connection, so
 * that one that waits for events holds nobody up; what is slow, large or too much is cut.
 */
#include "serve/web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "serve/web/request.h"

#define MAX_BODY        (1u << 20)
#define MAX_CONNECTIONS 1000
#define MAX_HEAD        (32u * 1024)
#define IDLE_SECONDS    20
#define STACK           (256u * 1024)
#define MAX_PEM         (1u << 20)
#define EVENTS_WAIT     10000

struct tt_web {
    struct tt_web_options options;
    struct tt_daemon *daemon;
    struct tt_store *store;
    struct MHD_Daemon *server;
    struct tt_arena arena;
    int port;
};

/* One request while its body comes. */
struct exchange {
    struct tt_buf body;
    bool too_large;
};

static const char *read_header(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static const char *read_query(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *peer_of(struct tt_arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char *text = tt_alloc(arena, NI_MAXHOST);

    if (!info || getnameinfo(info->client_addr, sizeof(struct sockaddr_in6), text, NI_MAXHOST, NULL,
                             0, NI_NUMERICHOST) != 0)
        return "unknown";
    return text;
}

/* False: it has more parts than any route. */
static bool split(struct tt_web_request *request)
{
    char *rest = tt_strdup(request->arena, request->path);
    int count = 0;

    while (rest) {
        char *part = strsep(&rest, "/");

        if (!*part)
            continue;
        if (count == TT_WEB_PARTS)
            return false;
        request->parts[count++] = part;
    }
    return true;
}

/* --- answering -------------------------------------------------------------------------------- */

struct stream {
    struct tt_daemon *daemon;
    uint64_t after;
    struct tt_buf text;
    size_t sent;
};

/* Server-sent events: what has happened since, or a comment that says that we are still here. */
static void refill(struct stream *stream)
{
    struct tt_daemon_events events = {0};
    struct tt_arena arena = {0};

    tt_buf_clear(&stream->text);
    stream->sent = 0;
    tt_daemon_events(stream->daemon, &arena, stream->after, EVENTS_WAIT, &events);
    for (size_t i = 0; i < events.count; i++) {
        const struct tt_daemon_event *event = &events.items[i];

        tt_buf_addf(&stream->text, "id: %llu\nevent: %s\ndata: %s\n\n",
                    (unsigned long long)event->number, event->type, event->json);
        stream->after = event->number;
    }
    if (!events.count)
        tt_buf_add(&stream->text, ": still here\n\n");
    tt_arena_release(&arena);
}

static ssize_t read_stream(void *self, uint64_t position, char *buffer, size_t size)
{
    struct stream *stream = self;
    size_t left = stream->text.length - stream->sent;

    (void)position;
    if (!left) {
        refill(stream);
        left = stream->text.length;
    }
    left = left < size ? left : size;
    memcpy(buffer, stream->text.data + stream->sent, left);
    stream->sent += left;
    return (ssize_t)left;
}

static void free_stream(void *self)
{
    struct stream *stream = self;

    tt_buf_release(&stream->text);
    free(stream);
}

static struct MHD_Response *make_stream(struct tt_daemon *daemon, uint64_t after)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        abort();
    stream->daemon = daemon;
    stream->after = after;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, stream,
                                             free_stream);
}

static void add_headers(struct MHD_Response *response, const struct tt_web_reply *reply)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'self'; "
                                    "script-src 'self'; connect-src 'self'; "
                                    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cache-Control", "no-store"},
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (reply->type)
        MHD_add_response_header(response, "Content-Type", reply->type);
    if (reply->location)
        MHD_add_response_header(response, "Location", reply->location);
    if (reply->asks_for_token)
        MHD_add_response_header(response, "WWW-Authenticate",
                                "Basic realm=\"trimtab: any name, "
                                "and a token as the password\"");
}

static enum MHD_Result send_reply(struct tt_web *web, struct MHD_Connection *connection,
                                  struct tt_web_reply *reply)
{
    const char *text = tt_buf_text(&reply->body);
    struct MHD_Response *response =
        reply->is_stream
            ? make_stream(web->daemon, reply->after)
            : MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    add_headers(response, reply);
    result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(struct tt_web *web, struct MHD_Connection *connection,
                              const char *path, const char *method, const struct exchange *exchange)
{
    struct tt_arena arena = {0};
    struct tt_web_reply reply = {.status = 200};
    struct tt_web_request request = {
        .arena = &arena,
        .daemon = web->daemon,
        .store = web->store,
        .options = &web->options,
        .method = method,
        .path = path,
        .peer = peer_of(&arena, connection),
        .newest_event = tt_daemon_newest_event(web->daemon),
        .body = tt_buf_text(&exchange->body),
        .size = exchange->body.length,
        .header = read_header,
        .query = read_query,
        .connection = connection,
    };
    enum MHD_Result result;

    if (exchange->too_large)
        tt_web_error(&reply, 413, "the body is larger than 1 MiB");
    else if (!split(&request))
        tt_web_error(&reply, 404, "there is nothing here");
    else
        tt_web_answer(&request, &reply);
    result = send_reply(web, connection, &reply);
    tt_buf_release(&reply.body);
    tt_arena_release(&arena);
    return result;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct exchange *exchange = *state;

    (void)version;
    if (!exchange) {
        exchange = calloc(1, sizeof(*exchange));
        *state = exchange;
        return exchange ? MHD_YES : MHD_NO;
    }
    if (*size) {
        exchange->too_large |= exchange->body.length + *size > MAX_BODY;
        if (!exchange->too_large)
            tt_buf_addn(&exchange->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return answer(self, connection, path, method, exchange);
}

static void on_end(void *self, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *state;

    (void)self, (void)connection, (void)code;
    if (exchange)
        tt_buf_release(&exchange->body);
    free(exchange);
    *state = NULL;
}

/* --- its life --------------------------------------------------------------------------------- */

static int find_address(const struct tt_web_options *options, struct addrinfo **ret_found,
                        struct tt_error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const char *address = options->address ? options->address : "127.0.0.1";
    char port[16];

    snprintf(port, sizeof(port), "%d", options->port);
    if (getaddrinfo(address, port, &hints, ret_found) != 0)
        return tt_fail(err, TT_ERR_SPEC, "%s is no address to listen on: give an IP address",
                       address);
    return 0;
}

static int read_pem(struct tt_web *web, char **ret_certificate, char **ret_key,
                    struct tt_error *err)
{
    if (tt_file_read(&web->arena, web->options.certificate, MAX_PEM, ret_certificate, NULL, err) <
            0 ||
        tt_file_read(&web->arena, web->options.key ? web->options.key : web->options.certificate,
                     MAX_PEM, ret_key, NULL, err) < 0)
        return -1;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return tt_fail(err, TT_ERR_UNSUPPORTED, "libmicrohttpd was built without TLS");
    return 0;
}

static int listen_on(struct tt_web *web, const struct addrinfo *address, struct tt_error *err)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    char *certificate = NULL, *key = NULL;
    const union MHD_DaemonInfo *info;

    if (web->options.certificate && read_pem(web, &certificate, &key, err) < 0)
        return -1;
    if (address->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    web->server = MHD_start_daemon(
        flags | (certificate ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, web,
        MHD_OPTION_SOCK_ADDR, address->ai_addr, MHD_OPTION_NOTIFY_COMPLETED, on_end, web,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MAX_HEAD,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
        certificate ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, certificate,
        MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_END);
    if (!web->server)
        return tt_fail_errno(err, errno == EADDRINUSE ? TT_ERR_CONFLICT : TT_ERR_INTERNAL,
                             "cannot listen on port %d", web->options.port);
    info = MHD_get_daemon_info(web->server, MHD_DAEMON_INFO_BIND_PORT);
    web->port = info ? info->port : web->options.port;
    return 0;
}

int tt_web_start(const struct tt_web_options *options, struct tt_daemon *daemon,
                 struct tt_web **ret_web, struct tt_error *err)
{
    struct tt_web *web = calloc(1, sizeof(*web));
    struct addrinfo *address = NULL;
    int result;

    if (!web)
        abort();
    web->options = *options;
    web->daemon = daemon;
    result = find_address(options, &address, err);
    if (result == 0 && options->state_folder)
        result = tt_store_open(options->state_folder, &web->store, err);
    if (result == 0)
        result = listen_on(web, address, err);
    if (address)
        freeaddrinfo(address);
    if (result < 0) {
        tt_web_stop(web);
        return -1;
    }
    *ret_web = web;
    return 0;
}

int tt_web_port(const struct tt_web *web)
{
    return web->port;
}

void tt_web_stop(struct tt_web *web)
{
    if (web->server)
        MHD_stop_daemon(web->server);
    if (web->store)
        tt_store_close(web->store);
    tt_arena_release(&web->arena);
    free(web);
}
