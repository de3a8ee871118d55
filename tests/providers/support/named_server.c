/*
 * Named server: one thread that tells its name to whoever asks, and makes those wait who ask for
 * /slow.
 */
#include "tests/providers/support/named_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer(const struct named_server *server, int fd)
{
    char text[128];
    int length = snprintf(text, sizeof(text),
                          "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                          strlen(server->name), server->name);

    send(fd, text, (size_t)length, MSG_NOSIGNAL);
    close(fd);
}

static void serve_one(struct named_server *server, int fd)
{
    struct timeval patience = {.tv_sec = 1};
    char request[4096];
    size_t length = 0;
    ssize_t got;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    request[0] = '\0';
    while (!strstr(request, "\r\n\r\n") && length + 1 < sizeof(request) &&
           (got = recv(fd, request + length, sizeof(request) - 1 - length, 0)) > 0) {
        length += (size_t)got;
        request[length] = '\0';
    }
    if (strstr(request, " /slow ") && server->held < NAMED_HELD)
        server->waiting[server->held++] = fd;
    else if (length)
        answer(server, fd);
    else
        close(fd); /* a health check: it connects and leaves */
}

static void release(struct named_server *server)
{
    while (server->held > 0) {
        int fd = server->waiting[server->held - 1];

        answer(server, fd);
        server->held--;
    }
}

static void *serve(void *self)
{
    struct named_server *server = self;
    struct pollfd watched = {.fd = server->listener, .events = POLLIN};

    while (!server->ends) {
        if (poll(&watched, 1, 10) > 0) {
            int fd = accept(server->listener, NULL, NULL);

            if (fd >= 0)
                serve_one(server, fd);
        }
        if (server->release)
            release(server);
    }
    return NULL;
}

void named_server_start(struct named_server *server, const char *name, const char *address,
                        int port)
{
    struct sockaddr_in bound = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof(bound);

    memset(server, 0, sizeof(*server));
    snprintf(server->name, sizeof(server->name), "%s", name);
    snprintf(server->address, sizeof(server->address), "%s", address);
    inet_pton(AF_INET, address, &bound.sin_addr);
    /* Whoever hung up before accept must not make it wait. */
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (server->listener < 0 ||
        bind(server->listener, (const struct sockaddr *)&bound, sizeof(bound)) < 0 ||
        listen(server->listener, 128) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&bound, &length) < 0)
        abort();
    server->port = ntohs(bound.sin_port);
    if (pthread_create(&server->thread, NULL, serve, server) != 0)
        abort();
}

void named_server_stop(struct named_server *server)
{
    server->release = true;
    server->ends = true;
    pthread_join(server->thread, NULL);
    close(server->listener);
}
