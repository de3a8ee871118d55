/*
 * Graph: the fleet and the plan as pictures for people, in the languages of Graphviz and Mermaid.
 *
 * What is drawn is first collected as nodes and edges (tt_graph_fleet, tt_graph_plan), then written
 * in one of the languages (tt_graph_write).
 */
#ifndef TT_RECONCILER_GRAPH_H
#define TT_RECONCILER_GRAPH_H

#include "base/str.h"
#include "model/desired.h"
#include "model/plan.h"
#include "model/world.h"

enum tt_graph_look {
    TT_LOOK_PLAIN,
    TT_LOOK_GOOD,
    TT_LOOK_BAD,
    TT_LOOK_NEW,  /* it is yet to be made, or makes something */
    TT_LOOK_GONE, /* it goes, or deletes something */
};

struct tt_graph_node {
    const char *label; /* one or more lines, split by \n */
    enum tt_graph_look look;
};

struct tt_graph_edge {
    int from, to; /* indices of nodes */
};

struct tt_graph {
    TT_VEC(struct tt_graph_node) nodes;
    TT_VEC(struct tt_graph_edge) edges;
};

/* Deployment → balancers → services → zones → servers; and services that left Git → servers. */
void tt_graph_fleet(struct tt_arena *arena, const struct tt_desired *desired,
                    const struct tt_world *world, struct tt_graph *ret_graph);

/* The steps of a plan; an edge leads from a step to one that waits for it. */
void tt_graph_plan(struct tt_arena *arena, const struct tt_plan *plan, struct tt_graph *ret_graph);

enum tt_graph_language { TT_GRAPH_DOT, TT_GRAPH_MERMAID };

void tt_graph_write(struct tt_buf *out, const struct tt_graph *graph,
                    enum tt_graph_language language);

#endif
