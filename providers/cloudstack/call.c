/*
 * Calls: one command is one form that is posted, signed for its moment, and JSON comes back: one
 * member, whose value is the answer or an error's code and text.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "providers/cloudstack/cloud.h"
#include "providers/cloudstack/errors.h"
#include "providers/cloudstack/jobs.h"

#define VALID_FOR (10 * 60 * 1000) /* ms; servers take at most fifteen minutes */

/* What prepare and judge know of a request. */
struct sending {
    struct tt_cloudstack *cloud;
    const char *command;
    const struct tt_cloudstack_parameters *parameters;
};

/* "2026-11-23T04:00:00+0000": the server reads the zone as four digits. */
static const char *expiry(struct tt_arena *arena, const struct tt_clock *clock)
{
    time_t seconds = (time_t)((clock->now(clock->self) + VALID_FOR) / 1000);
    char text[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+0000", &tm);
    return tt_strdup(arena, text);
}

static int sign(void *self, struct tt_arena *arena, struct tt_http_request *try,
                struct tt_error *err)
{
    struct sending *sending = self;
    struct tt_cloudstack_parameters all = {0};
    const struct tt_cloudstack_keys *keys = &sending->cloud->keys;

    TT_EACH (parameter, &sending->parameters->list)
        tt_cloudstack_add(arena, &all, parameter->name, parameter->value);
    tt_cloudstack_add(arena, &all, "command", sending->command);
    tt_cloudstack_add(arena, &all, "response", "json");
    tt_cloudstack_add(arena, &all, "apikey", keys->api_key);
    tt_cloudstack_add(arena, &all, "signatureversion", "3");
    tt_cloudstack_add(arena, &all, "expires", expiry(arena, sending->cloud->clock));
    if (tt_cloudstack_sign(arena, &all, keys->secret_key, &try->body, err) < 0)
        return -1;
    try->size = strlen(try->body);
    return 0;
}

/* What stands inside the reply's one member, whatever that is called; NULL: it is no answer. */
static json_t *open_reply(const struct tt_http_reply *reply)
{
    TT_REPLY_AUTO *whole = json_loadb(reply->body, reply->size, 0, NULL);
    void *member = json_object_iter(whole);
    json_t *inside = member ? json_object_iter_value(member) : NULL;

    return json_is_object(inside) ? json_incref(inside) : NULL;
}

/* The API's own code says more than the status, which is the same number where it can be. */
static int judge(void *self, const struct tt_http_request *request,
                 const struct tt_http_reply *reply, struct tt_error *err)
{
    TT_REPLY_AUTO *answer = open_reply(reply);
    int code = tt_reply_number(answer, "errorcode", 0);

    (void)self;
    if (code)
        return tt_cloudstack_fail(
            err, request->reads ? TT_CLOUDSTACK_QUESTION : TT_CLOUDSTACK_COMMAND, code, answer);
    if (reply->status >= 300)
        return tt_http_judge(request, reply, err);
    if (answer)
        return 0;
    return tt_fail(err, request->reads ? TT_ERR_SPEC : TT_ERR_TIMEOUT,
                   "%s does not answer as CloudStack does; an endpoint is https://HOST/client/api",
                   request->url);
}

int tt_cloudstack_call(struct tt_cloudstack *cloud, const char *command, bool writes,
                       struct tt_cloudstack_parameters *parameters, json_t **ret_answer,
                       struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct sending sending = {cloud, command, parameters};
    struct tt_http_reply reply;
    struct tt_http_request request = {
        .api = tt_printf(&scratch, "cloudstack %s", command),
        .method = "POST",
        .url = cloud->keys.endpoint,
        .reads = !writes,
        .prepare = sign,
        .judge = judge,
        .self = &sending,
    };
    int result;

    tt_http_add_header(&scratch, &request, "content-type", "application/x-www-form-urlencoded");
    result = tt_http_call(cloud->http, &request, &scratch, &reply, err);
    if (result == 0)
        *ret_answer = open_reply(&reply);
    else
        tt_wrap(err, "%s", command);
    tt_arena_release(&scratch);
    return result;
}

int tt_cloudstack_finish(struct tt_cloudstack *cloud, const json_t *answer, json_t **ret_result,
                         struct tt_error *err)
{
    const char *job = tt_reply_peek(answer, "jobid");

    if (!job)
        return tt_fail(err, TT_ERR_TIMEOUT,
                       "the server names no job: what became of it is unknown");
    return tt_cloudstack_await(cloud, job, TT_CLOUDSTACK_PATIENCE, ret_result, err);
}

int tt_cloudstack_call_and_wait(struct tt_cloudstack *cloud, const char *command,
                                struct tt_cloudstack_parameters *parameters, json_t **ret_result,
                                struct tt_error *err)
{
    TT_REPLY_AUTO *answer = NULL;

    if (tt_cloudstack_call(cloud, command, true, parameters, &answer, err) < 0)
        return -1;
    if (tt_cloudstack_finish(cloud, answer, ret_result, err) < 0)
        return tt_wrap(err, "%s", command);
    return 0;
}
