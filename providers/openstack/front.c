/*
 * Front: listeners and health monitors of a balancer, changed where they stand. A listener's port
 * and protocol cannot be changed: another one takes its place.
 */
#include "base/str.h"
#include "providers/openstack/members.h"
#include "providers/openstack/pools.h"
#include "providers/openstack/turn.h"

struct work {
    const char *balancer;
    const struct tt_listeners *listeners;
    const struct tt_health_check *health;
};

static const char *protocol_word(enum tt_protocol protocol)
{
    return protocol == TT_PROTOCOL_HTTP ? "HTTP" : "TCP";
}

static int change(const struct tt_openstack_visit *visit, const char *balancer, const char *what,
                  const char *method, const char *path, const json_t *body, json_t **ret_answer,
                  struct tt_error *err)
{
    struct tt_openstack_request request = {.service = TT_OPENSTACK_BALANCER,
                                           .what = what,
                                           .method = method,
                                           .path = path,
                                           .body = body};

    return tt_openstack_change(visit, balancer, &request, ret_answer, err);
}

/* --- listeners -------------------------------------------------------------------------------- */

static const struct tt_listener *wanted(const struct tt_listeners *listeners, const json_t *json)
{
    TT_EACH (listener, listeners)
        if (listener->port == tt_reply_number(json, "protocol_port", 0) &&
            tt_streq(protocol_word(listener->protocol), tt_reply_peek(json, "protocol")))
            return listener;
    return NULL;
}

static bool is_there(const struct tt_openstack_balancing *balancing, const char *id,
                     const struct tt_listener *listener)
{
    const struct tt_listeners one = {.items = (struct tt_listener *)listener, .count = 1};
    const json_t *json;
    size_t i;

    json_array_foreach (balancing->listeners, i, json)
        if (tt_openstack_belongs(json, id) && wanted(&one, json))
            return true;
    return false;
}

/* A pool of the balancer with that protocol, where one stands already. */
static const char *pool_of(struct tt_arena *arena, const struct tt_openstack_balancing *balancing,
                           const char *id, const char *protocol)
{
    const json_t *json;
    size_t i;

    json_array_foreach (balancing->pools, i, json)
        if (tt_openstack_belongs(json, id) && tt_streq(tt_reply_peek(json, "protocol"), protocol))
            return tt_reply_text(arena, json, "id");
    return NULL;
}

static int make_pool(const struct tt_openstack_visit *visit, const char *id, const char *protocol,
                     const char **ret_pool, struct tt_error *err)
{
    TT_REPLY_AUTO *body = json_pack("{s:{s:s,s:s,s:s}}", "pool", "loadbalancer_id", id, "protocol",
                                    protocol, "lb_algorithm", "ROUND_ROBIN");
    TT_REPLY_AUTO *answer = NULL;

    if (change(visit, id, "create pool", "POST", "/lbaas/pools", body, &answer, err) < 0)
        return -1;
    *ret_pool = tt_reply_text(visit->arena, json_object_get(answer, "pool"), "id");
    return 0;
}

static int make_listener(const struct tt_openstack_visit *visit,
                         const struct tt_openstack_balancing *balancing, const char *id,
                         const struct tt_listener *listener, struct tt_error *err)
{
    const char *protocol = protocol_word(listener->protocol);
    const char *pool = pool_of(visit->arena, balancing, id, protocol);
    TT_REPLY_AUTO *body = NULL;

    if (listener->protocol == TT_PROTOCOL_HTTPS || listener->protocol == TT_PROTOCOL_SSL)
        return tt_fail(err, TT_ERR_UNSUPPORTED,
                       "a listener that ends TLS needs a secret of Barbican: make it in OpenStack; "
                       "or let port %d be tcp, so that the servers end it",
                       listener->port);
    if (!pool && make_pool(visit, id, protocol, &pool, err) < 0)
        return -1;
    body = json_pack("{s:{s:s,s:s,s:i,s:s}}", "listener", "loadbalancer_id", id, "protocol",
                     protocol, "protocol_port", listener->port, "default_pool_id", pool);
    return change(visit, id, "create listener", "POST", "/lbaas/listeners", body, NULL, err);
}

/* The members behind LISTENER, at the port where they are to listen. */
static int set_target(const struct tt_openstack_visit *visit, const char *id, const char *pool,
                      const struct tt_listener *listener, struct tt_error *err)
{
    TT_REPLY_AUTO *members = NULL;
    TT_REPLY_AUTO *list = json_array();
    TT_REPLY_AUTO *body = json_pack("{s:O}", "members", list);
    const json_t *member;
    bool other = false;
    size_t i;

    if (tt_openstack_pool_members(visit, pool, &members, err) < 0)
        return -1;
    json_array_foreach (members, i, member) {
        json_t *sent = tt_openstack_member_as_sent(member);

        other |= tt_reply_number(member, "protocol_port", 0) != listener->target_port;
        json_object_set_new(sent, "protocol_port", json_integer(listener->target_port));
        json_array_append_new(list, sent);
    }
    return other ? change(visit, id, "update members", "PUT",
                          tt_printf(visit->arena, "/lbaas/pools/%s/members", pool), body, NULL, err)
                 : 0;
}

