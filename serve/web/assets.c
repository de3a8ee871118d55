/*
 * The style sheet and the script of the pages, as the build puts serve/web/assets/ into the
 * program.
 */
#include <string.h>

#include "serve/web/assets.h"
#include "serve/web/request.h"

static void send_file(struct tt_web_reply *reply, const char *name, const char *type)
{
    reply->type = type;
    for (const struct tt_web_asset *file = tt_web_assets; file->name; file++)
        if (strcmp(file->name, name) == 0)
            tt_buf_addn(&reply->body, (const char *)file->data, file->size);
}

void tt_web_style(struct tt_web_request *request, struct tt_web_reply *reply)
{
    (void)request;
    send_file(reply, "style.css", "text/css; charset=utf-8");
}

void tt_web_icon(struct tt_web_request *request, struct tt_web_reply *reply)
{
    (void)request;
    send_file(reply, "icon.svg", "image/svg+xml");
}

void tt_web_script(struct tt_web_request *request, struct tt_web_reply *reply)
{
    (void)request;
    send_file(reply, "live.js", "text/javascript; charset=utf-8");
}

void tt_web_openapi(struct tt_web_request *request, struct tt_web_reply *reply)
{
    (void)request;
    send_file(reply, "openapi.json", "application/json");
}
