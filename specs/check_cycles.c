/*
 * Check: cycles of dependsOn. Services that lie on no cycle are taken away one by one (those that
 * depend on nothing left); from what remains each cycle is walked and named once.
 */
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "specs/check.h"

struct vertex {
    const struct tt_service *service;
    TT_VEC(size_t) dependents;
    size_t open; /* dependencies that are not yet taken away */
    size_t walk; /* the walk that came by; 0: none */
};

struct graph {
    struct tt_specs *specs;
    struct tt_map index; /* the vertex of a service's name */
    struct vertex *vertices;
    size_t count;
};

static struct vertex *vertex_of(const struct graph *g, const struct tt_service *service)
{
    return tt_map_get(&g->index, service->name);
}

static void take_away_acyclic(struct graph *g)
{
    size_t *queue = TT_NEW_ARRAY(g->specs->arena, g->count, size_t);
    size_t tail = 0;

    for (size_t i = 0; i < g->count; i++)
        if (!g->vertices[i].open)
            queue[tail++] = i;
    for (size_t head = 0; head < tail; head++)
        TT_EACH (dependent, &g->vertices[queue[head]].dependents)
            if (--g->vertices[*dependent].open == 0)
                queue[tail++] = *dependent;
}

/* The first dependency that is left; every vertex that is left has one. */
static struct vertex *next_left(const struct graph *g, const struct vertex *vertex)
{
    TT_EACH (item, &vertex->service->depends_on) {
        struct vertex *next = vertex_of(g, *item);

        if (next && next->open)
            return next;
    }
    return NULL;
}

static void report_cycle(const struct graph *g, const struct vertex *first)
{
    const struct tt_document *document = tt_specs_find(
        g->specs, TT_KIND_SERVICE, first->service->deployment->name, first->service->name);
    const char *second = next_left(g, first)->service->name;
    struct tt_mark mark = document->at.mark;
    TT_BUF_AUTO names = {0};
    const struct vertex *at = first;

    do {
        if (names.length < 800)
            tt_buf_addf(&names, "%s -> ", at->service->name);
        at = next_left(g, at);
    } while (at != first);
    TT_EACH (name, &document->spec.service.depends_on)
        if (strcmp(name->text, second) == 0)
            mark = name->mark;
    tt_report_add(g->specs->report, "dependency-cycle", mark, document->subject,
                  "services depend on each other in a circle: %s%s; none of them could start first",
                  tt_buf_text(&names), first->service->name);
}

/* Walks from START until a vertex comes twice; a new one closes a cycle. */
static void walk(const struct graph *g, struct vertex *start, size_t number)
{
    struct vertex *at = start;
    const struct vertex *first;

    while (at && !at->walk) {
        at->walk = number;
        at = next_left(g, at);
    }
    if (!at || at->walk != number)
        return;
    first = at; /* the smallest name begins the message, wherever the walk came in */
    for (const struct vertex *v = next_left(g, at); v != at; v = next_left(g, v))
        if (strcmp(v->service->name, first->service->name) < 0)
            first = v;
    report_cycle(g, first);
}

void tt_check_cycles(struct tt_specs *specs, const struct tt_document *deployment)
{
    const struct tt_deployment *made = deployment->made.deployment;
    struct graph g = {.specs = specs, .count = made->services.count};

    tt_map_init(&g.index, specs->arena);
    g.vertices = TT_NEW_ARRAY(specs->arena, g.count, struct vertex);
    for (size_t i = 0; i < g.count; i++) {
        g.vertices[i].service = made->services.items[i];
        tt_map_put(&g.index, g.vertices[i].service->name, &g.vertices[i]);
    }
    for (size_t i = 0; i < g.count; i++)
        TT_EACH (item, &g.vertices[i].service->depends_on) {
            struct vertex *on = vertex_of(&g, *item);

            if (!on)
                continue;
            *TT_VEC_ADD(specs->arena, &on->dependents) = i;
            g.vertices[i].open++;
        }
    take_away_acyclic(&g);
    for (size_t i = 0; i < g.count; i++)
        if (g.vertices[i].open)
            walk(&g, &g.vertices[i], i + 1);
}
