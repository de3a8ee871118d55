/*
 * Front: listeners of a balancer, changed where they stand. A listener's port and protocol cannot
 * be changed: another one takes its place. Listeners that lead to one port share a pool; one that
 * leads elsewhere has its own, since members are the same servers at another port there.
 */
#include "providers/openstack/front.h"

#include "base/str.h"
#include "providers/openstack/targets.h"
#include "providers/openstack/turn.h"

const char *const tt_openstack_algorithms[] = {"ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP",
                                               NULL};

/* --- reading ---------------------------------------------------------------------------------- */

/* HTTPS is what passes through, unlike TERMINATED_HTTPS. */
static int protocol_of(const char *word)
{
    static const struct {
        const char *word;
        enum tt_protocol protocol;
    } protocols[] = {{"HTTP", TT_PROTOCOL_HTTP},
                     {"TERMINATED_HTTPS", TT_PROTOCOL_HTTPS},
                     {"HTTPS", TT_PROTOCOL_TCP},
                     {"TCP", TT_PROTOCOL_TCP}};

    for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
        if (tt_streq(word, protocols[i].word))
            return (int)protocols[i].protocol;
    return -1;
}

bool tt_openstack_read_listener(const json_t *json, struct tt_listener *ret_listener)
{
    int protocol = protocol_of(tt_reply_peek(json, "protocol"));

    if (protocol < 0)
        return false;
    *ret_listener = (struct tt_listener){.port = tt_reply_number(json, "protocol_port", 0),
                                         .protocol = (enum tt_protocol)protocol};
    return true;
}

int tt_openstack_read_algorithm(const json_t *pool)
{
    const char *word = tt_reply_peek(pool, "lb_algorithm");

    return word ? 1 + tt_word_find(tt_openstack_algorithms, word) : 0;
}

bool tt_openstack_is_spoken_of(const json_t *pool)
{
    const char *protocol = tt_reply_peek(pool, "protocol");

    return !tt_streq(protocol, "UDP") && !tt_streq(protocol, "SCTP");
}

/* --- which is which --------------------------------------------------------------------------- */

static const struct tt_listener *wanted(const struct tt_openstack_targets *work,
                                        const struct tt_listener *there)
{
    TT_EACH (listener, work->wanted)
        if (listener->port == there->port && listener->protocol == there->protocol)
            return listener;
    return NULL;
}

/* Octavia's listener that is LISTENER already; NULL: there is none. */
static const json_t *find(const struct tt_openstack_targets *work,
                          const struct tt_listener *listener)
{
    struct tt_listener there;
    const json_t *json;
    size_t i;

    json_array_foreach (work->balancing.listeners, i, json)
        if (tt_openstack_belongs(json, work->id) && tt_openstack_read_listener(json, &there) &&
            there.port == listener->port && there.protocol == listener->protocol)
            return json;
    return NULL;
}

/* What could not be made, or not be made again, before anything is changed. */
static int check(const struct tt_openstack_targets *work, struct tt_error *err)
{
    struct tt_listener there;
    const json_t *json;
    size_t i;

    TT_EACH (listener, work->wanted)
        if ((listener->protocol == TT_PROTOCOL_HTTPS || listener->protocol == TT_PROTOCOL_SSL) &&
            !find(work, listener))
            return tt_fail(err, TT_ERR_UNSUPPORTED,
                           "a listener that ends TLS needs a secret of Barbican: make it in "
                           "OpenStack; or let port %d be tcp, so that the servers end it",
                           listener->port);
    json_array_foreach (work->balancing.listeners, i, json)
        if (tt_openstack_belongs(json, work->id) && tt_openstack_read_listener(json, &there) &&
            there.protocol == TT_PROTOCOL_HTTPS && !wanted(work, &there))
            return tt_fail(err, TT_ERR_UNSUPPORTED,
                           "the listener at port %d of balancer %s ends TLS with a secret of "
                           "Barbican, and could not be made again: add {port: %d, protocol: https} "
                           "to the listeners, or remove it in OpenStack",
                           there.port, work->balancer, there.port);
    return 0;
}

/* --- listeners -------------------------------------------------------------------------------- */

int tt_openstack_change_at(const struct tt_openstack_visit *visit, const char *balancer,
                           const char *what, const char *method, const char *path,
                           const json_t *body, json_t **ret_answer, struct tt_error *err)
{
    struct tt_openstack_request request = {.service = TT_OPENSTACK_BALANCER,
                                           .what = what,
                                           .method = method,
                                           .path = path,
                                           .body = body};

    return tt_openstack_change(visit, balancer, &request, ret_answer, err);
}

