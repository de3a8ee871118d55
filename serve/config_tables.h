/*
 * What the configuration's mappings are decoded into, and the table that tells how.
 */
#ifndef TT_SERVE_CONFIG_TABLES_H
#define TT_SERVE_CONFIG_TABLES_H

#include "specs/documents.h"
#include "specs/fields.h"

struct tt_doc_secret {
    struct tt_object at;
    struct tt_scalar file, env;
};

struct tt_doc_login {
    struct tt_object at;
    struct tt_scalar username, password_file, password_env, ssh_key, authorities;
};

struct tt_doc_webhook {
    struct tt_object at;
    struct tt_scalar form;
    struct tt_doc_secret secret;
};

struct tt_doc_verify {
    struct tt_object at;
    struct tt_scalar ssh, revoked, gpg;
};

struct tt_doc_repository {
    struct tt_object at;
    struct tt_scalar name, url, branch, path, poll;
    struct tt_doc_login login;
    struct tt_doc_verify verify;
    struct tt_doc_webhook webhook;
};

struct tt_doc_notification {
    struct tt_object at;
    struct tt_scalar type, url, url_file, url_env, per_minute;
    struct tt_doc_secret secret;
    struct tt_scalars command, events;
};

struct tt_doc_runs {
    struct tt_object at;
    struct tt_scalar limit, parallelism, check, backoff, longest_backoff, time_limit;
};

struct tt_doc_token {
    struct tt_object at;
    struct tt_scalar name, sha256, role;
};

struct tt_doc_web {
    struct tt_object at;
    struct tt_scalar address, port, certificate, key;
    struct tt_objects tokens;
};

struct tt_doc_config {
    struct tt_object at;
    struct tt_objects repositories;
    struct tt_scalar state, log;
    struct tt_objects notifications;
    struct tt_doc_runs runs;
    struct tt_doc_web web;
};

extern const struct tt_table tt_config_table;

#endif
