/*
 * Tally: how often each API was called, counted over all threads. Whoever wants to know hands one
 * to tt_provider_settings; `plan -v` prints it.
 */
#ifndef TT_PROVIDERS_TALLY_H
#define TT_PROVIDERS_TALLY_H

#include <pthread.h>

#include "base/arena.h"
#include "base/vec.h"

struct tt_tally_line {
    const char *account;
    const char *api; /* "ec2 DescribeInstances" */
    int count;       /* requests sent, repeated ones included */
};

struct tt_tally {
    pthread_mutex_t lock;
    struct tt_arena arena;
    TT_VEC(struct tt_tally_line) lines; /* by account, then api */
};

void tt_tally_init(struct tt_tally *tally);
void tt_tally_release(struct tt_tally *tally);

/* One more request; TALLY may be NULL. */
void tt_tally_add(struct tt_tally *tally, const char *account, const char *api);

#endif
