/*
 * Servers: making, deleting and marking Nova's servers.
 *
 * Nova knows no client token: before a server is made, the one that a lost answer may have left
 * behind is looked for by its incarnation's tag. Nova accepts a server before it knows a host for
 * it; so the first moments are waited for, and what fails in them is deleted and told.
 */
#include <openssl/evp.h>
#include <string.h>

#include "base/str.h"
#include "providers/openstack/machines.h"
#include "providers/openstack/servers.h"
#include "providers/openstack/turn.h"

#define TAGS_AT_ONCE 52
#define ZONE_WAIT    (60 * 1000) /* for a server to be built; then observation goes on waiting */
#define MAX_SILENCE  20          /* looks in a row that failed */
#define MAX_DATA     (64u * 1024)

/* --- making ----------------------------------------------------------------------------------- */

static json_t *base64(struct tt_arena *arena, const char *text)
{
    size_t size = strlen(text);
    unsigned char *out = tt_alloc(arena, size / 3 * 4 + 5);

    EVP_EncodeBlock(out, (const unsigned char *)text, (int)size);
    return json_string((const char *)out);
}

static json_t *named(const char *key, const char *value)
{
    return json_pack("{s:s}", key, value);
}

/* The ids that REQUEST's words stand for, into SERVER. */
static int add_ids(const struct tt_openstack_visit *visit, const struct tt_create_request *request,
                   json_t *server, struct tt_error *err)
{
    const char *image, *flavor, *network;

    if (tt_openstack_image_id(visit, request->spec->template, &image, err) < 0 ||
        tt_openstack_flavor_id(visit, request->spec->size, &flavor, err) < 0 ||
        tt_openstack_network_id(visit, request->spec->network, &network, err) < 0)
        return -1;
    json_object_set_new(server, "imageRef", json_string(image));
    json_object_set_new(server, "flavorRef", json_string(flavor));
    json_object_set_new(server, "networks", json_pack("[{s:s}]", "uuid", network));
    return 0;
}

static json_t *tags_of(const struct tt_openstack_visit *visit, const struct tt_tags *tags)
{
    const char *owner = tags->owner ? tags->owner : visit->cloud->owner;
    json_t *list = json_pack("[s]", tt_openstack_owner_mark(visit->arena, owner));

    if (tags->incarnation)
        json_array_append_new(
            list, json_string(tt_openstack_incarnation_mark(visit->arena, tags->incarnation)));
    return list;
}

static int make_body(const struct tt_openstack_visit *visit,
                     const struct tt_create_request *request, int minor, json_t **ret_body,
                     struct tt_error *err)
{
    const struct tt_server_spec *spec = request->spec;
    TT_REPLY_AUTO *server = named("name", request->name);
    json_t *groups;

    if (spec->user_data && strlen(spec->user_data) > MAX_DATA * 3 / 4 - 3)
        return tt_fail(err, TT_ERR_SPEC, "user data of more than %u bytes", MAX_DATA * 3 / 4 - 3);
    if (add_ids(visit, request, server, err) < 0)
        return -1;
    if (request->zone)
        json_object_set_new(server, "availability_zone", json_string(request->zone));
    if (spec->key)
        json_object_set_new(server, "key_name", json_string(spec->key));
    if (spec->user_data)
        json_object_set_new(server, "user_data", base64(visit->arena, spec->user_data));
    if (spec->firewalls) {
        groups = json_array();
        TT_EACH (group, spec->firewalls)
            json_array_append_new(groups, named("name", *group));
        json_object_set_new(server, "security_groups", groups);
    }
    json_object_set_new(server, "metadata",
                        tt_openstack_metadata(visit->arena, &request->tags, request->port));
    tt_openstack_mark_template(json_object_get(server, "metadata"), spec->template,
                               tt_reply_peek(server, "imageRef"));
    if (minor >= TAGS_AT_ONCE)
        json_object_set_new(server, "tags", tags_of(visit, &request->tags));
    *ret_body = json_pack("{s:O}", "server", server);
    return 0;
}

/* Nova's search by tags; where it did not take tags along with a new server, all are looked at. */
static const char *by_tags(const struct tt_openstack_visit *visit, const char *path,
                           const char *more, const char *tags)
{
    if (visit->region->minor < TAGS_AT_ONCE)
        return tt_printf(visit->arena, "%s?%s", path, more);
    return tt_printf(visit->arena, "%s?%stags=%s", path, more,
                     tt_http_escape(visit->arena, tags, false));
}

