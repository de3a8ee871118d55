/*
 * Status: what status tells of a view, in words or as JSON.
 */
#ifndef TT_COMMANDS_STATUS_H
#define TT_COMMANDS_STATUS_H

#include <jansson.h>
#include <stdio.h>

#include "reconciler/planner/view.h"

struct tt_status_counts {
    int running, healthy, pending, failed;
};

struct tt_status_counts tt_status_count(const struct tt_service_view *service);

/* How many servers of SERVICE are healthy and in service at BALANCER; -1: SERVICE is not behind it,
 * or that cannot be seen. */
int tt_status_serving(const struct tt_view *view, const struct tt_service_view *service,
                      struct tt_balancer_view *balancer);

/* The machine that serves, else the one that is to; NULL: none, or a cloud balancer. */
const struct tt_server *tt_status_machine(const struct tt_balancer_view *balancer);

/* Where clients reach a listener of BALANCER: "http://127.1.0.2:8080"; NULL: nowhere yet. */
const char *tt_status_url(const struct tt_view *view, const struct tt_balancer_view *balancer,
                          const struct tt_listener *listener);

/* The listeners of BALANCER as its machine or cloud has them, else as Git does; NULL: unknown. */
const struct tt_listeners *tt_status_listeners(const struct tt_balancer_view *balancer);

void tt_status_text(FILE *out, const struct tt_view *view);
json_t *tt_status_json(const struct tt_view *view);

#endif
