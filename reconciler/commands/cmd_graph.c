/*
 * graph: the fleet or the plan as dot, Mermaid or SVG.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/graph.h"

/* Pipes TEXT through Graphviz' dot, which writes the SVG to standard output or --out. */
static int run_graphviz(struct tt_session *session, const char *text)
{
    const char *out = session->options.out;
    struct tt_error err = {0};
    int ends[2], code;
    pid_t child;

    if (pipe(ends) < 0 || (child = fork()) < 0) {
        tt_fail_errno(&err, TT_ERR_INTERNAL, "cannot start dot");
        tt_session_complain(session, &err);
        return 1;
    }
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (out)
            execlp("dot", "dot", "-Tsvg", "-o", out, (char *)NULL);
        else
            execlp("dot", "dot", "-Tsvg", (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    close(ends[0]);
    for (size_t left = strlen(text); left;) {
        ssize_t put = write(ends[1], text, left);

        if (put <= 0)
            break;
        text += put;
        left -= (size_t)put;
    }
    close(ends[1]);
    code = tt_child_reap(child);
    if (code == 0)
        return 0;
    if (code == 127)
        tt_fail(&err, TT_ERR_UNSUPPORTED,
                "SVG needs Graphviz' dot, which is not installed: install graphviz, or use "
                "--format dot or --format mermaid");
    else
        tt_fail(&err, TT_ERR_INTERNAL, "dot failed");
    tt_session_complain(session, &err);
    return 1;
}

/* What is drawn, for who draws it otherwise. */
static const char *graph_json(struct tt_arena *arena, const struct tt_graph *graph)
{
    static const char *const looks[] = {
        [TT_LOOK_PLAIN] = "plain", [TT_LOOK_GOOD] = "good", [TT_LOOK_BAD] = "bad",
        [TT_LOOK_NEW] = "new",     [TT_LOOK_GONE] = "gone",
    };
    json_t *root = json_object(), *nodes = json_array(), *edges = json_array();

    TT_EACH (node, &graph->nodes)
        json_array_append_new(
            nodes, json_pack("{s:s, s:s}", "label", node->label, "look", looks[node->look]));
    TT_EACH (edge, &graph->edges)
        json_array_append_new(edges, json_pack("{s:i, s:i}", "from", edge->from, "to", edge->to));
    json_object_set_new(root, "format", json_string("trimtab.graph/v1"));
    json_object_set_new(root, "nodes", nodes);
    json_object_set_new(root, "edges", edges);
    return tt_json_text(arena, root);
}

int tt_cmd_graph(struct tt_session *session)
{
    const char *format = session->options.format;
    struct tt_error err = {0};
    TT_BUF_AUTO text = {0};
    struct tt_graph graph;

    if (strcmp(format, "dot") != 0 && strcmp(format, "mermaid") != 0 &&
        strcmp(format, "svg") != 0) {
        tt_fail(&err, TT_ERR_SPEC, "--format is dot, mermaid or svg, not %s", format);
        tt_session_complain(session, &err);
        return 1;
    }
    if (!tt_session_prepare(session))
        return 1;
    if (session->options.steps)
        tt_graph_plan(&session->arena, session->plan, &graph);
    else
        tt_graph_fleet(&session->arena, session->desired, session->world, &graph);
    if (session->options.json)
        return tt_session_write(session, graph_json(&session->arena, &graph)) ? 0 : 1;
    tt_graph_write(&text, &graph, strcmp(format, "mermaid") == 0 ? TT_GRAPH_MERMAID : TT_GRAPH_DOT);
    if (strcmp(format, "svg") == 0)
        return run_graphviz(session, tt_buf_text(&text));
    return tt_session_write(session, tt_buf_text(&text)) ? 0 : 1;
}
