/*
 * Calls: one request to one of the services, JSON there and back.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/openstack/cloud.h"

#define OLDEST                                                                                     \
    26 /* of Nova's 2.x: below, a filter by tags is not seen, and everything comes back */
#define NEWEST          90
#define OLDEST_BALANCER 5 /* of Octavia's v2.x */

static const char *const service_words[TT_OPENSTACK_SERVICES] = {"nova", "glance", "neutron",
                                                                 "octavia"};

bool tt_openstack_is_id(const char *text)
{
    size_t digits = 0;

    for (const char *c = text; *c; c++) {
        if (isxdigit((unsigned char)*c))
            digits++;
        else if (*c != '-')
            return false;
    }
    return digits == 32;
}

void tt_openstack_pause(const struct tt_openstack *cloud, tt_time delay)
{
    cloud->clock->sleep(cloud->clock->self, delay);
}

/* The sentence in an answer that tells of a failure: every service has a form of its own. */
static const char *sentence_of(const json_t *answer)
{
    const char *text = tt_reply_peek(answer, "faultstring");
    const char *key;
    json_t *inside;

    if (text)
        return text;
    json_object_foreach ((json_t *)answer, key, inside) {
        text = tt_reply_peek(inside, "message");
        if (!text)
            text = json_string_value(inside);
        if (text && *text)
            return text;
    }
    return NULL;
}

/* The status says what it is, and the service's own words say why. */
static int judge(void *self, const struct tt_http_request *request,
                 const struct tt_http_reply *reply, struct tt_error *err)
{
    TT_REPLY_AUTO *answer = reply->size ? json_loadb(reply->body, reply->size, 0, NULL) : NULL;
    const char *sentence = sentence_of(answer);

    (void)self;
    if (tt_http_judge(request, reply, err) == 0)
        return 0;
    if (sentence && err) {
        snprintf(err->message, sizeof(err->message), "%s: %.600s", request->api, sentence);
        for (char *c = err->message; *c; c++)
            if ((unsigned char)*c < ' ')
                *c = ' ';
    }
    if (reply->status == 413 && err) /* what Nova said before there was a 429 */
        err->class = TT_ERR_THROTTLED;
    return -1;
}

static int send(const struct tt_openstack_visit *visit, const struct tt_openstack_request *call,
                const char *text, const char *token, const char *url, json_t **ret_answer,
                struct tt_error *err)
{
    bool reads = !call->method;
    struct tt_http_reply reply = {0};
    struct tt_http_request request = {
        .api = tt_printf(visit->arena, "%s %s", service_words[call->service], call->what),
        .method = reads ? "GET" : call->method,
        .url = tt_printf(visit->arena, "%s%s", url, call->path),
        .body = text,
        .size = text ? strlen(text) : 0,
        .reads = reads,
        .direct = tt_openstack_is_here(url),
        .judge = judge,
    };

    tt_http_add_header(visit->arena, &request, "X-Auth-Token", token);
    tt_http_add_header(visit->arena, &request, "Accept", "application/json");
    if (text)
        tt_http_add_header(visit->arena, &request, "Content-Type", "application/json");
    if (call->service == TT_OPENSTACK_COMPUTE && visit->region->minor)
        tt_http_add_header(visit->arena, &request, "OpenStack-API-Version",
                           tt_printf(visit->arena, "compute 2.%d", visit->region->minor));
    if (tt_http_call(visit->cloud->http, &request, visit->arena, &reply, err) < 0)
        return reply.status == 401 ? 1 : -1;
    *ret_answer = reply.size ? json_loadb(reply.body, reply.size, 0, NULL) : NULL;
    if (reply.size && !*ret_answer)
        return tt_fail(err, reads ? TT_ERR_UNAVAILABLE : TT_ERR_TIMEOUT,
                       "%s: the answer is not JSON", request.api);
    return 0;
}

int tt_openstack_call(const struct tt_openstack_visit *visit,
                      const struct tt_openstack_request *request, json_t **ret_answer,
                      struct tt_error *err)
{
    char *text = request->body ? json_dumps(request->body, JSON_COMPACT) : NULL;
    const char *token, *url;
    json_t *answer = NULL;
    int result = 1;

