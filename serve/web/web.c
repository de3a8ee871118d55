/*
 * Web: its life. One thread for each connection, so that one that waits for events holds nobody up;
 * what is slow, large or too much is cut. A new configuration is a new server on the same socket:
 * it answers before the old one is asked to leave.
 */
#include "serve/web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "serve/web/server.h"

#define MAX_CONNECTIONS 1000
#define MAX_HEAD        (32u * 1024)
#define IDLE_SECONDS    20
#define STACK           (256u * 1024)
#define BACKLOG         512
#define PRIORITIES      "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tt_web {
    struct tt_daemon *daemon;
    struct tt_web_server *server;
    int socket;
    int port;
};

/* --- the socket ------------------------------------------------------------------------------- */

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

static int listen_on(const struct tt_web_options *options, int *ret_socket, int *ret_port,
                     struct tt_error *err)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof(bound);
    struct addrinfo *address = NULL;
    int yes = 1, result = 0, handle;
    char port[NI_MAXSERV];

    if (find_address(options, &address, err) < 0)
        return -1;
    handle = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (handle < 0 || setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
        bind(handle, address->ai_addr, address->ai_addrlen) < 0 || listen(handle, BACKLOG) < 0 ||
        getsockname(handle, (struct sockaddr *)&bound, &size) < 0 ||
        getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, sizeof(port), NI_NUMERICSERV))
        result = tt_fail_errno(err, errno == EADDRINUSE ? TT_ERR_CONFLICT : TT_ERR_INTERNAL,
                               "cannot listen on port %d of %s", options->port,
                               options->address ? options->address : "127.0.0.1");
    freeaddrinfo(address);
    if (result < 0) {
        if (handle >= 0)
            close(handle);
        return -1;
    }
    *ret_socket = handle;
    *ret_port = atoi(port);
    return 0;
}

/* --- a server --------------------------------------------------------------------------------- */

/* Each connection is known from its first moment; SLOT is its own. */
static void on_connection(void *self, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct tt_web_server *server = self;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *slot = info ? tt_slow_add(&server->slow, info->connect_fd) : NULL;
    } else if (*slot) {
        tt_slow_remove(&server->slow, *slot);
        *slot = NULL;
    }
}

static void copy_options(struct tt_web_server *server, const struct tt_web_options *options)
{
    struct tt_arena *arena = &server->arena;

    server->options = (struct tt_web_options){
        .address = tt_strdup(arena, options->address),
        .port = options->port,
        .certificate = tt_strdup(arena, options->certificate),
        .key = tt_strdup(arena, options->key),
        .state_folder = tt_strdup(arena, options->state_folder),
    };
    TT_EACH (token, &options->tokens)
        *TT_VEC_ADD(arena, &server->options.tokens) =
            (struct tt_web_token){.name = tt_strdup(arena, token->name),
                                  .sha256 = tt_strdup(arena, token->sha256),
                                  .is_operator = token->is_operator};
}

static void end_server(struct tt_web_server *server)
{
    int handle;

    atomic_store(&server->ending, true);
    if (server->http) {
        handle = MHD_quiesce_daemon(server->http);
        tt_slow_drain(&server->slow);
        MHD_stop_daemon(server->http);
        if (handle >= 0)
            close(handle);
    }
    tt_slow_end(&server->slow);
    if (server->store)
        tt_store_close(server->store);
    tt_arena_release(&server->arena);
    free(server);
}

/* Answers on HANDLE, which is its own from then on. */
static int begin_http(struct tt_web_server *server, int handle, struct tt_error *err)
{
    const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                           MHD_USE_POLL | MHD_USE_ITC;
    char *certificate = NULL, *key = NULL;

    if (server->options.certificate) {
        if (tt_web_read_tls(&server->arena, &server->options, &certificate, &key, err) < 0)
            return -1;
        if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
            return tt_fail(err, TT_ERR_UNSUPPORTED, "libmicrohttpd was built without TLS");
    }
    server->http = MHD_start_daemon(
        flags | (certificate ? MHD_USE_TLS : 0), 0, NULL, NULL, tt_web_on_request, server,
        MHD_OPTION_LISTEN_SOCKET, handle, MHD_OPTION_NOTIFY_COMPLETED, tt_web_on_end, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MAX_HEAD, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK, certificate ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, certificate,
        MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_END);
    return server->http ? 0 : tt_fail_errno(err, TT_ERR_INTERNAL, "the page cannot be served");
}

static int begin_server(struct tt_web *web, const struct tt_web_options *options, int handle,
                        struct tt_web_server **ret_server, struct tt_error *err)
{
    struct tt_web_server *server = calloc(1, sizeof(*server));
    int own = dup(handle), result;

    if (!server)
        abort();
    atomic_init(&server->ending, false);
    server->daemon = web->daemon;
    copy_options(server, options);
    result = own < 0 ? tt_fail_errno(err, TT_ERR_INTERNAL, "the page cannot be served") : 0;
    if (result == 0)
        result = tt_slow_begin(&server->slow, err);
    if (result == 0 && server->options.state_folder)
        result = tt_store_open(server->options.state_folder, &server->store, err);
    if (result == 0)
        result =
            begin_http(server, own, err); /* whether it closes OWN when it fails is its secret */
    else if (own >= 0)
        close(own);
    if (result < 0) {
        end_server(server);
        return -1;
    }
    *ret_server = server;
    return 0;
}

/* --- its life --------------------------------------------------------------------------------- */

int tt_web_check(const struct tt_web_options *options, struct tt_error *err)
{
    struct addrinfo *address = NULL;
    char *certificate, *key;
    struct tt_arena scratch;
    int result;

    tt_arena_init(&scratch);
    result = find_address(options, &address, err);
    if (address)
        freeaddrinfo(address);
    if (result == 0 && options->certificate)
        result = tt_web_read_tls(&scratch, options, &certificate, &key, err);
    tt_arena_release(&scratch);
    return result;
}

int tt_web_start(const struct tt_web_options *options, struct tt_daemon *daemon,
                 struct tt_web **ret_web, struct tt_error *err)
{
    struct tt_web *web = calloc(1, sizeof(*web));

    if (!web)
        abort();
    web->daemon = daemon;
    web->socket = -1;
    if (listen_on(options, &web->socket, &web->port, err) < 0 ||
        begin_server(web, options, web->socket, &web->server, err) < 0) {
        tt_web_stop(web);
        return -1;
    }
    *ret_web = web;
    return 0;
}

int tt_web_reload(struct tt_web *web, const struct tt_web_options *options, struct tt_error *err)
{
    const struct tt_web_options *old = &web->server->options;
    bool moves = !tt_streq(old->address, options->address) || old->port != options->port;
    int handle = web->socket, port = web->port;
    struct tt_web_server *server;

    if (moves && listen_on(options, &handle, &port, err) < 0)
        return -1;
    if (begin_server(web, options, handle, &server, err) < 0) {
        if (moves)
            close(handle);
        return -1;
    }
    end_server(web->server);
    if (moves)
        close(web->socket);
    web->server = server;
    web->socket = handle;
    web->port = port;
    return 0;
}

int tt_web_port(const struct tt_web *web)
{
    return web->port;
}

void tt_web_stop(struct tt_web *web)
{
    if (web->server)
        end_server(web->server);
    if (web->socket >= 0)
        close(web->socket);
    free(web);
}
