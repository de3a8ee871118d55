/*
 * Bucket: a thread takes its token at once, even into debt, and sleeps its debt off without the
 * lock; so those who wait are served in the order they came, each after its own time.
 */
#include "providers/http/bucket.h"

#define LEAST  0.05 /* of the full rate: what is throttled for long still gets through some day */
#define GROWTH 0.02 /* of the full rate, for each success */

void tt_bucket_init(struct tt_bucket *bucket, const struct tt_clock *clock, double rate,
                    double burst)
{
    *bucket = (struct tt_bucket){
        .clock = clock,
        .most_rate = rate,
        .rate = rate,
        .burst = burst,
        .tokens = burst,
        .filled_at = tt_clock_steady(clock),
    };
    pthread_mutex_init(&bucket->lock, NULL);
}

void tt_bucket_release(struct tt_bucket *bucket)
{
    pthread_mutex_destroy(&bucket->lock);
}

static void fill(struct tt_bucket *bucket)
{
    tt_time now = tt_clock_steady(bucket->clock);

    if (now > bucket->filled_at)
        bucket->tokens += bucket->rate * (double)(now - bucket->filled_at) / 1000.0;
    if (bucket->tokens > bucket->burst)
        bucket->tokens = bucket->burst;
    bucket->filled_at = now;
}

tt_time tt_bucket_take(struct tt_bucket *bucket)
{
    tt_time wait = 0;

    pthread_mutex_lock(&bucket->lock);
    fill(bucket);
    bucket->tokens -= 1;
    if (bucket->tokens < 0)
        wait = (tt_time)(-bucket->tokens / bucket->rate * 1000.0) + 1;
    pthread_mutex_unlock(&bucket->lock);
    if (wait)
        bucket->clock->sleep(bucket->clock->self, wait);
    return wait;
}

void tt_bucket_throttled(struct tt_bucket *bucket)
{
    pthread_mutex_lock(&bucket->lock);
    fill(bucket);
    bucket->rate /= 2;
    if (bucket->rate < bucket->most_rate * LEAST)
        bucket->rate = bucket->most_rate * LEAST;
    if (bucket->tokens > 0)
        bucket->tokens = 0;
    pthread_mutex_unlock(&bucket->lock);
}

void tt_bucket_succeeded(struct tt_bucket *bucket)
{
    pthread_mutex_lock(&bucket->lock);
    fill(bucket);
    bucket->rate += bucket->most_rate * GROWTH;
    if (bucket->rate > bucket->most_rate)
        bucket->rate = bucket->most_rate;
    pthread_mutex_unlock(&bucket->lock);
}

double tt_bucket_rate(struct tt_bucket *bucket)
{
    double rate;

    pthread_mutex_lock(&bucket->lock);
    rate = bucket->rate;
    pthread_mutex_unlock(&bucket->lock);
    return rate;
}