static bool is_of(const struct tt_openstack_visit *visit, const json_t *machine,
                  const char *incarnation)
{
    struct tt_tags tags = tt_openstack_tags_of(visit->arena, machine);

    return tt_streq(tags.incarnation, incarnation) && tt_streq(tags.owner, visit->cloud->owner) &&
           !tt_openstack_is_gone(machine);
}

/* The machine of ours that has that incarnation already; NULL: there is none. One in ERROR is what
 * an attempt, perhaps in another zone, left behind: it goes. */
static int find_incarnation(const struct tt_openstack_visit *visit, const char *incarnation,
                            const char **ret_id, struct tt_error *err)
{
    const char *tags = tt_printf(visit->arena, "%s,%s", visit->cloud->mark,
                                 tt_openstack_incarnation_mark(visit->arena, incarnation));
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    if (tt_openstack_list(visit, TT_OPENSTACK_COMPUTE, "find server",
                          by_tags(visit, "/servers/detail", "", tags), "servers", &items, err) < 0)
        return -1;
    json_array_foreach (items, i, item) {
        const char *id = tt_reply_text(visit->arena, item, "id");

        if (!id || !is_of(visit, item, incarnation))
            continue;
        if (!tt_streq(tt_reply_peek(item, "status"), "ERROR"))
            *ret_id = id;
        else if (tt_openstack_delete_machine(visit, id, err) < 0)
            return -1;
    }
    return 0;
}

static int fetch_building(const void *self, json_t **ret_items, struct tt_error *err)
{
    struct tt_openstack_visit visit = *(const struct tt_openstack_visit *)self;
    struct tt_arena scratch = {0};
    int result;

    tt_arena_init(&scratch);
    visit.arena = &scratch;
    result = tt_openstack_list(&visit, TT_OPENSTACK_COMPUTE, "list servers being built",
                               by_tags(&visit, "/servers", "status=BUILD&", visit.cloud->mark),
                               "servers", ret_items, err);
    tt_arena_release(&scratch);
    return result;
}

static bool has_id(const json_t *items, const char *id)
{
    const json_t *item;
    size_t i;

    json_array_foreach (items, i, item)
        if (tt_streq(tt_reply_peek(item, "id"), id))
            return true;
    return false;
}

/* Until the server is built or has failed; what nobody can say is left to observation. */
static void wait_while_building(const struct tt_openstack_visit *visit, const char *id)
{
    const struct tt_clock *clock = visit->cloud->clock;
    tt_time deadline = tt_clock_steady(clock) + ZONE_WAIT;
    int silent = 0;

    while (silent < MAX_SILENCE && tt_clock_steady(clock) < deadline) {
        TT_REPLY_AUTO *items = NULL;

        if (tt_openstack_look(&visit->region->building, clock, fetch_building, visit, &items,
                              NULL) < 0)
            silent++;
        else if (!has_id(items, id))
            return;
        else
            silent = 0;
    }
}

int tt_openstack_delete_machine(const struct tt_openstack_visit *visit, const char *id,
                                struct tt_error *err)
{
    struct tt_error own = {0};

    if (tt_openstack_call(
            visit,
            &(struct tt_openstack_request){.service = TT_OPENSTACK_COMPUTE,
                                           .what = "delete server",
                                           .method = "DELETE",
                                           .path = tt_printf(visit->arena, "/servers/%s", id)},
            NULL, &own) == 0 ||
        own.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = own;
    return -1;
}

/* A server that could not be built is no machine of ours: it is deleted, and why is told. */
static int check_built(const struct tt_openstack_visit *visit,
                       const struct tt_create_request *request, const char *id,
                       struct tt_error *err)
{
    TT_REPLY_AUTO *machine = NULL;
    const char *fault;

