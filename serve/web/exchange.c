/*
 * Exchange: from libmicrohttpd's callbacks to a request and back.
 */
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "serve/web/request.h"
#include "serve/web/server.h"

#define MAX_BODY    (1u << 20)
#define EVENTS_WAIT 10000
#define EVENTS_LOOK 500

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
    struct tt_web_server *server;
    uint64_t after;
    struct tt_buf text;
    size_t sent;
};

static void wait_for_events(const struct stream *stream, struct tt_arena *arena,
                            struct tt_daemon_events *events)
{
    for (int waited = 0; waited < EVENTS_WAIT && !events->count; waited += EVENTS_LOOK) {
        if (atomic_load(&stream->server->ending))
            return;
        tt_daemon_events(stream->server->daemon, arena, stream->after, EVENTS_LOOK, events);
    }
}

/* Server-sent events: what has happened since, or a comment that says that we are still here. */
static void refill(struct stream *stream)
{
    struct tt_daemon_events events = {0};
    struct tt_arena arena = {0};

    tt_buf_clear(&stream->text);
    stream->sent = 0;
    wait_for_events(stream, &arena, &events);
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
    if (!left && atomic_load(&stream->server->ending))
        return MHD_CONTENT_READER_END_OF_STREAM;
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

static struct MHD_Response *make_stream(struct tt_web_server *server, uint64_t after)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        abort();
    stream->server = server;
    stream->after = after;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, stream,
                                             free_stream);
}

static void add_headers(const struct tt_web_server *server, struct MHD_Response *response,
                        const struct tt_web_reply *reply)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'self'; "
                                    "script-src 'self'; connect-src 'self'; "
                                    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Frame-Options", "DENY"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
        {"Cache-Control", "no-store"},
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (server->options.certificate)
        MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
    if (reply->type)
        MHD_add_response_header(response, "Content-Type", reply->type);
    if (reply->location)
        MHD_add_response_header(response, "Location", reply->location);
    if (reply->asks_for_token)
        MHD_add_response_header(response, "WWW-Authenticate",
                                "Basic realm=\"trimtab: any name, "
                                "and a token as the password\"");
}

static enum MHD_Result send_reply(struct tt_web_server *server, struct MHD_Connection *connection,
                                  struct tt_web_reply *reply)
{
    const char *text = tt_buf_text(&reply->body);
    struct MHD_Response *response =
        reply->is_stream
            ? make_stream(server, reply->after)
            : MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    add_headers(server, response, reply);
    result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static struct tt_slow_connection *slow_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static enum MHD_Result answer(struct tt_web_server *server, struct MHD_Connection *connection,
                              const char *path, const char *method, const struct exchange *exchange)
{
    struct tt_arena arena = {0};
    struct tt_web_reply reply = {.status = 200};
    struct tt_web_request request = {
        .arena = &arena,
        .daemon = server->daemon,
        .store = server->store,
        .options = &server->options,
        .method = method,
        .path = path,
        .peer = peer_of(&arena, connection),
        .newest_event = tt_daemon_newest_event(server->daemon),
        .body = tt_buf_text(&exchange->body),
        .size = exchange->body.length,
        .header = read_header,
        .query = read_query,
        .connection = connection,
    };
    enum MHD_Result result;

    tt_slow_set(&server->slow, slow_of(connection), TT_SLOW_IS_ANSWERED);
    if (exchange->too_large)
        tt_web_error(&reply, 413, "the body is larger than 1 MiB");
    else if (!split(&request))
        tt_web_error(&reply, 404, "there is nothing here");
    else
        tt_web_answer(&request, &reply);
    if (reply.is_stream)
        tt_slow_set(&server->slow, slow_of(connection), TT_SLOW_STREAMS);
    result = send_reply(server, connection, &reply);
    tt_buf_release(&reply.body);
    tt_arena_release(&arena);
    return result;
}

enum MHD_Result tt_web_on_request(void *self, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct tt_web_server *server = self;
    struct exchange *exchange = *state;

    (void)version;
    if (!exchange) {
        tt_slow_asks(&server->slow, slow_of(connection));
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
    return answer(server, connection, path, method, exchange);
}

void tt_web_on_end(void *self, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct tt_web_server *server = self;
    struct exchange *exchange = *state;

    (void)code;
    tt_slow_set(&server->slow, slow_of(connection), TT_SLOW_RESTS);
    if (exchange)
        tt_buf_release(&exchange->body);
    free(exchange);
    *state = NULL;
}
