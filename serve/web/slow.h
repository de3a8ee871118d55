/*
 * Slow clients: libmicrohttpd cuts a connection that is silent, but not one that sends a byte now
 * and then, or takes its answer a byte at a time. A thread of ours looks at all connections once a
 * second and cuts those whose request or whose answer takes longer than it may.
 */
#ifndef TT_SERVE_WEB_SLOW_H
#define TT_SERVE_WEB_SLOW_H

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"

#define TT_SLOW_REQUEST INT64_C(15000) /* a request's head and body */
#define TT_SLOW_ANSWER  INT64_C(60000) /* an answer that is not a stream, with what makes it */

#define TT_SLOW_LEAVE INT64_C(5000) /* what is left of either when its server ends */

/* RESTS: between two requests. */
enum tt_slow_phase { TT_SLOW_ASKS, TT_SLOW_IS_ANSWERED, TT_SLOW_STREAMS, TT_SLOW_RESTS };

struct tt_slow_connection {
    struct tt_slow_connection *next, *before;
    int socket;
    enum tt_slow_phase phase;
    tt_time since; /* by tt_monotonic */
    bool cut;
};

struct tt_slow {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool begun, ending;
    struct tt_slow_connection *connections;
};

int tt_slow_begin(struct tt_slow *slow, struct tt_error *err);
/* Waits until nobody asks or is answered any more, for at most TT_SLOW_LEAVE. */
void tt_slow_drain(struct tt_slow *slow);
void tt_slow_end(struct tt_slow *slow); /* after the server has closed all connections */

/* A connection, from when it is made to when it is closed. */
struct tt_slow_connection *tt_slow_add(struct tt_slow *slow, int socket);
void tt_slow_remove(struct tt_slow *slow, struct tt_slow_connection *connection);

/* CONNECTION (NULL: unknown) is in PHASE from now on. */
void tt_slow_set(struct tt_slow *slow, struct tt_slow_connection *connection,
                 enum tt_slow_phase phase);
/* A request begins to come; its time counts from when the one before was answered. */
void tt_slow_asks(struct tt_slow *slow, struct tt_slow_connection *connection);

#endif
