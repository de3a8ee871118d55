/*
 * Pools: reading Octavia. A balancer's members are those of all its pools; a server that is in
 * some of them only is shown as draining, which has it enrolled again where it is wanted.
 */
#include "providers/openstack/pools.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "providers/openstack/front.h"
#include "providers/openstack/machines.h"

void tt_openstack_balancing_release(struct tt_openstack_balancing *balancing)
{
    json_decref(balancing->balancers);
    json_decref(balancing->listeners);
    json_decref(balancing->pools);
    json_decref(balancing->monitors);
}

static int list(const struct tt_openstack_visit *visit, const char *what, const char *key,
                json_t **ret_items, struct tt_error *err)
{
    return tt_openstack_list(visit, TT_OPENSTACK_BALANCER, tt_printf(visit->arena, "list %s", what),
                             tt_printf(visit->arena, "/lbaas/%s", key), key, ret_items, err);
}

int tt_openstack_read_balancing(const struct tt_openstack_visit *visit,
                                struct tt_openstack_balancing *ret_balancing, struct tt_error *err)
{
    struct tt_openstack_balancing balancing = {0};

    if (list(visit, "load balancers", "loadbalancers", &balancing.balancers, err) < 0 ||
        list(visit, "listeners", "listeners", &balancing.listeners, err) < 0 ||
        list(visit, "pools", "pools", &balancing.pools, err) < 0 ||
        list(visit, "health monitors", "healthmonitors", &balancing.monitors, err) < 0) {
        tt_openstack_balancing_release(&balancing);
        return -1;
    }
    *ret_balancing = balancing;
    return 0;
}

static const char *names_of(struct tt_arena *arena, const json_t *balancers)
{
    struct tt_strings names = {0};
    const json_t *item;
    size_t i;

    json_array_foreach (balancers, i, item) {
        tt_strings_add(arena, &names, tt_reply_text(arena, item, "name"));
    }
    tt_strings_sort(&names);
    return tt_strings_join(arena, &names, "none");
}

int tt_openstack_find_balancer(const struct tt_openstack_visit *visit,
                               const struct tt_openstack_balancing *balancing, const char *name,
                               const json_t **ret_balancer, struct tt_error *err)
{
    const json_t *item, *found = NULL;
    size_t i, count = 0;

    json_array_foreach (balancing->balancers, i, item) {
        if (tt_streq(tt_reply_peek(item, "id"), name)) {
            *ret_balancer = item;
            return 0;
        }
        if (tt_streq(tt_reply_peek(item, "name"), name)) {
            found = item;
            count++;
        }
    }
    if (count > 1)
        return tt_fail(err, TT_ERR_SPEC,
                       "%zu balancers in region %s are called %s: name the one that is meant by "
                       "its id",
                       count, visit->region->name, name);
    if (!found)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no balancer %s in region %s (there: %s)",
                       name, visit->region->name, names_of(visit->arena, balancing->balancers));
    *ret_balancer = found;
    return 0;
}

bool tt_openstack_belongs(const json_t *object, const char *id)
{
    const json_t *balancer;
    size_t i;

    json_array_foreach (json_object_get(object, "loadbalancers"), i, balancer)
        if (tt_streq(tt_reply_peek(balancer, "id"), id))
            return true;
    return false;
}

bool tt_openstack_is_idle(const json_t *pool)
{
    const json_t *listeners = json_object_get(pool, "listeners");

    return json_is_array(listeners) && !json_array_size(listeners);
}

const json_t *tt_openstack_monitor_of(const struct tt_openstack_balancing *balancing,
                                      const char *pool)
{
    const json_t *monitor, *of;
    size_t i, k;

    json_array_foreach (balancing->monitors, i, monitor) {
        json_array_foreach (json_object_get(monitor, "pools"), k, of) {
            if (tt_streq(tt_reply_peek(of, "id"), pool))
                return monitor;
        }
    }
    return NULL;
}

int tt_openstack_pool_members(const struct tt_openstack_visit *visit, const char *pool,
                              json_t **ret_members, struct tt_error *err)
{
    return tt_openstack_list(visit, TT_OPENSTACK_BALANCER, "list members",
                             tt_printf(visit->arena, "/lbaas/pools/%s/members", pool), "members",
                             ret_members, err);
}

/* --- where members listen --------------------------------------------------------------------- */

#define TARGET "trimtab:port="

/* The port at which all MEMBERS listen, or those of ours; 0: none, or not the same. */
static int common_port(const json_t *members, bool ours)
{
    const json_t *member;
    int port = 0;
    size_t i;

    json_array_foreach (members, i, member) {
        int there = tt_reply_number(member, "protocol_port", 0);

        if (ours && !tt_openstack_is_our_member(member))
            continue;
        if (port && there != port)
            return 0;
        port = there;
    }
    return port;
}

