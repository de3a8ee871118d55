/*
 * Members: what is added or changed goes in one call that leaves all others alone; what is removed
 * takes a call with the whole pool, or one for a single member.
 */
#include "providers/openstack/members.h"

#include "base/str.h"
#include "providers/openstack/machines.h"
#include "providers/openstack/pools.h"

/* Octavia's v2.N from which on a batch may leave all others alone; before, it ignores the word and
 * removes them. */
#define ADDITIVE 11

/* One pool of the balancer, and what becomes of it. */
struct pool {
    const char *id;
    const json_t *json;
    int port; /* of the listener before it; 0: none */
    json_t *members;
};

/* The member that WISH is about; borrowed. */
static json_t *find_member(struct tt_arena *arena, const json_t *members,
                           const struct tt_openstack_wish *wish)
{
    json_t *member;
    size_t i;

    json_array_foreach (members, i, member)
        if (tt_streq(tt_openstack_member_server(arena, member), wish->server))
            return member;
    if (wish->address)
        json_array_foreach (members, i, member)
            if (tt_streq(tt_reply_peek(member, "address"), wish->address) &&
                !tt_openstack_member_server(arena, member))
                return member;
    return NULL;
}

/* A pool's members listen at one port: that which it is for, or else the new one's own. */
static int port_of(const struct pool *pool, const struct tt_openstack_wish *wish)
{
    int port = tt_openstack_target_of(pool->json, pool->members);

    if (port)
        return port;
    return wish->port ? wish->port : pool->port;
}

static json_t *new_member(struct tt_arena *arena, const struct pool *pool,
                          const struct tt_openstack_wish *wish)
{
    json_t *member = json_pack("{s:s,s:i,s:i,s:o}", "address", wish->address, "protocol_port",
                               port_of(pool, wish), "weight", wish->weight, "tags",
                               tt_openstack_member_marks(arena, wish->server, wish->tags));

    if (wish->name)
        json_object_set_new(member, "name", json_string(wish->name));
    if (wish->subnet)
        json_object_set_new(member, "subnet_id", json_string(wish->subnet));
    return member;
}

json_t *tt_openstack_member_as_sent(const json_t *member)
{
    static const char *const keys[] = {"address",         "protocol_port", "weight", "name",
                                       "subnet_id",       "backup",        "tags",   "monitor_port",
                                       "monitor_address", "admin_state_up"};
    json_t *sent = json_object();

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        json_t *value = json_object_get(member, keys[i]);

        if (value && !json_is_null(value))
            json_object_set(sent, keys[i], value);
    }
    return sent;
}

/* A server with another address than it was enrolled with. */
static bool has_moved(const json_t *member, const struct tt_openstack_wish *wish)
{
    return wish->address && !tt_streq(tt_reply_peek(member, "address"), wish->address);
}

/* CHANGED: what is sent of members that are new or other than before; GONE: the ids of those that
 * go; both the caller's. */
static void compare(struct tt_arena *arena, const struct pool *pool,
                    const struct tt_openstack_wish *wishes, json_t *changed, json_t *gone)
{
    for (const struct tt_openstack_wish *wish = wishes; wish; wish = wish->next) {
        json_t *member = find_member(arena, pool->members, wish);
        json_t *sent;

        if (member && (wish->weight == TT_OPENSTACK_REMOVE || has_moved(member, wish))) {
            json_array_append(gone, json_object_get(member, "id"));
            member = NULL;
        } else if (member && tt_reply_number(member, "weight", 1) != wish->weight) {
            sent = tt_openstack_member_as_sent(member);
            json_object_set_new(sent, "weight", json_integer(wish->weight));
            json_array_append_new(changed, sent);
        }
        if (!member && wish->weight > 0 && wish->address)
            json_array_append_new(changed, new_member(arena, pool, wish));
    }
}

static bool has_text(const json_t *list, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach (list, i, item)
        if (tt_streq(json_string_value(item), text))
            return true;
    return false;
}

static bool has_place(const json_t *list, const json_t *member)
{
    const json_t *item;
    size_t i;

    json_array_foreach (list, i, item)
        if (tt_streq(tt_reply_peek(item, "address"), tt_reply_peek(member, "address")) &&
            tt_reply_number(item, "protocol_port", 0) ==
                tt_reply_number(member, "protocol_port", 0))
            return true;
    return false;
}

