/*
 * Login: finding what Keystone wants to know, and saying it.
 */
#include "providers/openstack/login.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"
#include "providers/http/reply.h"
#include "providers/openstack/clouds_yaml.h"

/* Every field of the login by its name; in clouds.yaml those of IN_AUTH stand below `auth`. */
static const struct field {
    const char *name;
    size_t offset;
    bool in_auth;
} fields[] = {
#define FIELD(name, in_auth)                                                                       \
    {                                                                                              \
#name, offsetof(struct tt_openstack_login, name), in_auth                                  \
    }
    FIELD(auth_url, true),
    FIELD(auth_type, false),
    FIELD(username, true),
    FIELD(user_id, true),
    FIELD(password, true),
    FIELD(user_domain_name, true),
    FIELD(user_domain_id, true),
    FIELD(project_name, true),
    FIELD(project_id, true),
    FIELD(project_domain_name, true),
    FIELD(project_domain_id, true),
    FIELD(application_credential_id, true),
    FIELD(application_credential_name, true),
    FIELD(application_credential_secret, true),
    FIELD(token, true),
    FIELD(interface, false),
    FIELD(cacert, false),
    FIELD(allow_http, false),
#undef FIELD
};

#define FIELDS (sizeof(fields) / sizeof(*fields))

static const char **place_of(struct tt_openstack_login *login, const struct field *field)
{
    return (const char **)((char *)login + field->offset);
}

static const char *variable(struct tt_arena *arena, const char *prefix, const char *name)
{
    char *text = tt_printf(arena, "%s_%s", prefix, name);
    const char *value;

    for (char *c = text + strlen(prefix); *c; c++)
        *c = (char)toupper((unsigned char)*c);
    value = getenv(text);
    return value && *value ? tt_strdup(arena, value) : NULL;
}

static void read_environment(struct tt_arena *arena, const char *prefix,
                             struct tt_openstack_login *login)
{
    for (size_t i = 0; i < FIELDS; i++)
        *place_of(login, &fields[i]) = variable(arena, prefix, fields[i].name);
    if (!login->interface) /* the older word */
        login->interface = variable(arena, prefix, "ENDPOINT_TYPE");
    if (!login->project_name)
        login->project_name = variable(arena, prefix, "TENANT_NAME");
    if (!login->project_id)
        login->project_id = variable(arena, prefix, "TENANT_ID");
}

static int take_cloud(struct tt_arena *arena, const json_t *cloud, const char *path,
                      struct tt_openstack_login *login, struct tt_error *err)
{
    const json_t *auth = json_object_get(cloud, "auth");
    const char *verify = tt_reply_peek(cloud, "verify");

    if (verify && (tt_streq(verify, "false") || tt_streq(verify, "False")))
        return tt_fail(err, TT_ERR_SPEC,
                       "%s: `verify: false` would send the password to anybody: give the "
                       "cloud's own authority as `cacert`",
                       path);
    for (size_t i = 0; i < FIELDS; i++) {
        const char *text = tt_reply_text(arena, fields[i].in_auth ? auth : cloud, fields[i].name);

        if (!text && !fields[i].in_auth)
            text = tt_reply_text(arena, auth, fields[i].name);
        *place_of(login, &fields[i]) = text;
    }
    return 0;
}

/* Where OpenStack's own tools look, after the work folder, which is anybody's. */
static const char *usual_path(struct tt_arena *arena)
{
    const char *named = getenv("OS_CLIENT_CONFIG_FILE"), *home = getenv("HOME");
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *path = NULL;

    if (named && *named)
        return tt_strdup(arena, named);
    if (config && *config)
        path = tt_printf(arena, "%s/openstack/clouds.yaml", config);
    else if (home && *home)
        path = tt_printf(arena, "%s/.config/openstack/clouds.yaml", home);
    if (path && access(path, F_OK) == 0)
        return path;
    return access("/etc/openstack/clouds.yaml", F_OK) == 0 ? "/etc/openstack/clouds.yaml" : path;
}

