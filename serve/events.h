/*
 * Events: what happened last, numbered, in a ring that newer ones push older ones out of.
 */
#ifndef TT_SERVE_EVENTS_H
#define TT_SERVE_EVENTS_H

#include <jansson.h>
#include <pthread.h>

#include "serve/daemon.h"

#define TT_EVENTS_KEPT 1024

struct tt_events {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct {
        tt_time at;
        const char *type; /* a literal */
        char *json;
    } ring[TT_EVENTS_KEPT];
    uint64_t newest; /* 0: none yet */
    bool ended;
};

void tt_events_init(struct tt_events *events);
void tt_events_release(struct tt_events *events);

/* TYPE is a literal; OBJECT is freed. */
void tt_events_add(struct tt_events *events, tt_time at, const char *type, json_t *object);

/* As tt_daemon_events. */
void tt_events_read(struct tt_events *events, struct tt_arena *arena, uint64_t after, tt_time wait,
                    struct tt_daemon_events *ret_events);

uint64_t tt_events_newest(struct tt_events *events);

/* Nobody waits any more. */
void tt_events_end(struct tt_events *events);

#endif
