/*
 * Closure: Dinic's maximum flow on the graph of profits.
 *
 * A node that lightens the set (weight < 0) is fed by the source, one that weighs (> 0) drains
 * into the sink, each need is an edge without limit, and each miss one of capacity 1. What the flow
 * cannot carry away is the gain of the lightest set, which is what the source still reaches.
 */
#include "reconciler/planner/closure.h"

#include <limits.h>
#include <string.h>

struct arc {
    int to;
    int next; /* arc of the same node; -1: none */
    long left;
};

struct network {
    TT_VEC(struct arc) arcs; /* arc I and I ^ 1 are each other's reverse */
    int *first;              /* by node */
    int *level;
    int *current;
    int *path; /* arcs from the source, while a path is searched */
    int source, sink;
    size_t nodes;
};

static void add_arc(struct tt_arena *arena, struct network *n, int from, int to, long capacity)
{
    *TT_VEC_ADD(arena, &n->arcs) = (struct arc){.to = to, .next = n->first[from], .left = capacity};
    n->first[from] = (int)n->arcs.count - 1;
    *TT_VEC_ADD(arena, &n->arcs) = (struct arc){.to = from, .next = n->first[to]};
    n->first[to] = (int)n->arcs.count - 1;
}

/* Distances from the source; false when the sink is out of reach. */
static bool find_levels(struct network *n, int *queue)
{
    size_t head = 0, tail = 0;

    for (size_t i = 0; i < n->nodes; i++)
        n->level[i] = -1;
    n->level[n->source] = 0;
    queue[tail++] = n->source;
    while (head < tail) {
        int node = queue[head++];

        for (int a = n->first[node]; a >= 0; a = n->arcs.items[a].next) {
            const struct arc *arc = &n->arcs.items[a];

            if (arc->left > 0 && n->level[arc->to] < 0) { /* NOLINT: A is one of the arcs */
                n->level[arc->to] = n->level[node] + 1;
                queue[tail++] = arc->to;
            }
        }
    }
    return n->level[n->sink] >= 0;
}

/* Sends as much as fits along the path that was found; returns where it breaks. */
static size_t augment(struct network *n, size_t depth, long *ret_sent)
{
    long least = LONG_MAX;
    size_t cut = 0;

    for (size_t i = 0; i < depth; i++)
        if (n->arcs.items[n->path[i]].left < least)
            least = n->arcs.items[n->path[i]].left;
    for (size_t i = depth; i-- > 0;) {
        n->arcs.items[n->path[i]].left -= least;
        n->arcs.items[n->path[i] ^ 1].left += least;
        if (n->arcs.items[n->path[i]].left == 0)
            cut = i;
    }
    *ret_sent = least;
    return cut;
}

/* All flow that one level graph carries. */
static long block(struct network *n)
{
    long flow = 0;
    size_t depth = 0;

    for (;;) {
        int node = depth ? n->arcs.items[n->path[depth - 1]].to : n->source;
        int *arc = &n->current[node];

        if (node == n->sink) {
            long sent;

            depth = augment(n, depth, &sent);
            flow += sent;
            continue;
        }
        while (*arc >= 0 && (n->arcs.items[*arc].left == 0 || /* NOLINT: it is one of the arcs */
                             n->level[n->arcs.items[*arc].to] != n->level[node] + 1))
            *arc = n->arcs.items[*arc].next;
        if (*arc >= 0) {
            n->path[depth++] = *arc;
            continue;
        }
        if (!depth)
            return flow;
        depth--;
        node = n->arcs.items[n->path[depth] ^ 1].to;
        n->current[node] = n->arcs.items[n->current[node]].next;
    }
}

long tt_closure_least(struct tt_arena *scratch, size_t count, const int *weights,
                      const struct tt_indices *needs, const struct tt_indices *misses,
                      bool *ret_inside)
{
    struct network n = {.source = (int)count, .sink = (int)count + 1, .nodes = count + 2};
    int *queue = TT_NEW_ARRAY(scratch, n.nodes, int);
    long gain = 0;

    n.first = TT_NEW_ARRAY(scratch, n.nodes, int);
    n.level = TT_NEW_ARRAY(scratch, n.nodes, int);
    n.current = TT_NEW_ARRAY(scratch, n.nodes, int);
    n.path = TT_NEW_ARRAY(scratch, n.nodes, int);
    memset(n.first, 0xff, n.nodes * sizeof(int));
    for (size_t i = 0; i < count; i++) {
        if (weights[i] < 0) {
            add_arc(scratch, &n, n.source, (int)i, -(long)weights[i]);
            gain -= weights[i];
        } else if (weights[i] > 0) {
            add_arc(scratch, &n, (int)i, n.sink, weights[i]);
        }
        TT_EACH (need, &needs[i])
            add_arc(scratch, &n, (int)i, *need, LONG_MAX / 2);
        if (misses)
            TT_EACH (miss, &misses[i])
                add_arc(scratch, &n, (int)i, *miss, 1);
    }
    while (find_levels(&n, queue)) {
        memcpy(n.current, n.first, n.nodes * sizeof(int));
        gain -= block(&n);
    }
    for (size_t i = 0; ret_inside && i < count; i++)
        ret_inside[i] = n.level[i] >= 0;
    return -gain;
}
