/*
 * Observe: a region by lists alone. Owned servers are found in the list of all of the project's or,
 * where that is long, by the owner's tag; machines that the specs name and that were not in it are
 * asked for one by one, since nobody has many of them.
 */
#include <ctype.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "providers/openstack/cells.h"
#include "providers/openstack/machines.h"
#include "providers/openstack/pools.h"

/* Nova took tags along with a new server from 2.52 on; before, there is a moment without them. */
#define TAGS_AT_ONCE 52
#define MANY         200 /* servers that are not ours: from then on ours are asked for */

struct look {
    const struct tt_openstack_visit *visit;
    const struct tt_observe_request *request;
    struct tt_openstack_names names;
    struct tt_map seen;
    struct tt_region *region;
};

static void add_machines(struct look *look, const json_t *items,
                         bool (*wanted)(const struct look *look, const struct tt_server *server))
{
    const json_t *item;
    size_t i;

    json_array_foreach (items, i, item) {
        struct tt_server server;

        if (tt_openstack_read_machine(&look->names, look->visit->arena, item, &server) &&
            (!wanted || wanted(look, &server)) && !tt_map_put(&look->seen, server.id, look))
            *TT_VEC_ADD(look->visit->arena, &look->region->servers) = server;
    }
}

static int list_machines(struct look *look, const char *query,
                         bool (*wanted)(const struct look *look, const struct tt_server *server),
                         struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;

    if (tt_openstack_list(look->visit, TT_OPENSTACK_COMPUTE, "list servers",
                          tt_printf(look->visit->arena, "/servers/detail%s", query), "servers",
                          &items, err) < 0)
        return -1;
    add_machines(look, items, wanted);
    return 0;
}

static bool is_owned(const struct look *look, const struct tt_server *server)
{
    return tt_streq(server->tags.owner, look->request->owner);
}

static bool is_named(const struct look *look, const struct tt_server *server)
{
    return tt_strings_has(&look->request->machines, server->name);
}

/* NAME as a regular expression that matches nothing else, which is what Nova filters by. */
static const char *exactly(struct tt_arena *arena, const char *name)
{
    TT_BUF_AUTO text = {0};

    tt_buf_add(&text, "^");
    for (; *name; name++)
        tt_buf_addf(&text, isalnum((unsigned char)*name) ? "%c" : "[%c]", *name);
    tt_buf_add(&text, "$");
    return tt_http_escape(arena, tt_buf_text(&text), false);
}