int tt_openstack_target_tag(const json_t *pool)
{
    const json_t *tag;
    size_t i;

    json_array_foreach (json_object_get(pool, "tags"), i, tag)
        if (json_is_string(tag) && tt_starts_with(json_string_value(tag), TARGET))
            return atoi(json_string_value(tag) + strlen(TARGET));
    return 0;
}

int tt_openstack_target_of(const json_t *pool, const json_t *members)
{
    int port = common_port(members, true);

    if (!port)
        port = tt_openstack_target_tag(pool);
    return port ? port : common_port(members, false);
}

json_t *tt_openstack_target_tags(struct tt_arena *arena, const json_t *pool, int port)
{
    json_t *tags = json_array();
    const json_t *tag;
    size_t i;

    json_array_foreach (json_object_get(pool, "tags"), i, tag)
        if (!json_is_string(tag) || !tt_starts_with(json_string_value(tag), TARGET))
            json_array_append(tags, (json_t *)tag);
    json_array_append_new(tags, json_string(tt_printf(arena, TARGET "%d", port)));
    return tags;
}

/* --- observing -------------------------------------------------------------------------------- */

/* One server in one balancer, while its pools are read. */
struct seat {
    size_t index; /* of the member in the balancer */
    size_t pools; /* that it is in */
};

struct look {
    const struct tt_openstack_visit *visit;
    const struct tt_openstack_balancing *balancing;
    struct tt_region *region;
    struct tt_map by_address; /* address → server */
    struct tt_map by_id;
    struct tt_cloud_balancer *balancer;
    struct tt_map seats; /* server → struct seat */
    TT_VEC(struct seat *) order;
    size_t pools;
    struct tt_listeners *listeners; /* of the balancer */
};

/* Weight 0 takes no new connections. Without a monitor, or in an IDLE pool, which keeps new members
 * OFFLINE for ever, nobody says that it does not work. */
static enum tt_member_state state_of(const json_t *member, bool idle)
{
    const char *status = tt_reply_peek(member, "operating_status");

    if (tt_reply_number(member, "weight", 1) == 0 || tt_streq(status, "DRAINING"))
        return TT_MEMBER_DRAINING;
    if (idle || tt_streq(status, "ONLINE") || tt_streq(status, "NO_MONITOR"))
        return TT_MEMBER_IN_SERVICE;
    return TT_MEMBER_OUT_OF_SERVICE; /* OFFLINE until the first checks, ERROR */
}

/* In service only where every pool says so; draining where any does. */
static enum tt_member_state both(enum tt_member_state a, enum tt_member_state b)
{
    if (a == TT_MEMBER_DRAINING || b == TT_MEMBER_DRAINING)
        return TT_MEMBER_DRAINING;
    return a == TT_MEMBER_IN_SERVICE ? b : a;
}

/* A server of ours that is gone leaves its member behind: Octavia knows addresses alone. The tags
 * tell whose it was. */
static void add_gone(struct look *look, const json_t *member, const char *id)
{
    struct tt_tags tags = tt_openstack_member_tags(look->visit->arena, member);

    if (tt_map_get(&look->by_id, id) || !tt_streq(tags.owner, look->visit->cloud->owner))
        return;
    *TT_VEC_ADD(look->visit->arena, &look->region->servers) = (struct tt_server){
        .id = id,
        .name = tt_reply_text(look->visit->arena, member, "name"),
        .state = TT_SERVER_GONE,
        .created_at = TT_TIME_UNKNOWN,
        .tags = tags,
    };
    tt_map_put(&look->by_id, id, (void *)id);
}

static void add_member(struct look *look, const json_t *json, bool idle)
{
    struct tt_arena *arena = look->visit->arena;
    const char *address = tt_reply_text(arena, json, "address");
    const char *server = tt_openstack_member_server(arena, json);
    enum tt_member_state state = state_of(json, idle);
    struct seat *seat;

    if (!address)
        return;
    if (server)
        add_gone(look, json, server);
    else
        server = tt_map_get(&look->by_address, address);
    if (!server)
        server = address; /* nobody's that we know */
    seat = tt_map_get(&look->seats, server);
    if (seat) {
        struct tt_member *member = &look->balancer->members.items[seat->index];

        member->state = both(member->state, state);
        seat->pools++;
        return;
    }
    seat = TT_NEW(arena, struct seat);
    *seat = (struct seat){.index = look->balancer->members.count, .pools = 1};
    *TT_VEC_ADD(arena, &look->balancer->members) =
        (struct tt_member){.server = server, .state = state};
    tt_map_put(&look->seats, server, seat);
    *TT_VEC_ADD(arena, &look->order) = seat;
}

/* Where a change of the target was broken off, some of ours are at the old port still: it is told,
 * so that the rest is done. */
