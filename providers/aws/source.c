/*
 * Source: finds where an account's key comes from, as AWS's own tools would.
 */
#include "providers/aws/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define MOST_ROLES 5 /* profiles that lead to each other */

/* What the parts below share. */
struct search {
    struct tt_arena *arena;
    const struct tt_provider_settings *settings;
    struct tt_http *http;
    struct tt_aws_profiles profiles;
};

static const char *environment(const char *prefix, const char *name)
{
    TT_BUF_AUTO variable = {0};
    const char *value;

    tt_buf_addf(&variable, "%s%s", prefix, name);
    value = getenv(tt_buf_text(&variable));
    return value && *value ? value : NULL;
}

static void begin(const struct search *search, enum tt_aws_source_kind kind, const char *what,
                  struct tt_aws_source *source)
{
    const struct tt_account *account = search->settings->account;

    *source = (struct tt_aws_source){
        .kind = kind,
        .clock = search->settings->clock ? search->settings->clock : tt_clock_real(),
        .http = search->http,
        .endpoint = account->endpoint,
        .region = account->regions.count ? account->regions.items[0] : "us-east-1",
        .what = what,
        .session = "trimtab",
    };
}

/* True when PREFIX_ACCESS_KEY_ID and its like are set. */
static bool find_environment(const struct search *search, const char *prefix,
                             struct tt_aws_source *source)
{
    const char *id = environment(prefix, "_ACCESS_KEY_ID");
    const char *secret = environment(prefix, "_SECRET_ACCESS_KEY");

    if (!id || !secret)
        return false;
    begin(search, TT_AWS_FIXED, "the environment", source);
    source->key =
        (struct tt_aws_key){tt_strdup(search->arena, id), tt_strdup(search->arena, secret),
                            tt_strdup(search->arena, environment(prefix, "_SESSION_TOKEN"))};
    return true;
}

static bool find_web_identity(const struct search *search, struct tt_aws_source *source)
{
    const char *file = environment("AWS", "_WEB_IDENTITY_TOKEN_FILE");
    const char *role = environment("AWS", "_ROLE_ARN");
    const char *session = environment("AWS", "_ROLE_SESSION_NAME");

    if (!file || !role)
        return false;
    begin(search, TT_AWS_WEB_IDENTITY, "the web identity of the environment", source);
    source->token_file = tt_strdup(search->arena, file);
    source->role = tt_strdup(search->arena, role);
    if (session)
        source->session = tt_strdup(search->arena, session);
    return true;
}

static bool find_container(const struct search *search, struct tt_aws_source *source)
{
    if (!environment("AWS", "_CONTAINER_CREDENTIALS_RELATIVE_URI") &&
        !environment("AWS", "_CONTAINER_CREDENTIALS_FULL_URI"))
        return false;
    begin(search, TT_AWS_CONTAINER, "the container's credentials", source);
    return true;
}

static bool find_instance(const struct search *search, struct tt_aws_source *source)
{
    const char *disabled = environment("AWS", "_EC2_METADATA_DISABLED");

    if (disabled && strcasecmp(disabled, "true") == 0)
        return false;
    begin(search, TT_AWS_INSTANCE, "the machine's metadata", source);
    return true;
}

/* --- profiles ------------------------------------------------------------------------------- */

static int find_profile(const struct search *search, const char *name, int depth,
                        struct tt_aws_source *source, struct tt_error *err);

static bool find_credential_source(const struct search *search, const char *word,
                                   struct tt_aws_source *source)
{
    if (strcmp(word, "Environment") == 0)
        return find_environment(search, "AWS", source);
    if (strcmp(word, "EcsContainer") == 0)
        return find_container(search, source);
    return strcmp(word, "Ec2InstanceMetadata") == 0 && find_instance(search, source);
}

static int find_role(const struct search *search, const char *name, int depth,
                     struct tt_aws_source *source, struct tt_error *err)
{
    const struct tt_aws_profiles *all = &search->profiles;
    const char *base = tt_aws_profiles_get(all, name, "source_profile");
    const char *word = tt_aws_profiles_get(all, name, "credential_source");
    const char *session = tt_aws_profiles_get(all, name, "role_session_name");
    const char *token_file = tt_aws_profiles_get(all, name, "web_identity_token_file");

    if (tt_aws_profiles_get(all, name, "mfa_serial"))
        return tt_fail(err, TT_ERR_UNSUPPORTED,
                       "profile %s wants a one-time code, which nobody is here to give", name);
    begin(search, token_file ? TT_AWS_WEB_IDENTITY : TT_AWS_ROLE,
          tt_printf(search->arena, "profile %s", name), source);
    source->role = tt_aws_profiles_get(all, name, "role_arn");
    source->token_file = token_file;
    source->external_id = tt_aws_profiles_get(all, name, "external_id");
    source->seconds = tt_aws_profiles_get(all, name, "duration_seconds");
    if (session)
        source->session = session;
    if (token_file)
        return 0;
    source->base = TT_NEW(search->arena, struct tt_aws_source);
    if (base) {
        /* a profile may give its own keys to its own role */
        return find_profile(search, base, strcmp(base, name) == 0 ? -1 : depth + 1, source->base,
                            err);
    }
    if (word && find_credential_source(search, word, source->base))
        return 0;
    return tt_fail(err, TT_ERR_SPEC,
                   "profile %s has a role_arn, but no source_profile or credential_source that "
                   "leads to a key",
                   name);
}

