/*
 * Source: where an account's key comes from, and fetching it there. source.c finds it, fetch.c asks
 * it, profiles.c reads the files that AWS's tools share.
 */
#ifndef TT_PROVIDERS_AWS_SOURCE_H
#define TT_PROVIDERS_AWS_SOURCE_H

#include "providers/aws/sigv4.h"
#include "providers/provider.h"

enum tt_aws_source_kind {
    TT_AWS_FIXED,        /* a key that does not expire by itself */
    TT_AWS_PROCESS,      /* credential_process: prints a key */
    TT_AWS_ROLE,         /* STS: AssumeRole with another source's key */
    TT_AWS_WEB_IDENTITY, /* STS: AssumeRoleWithWebIdentity with a file's token */
    TT_AWS_CONTAINER,    /* an address that the container's environment names */
    TT_AWS_INSTANCE,     /* the machine's metadata, IMDSv2 */
};

struct tt_aws_source {
    enum tt_aws_source_kind kind;
    const struct tt_clock *clock;
    struct tt_http *http;
    const char *endpoint; /* of STS; NULL: AWS's own */
    const char *region;   /* for STS */
    const char *what;     /* "profile prod", for errors */
    struct tt_aws_key key;
    const char *process;
    const char *role;
    const char *session;     /* its name */
    const char *external_id; /* NULL: none */
    const char *seconds;     /* NULL: as long as the role says */
    const char *token_file;
    struct tt_aws_source *base; /* whose key assumes the role */
};

struct tt_aws_fetched {
    struct tt_aws_key key;
    tt_time expires; /* TT_TIME_UNKNOWN: never */
};

int tt_aws_source_find(struct tt_arena *arena, const struct tt_provider_settings *settings,
                       struct tt_http *http, struct tt_aws_source *ret_source,
                       struct tt_error *err);
int tt_aws_source_fetch(const struct tt_aws_source *source, struct tt_arena *arena,
                        struct tt_aws_fetched *ret_fetched, struct tt_error *err);

/* --- profiles.c ----------------------------------------------------------------------------- */

/* One setting of one profile. */
struct tt_aws_setting {
    const char *profile;
    const char *key;
    const char *value;
};
struct tt_aws_profiles {
    struct tt_aws_setting *items;
    size_t count;
    size_t capacity;
};

/* Adds what PATH says; in a config file sections are named "profile NAME". A file that does not
 * exist adds nothing. */
int tt_aws_profiles_read(struct tt_arena *arena, const char *path, bool config,
                         struct tt_aws_profiles *profiles, struct tt_error *err);

/* The first value read, or NULL. */
const char *tt_aws_profiles_get(const struct tt_aws_profiles *profiles, const char *profile,
                                const char *key);
bool tt_aws_profiles_has(const struct tt_aws_profiles *profiles, const char *profile);

#endif
