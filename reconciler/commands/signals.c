/*
 * Signals: one thread waits for them, so that no handler has to.
 */
#include "reconciler/commands/signals.h"

#include <signal.h>
#include <stdio.h>

/* A hangup counts unless nohup, or whoever started us, has it ignored. */
static bool hangup_counts(void)
{
    struct sigaction action;

    return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler != SIG_IGN;
}

static sigset_t watched(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1); /* ends the watcher */
    if (hangup_counts())
        sigaddset(&set, SIGHUP);
    return set;
}

static void say(struct tt_signals *signals, const char *text)
{
    pthread_mutex_lock(&signals->mutex);
    if (signals->tell)
        signals->tell(signals->teller, text);
    else
        fprintf(stderr, "trimtab: %s\n", text);
    pthread_mutex_unlock(&signals->mutex);
}

static void *watch(void *self)
{
    struct tt_signals *signals = self;
    sigset_t set = watched();
    int number;

    while (sigwait(&set, &number) == 0 && number != SIGUSR1) {
        if (atomic_exchange(&signals->stop, true))
            say(signals, "still finishing the steps that run");
        else
            say(signals, "stopping: no new step is started, those that run are finished");
    }
    return NULL;
}

int tt_signals_begin(struct tt_signals *signals)
{
    sigset_t set = watched();

    *signals = (struct tt_signals){0};
    atomic_init(&signals->stop, false);
    pthread_mutex_init(&signals->mutex, NULL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return pthread_create(&signals->watcher, NULL, watch, signals) == 0 ? 0 : -1;
}

void tt_signals_end(struct tt_signals *signals)
{
    pthread_kill(signals->watcher, SIGUSR1);
    pthread_join(signals->watcher, NULL);
    pthread_mutex_destroy(&signals->mutex);
}

void tt_signals_tell_through(struct tt_signals *signals, void (*tell)(void *self, const char *text),
                             void *self)
{
    pthread_mutex_lock(&signals->mutex);
    signals->tell = tell;
    signals->teller = self;
    pthread_mutex_unlock(&signals->mutex);
}

void tt_signals_stop(struct tt_signals *signals, const char *why)
{
    atomic_store(&signals->stop, true);
    say(signals, why);
}

bool tt_signals_stopped(const struct tt_signals *signals)
{
    return atomic_load(&signals->stop);
}
