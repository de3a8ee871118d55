/*
 * Signals: one thread waits for them, so that no handler has to.
 */
#include "reconciler/commands/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

static sigset_t watched(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1); /* ends the watcher */
    return set;
}

static void *watch(void *self)
{
    struct tt_signals *signals = self;
    sigset_t set = watched();
    int number;

    while (sigwait(&set, &number) == 0 && number != SIGUSR1) {
        if (atomic_exchange(&signals->stop, true))
            fputs("trimtab: still finishing the steps that run\n", stderr);
        else
            fputs("trimtab: stopping: no new step is started, those that run are finished\n",
                  stderr);
    }
    return NULL;
}

int tt_signals_begin(struct tt_signals *signals)
{
    sigset_t set = watched();

    atomic_init(&signals->stop, false);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return pthread_create(&signals->watcher, NULL, watch, signals) == 0 ? 0 : -1;
}

void tt_signals_end(struct tt_signals *signals)
{
    pthread_kill(signals->watcher, SIGUSR1);
    pthread_join(signals->watcher, NULL);
}
