/*
 * Answering: a port of the loopback that says the same to whoever sends it something.
 */
#ifndef TT_TESTS_ANSWERING_H
#define TT_TESTS_ANSWERING_H

#include <pthread.h>
#include <stdatomic.h>

struct answering {
    int listener;
    int port;
    _Atomic(const char *) answer; /* NULL: it says nothing and keeps the connection */
    atomic_int questions;
    char last[128]; /* the first line of the last one; read it after answering_stop */
    pthread_t thread;
};

void answering_start(struct answering *answering, const char *answer);
void answering_stop(struct answering *answering);

#endif
