/*
 * What a run says: a line of JSON each, as apply and plan write them, counted and handed on as
 * events to those who watch.
 */
#include <string.h>

#include "base/str.h"
#include "model/words.h"
#include "serve/daemon_parts.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* A new machine for a balancer that had one: a recovery. */
static bool replaces_balancer(const json_t *object)
{
    return strcmp(text_of(object, "action"), tt_action_words[TT_STEP_CREATE_SERVER]) == 0 &&
           tt_starts_with(text_of(object, "subject"), "LoadBalancer/") &&
           strcmp(text_of(object, "because"), tt_because_words[TT_BECAUSE_FAILED]) == 0;
}

static void on_planned(struct tt_job *job, const json_t *object)
{
    job->planned++;
    job->held += json_is_true(json_object_get(object, "held"));
    if (replaces_balancer(object))
        tt_strings_add(&job->arena, &job->replacing,
                       tt_strdup(&job->arena, text_of(object, "step")));
}

void tt_job_problem(struct tt_job *job, const json_t *object)
{
    const char *subject = text_of(object, "subject");

    if (strcmp(text_of(object, "severity"), tt_severity_words[TT_SEVERITY_ERROR]) != 0)
        return;
    if (!job->problems++)
        job->problem = tt_printf(&job->arena, "%s%s%s", subject, *subject ? ": " : "",
                                 text_of(object, "message"));
}

/* Everything is looked at; what cannot be seen matters where this deployment is. */
static void on_diagnostic(struct tt_job *job, const json_t *object)
{
    const char *name = strchr(text_of(object, "subject"), '/');
    const char *account = tt_printf(&job->arena, ",%.*s,", name ? (int)strcspn(name + 1, "/") : 0,
                                    name ? name + 1 : "");

    if (strcmp(text_of(object, "code"), "region-unreachable") == 0 &&
        strstr(job->accounts, account))
        job->unseen = tt_strdup(&job->arena, text_of(object, "message"));
    tt_job_problem(job, object);
}

static void on_error(struct tt_job *job, const json_t *object)
{
    if (!job->failed++)
        job->step_error =
            tt_printf(&job->arena, "%s: %s", text_of(object, "subject"), text_of(object, "error"));
}

static void tell(struct tt_job *job, const char *type, json_t *line)
{
    struct tt_daemon *daemon = job->daemon;
    json_t *object = tt_daemon_event_object(job->repository, job->name);

    json_object_update_missing(object, line);
    tt_events_add(&daemon->events, tt_daemon_now(daemon), type, object);
}

static void on_step(struct tt_job *job, const char *type, json_t *object)
{
    json_object_set_new(object, "state", json_string(type + strlen("apply_")));
    json_object_set_new(object, "planned", json_integer(job->planned - job->held));
    json_object_del(object, "type");
    tell(job, "step", object);
    if (strcmp(type, "apply_errored") == 0)
        on_error(job, object);
    if (strcmp(type, "apply_complete") != 0)
        return;
    job->done++;
    if (!tt_strings_has(&job->replacing, text_of(object, "step")))
        return;
    job->recoveries++;
    tell(job, "recovery", object);
    tt_log(&job->daemon->log, TT_LOG_WARNING, job->repository, job->name, "%s was replaced",
           text_of(object, "subject"));
}

void tt_job_line(void *self, const char *line, size_t length)
{
    struct tt_job *job = self;
    json_t *object = json_loadb(line, length, 0, NULL);
    const char *type;

    if (!json_is_object(object)) {
        json_decref(object);
        return;
    }
    type = tt_strdup(&job->arena, text_of(object, "type"));
    if (strcmp(type, "planned_change") == 0)
        on_planned(job, object);
    else if (strcmp(type, "diagnostic") == 0)
        on_diagnostic(job, object);
    else if (tt_starts_with(type, "apply_"))
        on_step(job, type, object);
    json_decref(object);
}
