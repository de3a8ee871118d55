/*
 * Configuration of the daemon: one YAML file, read with the tables and the checker of the specs, so
 * that every error has its place and a caret. Secrets are never in it, only where they are.
 */
#ifndef TT_SERVE_CONFIG_H
#define TT_SERVE_CONFIG_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/vec.h"
#include "reconciler/verify.h"
#include "specs/specs.h"

/* Where a secret is read from, at the moment it is needed; at most one is set, NULL else. */
struct tt_secret_source {
    const char *file; /* its first line */
    const char *env;  /* a variable of the environment */
};

enum tt_webhook_form {
    TT_WEBHOOK_NONE,
    TT_WEBHOOK_GENERIC,
    TT_WEBHOOK_GITHUB,
    TT_WEBHOOK_GITLAB,
    TT_WEBHOOK_GITEA,
    TT_WEBHOOK_FORGEJO,
    TT_WEBHOOK_BITBUCKET,
    TT_WEBHOOK_BITBUCKET_DC,
};

struct tt_repository_config {
    const char *name;
    const char *url; /* https, ssh, file, or an absolute path */
    const char *branch;
    const char *path;     /* of the specs inside the repository; NULL: its root */
    tt_time poll;         /* between two looks */
    const char *username; /* NULL: "git" over ssh, "trimtab" over https */
    struct tt_secret_source password;
    const char *ssh_key; /* a file; NULL: the agent's keys */
    const char
        *authorities; /* a file of certificates that https is checked with; NULL: the host's */
    struct tt_verify_keys verify; /* who may sign what is followed; unset: nobody has to */
    enum tt_webhook_form webhook;
    struct tt_secret_source webhook_secret;
};

enum tt_notify_type { TT_NOTIFY_HTTP, TT_NOTIFY_SLACK, TT_NOTIFY_COMMAND };

/* What is told of; bits. */
enum tt_notify_kind {
    TT_NOTIFY_HELD = 1,
    TT_NOTIFY_FAILED = 2,
    TT_NOTIFY_RECOVERY = 4,
    TT_NOTIFY_DRIFT = 8,
};

struct tt_notify_config {
    enum tt_notify_type type;
    const char *url; /* NULL: URL_SECRET has it, or it is a command */
    struct tt_secret_source url_secret;
    struct tt_secret_source secret; /* http: what it is signed with; may be unset */
    struct tt_strings command;      /* argv; the program is an absolute path */
    unsigned kinds;
    int per_minute;
};

/* Who may do what over HTTP. */
struct tt_token_config {
    const char *name;
    const char *sha256; /* of the token, in lower case */
    bool is_operator;
};

struct tt_web_config {
    bool given;
    const char *address;
    int port;
    const char *certificate, *key; /* files; NULL: no TLS */
    TT_VEC(struct tt_token_config) tokens;
};

struct tt_config {
    struct tt_arena arena; /* where all of it lives */
    const char *text;      /* as it was read */
    TT_VEC(struct tt_repository_config) repositories;
    TT_VEC(struct tt_notify_config) notifications;
    const char *state; /* NULL: as every command finds it */
    bool log_json;
    int limit, parallelism; /* runs at once, calls at once in each */
    struct tt_web_config web;
    tt_time check, backoff, longest_backoff, time_limit;
};

/* Reads FILE. Returns the configuration, or NULL: with what is wrong in RET_FINDINGS (made in
 * ARENA), or with ERR when the file could not be read at all. */
struct tt_config *tt_config_read(struct tt_arena *arena, const char *file,
                                 struct tt_findings *ret_findings, struct tt_error *err);
void tt_config_free(struct tt_config *config);

/* The secret as text in ARENA; NULL with ERR: not there, empty, or readable by everybody. */
const char *tt_secret_read(struct tt_arena *arena, const struct tt_secret_source *source,
                           struct tt_error *err);

static inline bool tt_secret_is_set(const struct tt_secret_source *source)
{
    return source->file || source->env;
}

#endif
