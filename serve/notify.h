/*
 * Notifications: people and programs elsewhere are told what went wrong or was mended: a plan that
 * is held, a run that failed, a recovery, drift. Each target has a thread of its own that reads
 * the events after they happened, so that none ever waits for it.
 */
#ifndef TT_SERVE_NOTIFY_H
#define TT_SERVE_NOTIFY_H

#include <stdatomic.h>

#include "serve/config.h"
#include "serve/events.h"
#include "serve/log.h"
#include "serve/runner.h"

#define TT_NOTIFY_TRIES 5

struct tt_notifier {
    const struct tt_notify_config *config; /* outlives it */
    struct tt_events *events;
    const struct tt_log *log;
    tt_time first_wait;          /* before the second try; doubles with each */
    _Atomic uint64_t sent, lost; /* only grow */
    /* its own */
    pthread_t thread;
    struct tt_runner runner;
    atomic_bool stop;
    bool goes_on;      /* AFTER is that of another one */
    bool is_continued; /* another one goes on from its AFTER */
    uint64_t after;    /* the event that it has dealt with last */
    tt_time minute;
    int in_minute;
};

/* Each of NOTIFIERS, which have their CONFIG and have not begun yet, goes on where one of BEFORE
 * with the same target has ended: so a new configuration loses nothing. Where a target stands more
 * than once, that one which tells the same kinds; none goes on from where another one does. */
void tt_notify_go_on(struct tt_notifier *notifiers, size_t count, struct tt_notifier *before,
                     size_t count_before);

/* Begins; what NOTIFIER names above "its own" is set. Events from now on are told, or from where it
 * goes on. */
int tt_notify_begin(struct tt_notifier *notifier, struct tt_error *err);
void tt_notify_stop(struct tt_notifier *notifier);
/* Waits for the thread; the events must have ended, or an event come. */
void tt_notify_end(struct tt_notifier *notifier);

/* NOTIFIER has ended and none goes on from there: logs how many it was still to tell, and returns
 * that. */
unsigned tt_notify_give_up(const struct tt_notifier *notifier);

/* What EVENT is to people: NULL when it is nothing to tell of; else one of
 * TT_NOTIFY_HELD... as a bit in RET_KIND, and a sentence in ARENA. */
const char *tt_notify_text(struct tt_arena *arena, const struct tt_daemon_event *event,
                           unsigned *ret_kind);

/* EVENT as a CloudEvent (1.0, structured JSON) of KIND. */
const char *tt_notify_cloudevent(struct tt_arena *arena, const struct tt_daemon_event *event,
                                 unsigned kind, const char *text);

/* notify_send.c: one try. UNAVAILABLE and THROTTLED: to be tried again. */
int tt_notify_send(struct tt_notifier *notifier, struct tt_arena *arena, const char *body,
                   struct tt_error *err);

#endif