static const char *path_of(const struct tt_provider_settings *settings, struct tt_arena *arena)
{
    const struct tt_account *account = settings->account;
    const char *named = account->credentials_file;

    if (!named)
        return usual_path(arena);
    if (named[0] == '/' || !settings->base_folder)
        return named;
    return tt_printf(arena, "%s/%s%s%s", settings->base_folder, account->folder,
                     account->folder[0] ? "/" : "", named);
}

static int read_file(const struct tt_provider_settings *settings, const char *name,
                     struct tt_arena *arena, struct tt_openstack_login *login, struct tt_error *err)
{
    const char *path = path_of(settings, arena);
    TT_REPLY_AUTO *cloud = NULL;

    if (!path)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no clouds.yaml and no HOME to look in");
    if (tt_openstack_read_cloud(path, name, &cloud, err) < 0)
        return -1;
    return take_cloud(arena, cloud, path, login, err);
}

/* ".../v3", whatever was written. */
static const char *with_version(struct tt_arena *arena, const char *url)
{
    size_t length = strlen(url);

    while (length && url[length - 1] == '/')
        length--;
    if (length > 3 && strncmp(url + length - 3, "/v3", 3) == 0)
        return tt_printf(arena, "%.*s", (int)length, url);
    if (length > 5 && strncmp(url + length - 5, "/v2.0", 5) == 0)
        length -= 5;
    return tt_printf(arena, "%.*s/v3", (int)length, url);
}

static const char *missing(const struct tt_openstack_login *login)
{
    if (login->token)
        return NULL;
    if (login->application_credential_id || login->application_credential_name)
        return login->application_credential_secret ? NULL : "application_credential_secret";
    if (!login->username && !login->user_id)
        return "username";
    if (!login->password)
        return "password";
    return login->project_name || login->project_id ? NULL : "project_name";
}

static bool has_scheme(const char *url, const char *scheme)
{
    return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* 127.0.0.0/8 in numbers, ::1 and localhost; no name that merely begins like them. */
bool tt_openstack_is_here(const char *url)
{
    const char *host = strstr(url, "://");
    size_t length;

    if (!host)
        return false;
    host += strlen("://");
    length = strcspn(host, "/?#");
    if (memchr(host, '@', length))
        return false;
    if (strncmp(host, "[::1]", 5) == 0)
        return length == 5 || host[5] == ':';
    length = strcspn(host, ":/?#");
    if (length == 9 && strncasecmp(host, "localhost", 9) == 0)
        return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length;
}

static bool is_yes(const char *text)
{
    return tt_streq(text, "1") ||
           (text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0));
}

bool tt_openstack_is_safe(const struct tt_openstack_login *login, const char *url)
{
    return has_scheme(url, "https://") ||
           (has_scheme(url, "http://") && (tt_openstack_is_here(url) || is_yes(login->allow_http)));
}

/* Those that there is a body for below; which of them it is, the other fields tell. */
static bool is_known_way(const char *auth_type)
{
    static const char *const ways[] = {"password", "v3password", "token", "v3token",
                                       "v3applicationcredential"};

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        if (!auth_type || tt_streq(auth_type, ways[i]))
            return true;
    return false;
}

static int check(struct tt_arena *arena, struct tt_openstack_login *login, struct tt_error *err)
{
    const char *lacks = missing(login);

    if (!login->auth_url)
        return tt_fail(err, TT_ERR_SPEC,
                       "no auth_url is given: set the Account's endpoint to Keystone's "
                       "https://HOST/v3, or auth_url in clouds.yaml, or OS_AUTH_URL");
    if (!has_scheme(login->auth_url, "http://") && !has_scheme(login->auth_url, "https://"))
        return tt_fail(err, TT_ERR_SPEC, "the auth_url is no http or https URL");
    if (!tt_openstack_is_safe(login, login->auth_url))
        return tt_fail(err, TT_ERR_SPEC,
                       "the auth_url is plain http, so anybody on the way could read the login: "
                       "use https; or, in a network that you trust, say allow_http: true in "
                       "clouds.yaml or set OS_ALLOW_HTTP=1");
    if (!is_known_way(login->auth_type))
        return tt_fail(err, TT_ERR_SPEC,
                       "the auth_type %s is not spoken here: use a password, a token, or an "
                       "application credential (v3applicationcredential)",
                       login->auth_type);
    if (lacks)
        return tt_fail(err, TT_ERR_SPEC,
                       "the login has no %s: give it in clouds.yaml, or as OS_ variables", lacks);
    login->auth_url = with_version(arena, login->auth_url);
    if (!login->interface)
        login->interface = "public";
    if (strlen(login->interface) > 3 &&
        strcmp(login->interface + strlen(login->interface) - 3, "URL") == 0)
        login->interface = /* "publicURL" is the older word */
            tt_printf(arena, "%.*s", (int)strlen(login->interface) - 3, login->interface);
    return 0;
}

