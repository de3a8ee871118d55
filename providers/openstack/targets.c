/*
 * Targets: finding, making and filling pools for listeners.
 */
#include "providers/openstack/targets.h"

#include "base/str.h"
#include "providers/openstack/batch.h"
#include "providers/openstack/front.h"
#include "providers/openstack/machines.h"

/* --- which pool ------------------------------------------------------------------------------- */

static const char *pool_word(enum tt_protocol protocol)
{
    return protocol == TT_PROTOCOL_TCP ? "TCP" : "HTTP";
}

const json_t *tt_openstack_find_pool(const struct tt_openstack_targets *work, const char *id)
{
    const json_t *pool;
    size_t i;

    json_array_foreach (work->balancing.pools, i, pool)
        if (id && tt_streq(tt_reply_peek(pool, "id"), id))
            return pool;
    return NULL;
}

bool tt_openstack_claim(struct tt_openstack_targets *work, const char *pool,
                        const struct tt_listener *listener)
{
    const struct tt_listener *holder = tt_map_get(&work->targets, pool);

    if (holder && holder->target_port && listener->target_port &&
        holder->target_port != listener->target_port)
        return false;
    if (!holder)
        tt_map_put(&work->targets, tt_strdup(work->visit->arena, pool), (void *)listener);
    return true;
}

/* A listener that stays leads to POOL: by a policy, or as one that the specs cannot say. */
static bool is_taken(const struct tt_openstack_targets *work, const json_t *pool, const char *id)
{
    const json_t *listener;
    size_t i;

    if (tt_map_get(&work->targets, id)) /* by one of those that are set: they may share it */
        return false;
    json_array_foreach (json_object_get(pool, "listeners"), i, listener) {
        const char *leads = tt_reply_peek(listener, "id");

        if (leads && !tt_strings_has(&work->deleted, leads))
            return true;
    }
    return false;
}

const char *tt_openstack_free_pool(struct tt_openstack_targets *work,
                                   const struct tt_listener *listener)
{
    const json_t *pool;
    size_t i;

    json_array_foreach (work->balancing.pools, i, pool) {
        const char *id = tt_reply_text(work->visit->arena, pool, "id");

        if (id && tt_openstack_belongs(pool, work->id) &&
            tt_streq(tt_reply_peek(pool, "protocol"), pool_word(listener->protocol)) &&
            !is_taken(work, pool, id) && tt_openstack_claim(work, id, listener))
            return id;
    }
    return NULL;
}

int tt_openstack_make_pool(struct tt_openstack_targets *work, const struct tt_listener *listener,
                           const char **ret_pool, struct tt_error *err)
{
    struct tt_arena *arena = work->visit->arena;
    int algorithm = listener->algorithm ? listener->algorithm - 1 : TT_ALGORITHM_ROUND_ROBIN;
    TT_REPLY_AUTO *fields = json_pack("{s:s,s:s,s:s}", "loadbalancer_id", work->id, "protocol",
                                      pool_word(listener->protocol), "lb_algorithm",
                                      tt_openstack_algorithms[algorithm]);
    TT_REPLY_AUTO *body = json_pack("{s:O}", "pool", fields);
    TT_REPLY_AUTO *answer = NULL;
    const json_t *monitor = NULL, *other;
    size_t i;

    if (listener->target_port)
        json_object_set_new(fields, "tags",
                            tt_openstack_target_tags(arena, NULL, listener->target_port));
    if (tt_openstack_change_at(work->visit, work->id, "create pool", "POST", "/lbaas/pools", body,
                               &answer, err) < 0)
        return -1;
    *ret_pool = tt_reply_text(arena, json_object_get(answer, "pool"), "id");
    if (!*ret_pool)
        return tt_fail(err, TT_ERR_TIMEOUT, "Octavia made a pool and did not tell its id");
    tt_openstack_claim(work, *ret_pool, listener);
    json_array_foreach (work->balancing.pools, i, other)
        if (!monitor && tt_openstack_belongs(other, work->id) && tt_openstack_is_spoken_of(other))
            monitor = tt_openstack_monitor_of(&work->balancing, tt_reply_peek(other, "id"));
    if (monitor && tt_openstack_copy_monitor(work->visit, work->id, monitor, *ret_pool, err) < 0)
        return -1;
    /* known from now on: the next listener may share it */
    json_array_append_new(
        work->balancing.pools,
        json_pack("{s:s,s:O,s:s,s:[{s:s}]}", "id", *ret_pool, "tags",
                  json_object_get(fields, "tags") ? json_object_get(fields, "tags") : json_null(),
                  "protocol", pool_word(listener->protocol), "loadbalancers", "id", work->id));
    return 0;
}

