/*
 * Decorators: providers that wrap another one without it knowing. Closing a decorator closes what
 * it wraps. Each is made in ARENA and has the features of the wrapped one.
 */
#ifndef TT_PROVIDERS_DECORATORS_H
#define TT_PROVIDERS_DECORATORS_H

#include "providers/provider.h"

/* What plan and drift receive: everything that could change a cloud fails (DENIED) without
 * reaching the wrapped provider; `run` is allowed for listProxy alone. */
struct tt_provider *tt_decorate_readonly(struct tt_arena *arena, struct tt_provider *inner);

/* One call as it went by. */
struct tt_trace_call {
    const char *account;
    const char *member;  /* "create_server" */
    const char *subject; /* the region, server or balancer it spoke of */
    tt_time duration;
    const struct tt_error *error; /* NULL: it succeeded */
};

/* Tells SINK of every call after it ended, from the calling thread. */
struct tt_provider *tt_decorate_trace(struct tt_arena *arena, struct tt_provider *inner,
                                      const char *account,
                                      void (*sink)(void *self, const struct tt_trace_call *call),
                                      void *self);

/* When the fault strikes: before the call reached the wrapped provider, or after it took effect. */
enum tt_fault_moment { TT_FAULT_BEFORE, TT_FAULT_AFTER };

/* Fails the NTH call (from 1, over all members; 0: none) with CLASS; calls before and after it
 * pass. */
struct tt_provider *tt_decorate_fault(struct tt_arena *arena, struct tt_provider *inner, int nth,
                                      enum tt_fault_moment moment, enum tt_error_class class);

#endif
