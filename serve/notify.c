/*
 * Notifications: which events are told, how they read, and how often a target is tried.
 */
#include "serve/notify.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "model/json.h"

#define LOOK   INT64_C(500)
#define MINUTE INT64_C(60000)

static const char *const kind_types[] = {"trimtab.plan.held", "trimtab.run.failed",
                                         "trimtab.recovery", "trimtab.drift"};

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* A failure is told when it begins, not each time that it is tried again. */
static bool is_new_failure(const json_t *object)
{
    return strcmp(string_of(object, "result"), "failed") == 0 &&
           json_integer_value(json_object_get(object, "inARow")) <= 1;
}

static const char *sentence(struct tt_arena *arena, const struct tt_daemon_event *event,
                            const json_t *object, unsigned *ret_kind)
{
    const char *repository = string_of(object, "repository");
    const char *deployment = string_of(object, "deployment");

    if (strcmp(event->type, "held") == 0) {
        *ret_kind = TT_NOTIFY_HELD;
        return tt_printf(arena, "%s/%s: the plan of run %lld is held: %s", repository, deployment,
                         (long long)json_integer_value(json_object_get(object, "run")),
                         string_of(object, "message"));
    }
    if (strcmp(event->type, "run-ended") == 0 && is_new_failure(object)) {
        *ret_kind = TT_NOTIFY_FAILED;
        return tt_printf(arena, "%s/%s: failed: %s", repository, deployment,
                         string_of(object, "message"));
    }
    if (strcmp(event->type, "recovery") == 0) {
        *ret_kind = TT_NOTIFY_RECOVERY;
        return tt_printf(arena, "%s/%s: %s failed and was replaced", repository, deployment,
                         string_of(object, "subject"));
    }
    if (strcmp(event->type, "drift") == 0) {
        *ret_kind = TT_NOTIFY_DRIFT;
        return tt_printf(arena, "%s/%s: the world differed from Git in %lld steps", repository,
                         deployment,
                         (long long)json_integer_value(json_object_get(object, "steps")));
    }
    return NULL;
}

const char *tt_notify_text(struct tt_arena *arena, const struct tt_daemon_event *event,
                           unsigned *ret_kind)
{
    json_t *object = json_loads(event->json, 0, NULL);
    const char *text = sentence(arena, event, object, ret_kind);

    json_decref(object);
    return text;
}

static const char *type_of(unsigned kind)
{
    int index = 0;

    while (kind >>= 1)
        index++;
    return kind_types[index];
}

const char *tt_notify_cloudevent(struct tt_arena *arena, const struct tt_daemon_event *event,
                                 unsigned kind, const char *text)
{
    json_t *root = json_object(), *data = json_loads(event->json, 0, NULL);
    char host[256] = "localhost";

    gethostname(host, sizeof(host) - 1);
    if (!data)
        data = json_object();
    json_object_set_new(root, "specversion", json_string("1.0"));
    json_object_set_new(
        root, "id",
        json_sprintf("%lld-%llu", (long long)event->at, (unsigned long long)event->number));
    json_object_set_new(root, "source", json_sprintf("/trimtab/%s", host));
    json_object_set_new(root, "type", json_string(type_of(kind)));
    json_object_set_new(root, "time", json_string(tt_time_format(arena, event->at)));
    json_object_set_new(
        root, "subject",
        json_sprintf("%s/%s", string_of(data, "repository"), string_of(data, "deployment")));
    json_object_set_new(root, "datacontenttype", json_string("application/json"));
    json_object_set_new(data, "text", json_string(text));
    json_object_set_new(root, "data", data);
    return tt_json_compact(arena, root);
}

static const char *body_of(struct tt_arena *arena, const struct tt_notify_config *config,
                           const struct tt_daemon_event *event, unsigned kind, const char *text)
{
    json_t *root;

    if (config->type != TT_NOTIFY_SLACK)
        return tt_notify_cloudevent(arena, event, kind, text);
    root = json_object();
    json_object_set_new(root, "text", json_string(text));
    return tt_json_compact(arena, root);
}

/* --- the thread --------------------------------------------------------------------------------
 */

