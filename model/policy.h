/*
 * Policy: what a deployment's owners let happen without a person: on a push, on drift, on a failed
 * balancer, and when. The planner never reads it; whoever carries plans out does.
 */
#ifndef TT_MODEL_POLICY_H
#define TT_MODEL_POLICY_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/vec.h"

enum tt_on_push { TT_ON_PUSH_PLAN, TT_ON_PUSH_APPLY };
enum tt_on_drift { TT_ON_DRIFT_REPORT, TT_ON_DRIFT_REPAIR };
enum tt_on_failure { TT_ON_FAILURE_RECOVER, TT_ON_FAILURE_REPORT };

#define TT_DAYS     7
#define TT_ALL_DAYS 0x7fu

/* A part of the week in UTC in which changes are made; one that ends before it begins ends on the
 * day after those of DAYS. */
struct tt_change_window {
    unsigned days; /* bit 0 is Monday */
    int from, to;  /* minutes since midnight, 0 to 1440; the same: the whole day */
};

struct tt_policy {
    enum tt_on_push on_push;
    bool on_push_given; /* false: the way it is pushed decides (hook install --policy) */
    enum tt_on_drift on_drift;
    enum tt_on_failure on_failure;
    bool suspend;
    TT_VEC(struct tt_change_window) windows; /* none: always */
};

extern const char *const tt_on_push_words[];
extern const char *const tt_on_drift_words[];
extern const char *const tt_on_failure_words[];
extern const char *const tt_day_words[]; /* "mon" to "sun" */

/* What holds where nothing is said: drift is repaired, failures are recovered from, at any time. */
struct tt_policy tt_policy_default(void);

/* True when changes may be made at NOW. Recoveries need not ask. */
bool tt_window_open(const struct tt_policy *policy, tt_time now);

/* "22:00" as minutes since midnight, "24:00" included; -1: not a time of day. */
int tt_day_time_parse(const char *text);

#endif
