/*
 * Named server: a little web server with an address of its own, which can be told from its like.
 */
#ifndef TT_TESTS_NAMED_SERVER_H
#define TT_TESTS_NAMED_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define NAMED_HELD 8

/* Answers every request with its name and closes; a request for /slow waits for `release`. */
struct named_server {
    char name[8];
    char address[24];
    int port;
    int listener;
    atomic_bool ends;
    atomic_bool release;
    atomic_int held; /* requests that wait */
    int waiting[NAMED_HELD];
    pthread_t thread;
};

/* PORT 0: a free one. */
void named_server_start(struct named_server *server, const char *name, const char *address,
                        int port);
void named_server_stop(struct named_server *server);

#endif
