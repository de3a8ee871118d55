/*
 * Scripted: a thread accepts, a thread of its own serves each connection, request after request.
 */
#include "tests/providers/support/scripted.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_LIMIT ((size_t)1024 * 1024)

struct serving {
    struct scripted *server;
    int fd;
};

/* --- reading -------------------------------------------------------------------------------- */

static size_t announced(const char *head)
{
    const char *line = strcasestr(head, "\r\ncontent-length:");

    return line ? strtoul(line + 17, NULL, 10) : 0;
}

/* One request with its body, or NULL when the client has left. */
static char *read_request(int fd)
{
    char *text = calloc(1, REQUEST_LIMIT);
    size_t length = 0, wanted = 0;

    if (!text)
        abort();
    while (length + 1 < REQUEST_LIMIT && (!wanted || length < wanted)) {
        ssize_t got = recv(fd, text + length, REQUEST_LIMIT - 1 - length, 0);
        char *end;

        if (got <= 0) {
            free(text);
            return NULL;
        }
        length += (size_t)got;
        end = strstr(text, "\r\n\r\n");
        if (end && !wanted)
            wanted = (size_t)(end - text) + 4 + announced(text);
    }
    return text;
}

/* --- answering ------------------------------------------------------------------------------ */

static bool send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void wait_ms(int delay)
{
    nanosleep(&(struct timespec){delay / 1000, (long)(delay % 1000) * 1000000}, NULL);
}

/* Until the client or the test ends. */
static void wait_for_end(int fd)
{
    char byte;

    while (recv(fd, &byte, 1, 0) > 0)
        ;
}

static bool send_head(int fd, const struct scripted_answer *answer, size_t size)
{
    char head[4096];
    int length = snprintf(
        head, sizeof(head), "HTTP/1.1 %d Scripted\r\nContent-Length: %zu\r\n%s\r\n",
        answer->status ? answer->status : 200, size, answer->headers ? answer->headers : "");

    return send_all(fd, head, (size_t)length);
}

/* False when the connection is at its end. */
static bool send_answer(int fd, const struct scripted_answer *answer)
{
    static const char filler[8192] = "filler";
    size_t size = answer->size || !answer->body ? answer->size : strlen(answer->body);

    if (answer->delay)
        wait_ms(answer->delay);
    switch (answer->fault) {
    case SCRIPTED_HANG_UP:
        return false;
    case SCRIPTED_SILENT:
        wait_for_end(fd);
        return false;
    case SCRIPTED_GARBAGE:
        send_all(fd, "220 mail.example ESMTP\r\n", 24);
        return false;
    case SCRIPTED_ENDLESS:
        if (send_head(fd, answer, (size_t)1 << 40))
            while (send_all(fd, filler, sizeof(filler)))
                ;
        return false;
    case SCRIPTED_STALL:
        if (send_head(fd, answer, 100))
            wait_for_end(fd);
        return false;
    case SCRIPTED_CUT:
        if (send_head(fd, answer, size))
            send_all(fd, answer->body, size / 2);
        return false;
    case SCRIPTED_NONE:
        break;
    }
    return send_head(fd, answer, size) && send_all(fd, answer->body, size);
}

static void choose(struct scripted *server, char *request, struct scripted_answer *ret_answer)
{
    *ret_answer = (struct scripted_answer){0};
    pthread_mutex_lock(&server->lock);
    if (server->request_count == SCRIPTED_MOST)
        abort();
    server->requests[server->request_count++] = request;
    if (!server->answer || !server->answer(server->self, request, ret_answer))
        if (server->script_next < server->script_count)
            *ret_answer = server->script[server->script_next++];
    pthread_mutex_unlock(&server->lock);
}

static void *serve(void *self)
{
    struct serving serving = *(struct serving *)self;
    struct scripted *server = serving.server;
    struct scripted_answer answer;
    char *request;

    free(self);
    while ((request = read_request(serving.fd))) {
        choose(server, request, &answer);
        if (!send_answer(serving.fd, &answer))
            break;
    }
    pthread_mutex_lock(&server->lock);
    for (int i = 0; i < SCRIPTED_MOST; i++)
        if (server->fds[i] == serving.fd)
            server->fds[i] = -1;
    close(serving.fd);
    server->open--;
    pthread_cond_broadcast(&server->quiet);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* --- the server ----------------------------------------------------------------------------- */

static void begin_serving(struct scripted *server, int fd)
{
    struct serving *serving = malloc(sizeof(*serving));
    pthread_t thread;

    if (!serving)
        abort();
    *serving = (struct serving){server, fd};
    pthread_mutex_lock(&server->lock);
    server->connection_count++;
    server->open++;
    for (int i = 0; i < SCRIPTED_MOST; i++)
        if (server->fds[i] < 0) {
            server->fds[i] = fd;
            break;
        }
    if (server->ending)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    if (pthread_create(&thread, NULL, serve, serving) != 0)
        abort();
    pthread_detach(thread);
}

static void *accept_all(void *self)
{
    struct scripted *server = self;
    int fd;

    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        /* head and body at once, or each answer waits 40 ms for the client's delayed ACK */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        begin_serving(server, fd);
    }
    return NULL;
}

void scripted_start(struct scripted *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);

    memset(server, 0, sizeof(*server));
    for (int i = 0; i < SCRIPTED_MOST; i++)
        server->fds[i] = -1;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->quiet, NULL);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server->listener, 256) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) < 0)
        abort();
    server->port = ntohs(address.sin_port);
    if (pthread_create(&server->thread, NULL, accept_all, server) != 0)
        abort();
}

void scripted_stop(struct scripted *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_mutex_lock(&server->lock);
    server->ending = true;
    for (int i = 0; i < SCRIPTED_MOST; i++)
        if (server->fds[i] >= 0)
            shutdown(server->fds[i], SHUT_RDWR);
    while (server->open)
        pthread_cond_wait(&server->quiet, &server->lock);
    pthread_mutex_unlock(&server->lock);
    for (int i = 0; i < server->request_count; i++)
        free(server->requests[i]);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->quiet);
}

void scripted_say(struct scripted *server, struct scripted_answer answer)
{
    pthread_mutex_lock(&server->lock);
    if (server->script_count == SCRIPTED_MOST)
        abort();
    server->script[server->script_count++] = answer;
    pthread_mutex_unlock(&server->lock);
}

int scripted_requests(struct scripted *server)
{
    int count;

    pthread_mutex_lock(&server->lock);
    count = server->request_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

int scripted_connections(struct scripted *server)
{
    int count;

    pthread_mutex_lock(&server->lock);
    count = server->connection_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *scripted_request(struct scripted *server, int index)
{
    const char *text;

    pthread_mutex_lock(&server->lock);
    text = index < server->request_count ? server->requests[index] : "";
    pthread_mutex_unlock(&server->lock);
    return text;
}
