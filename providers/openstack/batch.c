/*
 * Batch: what is added or changed goes in one call that leaves all others alone, what is removed
 * takes a call for each. An Octavia that knows no such call is sent the whole pool, as it was read
 * the moment before.
 */
#include "providers/openstack/batch.h"

#include "base/str.h"
#include "providers/openstack/pools.h"
#include "providers/openstack/turn.h"

/* Octavia's v2.N from which on a batch may leave all others alone; before, it ignores the word and
 * removes them. */
#define ADDITIVE 11

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

bool tt_openstack_has_place(const json_t *list, const json_t *member)
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

/* --- members that go -------------------------------------------------------------------------- */

static int delete_member(const struct tt_openstack_visit *visit, const char *balancer,
                         const char *pool, const json_t *member, struct tt_error *err)
{
    struct tt_openstack_request request = {
        .service = TT_OPENSTACK_BALANCER,
        .what = "delete member",
        .method = "DELETE",
        .path = tt_printf(visit->arena, "/lbaas/pools/%s/members/%s", pool,
                          tt_reply_text(visit->arena, member, "id")),
    };
    struct tt_error own = {0};

    if (tt_openstack_change(visit, balancer, &request, NULL, &own) == 0 ||
        own.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = own;
    return -1;
}

/* Those of BATCH that go, and whose place is taken by another at once (IN_THE_WAY) or not. */
static int delete_members(const struct tt_openstack_visit *visit, const char *balancer,
                          const char *pool, const struct tt_openstack_batch *batch, bool in_the_way,
                          struct tt_error *err)
{
    const json_t *member;
    size_t i;

    json_array_foreach (batch->gone, i, member)
        if (tt_openstack_has_place(batch->changed, member) == in_the_way &&
            delete_member(visit, balancer, pool, member, err) < 0)
            return -1;
    return 0;
}

/* --- the calls -------------------------------------------------------------------------------- */

/* The whole pool as it is to be. */
static json_t *whole(const struct tt_openstack_batch *batch)
{
    json_t *all = json_deep_copy(batch->changed);
    const json_t *member;
    size_t i;

    json_array_foreach (batch->members, i, member)
        if (!tt_openstack_has_place(batch->gone, member) &&
            !tt_openstack_has_place(batch->changed, member))
            json_array_append_new(all, tt_openstack_member_as_sent(member));
    return all;
}

/* 1: refused, since another's change was under way, which is over now. */
static int put_members(const struct tt_openstack_visit *visit, const char *balancer,
                       const char *pool, const json_t *list, bool additive, tt_time deadline,
                       struct tt_error *err)
{
    TT_REPLY_AUTO *body = json_pack("{s:O}", "members", list);
    struct tt_openstack_request request = {
        .service = TT_OPENSTACK_BALANCER,
        .what = "update members",
        .method = "PUT",
        .path = tt_printf(visit->arena, "/lbaas/pools/%s/members%s", pool,
                          additive ? "?additive_only=true" : ""),
        .body = body,
    };

    return tt_openstack_try_change(visit, balancer, &request, deadline, NULL, err);
}

/* Who joins is there before others leave. */
static int send(const struct tt_openstack_visit *visit, const char *balancer, const char *pool,
                const struct tt_openstack_batch *batch, tt_time deadline, struct tt_error *err)
{
    TT_REPLY_AUTO *all = NULL;
    int minor, result = 0;

    if (tt_openstack_balancer_minor(visit, &minor, err) < 0)
        return -1;
    if (json_array_size(batch->changed) && minor < ADDITIVE) {
        all = whole(batch);
        return put_members(visit, balancer, pool, all, false, deadline, err);
    }
    if (delete_members(visit, balancer, pool, batch, true, err) < 0)
        return -1;
    if (json_array_size(batch->changed))
        result = put_members(visit, balancer, pool, batch->changed, true, deadline, err);
    return result ? result : delete_members(visit, balancer, pool, batch, false, err);
}

int tt_openstack_change_members(const struct tt_openstack_visit *visit, const char *balancer,
                                const char *pool,
                                int (*decide)(void *self, struct tt_openstack_batch *batch,
                                              struct tt_error *err),
                                void *self, struct tt_error *err)
{
    tt_time deadline = tt_openstack_deadline(visit);
    int result = 1;

    while (result > 0) {
        TT_REPLY_AUTO *members = NULL;
        TT_REPLY_AUTO *changed = json_array();
        TT_REPLY_AUTO *gone = json_array();
        struct tt_openstack_batch batch = {.changed = changed, .gone = gone};

        if (tt_openstack_pool_members(visit, pool, &members, err) < 0)
            return -1;
        batch.members = members;
        if (decide(self, &batch, err) < 0)
            return -1;
        if (!json_array_size(changed) && !json_array_size(gone))
            return 0;
        result = send(visit, balancer, pool, &batch, deadline, err);
    }
    return result;
}
