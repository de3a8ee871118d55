/*
 * Addresses: Neutron's floating addresses, which are given to a server's port.
 */
#include "base/str.h"
#include "providers/openstack/machines.h"

static int find_address(const struct tt_openstack_visit *visit, const char *address,
                        json_t **ret_address, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;

    if (tt_openstack_list(visit, TT_OPENSTACK_NETWORK, "list floating addresses",
                          tt_printf(visit->arena, "/floatingips?floating_ip_address=%s",
                                    tt_http_escape(visit->arena, address, false)),
                          "floatingips", &items, err) < 0)
        return -1;
    if (!json_array_size(items))
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no floating address %s in region %s",
                       address, visit->region->name);
    *ret_address = json_incref(json_array_get(items, 0));
    return 0;
}

static bool has_address(const json_t *port, const char *address)
{
    const json_t *ip;
    size_t i;

    json_array_foreach (json_object_get(port, "fixed_ips"), i, ip)
        if (tt_streq(tt_reply_peek(ip, "ip_address"), address))
            return true;
    return false;
}

/* The port of the address by which others in its network reach SERVER. */
static int find_port(const struct tt_openstack_visit *visit, const char *machine,
                     const json_t *server, const char **ret_port, struct tt_error *err)
{
    const char *address = tt_openstack_private_address(visit->arena, server);
    TT_REPLY_AUTO *items = NULL;
    const json_t *port;
    size_t i;

    if (tt_openstack_list(visit, TT_OPENSTACK_NETWORK, "list ports",
                          tt_printf(visit->arena, "/ports?device_id=%s",
                                    tt_http_escape(visit->arena, machine, false)),
                          "ports", &items, err) < 0)
        return -1;
    *ret_port = NULL;
    json_array_foreach (items, i, port)
        if (!*ret_port || (address && has_address(port, address)))
            *ret_port = tt_reply_text(visit->arena, port, "id");
    if (!*ret_port)
        return tt_fail(err, TT_ERR_CONFLICT, "server %s has no port yet", machine);
    return 0;
}

static int move(const struct tt_openstack_visit *visit, const char *address, const char *machine,
                struct tt_error *err)
{
    TT_REPLY_AUTO *server = NULL;
    TT_REPLY_AUTO *floating = NULL;
    TT_REPLY_AUTO *body = NULL;
    const char *port;

    if (tt_openstack_machine(visit, machine, &server, err) < 0 ||
        find_address(visit, address, &floating, err) < 0 ||
        find_port(visit, machine, server, &port, err) < 0)
        return -1;
    if (tt_streq(tt_reply_peek(floating, "port_id"), port))
        return 0;
    body = json_pack("{s:{s:s}}", "floatingip", "port_id", port);
    return tt_openstack_call(
        visit,
        &(struct tt_openstack_request){
            .service = TT_OPENSTACK_NETWORK,
            .what = "update floating address",
            .method = "PUT",
            .path = tt_printf(visit->arena, "/floatingips/%s", tt_reply_peek(floating, "id")),
            .body = body},
        NULL, err);
}

int tt_openstack_move_address(struct tt_provider *provider, const char *region, const char *address,
                              const char *machine, struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return move(&stay.visit, address, machine, err);
}
