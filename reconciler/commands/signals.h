/*
 * Signals: SIGINT, SIGTERM and SIGHUP ask a run to stop; what runs is finished.
 */
#ifndef TT_COMMANDS_SIGNALS_H
#define TT_COMMANDS_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct tt_signals {
    atomic_bool stop;
    pthread_t watcher;
    pthread_mutex_t mutex;
    void (*tell)(void *self, const char *text); /* NULL: standard error */
    void *teller;
};

/* Blocks the signals in this thread (and those it starts later) and watches for them in one of its
 * own. Call it before other threads are started. */
int tt_signals_begin(struct tt_signals *signals);
void tt_signals_end(struct tt_signals *signals);

/* From now on TELL says what there is to say, so that it finds its place in a live display; NULL:
 * standard error again. */
void tt_signals_tell_through(struct tt_signals *signals, void (*tell)(void *self, const char *text),
                             void *self);

/* Asks the run to stop, as a signal does, and says why. */
void tt_signals_stop(struct tt_signals *signals, const char *why);

bool tt_signals_stopped(const struct tt_signals *signals);

#endif