static void pause_for(struct tt_notifier *notifier, tt_time wait)
{
    for (; wait > 0 && !atomic_load(&notifier->stop); wait -= 50)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static bool may_send(struct tt_notifier *notifier)
{
    tt_time now = tt_monotonic();

    if (now - notifier->minute >= MINUTE) {
        notifier->minute = now;
        notifier->in_minute = 0;
    }
    return ++notifier->in_minute <= notifier->config->per_minute;
}

/* False: it was asked to stop before it had sent or lost it, so that another one may go on. */
static bool send(struct tt_notifier *notifier, struct tt_arena *arena, const char *body)
{
    tt_time wait = notifier->first_wait;
    struct tt_error err = {0};

    for (int i = 0; i < TT_NOTIFY_TRIES && !atomic_load(&notifier->stop); i++) {
        err = (struct tt_error){0};
        if (tt_notify_send(notifier, arena, body, &err) == 0) {
            notifier->sent++;
            return true;
        }
        if (!tt_error_is_retryable(&err) || i == TT_NOTIFY_TRIES - 1)
            break;
        pause_for(notifier, wait);
        wait *= 2;
    }
    if (atomic_load(&notifier->stop))
        return false;
    notifier->lost++;
    tt_log(notifier->log, TT_LOG_ERROR, NULL, NULL, "a notification was not delivered: %s",
           err.message);
    return true;
}

static bool is_asked_for(const struct tt_notifier *notifier, struct tt_arena *arena,
                         const struct tt_daemon_event *event, unsigned *ret_kind,
                         const char **ret_text)
{
    *ret_kind = 0;
    *ret_text = tt_notify_text(arena, event, ret_kind);
    return *ret_text && (notifier->config->kinds & *ret_kind);
}

/* False: it is to be told yet. */
static bool consider(struct tt_notifier *notifier, struct tt_arena *arena,
                     const struct tt_daemon_event *event)
{
    const char *text;
    unsigned kind;

    if (!is_asked_for(notifier, arena, event, &kind, &text))
        return true;
    if (may_send(notifier))
        return send(notifier, arena, body_of(arena, notifier->config, event, kind, text));
    notifier->lost++;
    if (notifier->in_minute == notifier->config->per_minute + 1)
        tt_log(notifier->log, TT_LOG_WARNING, NULL, NULL,
               "more than %d notifications in a minute: the rest of this minute's are dropped",
               notifier->config->per_minute);
    return true;
}

static void *watch(void *self)
{
    struct tt_notifier *notifier = self;

    while (!atomic_load(&notifier->stop)) {
        struct tt_daemon_events events;
        struct tt_arena arena;

        tt_arena_init(&arena);
        tt_events_read(notifier->events, &arena, notifier->after, LOOK, &events);
        TT_EACH (event, &events)
            if (!atomic_load(&notifier->stop) && consider(notifier, &arena, event))
                notifier->after = event->number;
        tt_arena_release(&arena);
    }
    return NULL;
}

static bool same_secret(const struct tt_secret_source *a, const struct tt_secret_source *b)
{
    return tt_streq(a->file, b->file) && tt_streq(a->env, b->env);
}

static bool same_target(const struct tt_notify_config *a, const struct tt_notify_config *b)
{
    bool same = a->type == b->type && tt_streq(a->url, b->url) &&
                same_secret(&a->url_secret, &b->url_secret) && a->command.count == b->command.count;

    for (size_t i = 0; same && i < a->command.count; i++)
        same = tt_streq(a->command.items[i], b->command.items[i]);
    return same;
}

/* True: NOTIFIER goes on where BEFORE has ended. */
static bool go_on(struct tt_notifier *notifier, struct tt_notifier *before, bool equal_kinds)
{
    if (notifier->goes_on || before->is_continued ||
        !same_target(notifier->config, before->config) ||
        (equal_kinds && notifier->config->kinds != before->config->kinds))
        return false;
    before->is_continued = true;
    notifier->goes_on = true;
    notifier->after = before->after;
    notifier->minute = before->minute;
    notifier->in_minute = before->in_minute;
    return true;
}

/* Those of equal kinds find each other before any other takes one of them. */
void tt_notify_go_on(struct tt_notifier *notifiers, size_t count, struct tt_notifier *before,
                     size_t count_before)
{
    for (int equal_kinds = 1; equal_kinds >= 0; equal_kinds--)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < count_before && !go_on(&notifiers[i], &before[j], equal_kinds);)
                j++;
}

int tt_notify_begin(struct tt_notifier *notifier, struct tt_error *err)
{
    tt_runner_init(&notifier->runner);
    atomic_init(&notifier->stop, false);
    if (!notifier->goes_on)
        notifier->after = tt_events_newest(notifier->events);
    if (pthread_create(&notifier->thread, NULL, watch, notifier) == 0)
        return 0;
    tt_runner_release(&notifier->runner);
    return tt_fail(err, TT_ERR_INTERNAL, "this host gives no more threads");
}

void tt_notify_stop(struct tt_notifier *notifier)
{
    atomic_store(&notifier->stop, true);
    tt_runner_stop(&notifier->runner);
}

void tt_notify_end(struct tt_notifier *notifier)
{
    pthread_join(notifier->thread, NULL);
    tt_runner_release(&notifier->runner);
}

unsigned tt_notify_give_up(const struct tt_notifier *notifier)
{
    struct tt_daemon_events events;
    unsigned kind, count = 0;
    struct tt_arena arena;
    const char *text;

    tt_arena_init(&arena);
    tt_events_read(notifier->events, &arena, notifier->after, 0, &events);
    TT_EACH (event, &events)
        count += is_asked_for(notifier, &arena, event, &kind, &text);
    tt_arena_release(&arena);
    if (count)
        tt_log(notifier->log, TT_LOG_ERROR, NULL, NULL,
               "%u %s not delivered before its notifier ended", count,
               count == 1 ? "notification was" : "notifications were");
    return count;
}
