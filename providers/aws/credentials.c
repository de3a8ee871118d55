/*
 * Credentials: the key in use, and when it is fetched anew.
 */
#include "providers/aws/credentials.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/aws/source.h"

#define RENEW_BEFORE (5 * 60 * 1000) /* ms before a key expires */

struct tt_aws_credentials {
    struct tt_aws_source source;
    pthread_mutex_t lock;
    struct tt_arena arena; /* of the key */
    struct tt_aws_fetched now;
    bool fetched;
    bool refused; /* AWS says that it has expired */
};

/* Under the lock. A key that still holds is used when no other can be had. */
static int renew(struct tt_aws_credentials *credentials, struct tt_error *err)
{
    tt_time time = credentials->source.clock->now(credentials->source.clock->self);
    tt_time expires = credentials->now.expires;
    bool soon = expires != TT_TIME_UNKNOWN && expires - time < RENEW_BEFORE;
    struct tt_aws_fetched fetched = {.expires = TT_TIME_UNKNOWN};
    struct tt_arena arena = {0};

    if (credentials->fetched && !soon && !credentials->refused)
        return 0;
    if (tt_aws_source_fetch(&credentials->source, &arena, &fetched, err) < 0) {
        tt_arena_release(&arena);
        return credentials->fetched && !credentials->refused && time < expires ? 0 : -1;
    }
    tt_arena_release(&credentials->arena);
    credentials->arena = arena;
    credentials->now = fetched;
    credentials->fetched = true;
    credentials->refused = false;
    return 0;
}

int tt_aws_credentials_get(struct tt_aws_credentials *credentials, struct tt_arena *arena,
                           struct tt_aws_key *ret_key, struct tt_error *err)
{
    int result;

    pthread_mutex_lock(&credentials->lock);
    result = renew(credentials, err);
    if (result == 0)
        *ret_key = (struct tt_aws_key){
            .id = tt_strdup(arena, credentials->now.key.id),
            .secret = tt_strdup(arena, credentials->now.key.secret),
            .token = tt_strdup(arena, credentials->now.key.token),
        };
    pthread_mutex_unlock(&credentials->lock);
    return result;
}

bool tt_aws_credentials_expire(struct tt_aws_credentials *credentials, const char *id)
{
    bool renewable;

    pthread_mutex_lock(&credentials->lock);
    renewable = credentials->source.kind != TT_AWS_FIXED;
    if (renewable && credentials->fetched && tt_streq(credentials->now.key.id, id))
        credentials->refused = true;
    pthread_mutex_unlock(&credentials->lock);
    return renewable;
}

int tt_aws_credentials_open(struct tt_arena *arena, const struct tt_provider_settings *settings,
                            struct tt_http *http, struct tt_aws_credentials **ret_credentials,
                            struct tt_error *err)
{
    struct tt_aws_credentials *credentials = TT_NEW(arena, struct tt_aws_credentials);
    struct tt_arena scratch = {0};
    struct tt_aws_key key;
    int result;

    if (tt_aws_source_find(arena, settings, http, &credentials->source, err) < 0)
        return -1;
    pthread_mutex_init(&credentials->lock, NULL);
    result = tt_aws_credentials_get(credentials, &scratch, &key, err);
    tt_arena_release(&scratch);
    if (result < 0) {
        tt_aws_credentials_free(credentials);
        return -1;
    }
    *ret_credentials = credentials;
    return 0;
}

void tt_aws_credentials_free(struct tt_aws_credentials *credentials)
{
    if (!credentials)
        return;
    tt_arena_release(&credentials->arena);
    pthread_mutex_destroy(&credentials->lock);
}
