/*
 * Session: Keystone's token and its catalog of services. One thread logs in, the others wait for
 * it; a token is renewed before it ends, or when a service does not take it any more.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/openstack/cloud.h"

#define MARGIN (60 * 1000)

/* What services are called in the catalog, and the version that paths are written for. */
static const struct {
    const char *types[3]; /* the first one is the name for people */
    const char *version;  /* put behind an address that has none; NULL: as it is */
} services[TT_OPENSTACK_SERVICES] = {
    [TT_OPENSTACK_COMPUTE] = {{"compute", "nova"}, NULL},
    [TT_OPENSTACK_IMAGE] = {{"image", "glance"}, "/v2"},
    [TT_OPENSTACK_NETWORK] = {{"network", "neutron"}, "/v2.0"},
    [TT_OPENSTACK_BALANCER] = {{"load-balancer", "octavia"}, "/v2"},
};

/* --- logging in ------------------------------------------------------------------------------- */

static int judge(void *self, const struct tt_http_request *request,
                 const struct tt_http_reply *reply, struct tt_error *err)
{
    struct tt_openstack *cloud = self;

    if (reply->status == 401)
        return tt_fail(err, TT_ERR_DENIED,
                       "account %s: Keystone at %s refuses the login: check user, password, "
                       "domains and project",
                       cloud->account->name, cloud->login.auth_url);
    if (reply->status == 404 || (reply->status >= 300 && reply->status < 400))
        return tt_fail(err, TT_ERR_SPEC, "account %s: there is no Keystone v3 at %s",
                       cloud->account->name, cloud->login.auth_url);
    return tt_http_judge(request, reply, err);
}

/* Reads the reply into the session; the lock is held. */
static int take_reply(struct tt_openstack *cloud, const struct tt_http_reply *reply,
                      struct tt_error *err)
{
    TT_REPLY_AUTO *whole = json_loadb(reply->body, reply->size, 0, NULL);
    const json_t *token = json_object_get(whole, "token");
    const char *header = tt_http_header(reply, "x-subject-token");
    const char *expires = tt_reply_peek(token, "expires_at");
    const char *project = tt_reply_peek(json_object_get(token, "project"), "id");
    json_t *catalog = json_object_get(token, "catalog");

    if (!header || !token)
        return tt_fail(err, TT_ERR_SPEC, "account %s: %s does not answer as Keystone v3 does",
                       cloud->account->name, cloud->login.auth_url);
    if (!json_array_size(catalog))
        return tt_fail(err, TT_ERR_DENIED,
                       "account %s: the login is not for a project, so it has no services: name "
                       "the project",
                       cloud->account->name);
    free(cloud->token);
    free(cloud->project);
    cloud->token = strdup(header);
    cloud->project = project ? strdup(project) : NULL;
    if (!expires || tt_time_parse(expires, &cloud->expires_at) < 0)
        cloud->expires_at = cloud->clock->now(cloud->clock->self) + 10 * (tt_time)MARGIN;
    json_decref(cloud->catalog);
    cloud->catalog = json_incref(catalog);
    return 0;
}

static int log_in(struct tt_openstack *cloud, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    TT_REPLY_AUTO *body = tt_openstack_login_body(&cloud->login);
    char *text = json_dumps(body, JSON_COMPACT);
    struct tt_http_reply reply;
    struct tt_http_request request = {.api = "keystone log in", .method = "POST", .body = text};
    int result;

    if (!text)
        abort();
    tt_arena_init(&scratch);
    request.size = strlen(text);
    request.reads = true; /* another token harms nobody */
    request.judge = judge;
    request.self = cloud;
    request.direct = tt_openstack_is_here(cloud->login.auth_url);
    request.url = tt_printf(&scratch, "%s/auth/tokens", cloud->login.auth_url);
    tt_http_add_header(&scratch, &request, "Content-Type", "application/json");
    result = tt_http_call(cloud->http, &request, &scratch, &reply, err);
    if (result == 0)
        result = take_reply(cloud, &reply, err);
    explicit_bzero(text, request.size);
    free(text);
    tt_arena_release(&scratch);
    return result;
}

void tt_openstack_forget_token(struct tt_openstack *cloud, const char *token)
{
    pthread_mutex_lock(&cloud->lock);
    if (tt_streq(cloud->token, token)) {
        free(cloud->token);
        cloud->token = NULL;
    }
    pthread_mutex_unlock(&cloud->lock);
}

