/*
 * Monitors: how Octavia checks members. Each pool has a monitor of its own, all are set alike.
 *
 * Octavia counts in whole seconds, wants a check to be over before the next begins, and counts ten
 * failures at most. What the spec wanted is kept in a tag of the monitor, and believed as long as
 * the monitor is what would be made of it; so it settles, and a hand that changes it is seen.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "providers/openstack/front.h"
#include "providers/openstack/turn.h"

#define WANTED "trimtab:check="

static int seconds(tt_time time)
{
    return time < 1000 ? 1 : (int)(time / 1000);
}

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

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_alike(const struct tt_health_check *a, const struct tt_health_check *b)
{
    return a->http == b->http && tt_streq(a->path, b->path) && a->interval == b->interval &&
           a->timeout == b->timeout && a->unhealthy_after == b->unhealthy_after;
}

/* Milliseconds, milliseconds, failures, as the spec wanted them. */
static bool read_wanted(const json_t *monitor, struct tt_health_check *health)
{
    const json_t *tag;
    size_t i;

    json_array_foreach (json_object_get(monitor, "tags"), i, tag) {
        const char *text = json_string_value(tag);
        long long interval, timeout;
        int after;

        if (text && sscanf(text, WANTED "%18lld/%18lld/%9d", &interval, &timeout, &after) == 3) {
            health->interval = interval;
            health->timeout = timeout;
            health->unhealthy_after = after;
            return true;
        }
    }
    return false;
}

static bool is_made_of(const json_t *monitor, const struct tt_health_check *health)
{
    static const char *const keys[] = {"delay", "timeout", "max_retries_down"};
    json_t *body = monitor_body(health);
    bool same = true;

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        same = same && tt_reply_number(body, keys[i], -1) == tt_reply_number(monitor, keys[i], -2);
    json_decref(body);
    return same;
}

/* Whether POOL of the balancer ID is to have a check. */
static bool is_checked(const json_t *pool, const char *id)
{
    return tt_openstack_belongs(pool, id) && tt_openstack_is_spoken_of(pool) &&
           !tt_openstack_is_idle(pool);
}

/* A type that no spec says (a ping, a TLS hello) is no check to them. */
static struct tt_health_check read_monitor(struct tt_arena *arena, const json_t *monitor)
{
    const char *type = tt_reply_peek(monitor, "type");
    struct tt_health_check health = {0}, wanted;

    health.http = type && tt_starts_with(type, "HTTP");
    if (!health.http && !tt_streq(type, "TCP"))
        return (struct tt_health_check){0};
    if (health.http)
        health.path = tt_reply_text(arena, monitor, "url_path");
    wanted = health;
    if (read_wanted(monitor, &wanted) && is_made_of(monitor, &wanted))
        return wanted;
    health.interval = (tt_time)tt_reply_number(monitor, "delay", 0) * 1000;
    health.timeout = (tt_time)tt_reply_number(monitor, "timeout", 0) * 1000;
    health.unhealthy_after = tt_reply_number(monitor, "max_retries_down", 3);
    return health;
}

const struct tt_health_check *
tt_openstack_read_check(struct tt_arena *arena, const struct tt_openstack_balancing *balancing,
                        const char *id)
{
    struct tt_health_check *health = TT_NEW(arena, struct tt_health_check);
    const json_t *pool;
    size_t i, count = 0;

    json_array_foreach (balancing->pools, i, pool) {
        const json_t *monitor = tt_openstack_monitor_of(balancing, tt_reply_peek(pool, "id"));
        struct tt_health_check one = {0};

        if (!is_checked(pool, id))
            continue;
        if (monitor)
            one = read_monitor(arena, monitor);
        if (!count++)
            *health = one;
        else if (!is_alike(health, &one))
            *health = (struct tt_health_check){0};
        if (!health->interval)
            break;
    }
    return health;
}

/* --- setting ---------------------------------------------------------------------------------- */

