/*
 * Graph: writing nodes and edges as Graphviz' dot or as Mermaid.
 */
#include "reconciler/graph.h"

static const char *const colours[] = {
    [TT_LOOK_PLAIN] = "#f4f4f4", [TT_LOOK_GOOD] = "#d5f0d5", [TT_LOOK_BAD] = "#f6cfcf",
    [TT_LOOK_NEW] = "#d3e4f8",   [TT_LOOK_GONE] = "#e2e2e2",
};

static const char *const classes[] = {
    [TT_LOOK_PLAIN] = "plain", [TT_LOOK_GOOD] = "good", [TT_LOOK_BAD] = "bad",
    [TT_LOOK_NEW] = "new",     [TT_LOOK_GONE] = "gone",
};

/* Names come from clouds: whatever could end the quotes is written as an entity. */
static void add_label(struct tt_buf *out, const char *label, const char *line_break)
{
    for (; *label; label++) {
        if (*label == '\n')
            tt_buf_add(out, line_break);
        else if (*label == '"' || *label == '\\' || *label == '<' || *label == '>' ||
                 *label == '&' || *label == '#')
            tt_buf_addf(out, "&#%d;", *label);
        else
            tt_buf_addn(out, label, 1);
    }
}

static void write_dot(struct tt_buf *out, const struct tt_graph *graph)
{
    tt_buf_add(out, "digraph trimtab {\n    rankdir=LR;\n"
                    "    node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n");
    TT_EACH (node, &graph->nodes) {
        tt_buf_addf(out, "    n%td [fillcolor=\"%s\", label=\"", node - graph->nodes.items,
                    colours[node->look]);
        add_label(out, node->label, "\\n");
        tt_buf_add(out, "\"];\n");
    }
    TT_EACH (edge, &graph->edges)
        tt_buf_addf(out, "    n%d -> n%d;\n", edge->from, edge->to);
    tt_buf_add(out, "}\n");
}

static void write_mermaid(struct tt_buf *out, const struct tt_graph *graph)
{
    tt_buf_add(out, "flowchart LR\n");
    TT_EACH (node, &graph->nodes) {
        tt_buf_addf(out, "    n%td(\"", node - graph->nodes.items);
        add_label(out, node->label, "<br>");
        tt_buf_addf(out, "\"):::%s\n", classes[node->look]);
    }
    TT_EACH (edge, &graph->edges)
        tt_buf_addf(out, "    n%d --> n%d\n", edge->from, edge->to);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        tt_buf_addf(out, "    classDef %s fill:%s,stroke:#888,color:#111\n", classes[i],
                    colours[i]);
}

void tt_graph_write(struct tt_buf *out, const struct tt_graph *graph,
                    enum tt_graph_language language)
{
    if (language == TT_GRAPH_DOT)
        write_dot(out, graph);
    else
        write_mermaid(out, graph);
}
