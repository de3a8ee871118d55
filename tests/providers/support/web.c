/*
 * Web: one thread that takes one connection after the other.
 */
#include "tests/providers/support/web.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void say_status(int fd, int status)
{
    char text[256];

    snprintf(text, sizeof(text),
             "HTTP/1.1 %d Whatever\r\n%sContent-Length: 2\r\nConnection: close\r\n\r\nok", status,
             status / 100 == 3 ? "Location: /trap\r\n" : "");
    say(fd, text);
}

static void say_endlessly(int fd)
{
    char block[4096];

    memset(block, 'x', sizeof(block) - 1);
    block[sizeof(block) - 1] = '\0';
    if (say(fd, "HTTP/1.1 200 OK\r\n\r\n"))
        while (say(fd, block))
            ;
}

/* Takes the connection over when it is to stay open. */
static bool answer(struct web *web, int fd, const char *path)
{
    if (strncmp(path, "/ok ", 4) == 0)
        say_status(fd, 200);
    else if (strncmp(path, "/status/", 8) == 0)
        say_status(fd, atoi(path + 8));
    else if (strncmp(path, "/endless ", 9) == 0)
        say_endlessly(fd);
    else if (strncmp(path, "/garbage ", 9) == 0)
        say(fd, "220 mail.example ESMTP\r\n");
    else if (strncmp(path, "/silent ", 8) == 0 && web->waiting_count < 64) {
        web->waiting[web->waiting_count++] = fd;
        return true;
    }
    return false;
}

static void serve_one(struct web *web, int fd)
{
    char request[4096];
    size_t length = 0;
    char *path;
    bool kept = false;

    while (length + 1 < sizeof(request)) {
        ssize_t got = recv(fd, request + length, sizeof(request) - 1 - length, 0);

        if (got <= 0)
            break;
        length += (size_t)got;
        request[length] = '\0';
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    request[length] = '\0';
    path = strchr(request, ' ');
    if (path) {
        atomic_fetch_add(&web->requests, 1);
        snprintf(web->last, sizeof(web->last), "%.*s", (int)strcspn(request, "\r\n"), request);
        kept = answer(web, fd, path + 1);
    }
    if (!kept)
        close(fd);
}

static void *serve(void *self)
{
    struct web *web = self;
    int fd;

    while ((fd = accept(web->listener, NULL, NULL)) >= 0)
        serve_one(web, fd);
    return NULL;
}

void web_start(struct web *web)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);

    memset(web, 0, sizeof(*web));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    web->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (web->listener < 0 ||
        bind(web->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(web->listener, 4096) < 0 ||
        getsockname(web->listener, (struct sockaddr *)&address, &length) < 0)
        abort();
    web->port = ntohs(address.sin_port);
    if (pthread_create(&web->thread, NULL, serve, web) != 0)
        abort();
}

void web_stop(struct web *web)
{
    shutdown(web->listener, SHUT_RDWR);
    pthread_join(web->thread, NULL);
    close(web->listener);
    for (int i = 0; i < web->waiting_count; i++)
        close(web->waiting[i]);
}