/* The monitor's tags, with what the spec wants of it. */
static json_t *tags_of(struct tt_arena *arena, const json_t *monitor,
                       const struct tt_health_check *health)
{
    json_t *tags = json_array();
    const json_t *tag;
    size_t i;

    json_array_foreach (json_object_get(monitor, "tags"), i, tag)
        if (json_is_string(tag) && !tt_starts_with(json_string_value(tag), WANTED))
            json_array_append(tags, (json_t *)tag);
    json_array_append_new(
        tags, json_string(tt_printf(arena, WANTED "%lld/%lld/%d", (long long)health->interval,
                                    (long long)health->timeout, health->unhealthy_after)));
    return tags;
}

static bool can_stay(const json_t *monitor, const struct tt_health_check *health)
{
    const char *type = tt_reply_peek(monitor, "type");

    return health->http ? type && tt_starts_with(type, "HTTP") : tt_streq(type, "TCP");
}

static int set_monitor(const struct tt_openstack_visit *visit,
                       const struct tt_openstack_balancing *balancing, const char *id,
                       const char *pool, const struct tt_health_check *health, struct tt_error *err)
{
    const json_t *monitor = tt_openstack_monitor_of(balancing, pool);
    TT_REPLY_AUTO *fields = monitor_body(health);
    TT_REPLY_AUTO *body = json_pack("{s:O}", "healthmonitor", fields);
    const char *path =
        monitor ? tt_printf(visit->arena, "/lbaas/healthmonitors/%s", tt_reply_peek(monitor, "id"))
                : NULL;

    json_object_set_new(fields, "tags", tags_of(visit->arena, monitor, health));
    if (monitor && can_stay(monitor, health))
        return tt_openstack_change_at(visit, id, "update health monitor", "PUT", path, body, NULL,
                                      err);
    if (monitor && tt_openstack_change_at(visit, id, "delete health monitor", "DELETE", path, NULL,
                                          NULL, err) < 0)
        return -1;
    json_object_set_new(fields, "type", json_string(health->http ? "HTTP" : "TCP"));
    json_object_set_new(fields, "pool_id", json_string(pool));
    return tt_openstack_change_at(visit, id, "create health monitor", "POST",
                                  "/lbaas/healthmonitors", body, NULL, err);
}

int tt_openstack_copy_monitor(const struct tt_openstack_visit *visit, const char *balancer,
                              const json_t *monitor, const char *pool, struct tt_error *err)
{
    static const char *const keys[] = {
        "type",     "delay",       "timeout",      "max_retries", "max_retries_down",
        "url_path", "http_method", "http_version", "domain_name", "expected_codes",
        "tags"};
    TT_REPLY_AUTO *fields = json_pack("{s:s}", "pool_id", pool);
    TT_REPLY_AUTO *body = json_pack("{s:O}", "healthmonitor", fields);

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        json_t *value = json_object_get(monitor, keys[i]);

        if (value && !json_is_null(value))
            json_object_set(fields, keys[i], value);
    }
    return tt_openstack_change_at(visit, balancer, "create health monitor", "POST",
                                  "/lbaas/healthmonitors", body, NULL, err);
}

struct work {
    const char *balancer;
    const struct tt_health_check *health;
};

static int set_health(const struct tt_openstack_visit *visit, void *self, struct tt_error *err)
{
    const struct work *work = self;
    TT_OPENSTACK_BALANCING_AUTO balancing = {0};
    const json_t *balancer, *json;
    const char *id;
    size_t i, count = 0;

    if (tt_openstack_read_balancing(visit, &balancing, err) < 0 ||
        tt_openstack_find_balancer(visit, &balancing, work->balancer, &balancer, err) < 0)
        return -1;
    id = tt_reply_text(visit->arena, balancer, "id");
    json_array_foreach (balancing.pools, i, json) {
        if (!is_checked(json, id))
            continue;
        count++;
        if (set_monitor(visit, &balancing, id, tt_reply_text(visit->arena, json, "id"),
                        work->health, err) < 0)
            return -1;
    }
    if (!count) /* the listeners of this apply may be on their way */
        return tt_fail(err, TT_ERR_CONFLICT,
                       "balancer %s has no pool whose members could be checked: give it listeners",
                       work->balancer);
    return 0;
}

int tt_openstack_set_health_check(struct tt_provider *provider, const char *region,
                                  const char *balancer, const struct tt_health_check *health,
                                  struct tt_error *err)
{
    struct work work = {.balancer = balancer, .health = health};
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return tt_openstack_alone(&stay.visit, balancer, set_health, &work, err);
}