/* Those that are in the way go first, since two cannot have one port. */
static int delete_others(struct tt_openstack_targets *work, struct tt_error *err)
{
    struct tt_arena *arena = work->visit->arena;
    struct tt_listener there;
    const json_t *json;
    size_t i;

    json_array_foreach (work->balancing.listeners, i, json) {
        const char *id = tt_reply_text(arena, json, "id");

        if (!id || !tt_openstack_belongs(json, work->id) ||
            !tt_openstack_read_listener(json, &there) || wanted(work, &there))
            continue;
        if (tt_openstack_change_at(work->visit, work->id, "delete listener", "DELETE",
                                   tt_printf(arena, "/lbaas/listeners/%s", id), NULL, NULL,
                                   err) < 0)
            return -1;
        tt_strings_add(arena, &work->deleted, id);
    }
    return 0;
}

static int point_to(const struct tt_openstack_targets *work, const json_t *json, const char *pool,
                    struct tt_error *err)
{
    TT_REPLY_AUTO *body = json_pack("{s:{s:s}}", "listener", "default_pool_id", pool);

    return tt_openstack_change_at(
        work->visit, work->id, "update listener", "PUT",
        tt_printf(work->visit->arena, "/lbaas/listeners/%s", tt_reply_peek(json, "id")), body, NULL,
        err);
}

static int make_listener(const struct tt_openstack_targets *work,
                         const struct tt_listener *listener, const char *pool, struct tt_error *err)
{
    TT_REPLY_AUTO *body =
        json_pack("{s:{s:s,s:s,s:i,s:s}}", "listener", "loadbalancer_id", work->id, "protocol",
                  listener->protocol == TT_PROTOCOL_HTTP ? "HTTP" : "TCP", "protocol_port",
                  listener->port, "default_pool_id", pool);

    return tt_openstack_change_at(work->visit, work->id, "create listener", "POST",
                                  "/lbaas/listeners", body, NULL, err);
}

/* A pool for LISTENER, the one that stands there or a new one, and the listener before it. */
static int set_listener(struct tt_openstack_targets *work, const struct tt_listener *listener,
                        struct tt_error *err)
{
    const json_t *json = find(work, listener);
    const char *pool = tt_reply_text(work->visit->arena, json, "default_pool_id");

    if (pool && tt_map_get(&work->targets, pool) && tt_openstack_claim(work, pool, listener))
        return tt_openstack_set_pool(work, tt_openstack_find_pool(work, pool), listener, err);
    if (json && !pool && json_array_size(json_object_get(json, "l7policies")))
        return 0; /* it leads where its policies say */
    pool = tt_openstack_free_pool(work, listener);
    if (!pool && tt_openstack_make_pool(work, listener, &pool, err) < 0)
        return -1;
    if (tt_openstack_set_pool(work, tt_openstack_find_pool(work, pool), listener, err) < 0)
        return -1;
    return json ? point_to(work, json, pool, err) : make_listener(work, listener, pool, err);
}

/* Listeners that stand keep their pools, the first of them where two want different ports. */
static void claim_pools(struct tt_openstack_targets *work)
{
    TT_EACH (listener, work->wanted) {
        const json_t *json = find(work, listener);
        const char *pool = tt_reply_peek(json, "default_pool_id");

        if (pool && tt_openstack_find_pool(work, pool))
            tt_openstack_claim(work, pool, listener);
    }
}

static int set_all(struct tt_openstack_targets *work, struct tt_error *err)
{
    const json_t *balancer;

    if (tt_openstack_read_balancing(work->visit, &work->balancing, err) < 0 ||
        tt_openstack_find_balancer(work->visit, &work->balancing, work->balancer, &balancer, err) <
            0)
        return -1;
    work->id = tt_reply_text(work->visit->arena, balancer, "id");
    if (check(work, err) < 0 || delete_others(work, err) < 0)
        return -1;
    claim_pools(work);
    TT_EACH (listener, work->wanted)
        if (set_listener(work, listener, err) < 0)
            return -1;
    return 0;
}

static int set_listeners(const struct tt_openstack_visit *visit, void *self, struct tt_error *err)
{
    struct tt_openstack_targets *work = self;
    int result;

    work->visit = visit;
    tt_map_init(&work->targets, visit->arena);
    result = set_all(work, err);
    tt_openstack_balancing_release(&work->balancing);
    return result;
}

int tt_openstack_set_listeners(struct tt_provider *provider, const char *region,
                               const char *balancer, const struct tt_listeners *listeners,
                               struct tt_error *err)
{
    struct tt_openstack_targets work = {.balancer = balancer, .wanted = listeners};
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return tt_openstack_alone(&stay.visit, balancer, set_listeners, &work, err);
}
