/*
 * Request: one request as the routes see it, and their reply.
 */
#ifndef TT_SERVE_WEB_REQUEST_H
#define TT_SERVE_WEB_REQUEST_H

#include <jansson.h>

#include "base/str.h"
#include "reconciler/store.h"
#include "serve/web/web.h"

#define TT_WEB_PARTS 6

enum tt_web_role { TT_WEB_NOBODY, TT_WEB_VIEWER, TT_WEB_OPERATOR };

struct tt_web_request {
    struct tt_arena *arena;
    struct tt_daemon *daemon;
    struct tt_store *store; /* NULL: there is none */
    const struct tt_web_options *options;
    const char *method;
    const char *path;
    const char *parts[TT_WEB_PARTS]; /* of the path, decoded; NULL after the last */
    const char *peer;
    uint64_t newest_event; /* when the answer began: what a page shows is not older */
    const void *body;
    size_t size;
    enum tt_web_role role;
    const char *who; /* the token's name; NULL: without one */
    const char *(*header)(void *connection, const char *name);
    const char *(*query)(void *connection, const char *name);
    void *connection;
};

struct tt_web_reply {
    int status;
    const char *type;     /* of the body */
    const char *location; /* of a redirection; NULL: none */
    struct tt_buf body;
    bool asks_for_token; /* 401: tell the browser to ask */
    bool is_stream;      /* events, from the one after `after` on */
    uint64_t after;
};

/* routes.c: finds who answers, and answers. */
void tt_web_answer(struct tt_web_request *request, struct tt_web_reply *reply);

/* auth.c: fills role and who. */
void tt_web_authenticate(struct tt_web_request *request);
/* Whether a page elsewhere may have made a browser on this host ask, by letting its own name lead
 * here (DNS rebinding). With tokens it would need one, and browsers keep these by name. */
bool tt_web_is_rebound(const struct tt_web_request *request);
/* The value of a field of a form that was posted; NULL: it has none. */
const char *tt_web_form(const struct tt_web_request *request, const char *name);

/* What routes answer. */
void tt_web_error(struct tt_web_reply *reply, int status, const char *text);
void tt_web_json(struct tt_web_reply *reply, json_t *root); /* takes the reference */
/* The string KEY of OBJECT; "" when it has none. */
const char *tt_web_text(const json_t *object, const char *key);

/* api.c */
void tt_api_deployments(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_api_deployment(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_api_check(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_api_runs(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_api_run(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_api_approve(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_api_offers(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_api_events(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_web_hook(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_web_healthz(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_web_readyz(struct tt_web_request *request, struct tt_web_reply *reply);
/* Reads a run's number; 0: it is none. */
int64_t tt_web_run_number(const char *text);

/* metrics.c, assets.c */
void tt_web_metrics(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_web_openapi(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_web_style(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_web_icon(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_web_script(struct tt_web_request *request, struct tt_web_reply *reply);

/* page_*.c */
void tt_page_overview(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_page_deployment(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_page_runs(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_page_run(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_page_accounts(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_page_account(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_page_approve(struct tt_web_request *request, struct tt_web_reply *reply);
void tt_page_check(struct tt_web_request *request, struct tt_web_reply *reply);

#endif
