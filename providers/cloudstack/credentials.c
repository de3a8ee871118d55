/*
 * Credentials: the keys of an account, from the file that CloudMonkey keeps (~/.cmk/config, or
 * ~/.cloudmonkey/config of its first versions), from a file of that form which the Account names,
 * or from the environment. The endpoint comes along, unless the Account has its own.
 */
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/cloudstack/cloud.h"

#define MAX_FILE (1u << 20)

/* One section of a file, while it is read. */
struct reading {
    struct tt_arena *arena;
    const char *section; /* NULL: the profile that the file names, else the first one with keys */
    struct tt_cloudstack_keys keys;
    bool found;
};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
    static const char *const keys[] = {"apikey", "api_key", "key", NULL};
    static const char *const secrets[] = {"secretkey", "secret_key", "secret", NULL};
    static const char *const endpoints[] = {"url", "endpoint", "api_url", NULL};
    struct reading *reading = user;
    const char **place = NULL;

    if (is_one_of(name, keys))
        place = &reading->keys.api_key;
    else if (is_one_of(name, secrets))
        place = &reading->keys.secret_key;
    else if (is_one_of(name, endpoints))
        place = &reading->keys.endpoint;
    else if (strcmp(name, "profile") == 0 && !reading->section &&
             (!section[0] || strcmp(section, "core") == 0))
        reading->section = tt_strdup(reading->arena, value);
    if (!place || !value[0])
        return 1;
    if (!reading->section)
        reading->section = tt_strdup(reading->arena, section);
    if (strcmp(section, reading->section) != 0)
        return 1;
    reading->found = true;
    *place = tt_strdup(reading->arena, value);
    return 1;
}

/* Never says what the file holds: it holds secrets. */
static int read_file(struct reading *reading, const char *path, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    char *text;
    int line, result = -1;

    tt_arena_init(&scratch);
    if (tt_file_read(&scratch, path, MAX_FILE, &text, NULL, err) < 0)
        goto out;
    line = ini_parse_string(text, take, reading);
    if (line > 0)
        tt_fail(err, TT_ERR_SPEC, "%s:%d: this is no line of an INI file", path, line);
    else if (!reading->found)
        tt_fail(err, TT_ERR_NOT_FOUND, "%s has no section %s with apikey and secretkey", path,
                reading->section ? reading->section : "at all");
    else
        result = 0;
out:
    tt_arena_release(&scratch);
    return result;
}

/* The file that the settings name, relative to the Account's own; or CloudMonkey's. */
static const char *path_of(const struct tt_provider_settings *settings, struct tt_arena *arena)
{
    static const char *const usual[] = {".cmk/config", ".cloudmonkey/config", ".cloudstack.ini"};
    const struct tt_account *account = settings->account;
    const char *home = getenv("HOME");
    const char *named = account->credentials_file;
    const char *path;

    if (named && (named[0] == '/' || !settings->base_folder))
        return named;
    if (named)
        return tt_printf(arena, "%s/%s%s%s", settings->base_folder, account->folder,
                         account->folder[0] ? "/" : "", named);
    for (size_t i = 0; home && i < sizeof(usual) / sizeof(*usual); i++) {
        path = tt_printf(arena, "%s/%s", home, usual[i]);
        if (access(path, F_OK) == 0)
            return path;
    }
    return NULL;
}

static const char *variable(struct tt_arena *arena, const char *prefix, const char *name)
{
    const char *value = getenv(tt_printf(arena, "%s_%s", prefix, name));

    return value && value[0] ? tt_strdup(arena, value) : NULL;
}

/* PREFIX_API_KEY, PREFIX_SECRET_KEY, PREFIX_API_URL; or the short names that other tools take. */
static void read_environment(struct tt_arena *arena, const char *prefix,
                             struct tt_cloudstack_keys *keys)
{
    keys->api_key = variable(arena, prefix, "API_KEY");
    if (!keys->api_key)
        keys->api_key = variable(arena, prefix, "KEY");
    keys->secret_key = variable(arena, prefix, "SECRET_KEY");
    if (!keys->secret_key)
        keys->secret_key = variable(arena, prefix, "SECRET");
    keys->endpoint = variable(arena, prefix, "API_URL");
    if (!keys->endpoint)
        keys->endpoint = variable(arena, prefix, "ENDPOINT");
}

static int check(const struct tt_account *account, const struct tt_cloudstack_keys *keys,
                 const char *source, struct tt_error *err)
{
    if (!keys->api_key || !keys->secret_key)
        return tt_fail(err, TT_ERR_SPEC, "account %s: %s gives no %s", account->name, source,
                       keys->api_key ? "secret key" : "API key");
    if (!keys->endpoint)
        return tt_fail(err, TT_ERR_SPEC,
                       "account %s names no endpoint, and %s gives none: set endpoint to "
                       "https://HOST/client/api",
                       account->name, source);
    if (!tt_starts_with(keys->endpoint, "http://") && !tt_starts_with(keys->endpoint, "https://"))
        return tt_fail(err, TT_ERR_SPEC, "account %s: the endpoint is no http or https URL",
                       account->name);
    return 0;
}

int tt_cloudstack_find_keys(const struct tt_provider_settings *settings, struct tt_arena *arena,
                            struct tt_cloudstack_keys *ret_keys, struct tt_error *err)
{
    const struct tt_account *account = settings->account;
    struct reading reading = {.arena = arena, .section = account->profile};
    const char *prefix = account->credentials_env ? account->credentials_env : "CLOUDSTACK";
    const char *source = tt_printf(arena, "the environment (%s_API_KEY ...)", prefix);
    const char *path = NULL;

    if (!account->profile && !account->credentials_file)
        read_environment(arena, prefix, &reading.keys);
    if (!account->credentials_env && !reading.keys.api_key) {
        path = path_of(settings, arena);
        if (path) {
            source = path;
            if (read_file(&reading, path, err) < 0)
                return tt_wrap(err, "account %s", account->name);
        } else if (account->profile) {
            return tt_fail(err, TT_ERR_NOT_FOUND,
                           "account %s: there is no ~/.cmk/config with the profile %s",
                           account->name, account->profile);
        }
    }
    if (account->endpoint)
        reading.keys.endpoint = account->endpoint;
    if (check(account, &reading.keys, source, err) < 0)
        return -1;
    *ret_keys = reading.keys;
    return 0;
}