    if (tt_openstack_machine(visit, id, &machine, NULL) < 0 ||
        !tt_streq(tt_reply_peek(machine, "status"), "ERROR"))
        return 0;
    fault = tt_reply_peek(json_object_get(machine, "fault"), "message");
    tt_fail(err, TT_ERR_CONFLICT, "zone %s of region %s could not build it: %.500s",
            request->zone ? request->zone : "of the cloud's choice", request->region,
            fault ? fault : "Nova does not say why");
    if (err)
        strncpy(err->code, "no-capacity", sizeof(err->code) - 1);
    if (tt_openstack_delete_machine(visit, id, NULL) < 0)
        tt_wrap(err, "server %s stays behind in ERROR", id);
    return -1;
}

static int make(const struct tt_openstack_visit *visit, const struct tt_create_request *request,
                const char **ret_id, struct tt_error *err)
{
    TT_REPLY_AUTO *body = NULL;
    TT_REPLY_AUTO *answer = NULL;
    int minor;

    if (tt_openstack_minor(visit, &minor, err) < 0 ||
        make_body(visit, request, minor, &body, err) < 0 ||
        tt_openstack_call(visit,
                          &(struct tt_openstack_request){.service = TT_OPENSTACK_COMPUTE,
                                                         .what = "create server",
                                                         .method = "POST",
                                                         .path = "/servers",
                                                         .body = body},
                          &answer, err) < 0)
        return -1;
    *ret_id = tt_reply_text(visit->arena, json_object_get(answer, "server"), "id");
    if (!*ret_id)
        return tt_fail(err, TT_ERR_TIMEOUT, "Nova made a server and did not tell its id");
    return 0;
}

struct making {
    const struct tt_create_request *request;
    const char *id;
};

static int find_or_make(const struct tt_openstack_visit *visit, void *self, struct tt_error *err)
{
    struct making *making = self;
    const char *incarnation = making->request->tags.incarnation;
    int minor;

    if (tt_openstack_minor(visit, &minor, err) < 0 ||
        (incarnation && find_incarnation(visit, incarnation, &making->id, err) < 0) ||
        (!making->id && make(visit, making->request, &making->id, err) < 0))
        return -1;
    wait_while_building(visit, making->id);
    return check_built(visit, making->request, making->id, err);
}

/* Two threads with one incarnation make one server: the second finds what the first has made. */
int tt_openstack_create_server(struct tt_provider *provider,
                               const struct tt_create_request *request, struct tt_arena *arena,
                               const char **ret_id, struct tt_error *err)
{
    struct making making = {.request = request};
    struct tt_openstack_visit visit;
    const char *incarnation = request->tags.incarnation;

    if (tt_openstack_enter(provider, request->region, arena, &visit, err) < 0 ||
        (incarnation ? tt_openstack_alone(&visit, tt_openstack_incarnation_mark(arena, incarnation),
                                          find_or_make, &making, err)
                     : find_or_make(&visit, &making, err)) < 0)
        return -1;
    *ret_id = making.id;
    return 0;
}

/* --- the rest --------------------------------------------------------------------------------- */

static int delete_own(const struct tt_openstack_visit *visit, const char *id, struct tt_error *err)
{
    TT_REPLY_AUTO *machine = NULL;
    struct tt_error own = {0};

    if (tt_openstack_machine(visit, id, &machine, &own) == 0)
        return tt_openstack_check_owner(visit, machine, id, err) < 0
                   ? -1
                   : tt_openstack_delete_machine(visit, id, err);
    if (own.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = own;
    return -1;
}

int tt_openstack_delete_server(struct tt_provider *provider, const char *region, const char *id,
                               struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return delete_own(&stay.visit, id, err);
}

static int add_tag(const struct tt_openstack_visit *visit, const char *id, const char *tag,
                   struct tt_error *err)
{
    return tt_openstack_call(
        visit,
        &(struct tt_openstack_request){.service = TT_OPENSTACK_COMPUTE,
                                       .what = "tag server",
                                       .method = "PUT",
                                       .path = tt_printf(visit->arena, "/servers/%s/tags/%s", id,
                                                         tt_http_escape(visit->arena, tag, false))},
        NULL, err);
}

static int put_marks(const struct tt_openstack_visit *visit, const char *id,
                     const struct tt_tags *tags, struct tt_error *err)
{
    TT_REPLY_AUTO *metadata = tt_openstack_metadata(visit->arena, tags, 0);
    TT_REPLY_AUTO *body = json_pack("{s:O}", "metadata", metadata);
    int minor;

    if (tt_openstack_minor(visit, &minor, err) < 0 ||
        tt_openstack_call(visit,
                          &(struct tt_openstack_request){
                              .service = TT_OPENSTACK_COMPUTE,
                              .what = "mark server",
                              .method = "POST",
                              .path = tt_printf(visit->arena, "/servers/%s/metadata", id),
                              .body = body},
                          NULL, err) < 0)
        return -1;
    if (tags->owner &&
        add_tag(visit, id, tt_openstack_owner_mark(visit->arena, tags->owner), err) < 0)
        return -1;
    return tags->incarnation
               ? add_tag(visit, id, tt_openstack_incarnation_mark(visit->arena, tags->incarnation),
                         err)
               : 0;
}

int tt_openstack_tag(struct tt_provider *provider, const char *region, const char *server,
                     const struct tt_tags *tags, struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return put_marks(&stay.visit, server, tags, err);
}
