/*
 * explain: why a server is where it is.
 */
#include <string.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/explain.h"

/* The lines as they are, for who shows them elsewhere. */
static void write_json(struct tt_session *session, const char *subject, const char *text)
{
    json_t *root = json_object(), *lines = json_array();

    while (*text) {
        size_t length = strcspn(text, "\n");

        json_array_append_new(lines, json_stringn(text, length));
        text += length + (text[length] == '\n');
    }
    json_object_set_new(root, "format", json_string("trimtab.explain/v1"));
    json_object_set_new(root, "subject", json_string(subject));
    json_object_set_new(root, "lines", lines);
    fputs(tt_json_text(&session->arena, root), stdout);
}

int tt_cmd_explain(struct tt_session *session)
{
    struct tt_plan_options options = {
        .prune = session->options.prune,
        .allow_destroy = session->options.allow_destroy,
        .allow_vanished = session->options.allow_vanished,
    };
    const char *subject = session->options.arguments.items[0];
    struct tt_explain_request request = {.options = &options, .memory = &session->memory};
    struct tt_error err = {0};
    TT_BUF_AUTO text = {0};

    if (!tt_session_prepare(session))
        return 1;
    request.desired = session->desired;
    request.world = session->world;
    request.now = tt_session_now(session);
    request.plan = session->plan;
    if (tt_explain(&session->arena, &request, subject, &text, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (session->options.json)
        write_json(session, subject, tt_buf_text(&text));
    else
        fputs(tt_buf_text(&text), stdout);
    return 0;
}
