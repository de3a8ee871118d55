/*
 * Probe: health checks from outside, many at once.
 */
#ifndef TT_PROVIDERS_HTTP_PROBE_H
#define TT_PROVIDERS_HTTP_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/desired.h"

struct tt_probe {
    const char *address;
    int port;
    const struct tt_health_check *check; /* http: a status of 200 to 399 passes; else a connect */
    bool tls;        /* over TLS, whoever the certificate names: nothing secret is said */
    bool any_status; /* http: whoever answers is there, whatever the answer says */
    /* filled in */
    bool passed;
    char reason[128]; /* why not: "connection refused", "HTTP 503" */
};

/* Makes every probe once, all at the same time, and returns when the last has answered or timed
 * out. */
void tt_probe_all(struct tt_probe *probes, size_t count);

#endif
