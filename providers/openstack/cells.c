/*
 * Cells: one list that may have neither filter nor limit; and where that is not enough, since the
 * servers do not fit in one answer or Nova is too old, what Neutron knows: a server has a port.
 */
#include "providers/openstack/cells.h"

#include "base/map.h"
#include "base/str.h"
#include "providers/openstack/machines.h"

#define PARTIAL   69 /* of Nova's 2.x: servers of cells that are down are listed, without a name */
#define MOST_ASKS 50 /* of servers that have a port and are in no list */

static int refuse_hidden(const struct tt_openstack_visit *visit, const json_t *items,
                         struct tt_error *err)
{
    const json_t *item;
    const char *first = NULL;
    size_t i, count = 0;

    json_array_foreach (items, i, item)
        if (tt_openstack_is_hidden(item)) {
            if (!first)
                first = tt_reply_text(visit->arena, item, "id");
            count++;
        }
    if (!count)
        return 0;
    return tt_fail(err, TT_ERR_UNAVAILABLE,
                   "Nova in region %s cannot reach a cell: of %zu server%s (%s%s) it knows no more "
                   "than that they are there",
                   visit->region->name, count, count > 1 ? "s" : "", first ? first : "?",
                   count > 1 ? ", ..." : "");
}

int tt_openstack_list_at_once(const struct tt_openstack_visit *visit, const char *path,
                              json_t **ret_items, bool *ret_whole, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;
    int minor;

    if (tt_openstack_minor(visit, &minor, err) < 0)
        return -1;
    if (minor < PARTIAL) {
        *ret_items = json_array();
        *ret_whole = false;
        return 0;
    }
    if (tt_openstack_first_page(visit, TT_OPENSTACK_COMPUTE, "list servers", path, "servers",
                                &items, ret_whole, err) < 0 ||
        refuse_hidden(visit, items, err) < 0)
        return -1;
    *ret_items = items;
    items = NULL;
    return 0;
}

/* Everybody's ports are listed to administrators. */
static int list_ports(const struct tt_openstack_visit *visit, json_t **ret_ports,
                      struct tt_error *err)
{
    const char *project = tt_openstack_project(visit);

    return tt_openstack_list(visit, TT_OPENSTACK_NETWORK, "list ports",
                             tt_printf(visit->arena,
                                       "/ports?fields=id&fields=device_id&fields=device_owner%s%s",
                                       project ? "&project_id=" : "", project ? project : ""),
                             "ports", ret_ports, err);
}

/* Ports outlive their servers at times, so each is asked for. */
static int check_ports(const struct tt_openstack_visit *visit, struct tt_map *known,
                       const json_t *ports, struct tt_error *err)
{
    const json_t *port;
    size_t i, asks = 0;

    json_array_foreach (ports, i, port) {
        const char *owner = tt_reply_peek(port, "device_owner");
        const char *id = tt_reply_text(visit->arena, port, "device_id");
        TT_REPLY_AUTO *machine = NULL;
        struct tt_error own = {0};

        if (!id || !owner || !tt_starts_with(owner, "compute:") ||
            tt_map_put(known, id, (void *)id))
            continue;
        if (asks++ == MOST_ASKS)
            return tt_fail(err, TT_ERR_UNAVAILABLE,
                           "region %s has ports of more than %d servers that Nova does not list",
                           visit->region->name, MOST_ASKS);
        if (tt_openstack_machine(visit, id, &machine, &own) < 0 && own.class != TT_ERR_NOT_FOUND) {
            if (err)
                *err = own;
            return -1;
        }
        if (machine &&
            tt_streq(tt_openstack_tags_of(visit->arena, machine).owner, visit->cloud->owner))
            return tt_fail(err, TT_ERR_UNAVAILABLE,
                           "Nova in region %s has server %s and does not list it: it has just been "
                           "made, or its cell comes and goes",
                           visit->region->name, id);
    }
    return 0;
}

static int compare_with_ports(const struct tt_openstack_visit *visit, struct tt_error *err)
{
    TT_REPLY_AUTO *servers = NULL;
    TT_REPLY_AUTO *ports = NULL;
    struct tt_map known;
    const json_t *server;
    size_t i;

    if (tt_openstack_list(visit, TT_OPENSTACK_COMPUTE, "list servers", "/servers", "servers",
                          &servers, err) < 0 ||
        list_ports(visit, &ports, err) < 0)
        return -1;
    tt_map_init(&known, visit->arena);
    json_array_foreach (servers, i, server) {
        const char *id = tt_reply_text(visit->arena, server, "id");

        if (id)
            tt_map_put(&known, id, (void *)id);
    }
    return check_ports(visit, &known, ports, err);
}

int tt_openstack_check_cells(const struct tt_openstack_visit *visit, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;
    bool whole;

    if (tt_openstack_list_at_once(visit, "/servers", &items, &whole, err) < 0)
        return -1;
    return whole ? 0 : compare_with_ports(visit, err);
}