/* The whole pool as it is to be. */
static json_t *whole(const struct pool *pool, const json_t *changed, const json_t *gone)
{
    json_t *all = json_deep_copy(changed);
    const json_t *member;
    size_t i;

    json_array_foreach (pool->members, i, member)
        if (!has_text(gone, tt_reply_peek(member, "id")) && !has_place(changed, member))
            json_array_append_new(all, tt_openstack_member_as_sent(member));
    return all;
}

static int send(const struct tt_openstack_visit *visit, const char *balancer,
                const struct pool *pool, const json_t *changed, const json_t *gone,
                struct tt_error *err)
{
    struct tt_openstack_request request = {.service = TT_OPENSTACK_BALANCER, .method = "PUT"};
    TT_REPLY_AUTO *list = NULL;
    TT_REPLY_AUTO *body = NULL;
    bool additive;
    int minor;

    if (tt_openstack_balancer_minor(visit, &minor, err) < 0)
        return -1;
    if (!json_array_size(changed) && json_array_size(gone) == 1) {
        request.what = "delete member";
        request.method = "DELETE";
        request.path = tt_printf(visit->arena, "/lbaas/pools/%s/members/%s", pool->id,
                                 json_string_value(json_array_get(gone, 0)));
        return tt_openstack_change(visit, balancer, &request, NULL, err);
    }
    request.what = "update members";
    additive = !json_array_size(gone) && minor >= ADDITIVE;
    request.path = tt_printf(visit->arena, "/lbaas/pools/%s/members%s", pool->id,
                             additive ? "?additive_only=true" : "");
    list = additive ? json_deep_copy(changed) : whole(pool, changed, gone);
    body = json_pack("{s:O}", "members", list);
    request.body = body;
    return tt_openstack_change(visit, balancer, &request, NULL, err);
}

static int fulfil_in_pool(const struct tt_openstack_visit *visit, const char *balancer,
                          struct pool *pool, const struct tt_openstack_wish *wishes,
                          struct tt_error *err)
{
    TT_REPLY_AUTO *members = NULL;
    TT_REPLY_AUTO *changed = json_array();
    TT_REPLY_AUTO *gone = json_array();

    if (tt_openstack_pool_members(visit, pool->id, &members, err) < 0)
        return -1;
    pool->members = members;
    compare(visit->arena, pool, wishes, changed, gone);
    if (!json_array_size(changed) && !json_array_size(gone))
        return 0;
    return send(visit, balancer, pool, changed, gone, err);
}

/* The port of the listener that has POOL as its own. */
static int listener_port(const struct tt_openstack_balancing *balancing, const char *pool)
{
    const json_t *listener;
    size_t i;

    json_array_foreach (balancing->listeners, i, listener)
        if (tt_streq(tt_reply_peek(listener, "default_pool_id"), pool))
            return tt_reply_number(listener, "protocol_port", 0);
    return 0;
}

static int fulfil(const struct tt_openstack_visit *visit, const char *name,
                  const struct tt_openstack_wish *wishes, struct tt_error *err)
{
    TT_OPENSTACK_BALANCING_AUTO balancing = {0};
    const json_t *balancer, *json;
    const char *id;
    size_t i, count = 0;

    if (tt_openstack_read_balancing(visit, &balancing, err) < 0 ||
        tt_openstack_find_balancer(visit, &balancing, name, &balancer, err) < 0)
        return -1;
    id = tt_reply_text(visit->arena, balancer, "id");
    json_array_foreach (balancing.pools, i, json) {
        struct pool pool = {.id = tt_reply_text(visit->arena, json, "id"), .json = json};

        if (!pool.id || !tt_openstack_belongs(json, id))
            continue;
        count++;
        pool.port = listener_port(&balancing, pool.id);
        if (fulfil_in_pool(visit, id, &pool, wishes, err) < 0)
            return -1;
    }
    if (!count)
        return tt_fail(err, TT_ERR_NOT_FOUND,
                       "balancer %s has no pool that a server could be a member of", name);
    return 0;
}

int tt_openstack_fulfil(const struct tt_openstack_visit *visit, const char *balancer,
                        const struct tt_openstack_wish *wishes, struct tt_error *err)
{
    struct tt_openstack_visit own = *visit;
    struct tt_arena scratch = {0};
    int result;

    tt_arena_init(&scratch);
    own.arena = &scratch;
    result = fulfil(&own, balancer, wishes, err);
    tt_arena_release(&scratch);
    return result;
}
