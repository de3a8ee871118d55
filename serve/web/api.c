/*
 * The API: what the daemon knows and what the store remembers, as JSON.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "serve/web/request.h"

#define SHOWN 50
#define MOST  1000

static void fail(struct tt_web_reply *reply, const struct tt_error *err)
{
    int status = 500;

    if (err->class == TT_ERR_NOT_FOUND)
        status = 404;
    else if (err->class == TT_ERR_CONFLICT)
        status = 409;
    else if (err->class == TT_ERR_UNAVAILABLE)
        status = 503;
    else if (err->class == TT_ERR_UNSUPPORTED)
        status = 501;
    tt_web_error(reply, status, err->message);
}

static json_t *time_json(struct tt_arena *arena, tt_time time)
{
    return time > 0 ? json_string(tt_time_format(arena, time)) : json_null();
}

static json_t *run_id(int64_t run)
{
    return run ? json_integer(run) : json_null();
}

/* --- deployments ------------------------------------------------------------------------------ */

static json_t *deployment_json(struct tt_arena *arena, const struct tt_daemon_deployment *item)
{
    json_t *object = json_object();

    json_object_set_new(object, "repository", json_string(item->repository));
    json_object_set_new(object, "deployment", json_string(item->name));
    json_object_set_new(object, "phase", json_string(tt_phase_name(item->phase)));
    json_object_set_new(object, "revision", tt_json_from_string(item->revision));
    json_object_set_new(object, "message", tt_json_from_string(item->message));
    json_object_set_new(object, "next", time_json(arena, item->next));
    json_object_set_new(object, "failures", json_integer(item->failures));
    json_object_set_new(object, "lastRun", run_id(item->last_run));
    json_object_set_new(object, "heldRun", run_id(item->held_run));
    json_object_set_new(object, "drift", item->drift < 0 ? json_null() : json_integer(item->drift));
    return object;
}

void tt_api_deployments(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_daemon_deployments list = {0};
    json_t *root = json_object(), *items = json_array();

    tt_daemon_list(request->daemon, request->arena, &list);
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(items, deployment_json(request->arena, &list.items[i]));
    json_object_set_new(root, "deployments", items);
    tt_web_json(reply, root);
}

/* With the newest plan, whole, its picture and what differs; all null before the first. */
void tt_api_deployment(struct tt_web_request *request, struct tt_web_reply *reply)
{
    const char *repository = request->parts[3], *name = request->parts[4];
    struct tt_daemon_deployments list = {0};
    const char *plan, *picture;
    json_t *root = NULL, *look;

    tt_daemon_list(request->daemon, request->arena, &list);
    for (size_t i = 0; i < list.count; i++)
        if (tt_streq(list.items[i].repository, repository) && tt_streq(list.items[i].name, name))
            root = deployment_json(request->arena, &list.items[i]);
    if (!root) {
        tt_web_error(reply, 404, "there is no such deployment");
        return;
    }
    json_object_set_new(root, "plan", json_null());
    json_object_set_new(root, "picture", json_null());
    json_object_set_new(root, "drift", json_null());
    if (tt_daemon_plan(request->daemon, request->arena, repository, name, &plan, &picture, NULL) ==
        0) {
        look = json_loads(picture, 0, NULL);
        json_object_set_new(root, "plan", json_loads(plan, 0, NULL));
        json_object_set(root, "drift", json_object_get(look, "drift"));
        json_object_set_new(root, "picture", look);
        json_object_del(look, "drift");
    }
    tt_web_json(reply, root);
}

static const char *who(const struct tt_web_request *request)
{
    return request->who ? request->who : request->peer;
}

void tt_api_check(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_error err = {0};

    if (tt_daemon_check(request->daemon, request->parts[3], request->parts[4], who(request), &err) <
        0) {
        fail(reply, &err);
        return;
    }
    reply->status = 202;
    tt_web_json(reply, json_pack("{s:b}", "asked", 1));
}

/* --- runs ------------------------------------------------------------------------------------- */

int64_t tt_web_run_number(const char *text)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    return errno || *end || end == text || number < 1 ? 0 : number;
}

static json_t *run_json(struct tt_arena *arena, const struct tt_run_record *run)
{
    json_t *object = json_object();

    json_object_set_new(object, "run", json_integer(run->id));
    json_object_set_new(object, "command", json_string(run->command));
    json_object_set_new(object, "trigger", tt_json_from_string(run->trigger));
    json_object_set_new(object, "revision", tt_json_from_string(run->revision));
    json_object_set_new(object, "deployments", tt_json_from_string(run->deployments));
    json_object_set_new(object, "began", time_json(arena, run->began));
    json_object_set_new(object, "ended", time_json(arena, run->ended));
    json_object_set_new(object, "result", json_string(run->result));
    json_object_set_new(object, "done", json_integer(run->done));
    json_object_set_new(object, "failed", json_integer(run->failed));
    json_object_set_new(object, "skipped", json_integer(run->skipped));
    json_object_set_new(object, "held", json_integer(run->held));
    return object;
}