    for (int turn = 0; turn < 2 && result > 0; turn++) {
        if (tt_openstack_session(visit, request->service, &token, &url, err) < 0) {
            result = -1;
            break;
        }
        result = send(visit, request, text, token, url, &answer, err);
        if (result > 0)
            tt_openstack_forget_token(visit->cloud, token);
    }
    free(text);
    if (result != 0)
        return -1;
    if (ret_answer)
        *ret_answer = answer;
    else
        json_decref(answer);
    return 0;
}

/* --- the microversion ------------------------------------------------------------------------- */

/* Where a service tells its versions: Nova at ".../v2.1", without a project behind it, Octavia at
 * its root. NULL: there is no such place. */
static const char *versions_of(const struct tt_openstack_visit *visit,
                               enum tt_openstack_service service, const char *url)
{
    bool nova = service == TT_OPENSTACK_COMPUTE;
    const char *end = tt_openstack_version_in(url, nova ? "/v2.1" : "/v2");

    if (!end)
        return nova ? NULL : url;
    return tt_printf(visit->arena, "%.*s", (int)(end - url) + (nova ? 5 : 0), url);
}

/* A token that is not taken any more is renewed once. */
static int ask_versions(const struct tt_openstack_visit *visit, enum tt_openstack_service service,
                        json_t **ret_answer, struct tt_error *err)
{
    struct tt_openstack_request request = {.service = service, .what = "versions", .path = "/"};
    const char *token, *url, *place;
    int result = 1;

    for (int turn = 0; turn < 2 && result > 0; turn++) {
        if (tt_openstack_session(visit, service, &token, &url, err) < 0)
            return -1;
        place = versions_of(visit, service, url);
        if (!place)
            return tt_fail(err, TT_ERR_UNSUPPORTED, "the compute service at %s is not Nova v2.1",
                           url);
        result = send(visit, &request, NULL, token, place, ret_answer, err);
        if (result > 0)
            tt_openstack_forget_token(visit->cloud, token);
    }
    return result ? -1 : 0;
}

static int ask_minor(const struct tt_openstack_visit *visit, int *ret_minor, struct tt_error *err)
{
    TT_REPLY_AUTO *answer = NULL;
    const char *version;

    if (ask_versions(visit, TT_OPENSTACK_COMPUTE, &answer, err) < 0)
        return -1;
    version = tt_reply_peek(json_object_get(answer, "version"), "version");
    *ret_minor = version && tt_starts_with(version, "2.") ? atoi(version + 2) : 1;
    return 0;
}

int tt_openstack_minor(const struct tt_openstack_visit *visit, int *ret_minor, struct tt_error *err)
{
    int minor = visit->region->minor;

    if (!minor) {
        if (ask_minor(visit, &minor, err) < 0)
            return -1;
        if (minor < OLDEST)
            return tt_fail(err, TT_ERR_UNSUPPORTED,
                           "account %s: Nova in region %s speaks no newer microversion than 2.%d, "
                           "and 2.%d is needed to find servers by their tags",
                           visit->cloud->account->name, visit->region->name, minor, OLDEST);
        minor = minor > NEWEST ? NEWEST : minor;
        visit->region->minor = minor;
    }
    *ret_minor = minor;
    return 0;
}

/* Octavia tells its versions at its root, as a list of "v2.N". */
static int newest_of(const json_t *answer)
{
    const json_t *version;
    size_t i;
    int newest = -1;

    json_array_foreach (json_object_get(answer, "versions"), i, version) {
        const char *id = tt_reply_peek(version, "id");

        if (id && tt_starts_with(id, "v2.") && atoi(id + 3) > newest)
            newest = atoi(id + 3);
    }
    return newest;
}

/* RET_SURE: it will say the same when it is asked again. */
static int ask_balancer_minor(const struct tt_openstack_visit *visit, int *ret_minor,
                              bool *ret_sure, struct tt_error *err)
{
    TT_REPLY_AUTO *answer = NULL;
    struct tt_error own = {0};
    const char *token, *url;
    int newest = -1;

    if (tt_openstack_session(visit, TT_OPENSTACK_BALANCER, &token, &url, err) < 0)
        return -1;
    if (ask_versions(visit, TT_OPENSTACK_BALANCER, &answer, &own) == 0)
        newest = newest_of(answer);
    else if (own.class != TT_ERR_NOT_FOUND && own.class != TT_ERR_DENIED &&
             own.class != TT_ERR_SPEC) {
        if (err)
            *err = own;
        return -1;
    }
    *ret_minor = newest < 0 ? OLDEST_BALANCER : newest; /* hidden by what stands before it */
    *ret_sure = own.class != TT_ERR_DENIED;
    return 0;
}

