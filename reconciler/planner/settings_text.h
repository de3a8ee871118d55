/*
 * Settings as text: how reasons tell the listeners and the health check of a balancer.
 */
#ifndef TT_PLANNER_SETTINGS_TEXT_H
#define TT_PLANNER_SETTINGS_TEXT_H

#include "model/desired.h"

/* "http 80 → 8080, https 443"; a target that is each service's own port is left out. LISTENERS may
 * be NULL. */
const char *tt_listeners_text(struct tt_arena *arena, const struct tt_listeners *listeners);

/* "http /healthz every 10s within 2s, 3 times"; CHECK may be NULL. */
const char *tt_check_text(struct tt_arena *arena, const struct tt_health_check *check);

#endif
