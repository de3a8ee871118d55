/*
 * Web: a little HTTP server on the loopback, for tests of what speaks HTTP. The path says how it
 * answers.
 */
#ifndef TT_TESTS_WEB_H
#define TT_TESTS_WEB_H

#include <pthread.h>
#include <stdatomic.h>

struct web {
    int listener;
    int port;
    pthread_t thread;
    atomic_int requests;
    char last[256];  /* the last request line; read it after web_stop */
    int waiting[64]; /* connections of /silent */
    int waiting_count;
};

/*
 * /ok              200
 * /status/NNN      that status; with 3xx a Location that points to /trap
 * /silent          no answer at all
 * /endless         200 and a body without an end
 * /hangup          closes without an answer
 * /garbage         something that is not HTTP
 */
void web_start(struct web *web);
void web_stop(struct web *web);

#endif
