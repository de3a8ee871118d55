/*
 * Signals: SIGINT and SIGTERM ask a run to stop; what runs is finished.
 */
#ifndef TT_COMMANDS_SIGNALS_H
#define TT_COMMANDS_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>

struct tt_signals {
    atomic_bool stop;
    pthread_t watcher;
};

/* Blocks the signals in this thread (and those it starts later) and watches for them in one of its
 * own. Call it before other threads are started. */
int tt_signals_begin(struct tt_signals *signals);
void tt_signals_end(struct tt_signals *signals);

#endif
