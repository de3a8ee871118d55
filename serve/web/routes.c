/*
 * Routes: which path is answered by whom, and who may ask.
 */
#include <string.h>

#include "serve/web/request.h"

/* A path whose "*" parts may be anything. */
static const struct route {
    const char *method;
    const char *parts[TT_WEB_PARTS];
    enum tt_web_role role;
    void (*answer)(struct tt_web_request *request, struct tt_web_reply *reply);
} routes[] = {
    {"GET", {NULL}, TT_WEB_VIEWER, tt_page_overview},
    {"GET", {"deployments", "*", "*"}, TT_WEB_VIEWER, tt_page_deployment},
    {"POST", {"deployments", "*", "*", "check"}, TT_WEB_OPERATOR, tt_page_check},
    {"GET", {"runs"}, TT_WEB_VIEWER, tt_page_runs},
    {"GET", {"runs", "*"}, TT_WEB_VIEWER, tt_page_run},
    {"POST", {"runs", "*", "approve"}, TT_WEB_OPERATOR, tt_page_approve},
    {"GET", {"accounts"}, TT_WEB_VIEWER, tt_page_accounts},
    {"GET", {"accounts", "*"}, TT_WEB_VIEWER, tt_page_account},
    {"GET", {"icon.svg"}, TT_WEB_NOBODY, tt_web_icon},
    {"GET", {"style.css"}, TT_WEB_NOBODY, tt_web_style},
    {"GET", {"live.js"}, TT_WEB_NOBODY, tt_web_script},
    {"GET", {"healthz"}, TT_WEB_NOBODY, tt_web_healthz},
    {"GET", {"readyz"}, TT_WEB_NOBODY, tt_web_readyz},
    {"GET", {"metrics"}, TT_WEB_VIEWER, tt_web_metrics},
    {"POST", {"hooks", "*"}, TT_WEB_NOBODY, tt_web_hook}, /* signed by whoever sends it */
    {"GET", {"api", "v1", "openapi.json"}, TT_WEB_NOBODY, tt_web_openapi},
    {"GET", {"api", "v1", "deployments"}, TT_WEB_VIEWER, tt_api_deployments},
    {"GET", {"api", "v1", "deployments", "*", "*"}, TT_WEB_VIEWER, tt_api_deployment},
    {"POST", {"api", "v1", "deployments", "*", "*", "check"}, TT_WEB_OPERATOR, tt_api_check},
    {"GET", {"api", "v1", "runs"}, TT_WEB_VIEWER, tt_api_runs},
    {"GET", {"api", "v1", "runs", "*"}, TT_WEB_VIEWER, tt_api_run},
    {"POST", {"api", "v1", "runs", "*", "approve"}, TT_WEB_OPERATOR, tt_api_approve},
    {"GET", {"api", "v1", "offers", "*"}, TT_WEB_VIEWER, tt_api_offers},
    {"GET", {"api", "v1", "events"}, TT_WEB_VIEWER, tt_api_events},
};

void tt_web_json(struct tt_web_reply *reply, json_t *root)
{
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);

    reply->type = "application/json";
    tt_buf_add(&reply->body, text ? text : "null");
    tt_buf_add(&reply->body, "\n");
    free(text);
    json_decref(root);
}

void tt_web_error(struct tt_web_reply *reply, int status, const char *text)
{
    json_t *root = json_object();

    reply->status = status;
    json_object_set_new(root, "error", json_string(text));
    tt_web_json(reply, root);
}

const char *tt_web_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool fits(const struct route *route, const struct tt_web_request *request)
{
    for (int i = 0; i < TT_WEB_PARTS; i++) {
        const char *want = route->parts[i], *have = request->parts[i];

        if (!want || !have)
            return want == have;
        if (strcmp(want, "*") != 0 && strcmp(want, have) != 0)
            return false;
    }
    return true;
}

static void refuse(const struct tt_web_request *request, struct tt_web_reply *reply)
{
    if (request->role != TT_WEB_NOBODY) {
        tt_web_error(reply, 403, "this needs a token of an operator");
        return;
    }
    tt_web_error(reply, 401, "this needs a token");
    reply->asks_for_token = strcmp(request->method, "GET") == 0;
}

void tt_web_answer(struct tt_web_request *request, struct tt_web_reply *reply)
{
    /* who asks for the head alone gets what the rest would have been like */
    const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
    bool known = false;

    reply->status = 200;
    tt_web_authenticate(request);
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        if (!fits(&routes[i], request))
            continue;
        known = true;
        if (strcmp(routes[i].method, method) != 0)
            continue;
        if (request->role < routes[i].role)
            refuse(request, reply);
        else
            routes[i].answer(request, reply);
        return;
    }
    if (known)
        tt_web_error(reply, 405, "another method is needed here");
    else
        tt_web_error(reply, 404, "there is nothing here");
}
