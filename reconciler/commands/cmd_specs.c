/*
 * validate, schema: the specs alone.
 */
#include <stdlib.h>

#include "model/json.h"
#include "reconciler/commands/commands.h"

static void print_findings_json(struct tt_session *session)
{
    json_t *root = json_array();

    TT_EACH (finding, &session->findings) {
        json_t *object = json_object();

        json_object_set_new(object, "severity", json_string("error"));
        json_object_set_new(object, "code", json_string(finding->code));
        json_object_set_new(object, "subject", tt_json_from_string(finding->subject));
        json_object_set_new(object, "message", json_string(finding->message));
        json_object_set_new(object, "file", tt_json_from_string(finding->mark.file));
        json_object_set_new(object, "line", json_integer(finding->mark.line));
        json_object_set_new(object, "column", json_integer(finding->mark.column));
        json_array_append_new(root, object);
    }
    fputs(tt_json_text(&session->arena, root), stdout);
}

int tt_cmd_validate(struct tt_session *session)
{
    struct tt_error err = {0};
    int result = tt_session_load(session, &err);
    size_t services = 0, balancers = 0;

    if (result < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (session->options.json)
        print_findings_json(session);
    if (result > 0) {
        if (!session->options.json)
            tt_session_print_findings(session);
        return 1;
    }
    if (session->options.json || session->options.quiet)
        return 0;
    TT_EACH (deployment, &session->desired->deployments) {
        services += (*deployment)->services.count;
        balancers += (*deployment)->balancers.count;
    }
    printf("%s is valid: accounts %zu, deployments %zu, services %zu, load balancers %zu\n",
           session->desired->revision, session->desired->accounts.count,
           session->desired->deployments.count, services, balancers);
    return 0;
}

int tt_cmd_schema(struct tt_session *session)
{
    return tt_session_write(session, tt_specs_schema(&session->arena)) ? 0 : 1;
}
