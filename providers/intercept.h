/*
 * Intercept: what all decorators share. It stands in front of another provider and turns each of
 * its members into a struct tt_call, which a decorator's AROUND function passes on, refuses, times
 * or spoils. A new decorator is one such function.
 */
#ifndef TT_PROVIDERS_INTERCEPT_H
#define TT_PROVIDERS_INTERCEPT_H

#include "providers/provider.h"

enum tt_call_member {
    TT_CALL_OBSERVE,
    TT_CALL_CREATE_SERVER,
    TT_CALL_DELETE_SERVER,
    TT_CALL_START_SERVER,
    TT_CALL_ENROLL,
    TT_CALL_WITHDRAW,
    TT_CALL_SET_ZONES,
    TT_CALL_SET_LISTENERS,
    TT_CALL_SET_HEALTH_CHECK,
    TT_CALL_MOVE_ADDRESS,
    TT_CALL_FENCE,
    TT_CALL_TAG,
    TT_CALL_RUN,
};

/* The names of the members, as in struct tt_provider_ops. */
extern const char *const tt_call_member_words[];

/* One call on its way; only what its member takes is set. */
struct tt_call {
    enum tt_call_member member;
    const char *region;
    const char *object; /* the balancer, the address, or the server where there is neither */
    const char *server; /* of enroll, withdraw and move_address */
    tt_time drain;
    struct tt_arena *arena;
    union {
        const struct tt_observe_request *observe;
        const struct tt_create_request *create;
        const struct tt_run_request *run;
        const struct tt_strings *zones;
        const struct tt_listeners *listeners;
        const struct tt_health_check *health;
        const struct tt_tags *tags;
    };
    /* The answer; it reaches the caller only when AROUND returns 0. */
    union {
        struct tt_region answer_region;
        const char *answer_id;
        struct tt_run_result answer_run;
    };
};

struct tt_intercept;

typedef int (*tt_around)(struct tt_intercept *intercept, struct tt_call *call,
                         struct tt_error *err);

/* Embedded as the first member of a decorator. */
struct tt_intercept {
    struct tt_provider base;
    struct tt_provider_ops ops; /* those of the wrapped one that are not NULL, intercepted */
    struct tt_provider *inner;
    tt_around around;
};

void tt_intercept_init(struct tt_intercept *intercept, struct tt_provider *inner, tt_around around);

/* Makes the call on the wrapped provider. */
int tt_intercept_proceed(struct tt_intercept *intercept, struct tt_call *call,
                         struct tt_error *err);

#endif