/* --- one pool as its listener wants it ---------------------------------------------------------
 */

struct placing {
    const struct tt_openstack_targets *work;
    const struct tt_listener *listener;
};

static json_t *at_target(const json_t *member, const struct tt_listener *listener)
{
    json_t *sent = tt_openstack_member_as_sent(member);

    if (listener->target_port)
        json_object_set_new(sent, "protocol_port", json_integer(listener->target_port));
    return sent;
}

/* Our members of another pool of the balancer join an empty one. */
static int fill(const struct placing *placing, json_t *changed, struct tt_error *err)
{
    const struct tt_openstack_targets *work = placing->work;
    const json_t *other, *member;
    size_t i, k;

    json_array_foreach (work->balancing.pools, i, other) {
        TT_REPLY_AUTO *members = NULL;

        if (json_array_size(changed) || !tt_openstack_belongs(other, work->id) ||
            !tt_openstack_is_spoken_of(other))
            continue;
        if (tt_openstack_pool_members(work->visit, tt_reply_peek(other, "id"), &members, err) < 0)
            return -1;
        json_array_foreach (members, k, member)
            if (tt_openstack_is_own_member(work->visit, member))
                json_array_append_new(changed, at_target(member, placing->listener));
    }
    return 0;
}

/* Our members, at the listener's target; those of others stay where they are. */
static int place(void *self, struct tt_openstack_batch *batch, struct tt_error *err)
{
    const struct placing *placing = self;
    const json_t *member;
    size_t i;

    if (!json_array_size(batch->members)) /* new, or left so by a run that was broken off */
        return fill(placing, batch->changed, err);
    json_array_foreach (batch->members, i, member) {
        TT_REPLY_AUTO *sent = at_target(member, placing->listener);

        if (!tt_openstack_is_own_member(placing->work->visit, member) ||
            tt_reply_number(member, "protocol_port", 0) ==
                tt_reply_number(sent, "protocol_port", 0))
            continue;
        json_array_append(batch->gone, (json_t *)member);
        if (!tt_openstack_has_place(batch->members, sent))
            json_array_append(batch->changed, sent);
    }
    return 0;
}

int tt_openstack_set_pool(const struct tt_openstack_targets *work, const json_t *pool,
                          const struct tt_listener *listener, struct tt_error *err)
{
    struct tt_arena *arena = work->visit->arena;
    TT_REPLY_AUTO *fields = json_object();
    TT_REPLY_AUTO *body = json_pack("{s:O}", "pool", fields);
    const char *id = tt_reply_text(arena, pool, "id");
    struct placing placing = {work, listener};

    if (listener->algorithm && tt_reply_peek(pool, "lb_algorithm") &&
        tt_openstack_read_algorithm(pool) != listener->algorithm)
        json_object_set_new(fields, "lb_algorithm",
                            json_string(tt_openstack_algorithms[listener->algorithm - 1]));
    if (listener->target_port && tt_openstack_target_tag(pool) != listener->target_port)
        json_object_set_new(fields, "tags",
                            tt_openstack_target_tags(arena, pool, listener->target_port));
    if (json_object_size(fields) &&
        tt_openstack_change_at(work->visit, work->id, "update pool", "PUT",
                               tt_printf(arena, "/lbaas/pools/%s", id), body, NULL, err) < 0)
        return -1;
    return tt_openstack_change_members(work->visit, work->id, id, place, &placing, err);
}
