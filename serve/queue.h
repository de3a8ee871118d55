/*
 * Queue: which deployment is looked at next, and when.
 *
 * Pure: no clock, no thread, no I/O; "now" is a parameter and chance comes from a seed. One entry
 * for each deployment, so that duplicate triggers merge; one run of it at a time; a limit of runs
 * for all. One that fails backs off on its own, with jitter, and delays nobody else; what it was
 * asked for stays asked for. Each is checked again after an interval, with jitter.
 */
#ifndef TT_SERVE_QUEUE_H
#define TT_SERVE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* Why a run is due; bits. */
enum tt_trigger {
    TT_TRIGGER_PUSH = 1,     /* a commit that touches it */
    TT_TRIGGER_CHECK = 2,    /* its interval has passed */
    TT_TRIGGER_ASKED = 4,    /* somebody asked for a check */
    TT_TRIGGER_RECOVERY = 8, /* a balancer's machine does not answer any more */
};

struct tt_queue_options {
    int limit;               /* runs at once; at least 1 */
    tt_time check;           /* between the end of a run and the next check; 0: no checks */
    tt_time backoff;         /* after the first failure; doubles with each one in a row */
    tt_time longest_backoff; /* at most */
    int jitter;              /* percent by which waits are lengthened or shortened */
    uint64_t seed;
};

struct tt_queue;

struct tt_queue *tt_queue_new(const struct tt_queue_options *options);
void tt_queue_free(struct tt_queue *queue);

/* From now on these are gone by. Who waits for a check longer than the interval now is, is checked
 * within it. */
void tt_queue_set_options(struct tt_queue *queue, const struct tt_queue_options *options,
                          tt_time now);

/* Makes KEY known with TRIGGERS at NOW; 0: it is first checked within the interval, so that all
 * do not come at once. A known KEY is only triggered. */
void tt_queue_add(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now);

/* Forgets KEY; when it runs, at the end of its run. Unknown ones are ignored. */
void tt_queue_remove(struct tt_queue *queue, const char *key);

/* KEY is due now, whatever it waits for; a push also forgets earlier failures. While it runs, it is
 * run once more afterwards. False: KEY is not known. */
bool tt_queue_trigger(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now);

/* The same for what may be the reason why its last run failed: that shortens no wait. */
bool tt_queue_remind(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now);

/* While PAUSED nothing is started for KEY; triggers are kept. */
void tt_queue_pause(struct tt_queue *queue, const char *key, bool paused);

/* The entry whose turn it is, which runs from now on until tt_queue_done; NULL: none is due, or as
 * many as may run already. The key lives until tt_queue_done. A NOW long before the last
 * one (the clock was set back) takes all times back with it. */
const char *tt_queue_next(struct tt_queue *queue, tt_time now, unsigned *ret_triggers);

/* KEY, whose turn it was, cannot run yet: it waits until UNTIL, and nothing has failed. */
void tt_queue_put_off(struct tt_queue *queue, const char *key, tt_time until);

/* The run of KEY has ended. After a failure it is tried again with what it was asked for. */
void tt_queue_done(struct tt_queue *queue, const char *key, bool failed, tt_time now);

/* The run of KEY has ended well and was only the first part: the rest is due now, with TRIGGERS.
 * Earlier failures are forgotten when that has ended well, too. */
void tt_queue_go_on(struct tt_queue *queue, const char *key, unsigned triggers, tt_time now);

/* When tt_queue_next is to be asked again; TT_TIME_UNKNOWN: not before something else happens. */
tt_time tt_queue_wake(const struct tt_queue *queue);

struct tt_queue_state {
    bool running, waiting; /* waiting: due, but not started */
    bool paused;
    int failures;     /* in a row */
    tt_time next;     /* TT_TIME_UNKNOWN: none */
    unsigned pending; /* triggers not yet served */
};

/* False: KEY is not known. */
bool tt_queue_read(const struct tt_queue *queue, const char *key, tt_time now,
                   struct tt_queue_state *ret_state);

size_t tt_queue_count(const struct tt_queue *queue);
int tt_queue_running(const struct tt_queue *queue);
/* Due and not started. */
size_t tt_queue_waiting(const struct tt_queue *queue, tt_time now);

#endif