static int look_at_machine(struct look *look, const char *word, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;
    struct tt_error own = {0};
    json_t *machine;

    if (!tt_openstack_is_id(word))
        return list_machines(
            look, tt_printf(look->visit->arena, "?name=%s", exactly(look->visit->arena, word)),
            is_named, err);
    if (tt_openstack_machine(look->visit, word, &machine, &own) == 0) {
        items = json_pack("[o]", machine);
        add_machines(look, items, NULL);
        return 0;
    }
    if (own.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = own;
    return -1;
}

static bool is_wanted(const struct look *look, const struct tt_server *server)
{
    return look->request->everything || is_owned(look, server) || is_named(look, server) ||
           tt_strings_has(&look->request->machines, server->id);
}

/* RET_SEEN: one answer told of all servers. It is the best way while the project is not crowded,
 * since nothing can happen between two answers. */
static int look_at_project(struct look *look, bool *ret_seen, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;

    if (tt_openstack_list_at_once(look->visit, "/servers/detail", &items, ret_seen, err) < 0)
        return -1;
    if (*ret_seen)
        add_machines(look, items, is_wanted);
    look->visit->region->crowded =
        !*ret_seen || json_array_size(items) > look->region->servers.count + MANY;
    return 0;
}

static bool is_ours(const struct look *look, const json_t *machine)
{
    return look->request->owner &&
           tt_streq(tt_openstack_tags_of(look->visit->arena, machine).owner,
                    look->request->owner) &&
           !tt_openstack_is_gone(machine);
}

/* One of ours that is in LIST and not in OTHER, unless it is NEW there and being built; NULL: none.
 */
static const char *only_in(const struct look *look, const json_t *list, const json_t *other,
                           bool new)
{
    struct tt_arena *arena = look->visit->arena;
    struct tt_map known;
    const json_t *item;
    const char *id;
    size_t i;

    tt_map_init(&known, arena);
    json_array_foreach (other, i, item)
        if ((id = tt_reply_text(arena, item, "id")))
            tt_map_put(&known, id, (void *)id);
    json_array_foreach (list, i, item) {
        id = tt_reply_text(arena, item, "id");
        if (id && !tt_map_get(&known, id) && is_ours(look, item) &&
            !(new &&tt_streq(tt_reply_peek(item, "status"), "BUILD")))
            return id;
    }
    return NULL;
}

/* A cell that is down for one list and not for the other was seen by neither. */
static int check_same(const struct look *look, const json_t *before, const json_t *after,
                      struct tt_error *err)
{
    const char *id = only_in(look, before, after, false);

    if (!id)
        id = only_in(look, after, before, true);
    if (!id)
        return 0;
    return tt_fail(
        err, TT_ERR_UNAVAILABLE,
        "Nova in region %s lists server %s at one moment and not at another: it has just "
        "been deleted, or its cell comes and goes",
        look->visit->region->name, id);
}

/* Pages of those that have our tag, and whether some were left out: before or after that was seen.
 */
static int look_at_ours(struct look *look, int minor, struct tt_error *err)
{
    struct tt_arena *arena = look->visit->arena;
    TT_REPLY_AUTO *before = NULL;
    TT_REPLY_AUTO *after = NULL;
    const char *path = "/servers/detail";

    if (minor >= TAGS_AT_ONCE && !look->request->everything)
        path = tt_printf(arena, "/servers/detail?tags=%s",
                         tt_http_escape(arena, look->visit->cloud->mark, false));
    if (tt_openstack_list(look->visit, TT_OPENSTACK_COMPUTE, "list servers", path, "servers",
                          &before, err) < 0 ||
        tt_openstack_check_cells(look->visit, err) < 0 ||
        tt_openstack_list(look->visit, TT_OPENSTACK_COMPUTE, "list servers", path, "servers",
                          &after, err) < 0 ||
        check_same(look, before, after, err) < 0)
        return -1;
    add_machines(look, after, look->request->everything ? NULL : is_owned);
    return 0;
}

static int look_at_machines(struct look *look, struct tt_error *err)
{
    bool seen = false;
    int minor;

    if (tt_openstack_minor(look->visit, &minor, err) < 0 ||
        ((!look->visit->region->crowded || look->request->everything) &&
         look_at_project(look, &seen, err) < 0) ||
        (!seen && look_at_ours(look, minor, err) < 0))
        return -1;
    TT_EACH (machine, &look->request->machines) {
        bool known = seen && (!tt_openstack_is_id(*machine) || tt_map_get(&look->seen, *machine));

        if (!known && look_at_machine(look, *machine, err) < 0)
            return -1;
    }
    return 0;
}

static int look_at_zones(struct look *look, struct tt_error *err)
{
    struct tt_openstack_request request = {
        .service = TT_OPENSTACK_COMPUTE, .what = "list zones", .path = "/os-availability-zone"};
    TT_REPLY_AUTO *answer = NULL;
    const json_t *zone;
    size_t i;

    if (tt_openstack_call(look->visit, &request, &answer, err) < 0)
        return -1;
    json_array_foreach (json_object_get(answer, "availabilityZoneInfo"), i, zone) {
        const char *name = tt_reply_text(look->visit->arena, zone, "zoneName");
        bool available = tt_reply_flag(json_object_get(zone, "zoneState"), "available");

        if (name && !tt_streq(name, "internal"))
            *TT_VEC_ADD(look->visit->arena, &look->region->zones) = (struct tt_zone){
                .name = name, .state = available ? TT_ZONE_AVAILABLE : TT_ZONE_IMPAIRED};
    }
    return 0;
}

/* Whose floating address ITEM is. A Neutron that does not tell of the port tells the fixed address.
 */
static const char *holder_of(const struct look *look, const json_t *item)
{
    const char *id =
        tt_reply_text(look->visit->arena, json_object_get(item, "port_details"), "device_id");
    const char *fixed = tt_reply_peek(item, "fixed_ip_address");

    if (id || !fixed || json_object_get(item, "port_details"))
        return id;
    TT_EACH (server, &look->region->servers)
        if (tt_streq(server->private_address, fixed))
            return server->id;
    return NULL;
}

static int look_at_addresses(struct look *look, struct tt_error *err)
{
    struct tt_arena *arena = look->visit->arena;
    struct tt_error own = {0};
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    if (tt_openstack_list(look->visit, TT_OPENSTACK_NETWORK, "list floating addresses",
                          "/floatingips", "floatingips", &items, &own) < 0) {
        if (own.class == TT_ERR_NOT_FOUND)
            return 0; /* a Neutron without routers has none */
        if (err)
            *err = own;
        return -1;
    }
    json_array_foreach (items, i, item) {
        *TT_VEC_ADD(arena, &look->region->addresses) = (struct tt_elastic_address){
            .address = tt_reply_text(arena, item, "floating_ip_address"),
            .server = holder_of(look, item),
        };
    }
    return 0;
}

/* What a server could be made from: of what the specs name, or all for `offers`. */
static int look_at_images(struct look *look, struct tt_error *err)
{
    struct tt_arena *arena = look->visit->arena;
    struct tt_strings *templates;
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    if (!look->request->everything && !look->request->templates.count)
        return 0;
    templates = TT_NEW(arena, struct tt_strings);
    *templates = look->names.templates;
    look->region->templates = templates;
    if (!look->request->everything)
        return 0;
    if (tt_openstack_list(look->visit, TT_OPENSTACK_IMAGE, "list images", "/images?status=active",
                          "images", &items, err) < 0)
        return -1;
    json_array_foreach (items, i, item) {
        const char *name = tt_reply_text(arena, item, "name");

        if (name && !tt_strings_has(templates, name))
            tt_strings_add(arena, templates, name);
    }
    return 0;
}

int tt_openstack_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                         struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    struct tt_region region = {.name = tt_strdup(arena, request->region), .observed = true};
    struct tt_openstack_visit visit;
    struct look look = {.visit = &visit, .request = request, .region = &region};

    tt_map_init(&look.seen, arena);
    if (tt_openstack_enter(provider, request->region, arena, &visit, err) < 0 ||
        tt_openstack_read_names(&visit, request, &look.names, err) < 0 ||
        look_at_machines(&look, err) < 0 || look_at_zones(&look, err) < 0 ||
        look_at_addresses(&look, err) < 0 || look_at_images(&look, err) < 0 ||
        tt_openstack_observe_balancers(&visit, request, &region, err) < 0)
        return -1;
    TT_EACH (server, &region.servers)
        tt_ssh_machines_learn(visit.cloud->machines, server);
    *ret_region = region;
    return 0;
}
