/*
 * Watch list: writing it from a world by the rules of observe, and reading it.
 */
#include "reconciler/watch_list.h"

#include "base/str.h"
#include "model/json.h"
#include "reconciler/observe_health.h"
#include "reconciler/observe_listeners.h"
#include "reconciler/observe_pools.h"

#define FORMAT "trimtab.watch/v1"

/* --- writing --------------------------------------------------------------------------------- */

static tt_time boots_until(const struct tt_server *server, const struct tt_health_check *check)
{
    if (server->health == TT_HEALTH_PASSING || server->created_at == TT_TIME_UNKNOWN)
        return TT_TIME_UNKNOWN;
    return server->created_at + check->grace;
}

static bool has_failed(const struct tt_server *server)
{
    return server->health == TT_HEALTH_FAILING ||
           (server->state != TT_SERVER_RUNNING && server->state != TT_SERVER_PENDING);
}

/* A new reference to the entry of one port; where it is, is added by the caller. */
static json_t *port_json(struct tt_arena *scratch, const struct tt_server *server,
                         const struct tt_listener_check *listener)
{
    tt_time from = boots_until(server, &listener->check);
    json_t *object = json_object();

    json_object_set_new(object, "balancer", json_string(server->tags.balancer));
    json_object_set_new(object, "machine", json_string(server->id));
    json_object_set_new(
        object, "address",
        json_string(server->private_address ? server->private_address : server->public_address));
    json_object_set_new(object, "port", json_integer(listener->port));
    json_object_set_new(object, "tls", json_boolean(listener->tls));
    json_object_set_new(object, "check", tt_json_from_health(&listener->check));
    if (from != TT_TIME_UNKNOWN)
        json_object_set_new(object, "from", json_string(tt_time_format_exact(scratch, from)));
    json_object_set_new(object, "failed", json_boolean(has_failed(server)));
    return object;
}

static void add_machine(json_t *ports, const struct tt_desired *desired, const char *account,
                        const struct tt_region *region, const struct tt_server *server)
{
    const struct tt_balancer *balancer =
        tt_observe_balancer_of(desired, account, region->name, server);
    tt_listener_checks checks = {0};
    struct tt_arena scratch;

    if (!balancer || (!server->private_address && !server->public_address))
        return;
    tt_arena_init(&scratch);
    tt_observe_listeners(&scratch, balancer, region, server, &checks);
    TT_EACH (listener, &checks) {
        json_t *object = port_json(&scratch, server, listener);

        json_object_set_new(object, "account", json_string(account));
        json_object_set_new(object, "region", json_string(region->name));
        json_array_append_new(ports, object);
    }
    tt_arena_release(&scratch);
}

json_t *tt_watch_list_json(const struct tt_desired *desired, const struct tt_world *world,
                           const char *deployment)
{
    json_t *root = json_object(), *ports = json_array();

    TT_EACH (account, &world->accounts) {
        const struct tt_account *spec = tt_desired_account(desired, account->name);

        if (!spec || !tt_observe_reaches(spec))
            continue;
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers)
                if (tt_streq(server->tags.owner, desired->owner) && server->tags.balancer &&
                    tt_streq(server->tags.deployment, deployment))
                    add_machine(ports, desired, account->name, region, server);
    }
    json_object_set_new(root, "format", json_string(FORMAT));
    json_object_set_new(root, "ports", ports);
    return root;
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_port(struct tt_arena *arena, const struct tt_json *item,
                     struct tt_watched_port *port, struct tt_error *err)
{
    *port = (struct tt_watched_port){.from = TT_TIME_UNKNOWN};
    if (tt_json_object(item, err) < 0 ||
        tt_json_required_string(arena, item, "balancer", &port->balancer, err) < 0 ||
        tt_json_required_string(arena, item, "account", &port->account, err) < 0 ||
        tt_json_required_string(arena, item, "region", &port->region, err) < 0 ||
        tt_json_required_string(arena, item, "machine", &port->machine, err) < 0 ||
        tt_json_required_string(arena, item, "address", &port->address, err) < 0 ||
        tt_json_int(item, "port", 1, 65535, &port->port, err) < 0 ||
        tt_json_bool(item, "tls", &port->tls, err) < 0 ||
        tt_json_health(arena, item, "check", &port->check, err) < 0 ||
        tt_json_time(item, "from", &port->from, err) < 0 ||
        tt_json_bool(item, "failed", &port->failed, err) < 0)
        return -1;
    if (!port->check || !port->port)
        return tt_json_expected(item, "a port and its check", err);
    return 0;
}

int tt_watch_list_read(struct tt_arena *arena, const char *text, size_t size, const char *name,
                       struct tt_watch_list *ret_list, struct tt_error *err)
{
    json_auto_t *root = NULL;
    struct tt_watch_list list = {0};
    struct tt_json document = {0}, ports;
    size_t count;

    if (tt_json_parse(text, size, name, &root, err) < 0)
        return -1;
    document.value = root;
    if (tt_json_object(&document, err) < 0 || tt_json_format(&document, FORMAT, err) < 0 ||
        tt_json_array(&document, "ports", &ports, &count, err) < 0)
        return tt_wrap(err, "%s", name);
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&ports, i);

        if (read_port(arena, &item, TT_VEC_ADD(arena, &list), err) < 0)
            return tt_wrap(err, "%s", name);
    }
    *ret_list = list;
    return 0;
}