/* DEPTH below 0: the profile's own keys alone. */
static int find_profile(const struct search *search, const char *name, int depth,
                        struct tt_aws_source *source, struct tt_error *err)
{
    const struct tt_aws_profiles *all = &search->profiles;
    const char *id = tt_aws_profiles_get(all, name, "aws_access_key_id");
    const char *secret = tt_aws_profiles_get(all, name, "aws_secret_access_key");
    const char *process = tt_aws_profiles_get(all, name, "credential_process");
    const char *what = tt_printf(search->arena, "profile %s", name);

    if (!tt_aws_profiles_has(all, name))
        return tt_fail(err, TT_ERR_SPEC,
                       "there is no profile %s in the config and credentials files of AWS", name);
    if (depth > MOST_ROLES)
        return tt_fail(err, TT_ERR_SPEC, "profile %s: the source_profiles lead in a circle", name);
    if (depth >= 0 && tt_aws_profiles_get(all, name, "role_arn"))
        return find_role(search, name, depth, source, err);
    if (id && secret) {
        begin(search, TT_AWS_FIXED, what, source);
        source->key =
            (struct tt_aws_key){id, secret, tt_aws_profiles_get(all, name, "aws_session_token")};
        return 0;
    }
    if (process) {
        begin(search, TT_AWS_PROCESS, what, source);
        source->process = process;
        return 0;
    }
    if (tt_aws_profiles_get(all, name, "sso_session") ||
        tt_aws_profiles_get(all, name, "sso_start_url"))
        return tt_fail(
            err, TT_ERR_UNSUPPORTED,
            "profile %s signs in by SSO: give it a credential_process of \"aws configure "
            "export-credentials --profile %s\" under another name",
            name, name);
    return tt_fail(err, TT_ERR_SPEC, "profile %s has neither keys nor a role nor a process", name);
}

/* VARIABLE, or FILE of ~/.aws. */
static char *shared_file(struct tt_arena *arena, const char *variable, const char *file)
{
    const char *path = getenv(variable), *home = getenv("HOME");

    if (path && *path)
        return tt_strdup(arena, path);
    return tt_printf(arena, "%s/.aws/%s", home ? home : "", file);
}

static int read_profiles(struct search *search, struct tt_error *err)
{
    const char *keys = shared_file(search->arena, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    const char *config = shared_file(search->arena, "AWS_CONFIG_FILE", "config");

    if (tt_aws_profiles_read(search->arena, keys, false, &search->profiles, err) < 0)
        return -1;
    return tt_aws_profiles_read(search->arena, config, true, &search->profiles, err);
}

static int find_file(struct search *search, struct tt_aws_source *source, struct tt_error *err)
{
    const struct tt_account *account = search->settings->account;
    const char *path = account->credentials_file;

    if (path[0] != '/')
        path = tt_printf(search->arena, "%s/%s%s%s", search->settings->base_folder,
                         account->folder ? account->folder : "",
                         account->folder && *account->folder ? "/" : "", path);
    if (tt_aws_profiles_read(search->arena, path, false, &search->profiles, err) < 0)
        return -1;
    if (!search->profiles.count)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there are no credentials in %s", path);
    return find_profile(search, "default", -1, source, err);
}

/* --- all of it ------------------------------------------------------------------------------ */

/* Nothing was said: whatever is there first. */
static int find_usual(struct search *search, struct tt_aws_source *source, struct tt_error *err)
{
    const char *profile = environment("AWS", "_PROFILE");

    if (find_environment(search, "AWS", source) || find_web_identity(search, source))
        return 0;
    if (read_profiles(search, err) < 0)
        return -1;
    if (profile || tt_aws_profiles_has(&search->profiles, "default"))
        return find_profile(search, profile ? profile : "default", 0, source, err);
    if (find_container(search, source) || find_instance(search, source))
        return 0;
    return tt_fail(
        err, TT_ERR_SPEC,
        "no credentials for AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give "
        "the account credentials: {profile: NAME}");
}

int tt_aws_source_find(struct tt_arena *arena, const struct tt_provider_settings *settings,
                       struct tt_http *http, struct tt_aws_source *ret_source, struct tt_error *err)
{
    struct search search = {.arena = arena, .settings = settings, .http = http};
    const struct tt_account *account = settings->account;

    if (account->credentials_env) {
        if (find_environment(&search, account->credentials_env, ret_source))
            return 0;
        return tt_fail(err, TT_ERR_SPEC, "%s_ACCESS_KEY_ID and %s_SECRET_ACCESS_KEY are not set",
                       account->credentials_env, account->credentials_env);
    }
    if (account->credentials_file)
        return find_file(&search, ret_source, err);
    if (!account->profile)
        return find_usual(&search, ret_source, err);
    if (read_profiles(&search, err) < 0)
        return -1;
    return find_profile(&search, account->profile, 0, ret_source, err);
}
