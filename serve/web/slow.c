/*
 * Slow clients: shutting down a socket wakes the thread that waits for it, which then closes it;
 * nobody but that thread closes, so the number cannot be another connection's meanwhile.
 */
#include "serve/web/slow.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_SECONDS 1
#define DRAIN_LOOK   INT64_C(10000000) /* ns */

static bool is_too_slow(const struct tt_slow_connection *connection, tt_time now)
{
    switch (connection->phase) {
    case TT_SLOW_ASKS:
    case TT_SLOW_RESTS:
        return now - connection->since > TT_SLOW_REQUEST;
    case TT_SLOW_IS_ANSWERED:
        return now - connection->since > TT_SLOW_ANSWER;
    case TT_SLOW_STREAMS:
        break;
    }
    return false;
}

static void *watch(void *self)
{
    struct tt_slow *slow = self;

    pthread_mutex_lock(&slow->mutex);
    while (!slow->ending) {
        struct tt_slow_connection *each = slow->connections;
        tt_time now = tt_monotonic();
        struct timespec until;

        for (; each; each = each->next) {
            if (each->cut || !is_too_slow(each, now))
                continue;
            each->cut = true;
            shutdown(each->socket, SHUT_RDWR);
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_SECONDS;
        pthread_cond_timedwait(&slow->wake, &slow->mutex, &until);
    }
    pthread_mutex_unlock(&slow->mutex);
    return NULL;
}

int tt_slow_begin(struct tt_slow *slow, struct tt_error *err)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&slow->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&slow->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    slow->begun = pthread_create(&slow->thread, NULL, watch, slow) == 0;
    return slow->begun ? 0 : tt_fail(err, TT_ERR_INTERNAL, "this host gives no more threads");
}

static bool is_busy(struct tt_slow *slow)
{
    bool busy = false;

    pthread_mutex_lock(&slow->mutex);
    for (struct tt_slow_connection *each = slow->connections; each && !busy; each = each->next)
        busy = each->phase == TT_SLOW_ASKS || each->phase == TT_SLOW_IS_ANSWERED;
    pthread_mutex_unlock(&slow->mutex);
    return busy;
}

void tt_slow_drain(struct tt_slow *slow)
{
    tt_time until = tt_monotonic() + TT_SLOW_LEAVE;

    while (is_busy(slow) && tt_monotonic() < until)
        nanosleep(&(struct timespec){.tv_nsec = DRAIN_LOOK}, NULL);
}

void tt_slow_end(struct tt_slow *slow)
{
    if (!slow->begun)
        return;
    pthread_mutex_lock(&slow->mutex);
    slow->ending = true;
    pthread_cond_signal(&slow->wake);
    pthread_mutex_unlock(&slow->mutex);
    pthread_join(slow->thread, NULL);
    pthread_cond_destroy(&slow->wake);
    pthread_mutex_destroy(&slow->mutex);
}

struct tt_slow_connection *tt_slow_add(struct tt_slow *slow, int socket)
{
    struct tt_slow_connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        abort();
    connection->socket = socket;
    connection->since = tt_monotonic();
    pthread_mutex_lock(&slow->mutex);
    connection->next = slow->connections;
    if (connection->next)
        connection->next->before = connection;
    slow->connections = connection;
    pthread_mutex_unlock(&slow->mutex);
    return connection;
}

void tt_slow_remove(struct tt_slow *slow, struct tt_slow_connection *connection)
{
    pthread_mutex_lock(&slow->mutex);
    if (connection->before)
        connection->before->next = connection->next;
    else
        slow->connections = connection->next;
    if (connection->next)
        connection->next->before = connection->before;
    pthread_mutex_unlock(&slow->mutex);
    free(connection);
}

void tt_slow_set(struct tt_slow *slow, struct tt_slow_connection *connection,
                 enum tt_slow_phase phase)
{
    if (!connection)
        return;
    pthread_mutex_lock(&slow->mutex);
    connection->phase = phase;
    connection->since = tt_monotonic();
    pthread_mutex_unlock(&slow->mutex);
}

void tt_slow_asks(struct tt_slow *slow, struct tt_slow_connection *connection)
{
    if (!connection)
        return;
    pthread_mutex_lock(&slow->mutex);
    connection->phase = TT_SLOW_ASKS;
    pthread_mutex_unlock(&slow->mutex);
}