static int set_targets(const struct tt_openstack_visit *visit,
                       const struct tt_openstack_balancing *balancing, const char *id,
                       const struct tt_listeners *listeners, struct tt_error *err)
{
    const json_t *json;
    size_t i;

    json_array_foreach (balancing->listeners, i, json) {
        const struct tt_listener *listener = wanted(listeners, json);
        const char *pool = tt_reply_peek(json, "default_pool_id");

        if (tt_openstack_belongs(json, id) && listener && listener->target_port && pool &&
            set_target(visit, id, pool, listener, err) < 0)
            return -1;
    }
    return 0;
}

/* Those that are in the way go first, since two cannot have one port. */
static int set_listeners(const struct tt_openstack_visit *visit, void *self, struct tt_error *err)
{
    const struct work *work = self;
    TT_OPENSTACK_BALANCING_AUTO balancing = {0};
    const json_t *balancer, *json;
    const char *id;
    size_t i;

    if (tt_openstack_read_balancing(visit, &balancing, err) < 0 ||
        tt_openstack_find_balancer(visit, &balancing, work->balancer, &balancer, err) < 0)
        return -1;
    id = tt_reply_text(visit->arena, balancer, "id");
    json_array_foreach (balancing.listeners, i, json)
        if (tt_openstack_belongs(json, id) && !wanted(work->listeners, json) &&
            change(visit, id, "delete listener", "DELETE",
                   tt_printf(visit->arena, "/lbaas/listeners/%s", tt_reply_peek(json, "id")), NULL,
                   NULL, err) < 0)
            return -1;
    TT_EACH (listener, work->listeners)
        if (!is_there(&balancing, id, listener) &&
            make_listener(visit, &balancing, id, listener, err) < 0)
            return -1;
    return set_targets(visit, &balancing, id, work->listeners, err);
}

/* --- health ----------------------------------------------------------------------------------- */

static int seconds(tt_time time)
{
    return time < 1000 ? 1 : (int)(time / 1000);
}

/* Octavia wants the whole of a check to be over before the next one begins. */
static json_t *monitor_body(const struct tt_health_check *health)
{
    int delay = seconds(health->interval), timeout = seconds(health->timeout);
    json_t *monitor =
        json_pack("{s:i,s:i,s:i,s:i}", "delay", delay, "timeout", timeout > delay ? delay : timeout,
                  "max_retries", 1, "max_retries_down",
                  health->unhealthy_after > 10 ? 10 : health->unhealthy_after);

    if (health->http)
        json_object_set_new(monitor, "url_path", json_string(health->path ? health->path : "/"));
    return monitor;
}

static int set_monitor(const struct tt_openstack_visit *visit,
                       const struct tt_openstack_balancing *balancing, const char *id,
                       const char *pool, const struct tt_health_check *health, struct tt_error *err)
{
    const json_t *monitor = tt_openstack_monitor_of(balancing, pool);
    const char *type = health->http ? "HTTP" : "TCP";
    TT_REPLY_AUTO *fields = monitor_body(health);
    TT_REPLY_AUTO *body = json_pack("{s:O}", "healthmonitor", fields);
    const char *path =
        monitor ? tt_printf(visit->arena, "/lbaas/healthmonitors/%s", tt_reply_peek(monitor, "id"))
                : NULL;

    if (monitor && tt_streq(tt_reply_peek(monitor, "type"), type))
        return change(visit, id, "update health monitor", "PUT", path, body, NULL, err);
    if (monitor && change(visit, id, "delete health monitor", "DELETE", path, NULL, NULL, err) < 0)
        return -1;
    json_object_set_new(fields, "type", json_string(type));
    json_object_set_new(fields, "pool_id", json_string(pool));
    return change(visit, id, "create health monitor", "POST", "/lbaas/healthmonitors", body, NULL,
                  err);
}

static int set_health(const struct tt_openstack_visit *visit, void *self, struct tt_error *err)
{
    const struct work *work = self;
    TT_OPENSTACK_BALANCING_AUTO balancing = {0};
    const json_t *balancer, *json;
    const char *id;
    size_t i;

    if (tt_openstack_read_balancing(visit, &balancing, err) < 0 ||
        tt_openstack_find_balancer(visit, &balancing, work->balancer, &balancer, err) < 0)
        return -1;
    id = tt_reply_text(visit->arena, balancer, "id");
    json_array_foreach (balancing.pools, i, json)
        if (tt_openstack_belongs(json, id) &&
            set_monitor(visit, &balancing, id, tt_reply_text(visit->arena, json, "id"),
                        work->health, err) < 0)
            return -1;
    return 0;
}

/* --- by the contract -------------------------------------------------------------------------- */

static int work_alone(struct tt_provider *provider, const char *region,
                      int (*what)(const struct tt_openstack_visit *visit, void *self,
                                  struct tt_error *err),
                      struct work *work, struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return tt_openstack_alone(&stay.visit, work->balancer, what, work, err);
}

int tt_openstack_set_listeners(struct tt_provider *provider, const char *region,
                               const char *balancer, const struct tt_listeners *listeners,
                               struct tt_error *err)
{
    struct work work = {.balancer = balancer, .listeners = listeners};

    return work_alone(provider, region, set_listeners, &work, err);
}

int tt_openstack_set_health_check(struct tt_provider *provider, const char *region,
                                  const char *balancer, const struct tt_health_check *health,
                                  struct tt_error *err)
{
    struct work work = {.balancer = balancer, .health = health};

    return work_alone(provider, region, set_health, &work, err);
}