int tt_openstack_balancer_minor(const struct tt_openstack_visit *visit, int *ret_minor,
                                struct tt_error *err)
{
    int minor = visit->region->balancer_minor;
    bool sure = false;

    if (!minor) {
        if (ask_balancer_minor(visit, &minor, &sure, err) < 0)
            return -1;
        if (minor < OLDEST_BALANCER)
            return tt_fail(err, TT_ERR_UNSUPPORTED,
                           "account %s: Octavia in region %s speaks no newer version than v2.%d, "
                           "and v2.%d is needed to tell by tags whose a member is",
                           visit->cloud->account->name, visit->region->name, minor,
                           OLDEST_BALANCER);
        if (sure)
            visit->region->balancer_minor = minor;
    }
    *ret_minor = minor;
    return 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

#define PAGE      1000
#define MAX_PAGES 1000

/* Nova, Neutron and Octavia link from a page to the next one in KEY_links, Glance in `next`. */
static bool has_next(struct tt_arena *arena, const json_t *answer, const char *key)
{
    const json_t *link;
    size_t i;

    if (tt_reply_peek(answer, "next"))
        return true;
    json_array_foreach (json_object_get(answer, tt_printf(arena, "%s_links", key)), i, link)
        if (tt_streq(tt_reply_peek(link, "rel"), "next"))
            return true;
    return false;
}

/* The page of PATH behind MARKER (NULL: the first one), with LIMIT items at most (0: as many as the
 * service likes). RET_MARKER: of the next page; NULL: it was the last one. */
static int get_page(const struct tt_openstack_visit *visit, enum tt_openstack_service service,
                    const char *what, const char *path, const char *key, int limit,
                    const char *marker, json_t **ret_items, const char **ret_marker,
                    struct tt_error *err)
{
    struct tt_openstack_request request = {.service = service, .what = what, .path = path};
    TT_REPLY_AUTO *answer = NULL;
    json_t *list;

    if (limit)
        request.path = tt_printf(visit->arena, "%s%climit=%d%s%s", path,
                                 strchr(path, '?') ? '&' : '?', limit, marker ? "&marker=" : "",
                                 marker ? tt_http_escape(visit->arena, marker, false) : "");
    if (tt_openstack_call(visit, &request, &answer, err) < 0)
        return -1;
    list = json_object_get(answer, key);
    if (!json_is_array(list))
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s %s: the answer has no list of %s",
                       service_words[service], what, key);
    *ret_marker =
        tt_reply_text(visit->arena, json_array_get(list, json_array_size(list) - 1), "id");
    if (!json_array_size(list) || !has_next(visit->arena, answer, key))
        *ret_marker = NULL;
    *ret_items = json_incref(list);
    return 0;
}

int tt_openstack_list(const struct tt_openstack_visit *visit, enum tt_openstack_service service,
                      const char *what, const char *path, const char *key, json_t **ret_items,
                      struct tt_error *err)
{
    TT_REPLY_AUTO *items = json_array();
    const char *marker = NULL;

    for (int page = 0; page == 0 || marker; page++) {
        TT_REPLY_AUTO *list = NULL;

        if (page > MAX_PAGES)
            return tt_fail(err, TT_ERR_UNAVAILABLE, "%s %s: more than %d pages",
                           service_words[service], what, MAX_PAGES);
        if (get_page(visit, service, what, path, key, PAGE, marker, &list, &marker, err) < 0)
            return -1;
        json_array_extend(items, list);
    }
    *ret_items = items;
    items = NULL;
    return 0;
}

int tt_openstack_first_page(const struct tt_openstack_visit *visit,
                            enum tt_openstack_service service, const char *what, const char *path,
                            const char *key, json_t **ret_items, bool *ret_whole,
                            struct tt_error *err)
{
    const char *marker = NULL;

    if (get_page(visit, service, what, path, key, 0, NULL, ret_items, &marker, err) < 0)
        return -1;
    *ret_whole = !marker;
    return 0;
}