int tt_openstack_find_login(const struct tt_provider_settings *settings, struct tt_arena *arena,
                            struct tt_openstack_login *ret_login, struct tt_error *err)
{
    const struct tt_account *account = settings->account;
    const char *cloud = account->profile;
    struct tt_openstack_login login = {0};
    int result = 0;

    if (!cloud && !account->credentials_file && !account->credentials_env)
        cloud = variable(arena, "OS", "CLOUD");
    if (cloud || account->credentials_file)
        result = read_file(settings, cloud, arena, &login, err);
    else
        read_environment(arena, account->credentials_env ? account->credentials_env : "OS", &login);
    if (result == 0 && account->endpoint)
        login.auth_url = account->endpoint;
    if (result < 0 || check(arena, &login, err) < 0)
        return tt_wrap(err, "account %s", account->name);
    *ret_login = login;
    return 0;
}

/* --- what Keystone is told -------------------------------------------------------------------- */

static json_t *domain(const char *id, const char *name)
{
    if (name && !id)
        return json_pack("{s:s}", "name", name);
    return json_pack("{s:s}", "id", id ? id : "default");
}

static json_t *user(const struct tt_openstack_login *login)
{
    json_t *user = json_object();

    if (login->user_id) {
        json_object_set_new(user, "id", json_string(login->user_id));
    } else {
        json_object_set_new(user, "name", json_string(login->username));
        json_object_set_new(user, "domain", domain(login->user_domain_id, login->user_domain_name));
    }
    return user;
}

static json_t *application_credential(const struct tt_openstack_login *login)
{
    json_t *credential = json_pack("{s:s}", "secret", login->application_credential_secret);

    if (login->application_credential_id) {
        json_object_set_new(credential, "id", json_string(login->application_credential_id));
    } else {
        json_object_set_new(credential, "name", json_string(login->application_credential_name));
        json_object_set_new(credential, "user", user(login));
    }
    return credential;
}

static json_t *scope(const struct tt_openstack_login *login)
{
    json_t *project = json_object();

    if (login->project_id) {
        json_object_set_new(project, "id", json_string(login->project_id));
    } else {
        json_object_set_new(project, "name", json_string(login->project_name));
        json_object_set_new(project, "domain",
                            domain(login->project_domain_id, login->project_domain_name));
    }
    return json_pack("{s:o}", "project", project);
}

json_t *tt_openstack_login_body(const struct tt_openstack_login *login)
{
    bool by_credential = login->application_credential_id || login->application_credential_name;
    json_t *identity, *body;

    if (by_credential)
        identity = json_pack("{s:[s],s:o}", "methods", "application_credential",
                             "application_credential", application_credential(login));
    else if (login->token)
        identity = json_pack("{s:[s],s:{s:s}}", "methods", "token", "token", "id", login->token);
    else
        identity =
            json_pack("{s:[s],s:{s:o}}", "methods", "password", "password", "user", user(login));
    if (!by_credential && !login->token)
        json_object_set_new(json_object_get(json_object_get(identity, "password"), "user"),
                            "password", json_string(login->password));
    body = json_pack("{s:{s:o}}", "auth", "identity", identity);
    if (!by_credential && (login->project_id || login->project_name))
        json_object_set_new(json_object_get(body, "auth"), "scope", scope(login));
    return body;
}