const char *tt_openstack_project(const struct tt_openstack_visit *visit)
{
    struct tt_openstack *cloud = visit->cloud;
    const char *project;

    pthread_mutex_lock(&cloud->lock);
    project = cloud->project ? tt_strdup(visit->arena, cloud->project) : NULL;
    pthread_mutex_unlock(&cloud->lock);
    return project;
}

/* --- the catalog ------------------------------------------------------------------------------ */

static bool is_of(enum tt_openstack_service service, const json_t *entry)
{
    const char *type = tt_reply_peek(entry, "type");

    for (size_t i = 0; i < 3 && services[service].types[i]; i++)
        if (tt_streq(type, services[service].types[i]))
            return true;
    return false;
}

static const char *find_endpoint(const struct tt_openstack *cloud, const json_t *entry,
                                 const char *region)
{
    const json_t *endpoint;
    size_t i;

    json_array_foreach (json_object_get(entry, "endpoints"), i, endpoint) {
        const char *there = tt_reply_peek(endpoint, "region_id");

        if (!there)
            there = tt_reply_peek(endpoint, "region");
        if (tt_streq(there, region) &&
            tt_streq(tt_reply_peek(endpoint, "interface"), cloud->login.interface))
            return tt_reply_peek(endpoint, "url");
    }
    return NULL;
}

/* The regions that the catalog has, for the error. */
static const char *regions_of(struct tt_arena *arena, const json_t *catalog)
{
    struct tt_strings names = {0};
    const json_t *entry, *endpoint;
    size_t i, k;

    json_array_foreach (catalog, i, entry) {
        json_array_foreach (json_object_get(entry, "endpoints"), k, endpoint) {
            const char *name = tt_reply_text(arena, endpoint, "region_id");

            if (name && !tt_strings_has(&names, name))
                tt_strings_add(arena, &names, name);
        }
    }
    tt_strings_sort(&names);
    return tt_strings_join(arena, &names, "none");
}

const char *tt_openstack_version_in(const char *url, const char *version)
{
    const char *path = strstr(url, "://");

    path = strchr(path ? path + strlen("://") : url, '/');
    return path ? strstr(path, version) : NULL;
}

static const char *without_end(struct tt_arena *arena, const char *url, const char *version)
{
    size_t length = strlen(url);

    while (length && url[length - 1] == '/')
        length--;
    url = tt_printf(arena, "%.*s", (int)length, url);
    return version && !tt_openstack_version_in(url, "/v2") ? tt_printf(arena, "%s%s", url, version)
                                                           : url;
}

static int find_url(const struct tt_openstack_visit *visit, enum tt_openstack_service service,
                    const char **ret_url, struct tt_error *err)
{
    const struct tt_openstack *cloud = visit->cloud;
    const char *url = NULL;
    const json_t *entry;
    size_t i;

    json_array_foreach (cloud->catalog, i, entry)
        if (!url && is_of(service, entry))
            url = find_endpoint(cloud, entry, visit->region->name);
    if (!url)
        return tt_fail(err, TT_ERR_SPEC,
                       "account %s: the catalog has no %s service with a %s endpoint in region %s "
                       "(regions: %s)",
                       cloud->account->name, services[service].types[0], cloud->login.interface,
                       visit->region->name, regions_of(visit->arena, cloud->catalog));
    if (!tt_openstack_is_safe(&cloud->login, url))
        return tt_fail(err, TT_ERR_SPEC,
                       "account %s: the catalog has the %s service at %s, and anybody on the way "
                       "could read the token: use an interface with https; or, in a network that "
                       "you trust, say allow_http: true in clouds.yaml or set OS_ALLOW_HTTP=1",
                       cloud->account->name, services[service].types[0], url);
    *ret_url = without_end(visit->arena, url, services[service].version);
    return 0;
}

int tt_openstack_session(const struct tt_openstack_visit *visit, enum tt_openstack_service service,
                         const char **ret_token, const char **ret_url, struct tt_error *err)
{
    struct tt_openstack *cloud = visit->cloud;
    int result = 0;

    pthread_mutex_lock(&cloud->lock);
    if (!cloud->token || cloud->clock->now(cloud->clock->self) > cloud->expires_at - MARGIN)
        result = log_in(cloud, err);
    if (result == 0)
        result = find_url(visit, service, ret_url, err);
    if (result == 0)
        *ret_token = tt_strdup(visit->arena, cloud->token);
    pthread_mutex_unlock(&cloud->lock);
    return result;
}
