/*
 * Answering: one thread that takes one connection after the other.
 */
#include "tests/reconciler/support/answering.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve_one(struct answering *answering, int fd)
{
    char question[4096];
    const char *answer = atomic_load(&answering->answer);
    ssize_t got = recv(fd, question, sizeof(question) - 1, 0);

    if (got <= 0)
        return;
    question[got] = '\0';
    atomic_fetch_add(&answering->questions, 1);
    snprintf(answering->last, sizeof(answering->last), "%.*s", (int)strcspn(question, "\r\n"),
             question);
    if (answer)
        send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    else
        while (recv(fd, question, sizeof(question), 0) > 0)
            ; /* until the other gives up */
}

static void *serve(void *self)
{
    struct answering *answering = self;
    int fd;

    while ((fd = accept(answering->listener, NULL, NULL)) >= 0) {
        serve_one(answering, fd);
        close(fd);
    }
    return NULL;
}

void answering_start(struct answering *answering, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);

    memset(answering, 0, sizeof(*answering));
    atomic_store(&answering->answer, answer);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    answering->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (answering->listener < 0 ||
        bind(answering->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(answering->listener, 64) < 0 ||
        getsockname(answering->listener, (struct sockaddr *)&address, &length) < 0 ||
        pthread_create(&answering->thread, NULL, serve, answering) != 0)
        abort();
    answering->port = ntohs(address.sin_port);
}

void answering_stop(struct answering *answering)
{
    shutdown(answering->listener, SHUT_RDWR);
    pthread_join(answering->thread, NULL);
    close(answering->listener);
}
