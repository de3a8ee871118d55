/*
 * Log: a line is made whole and written at once.
 */
#include "serve/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "model/json.h"

static const char *const level_words[] = {"info", "warning", "error"};

static void add_text(struct tt_buf *line, enum tt_log_level level, const char *repository,
                     const char *deployment, const char *at, const char *message)
{
    tt_buf_addf(line, "%s %s ", at, level_words[level]);
    if (repository)
        tt_buf_addf(line, "%s%s%s: ", repository, deployment ? "/" : "",
                    deployment ? deployment : "");
    for (; *message; message++) /* one line, whatever a remote said */
        tt_buf_addn(line, (unsigned char)*message < ' ' ? " " : message, 1);
    tt_buf_add(line, "\n");
}

static void add_json(struct tt_buf *line, struct tt_arena *arena, enum tt_log_level level,
                     const char *repository, const char *deployment, const char *at,
                     const char *message)
{
    json_t *object = json_object();

    json_object_set_new(object, "at", json_string(at));
    json_object_set_new(object, "level", json_string(level_words[level]));
    tt_json_set_known(object, "repository", repository);
    tt_json_set_known(object, "deployment", deployment);
    json_object_set_new(object, "message", tt_json_from_string(message));
    tt_buf_addf(line, "%s\n", tt_json_compact(arena, object));
}

void tt_log(const struct tt_log *log, enum tt_log_level level, const char *repository,
            const char *deployment, const char *format, ...)
{
    TT_BUF_AUTO line = {0};
    struct tt_arena arena;
    const char *at, *message;
    va_list args;

    tt_arena_init(&arena);
    va_start(args, format);
    message = tt_vprintf(&arena, format, args);
    va_end(args);
    at = tt_time_format(&arena, log->clock->now(log->clock->self));
    if (log->json)
        add_json(&line, &arena, level, repository, deployment, at, message);
    else
        add_text(&line, level, repository, deployment, at, message);
    fputs(tt_buf_text(&line), stderr);
    tt_arena_release(&arena);
}