static int target_of(const struct look *look, const json_t *pool, const json_t *members)
{
    int wanted = tt_openstack_target_tag(pool);
    const json_t *member;
    size_t i;

    json_array_foreach (members, i, member)
        if (wanted && tt_openstack_is_own_member(look->visit, member) &&
            tt_reply_number(member, "protocol_port", 0) != wanted)
            return tt_reply_number(member, "protocol_port", 0);
    return tt_openstack_target_of(pool, members);
}

/* What POOL says of the listeners before it. One without a target is no listener's as it should
 * be, which its own port stands for. */
static void complete_listeners(struct look *look, const char *id, const json_t *pool,
                               const json_t *members)
{
    int target = target_of(look, pool, members);
    const json_t *json;
    size_t i, k = 0;

    json_array_foreach (look->balancing->listeners, i, json) {
        struct tt_listener *listener, spare;

        if (!tt_openstack_belongs(json, id) || !tt_openstack_read_listener(json, &spare))
            continue;
        listener = &look->listeners->items[k++];
        if (!tt_streq(tt_reply_peek(json, "default_pool_id"), tt_reply_peek(pool, "id")))
            continue;
        listener->target_port = target ? target : listener->port;
        listener->algorithm = tt_openstack_read_algorithm(pool);
    }
}

static int read_members(struct look *look, const char *id, struct tt_error *err)
{
    const json_t *pool, *member;
    size_t i, k;

    tt_map_init(&look->seats, look->visit->arena);
    look->order.items = NULL;
    look->order.count = look->order.capacity = 0;
    look->pools = 0;
    json_array_foreach (look->balancing->pools, i, pool) {
        TT_REPLY_AUTO *members = NULL;

        if (!tt_openstack_belongs(pool, id))
            continue;
        look->pools++;
        if (tt_openstack_pool_members(look->visit, tt_reply_peek(pool, "id"), &members, err) < 0)
            return -1;
        complete_listeners(look, id, pool, members);
        json_array_foreach (members, k, member) {
            add_member(look, member, tt_openstack_is_idle(pool));
        }
    }
    TT_EACH (seat, &look->order)
        if ((*seat)->pools < look->pools)
            look->balancer->members.items[(*seat)->index].state = TT_MEMBER_DRAINING;
    return 0;
}

static struct tt_listeners *listeners_of(const struct look *look, const char *id)
{
    struct tt_arena *arena = look->visit->arena;
    struct tt_listeners *listeners = TT_NEW(arena, struct tt_listeners);
    struct tt_listener listener;
    const json_t *json;
    size_t i;

    json_array_foreach (look->balancing->listeners, i, json)
        if (tt_openstack_belongs(json, id) && tt_openstack_read_listener(json, &listener))
            *TT_VEC_ADD(arena, listeners) = listener;
    return listeners;
}

static int add_balancer(struct look *look, const json_t *json, bool with_members,
                        struct tt_error *err)
{
    struct tt_arena *arena = look->visit->arena;
    const char *id = tt_reply_text(arena, json, "id");

    if (!id || tt_streq(tt_reply_peek(json, "provisioning_status"), "DELETED"))
        return 0;
    look->listeners = listeners_of(look, id);
    look->balancer = TT_VEC_ADD(arena, &look->region->balancers);
    *look->balancer = (struct tt_cloud_balancer){
        .id = id,
        .name = tt_reply_text(arena, json, "name"),
        .listeners = look->listeners,
        .health = tt_openstack_read_check(arena, look->balancing, id),
    };
    if (!look->balancer->name)
        look->balancer->name = id;
    return with_members ? read_members(look, id, err) : 0;
}

int tt_openstack_observe_balancers(const struct tt_openstack_visit *visit,
                                   const struct tt_observe_request *request,
                                   struct tt_region *region, struct tt_error *err)
{
    TT_OPENSTACK_BALANCING_AUTO balancing = {0};
    struct look look = {.visit = visit, .balancing = &balancing, .region = region};
    const json_t *json;
    size_t i;

    if (!request->balancers.count && !request->everything)
        return 0;
    if (tt_openstack_read_balancing(visit, &balancing, err) < 0)
        return -1;
    tt_map_init(&look.by_address, visit->arena);
    tt_map_init(&look.by_id, visit->arena);
    TT_EACH (server, &region->servers) {
        tt_map_put(&look.by_id, server->id, (void *)server->id);
        if (server->private_address)
            tt_map_put(&look.by_address, server->private_address, (void *)server->id);
    }
    json_array_foreach (balancing.balancers, i, json)
        if (add_balancer(&look, json,
                         request->everything ||
                             tt_strings_has(&request->balancers, tt_reply_peek(json, "name")) ||
                             tt_strings_has(&request->balancers, tt_reply_peek(json, "id")),
                         err) < 0)
            return -1;
    return 0;
}
