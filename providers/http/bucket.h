/*
 * Bucket: how often an account may be asked, shared by all its threads.
 *
 * Tokens come at a rate up to a burst; each request takes one and waits for it where there is none.
 * When the cloud says that it was asked too often, the rate is halved and what is left in the
 * bucket is gone; every success afterwards lets it grow back a little.
 */
#ifndef TT_PROVIDERS_HTTP_BUCKET_H
#define TT_PROVIDERS_HTTP_BUCKET_H

#include <pthread.h>

#include "base/clock.h"

struct tt_bucket {
    pthread_mutex_t lock;
    const struct tt_clock *clock;
    double most_rate; /* tokens a second */
    double rate;      /* now */
    double burst;
    double tokens; /* below 0: so many are waited for */
    tt_time filled_at;
};

void tt_bucket_init(struct tt_bucket *bucket, const struct tt_clock *clock, double rate,
                    double burst);
void tt_bucket_release(struct tt_bucket *bucket);

/* Waits for a token and takes it; returns how long it waited. */
tt_time tt_bucket_take(struct tt_bucket *bucket);

/* What the cloud said to a request that had its token. */
void tt_bucket_throttled(struct tt_bucket *bucket);
void tt_bucket_succeeded(struct tt_bucket *bucket);

/* The rate now, for tests and reports. */
double tt_bucket_rate(struct tt_bucket *bucket);

#endif
