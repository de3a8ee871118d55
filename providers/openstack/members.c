/*
 * Members: what the wishes come to in each pool of a balancer.
 */
#include "providers/openstack/members.h"

#include "base/str.h"
#include "providers/openstack/batch.h"
#include "providers/openstack/machines.h"
#include "providers/openstack/pools.h"

/* One pool of the balancer, and what becomes of it. */
struct pool {
    struct tt_arena *arena;
    const struct tt_openstack_wish *wishes;
    const json_t *json;
    int port; /* of the listener before it; 0: none */
    const json_t *members;
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

static json_t *new_member(const struct pool *pool, const struct tt_openstack_wish *wish)
{
    json_t *member = json_pack("{s:s,s:i,s:i,s:o}", "address", wish->address, "protocol_port",
                               port_of(pool, wish), "weight", wish->weight, "tags",
                               tt_openstack_member_marks(pool->arena, wish->server, wish->tags));

    if (wish->name)
        json_object_set_new(member, "name", json_string(wish->name));
    if (wish->subnet)
        json_object_set_new(member, "subnet_id", json_string(wish->subnet));
    return member;
}

/* A server with another address than it was enrolled with. */
static bool has_moved(const json_t *member, const struct tt_openstack_wish *wish)
{
    return wish->address && !tt_streq(tt_reply_peek(member, "address"), wish->address);
}

/* What becomes of the members of one pool by the wishes. */
static int decide(void *self, struct tt_openstack_batch *batch, struct tt_error *err)
{
    struct pool *pool = self;

    (void)err;
    pool->members = batch->members;
    for (const struct tt_openstack_wish *wish = pool->wishes; wish; wish = wish->next) {
        json_t *member = find_member(pool->arena, pool->members, wish);
        json_t *sent;

        if (member && (wish->weight == TT_OPENSTACK_REMOVE || has_moved(member, wish))) {
            json_array_append(batch->gone, member);
            member = NULL;
        } else if (member && tt_reply_number(member, "weight", 1) != wish->weight) {
            sent = tt_openstack_member_as_sent(member);
            json_object_set_new(sent, "weight", json_integer(wish->weight));
            json_array_append_new(batch->changed, sent);
        }
        if (!member && wish->weight > 0 && wish->address)
            json_array_append_new(batch->changed, new_member(pool, wish));
    }
    return 0;
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
        struct pool pool = {.arena = visit->arena, .wishes = wishes, .json = json};
        const char *pool_id = tt_reply_text(visit->arena, json, "id");

        if (!pool_id || !tt_openstack_belongs(json, id))
            continue;
        count++;
        pool.port = listener_port(&balancing, pool_id);
        if (tt_openstack_change_members(visit, id, pool_id, decide, &pool, err) < 0)
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
