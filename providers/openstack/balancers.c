/*
 * Balancers: servers join Octavia's pools and leave them. Leaving is to take no new connections
 * (weight 0), for as long as draining may last, and then to be removed.
 */
#include "base/str.h"
#include "providers/openstack/machines.h"
#include "providers/openstack/turn.h"

/* The subnet of a server's address: a balancer is plugged into it where it is not its own. */
static const char *subnet_of(const struct tt_openstack_visit *visit, const char *server,
                             const char *address)
{
    TT_REPLY_AUTO *ports = NULL;
    const json_t *port, *ip;
    size_t i, k;

    if (tt_openstack_list(
            visit, TT_OPENSTACK_NETWORK, "list ports",
            tt_printf(visit->arena, "/ports?device_id=%s&fields=id&fields=fixed_ips", server),
            "ports", &ports, NULL) < 0)
        return NULL; /* the balancer's own, then */
    json_array_foreach (ports, i, port) {
        json_array_foreach (json_object_get(port, "fixed_ips"), k, ip) {
            if (tt_streq(tt_reply_peek(ip, "ip_address"), address))
                return tt_reply_text(visit->arena, ip, "subnet_id");
        }
    }
    return NULL;
}

static int join(const struct tt_openstack_visit *visit, const char *balancer, const char *server,
                struct tt_error *err)
{
    struct tt_openstack_wish wish = {.server = server, .weight = 1};
    TT_REPLY_AUTO *machine = NULL;
    struct tt_tags tags;

    if (tt_openstack_machine(visit, server, &machine, err) < 0)
        return -1;
    tags = tt_openstack_tags_of(visit->arena, machine);
    wish.tags = &tags;
    wish.name = tt_reply_text(visit->arena, machine, "name");
    wish.address = tt_openstack_private_address(visit->arena, machine);
    wish.port = tt_openstack_port_of(machine);
    if (!wish.address)
        return tt_fail(err, TT_ERR_CONFLICT, "server %s has no address yet", server);
    wish.subnet = subnet_of(visit, server, wish.address);
    return tt_openstack_change_member(visit, balancer, &wish, err);
}

int tt_openstack_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                        const char *server, struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return join(&stay.visit, balancer, server, err);
}

/* A server that is gone or does not run has no connections to wait for. */
static int leave(const struct tt_openstack_visit *visit, const char *balancer, const char *server,
                 tt_time drain, struct tt_error *err)
{
    struct tt_openstack_wish wish = {.server = server, .weight = 0};
    TT_REPLY_AUTO *machine = NULL;
    struct tt_error own = {0};
    bool runs = false;

    if (tt_openstack_machine(visit, server, &machine, &own) == 0) {
        wish.address = tt_openstack_private_address(visit->arena, machine);
        runs = tt_streq(tt_reply_peek(machine, "status"), "ACTIVE");
    } else if (own.class != TT_ERR_NOT_FOUND && own.class != TT_ERR_SPEC) {
        if (err)
            *err = own;
        return -1;
    } else if (!tt_openstack_is_id(server)) {
        wish.address = server; /* a member that nobody of ours is: it is known by its address */
    }
    if (runs && drain > 0) {
        if (tt_openstack_change_member(visit, balancer, &wish, err) < 0)
            return -1;
        tt_openstack_pause(visit->cloud, drain);
    }
    wish.weight = TT_OPENSTACK_REMOVE;
    return tt_openstack_change_member(visit, balancer, &wish, err);
}

int tt_openstack_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                          const char *server, tt_time drain, struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return leave(&stay.visit, balancer, server, drain, err);
}
