/*
 * Routes: which path is answered by whom, and who may ask.
 */
#include <string.h>

#include "serve/web/html.h"

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

static bool is_for_people(const struct tt_web_request *request)
{
    static const char *const pages[] = {"deployments", "runs", "accounts"};

    if (!request->parts[0])
        return true;
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
        if (strcmp(request->parts[0], pages[i]) == 0)
            return true;
    return false;
}

/* Programs get JSON, people a page. */
static void tell(struct tt_web_request *request, struct tt_web_reply *reply, int status,
                 const char *title, const char *text)
{
    if (is_for_people(request))
        tt_html_error(request, reply, status, title, text);
    else
        tt_web_error(reply, status, text);
}

/* A form with a wrong token is no matter of HTTP's passwords: 401 would make a browser forget the
 * one with which it reads. */
static void refuse(struct tt_web_request *request, struct tt_web_reply *reply)
{
    bool posts = strcmp(request->method, "POST") == 0;

    if (request->role != TT_WEB_NOBODY || (posts && is_for_people(request))) {
        tell(request, reply, 403, "Not allowed", "this needs a token of an operator");
        return;
    }
    tell(request, reply, 401, "Not allowed", "this needs a token");
    reply->asks_for_token = !posts;
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
        if (routes[i].role > TT_WEB_NOBODY && tt_web_is_rebound(request))
            tell(request, reply, 403, "Not by this name",
                 "without tokens only localhost or an address counts as the name of this host: "
                 "use one of these, or configure web.tokens");
        else if (request->role < routes[i].role)
            refuse(request, reply);
        else
            routes[i].answer(request, reply);
        return;
    }
    if (known)
        tell(request, reply, 405, "Not so", "another method is needed here");
    else
        tell(request, reply, 404, "Nothing here", "there is nothing here");
}
