/*
 * Graph laws: what the edges of a plan must promise, whatever was observed (design.md §§5-6).
 */
#ifndef TT_TESTS_GRAPH_LAWS_H
#define TT_TESTS_GRAPH_LAWS_H

#include "base/error.h"
#include "model/desired.h"
#include "model/plan.h"

/* Steps wait for earlier ones alone; what is enrolled was made before; a service waits for what it
 * depends on, and goes before it; a failed balancer is fenced when its successor is full, and
 * before the address moves or the machine goes. */
int tt_graph_laws_check(struct tt_arena *arena, const struct tt_desired *desired,
                        const struct tt_plan *plan, struct tt_error *err);

#endif