static json_t *step_json(struct tt_arena *arena, const struct tt_step_record *step)
{
    json_t *object = json_object();

    json_object_set_new(object, "step", json_sprintf("s%d", step->step + 1));
    json_object_set_new(object, "action", json_string(step->action));
    json_object_set_new(object, "subject", json_string(step->subject));
    json_object_set_new(object, "message", json_string(step->text));
    json_object_set_new(object, "state", json_string(step->state));
    json_object_set_new(object, "began", time_json(arena, step->began));
    json_object_set_new(object, "ended", time_json(arena, step->ended));
    json_object_set_new(object, "error", tt_json_from_string(step->error));
    return object;
}

void tt_api_runs(struct tt_web_request *request, struct tt_web_reply *reply)
{
    const char *wanted = request->query(request->connection, "n");
    int64_t most = wanted ? tt_web_run_number(wanted) : SHOWN;
    json_t *root, *list;
    tt_run_records runs = {0};
    struct tt_error err = {0};

    if (request->store &&
        tt_store_read_runs(request->store, request->arena,
                           (int)(most > 0 && most < MOST ? most : MOST), &runs, &err) < 0) {
        fail(reply, &err);
        return;
    }
    root = json_object();
    list = json_array();
    TT_EACH (run, &runs)
        json_array_append_new(list, run_json(request->arena, run));
    json_object_set_new(root, "runs", list);
    tt_web_json(reply, root);
}

void tt_api_run(struct tt_web_request *request, struct tt_web_reply *reply)
{
    int64_t number = tt_web_run_number(request->parts[3]);
    struct tt_run_record run = {0};
    struct tt_error err = {0};
    json_t *root, *steps;

    if (!request->store || !number) {
        tt_web_error(reply, 404, "there is no such run");
        return;
    }
    if (tt_store_read_run(request->store, request->arena, number, &run, &err) < 0) {
        fail(reply, &err);
        return;
    }
    root = run_json(request->arena, &run);
    steps = json_array();
    TT_EACH (step, &run.steps)
        json_array_append_new(steps, step_json(request->arena, step));
    json_object_set_new(root, "steps", steps);
    tt_web_json(reply, root);
}

void tt_api_approve(struct tt_web_request *request, struct tt_web_reply *reply)
{
    int64_t number = tt_web_run_number(request->parts[3]);
    struct tt_error err = {0};

    if (!number) {
        tt_web_error(reply, 404, "there is no such run");
        return;
    }
    if (tt_daemon_approve(request->daemon, number, who(request), &err) < 0) {
        fail(reply, &err);
        return;
    }
    reply->status = 202;
    tt_web_json(reply, json_pack("{s:b}", "approved", 1));
}

/* --- the rest --------------------------------------------------------------------------------- */

void tt_api_offers(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_error err = {0};
    const char *text;
    json_t *root;
    tt_time at = 0;

    if (tt_daemon_offers(request->daemon, request->arena, request->parts[3], &text, &at, &err) <
        0) {
        fail(reply, &err);
        return;
    }
    root = json_loads(text, 0, NULL);
    json_object_set_new(root, "at", time_json(request->arena, at));
    tt_web_json(reply, root);
}

/* From the one after `after`, or after the Last-Event-ID that a browser sends when it comes back;
 * else from now on. */
void tt_api_events(struct tt_web_request *request, struct tt_web_reply *reply)
{
    const char *after = request->header(request->connection, "Last-Event-ID");

    if (!after)
        after = request->query(request->connection, "after");
    reply->type = "text/event-stream";
    reply->is_stream = true;
    reply->after = after ? strtoull(after, NULL, 10) : request->newest_event;
}

void tt_web_hook(struct tt_web_request *request, struct tt_web_reply *reply)
{
    const struct tt_delivery delivery = {
        .name = request->parts[1],
        .peer = request->peer,
        .header = request->header,
        .request = request->connection,
        .body = request->body,
        .size = request->size,
    };
    const char *answer = "";

    reply->status = tt_daemon_deliver(request->daemon, request->arena, &delivery, &answer);
    reply->type = "text/plain; charset=utf-8";
    tt_buf_addf(&reply->body, "%s\n", answer);
}

void tt_web_healthz(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_daemon_counts counts;

    tt_daemon_counts(request->daemon, &counts); /* it answers */
    reply->type = "text/plain; charset=utf-8";
    tt_buf_add(&reply->body, "alive\n");
}

void tt_web_readyz(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_error err = {0};

    reply->type = "text/plain; charset=utf-8";
    if (tt_daemon_ready(request->daemon, &err) < 0) {
        reply->status = 503;
        tt_buf_addf(&reply->body, "%s\n", err.message);
    } else {
        tt_buf_add(&reply->body, "ready\n");
    }
}
