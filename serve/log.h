/*
 * Log: what the daemon does, one line each on standard error: text for people, JSON for machines.
 * Nothing in it is a secret: callers hand over names, numbers and the messages of errors.
 */
#ifndef TT_SERVE_LOG_H
#define TT_SERVE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"

enum tt_log_level { TT_LOG_INFO, TT_LOG_WARNING, TT_LOG_ERROR };

struct tt_log {
    const struct tt_clock *clock;
    atomic_bool json; /* may change while others write */
};

/* One line, whole whatever other threads write. REPOSITORY and DEPLOYMENT may be NULL. */
void tt_log(const struct tt_log *log, enum tt_log_level level, const char *repository,
            const char *deployment, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
