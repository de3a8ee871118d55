/*
 * Members: lookups by binary search; the world's lists are sorted.
 */
#include "reconciler/planner/members.h"

#include <string.h>

#include "base/str.h"

struct tt_roster tt_roster_of(const struct tt_balancer_view *balancer,
                              const struct tt_server *machine)
{
    struct tt_roster roster = {.cloud = balancer->cloud};

    if (roster.cloud || !machine)
        return roster;
    TT_EACH (own, &balancer->machines)
        if (own->server == machine)
            roster.pool = tt_region_pool(own->region, machine->id);
    if (!roster.pool && balancer->region)
        roster.pool = tt_region_pool(balancer->region, machine->id);
    return roster;
}

size_t tt_roster_count(const struct tt_roster *roster)
{
    if (roster->cloud)
        return roster->cloud->members.count;
    return roster->pool ? roster->pool->members.count : 0;
}

static int find_member(const struct tt_cloud_balancer *cloud, const char *server)
{
    size_t low = 0, high = cloud->members.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(cloud->members.items[middle].server, server);

        if (order == 0)
            return (int)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static int compare_entry(const struct tt_pool_member *entry, const char *service,
                         const char *address, int port)
{
    int order = tt_strcmp(entry->service, service);

    if (!order)
        order = tt_strcmp(entry->address, address);
    return order ? order : (entry->port > port) - (entry->port < port);
}

/* The first entry that does not stand before the one that is asked for. */
static size_t lower_bound(const struct tt_pool *pool, const char *service, const char *address,
                          int port)
{
    size_t low = 0, high = pool->members.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_entry(&pool->members.items[middle], service, address, port) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int find_entry(const struct tt_pool *pool, const char *service, const char *address,
                      int port)
{
    size_t found = lower_bound(pool, service, address, port);
    const struct tt_pool_member *items = pool->members.items;

    return found < pool->members.count && !compare_entry(&items[found], service, address, port)
               ? (int)found
               : -1;
}

bool tt_pool_reaches(const struct tt_pool *pool, const char *service, const char *address)
{
    size_t found = lower_bound(pool, service, address, 0);
    const struct tt_pool_member *items = pool->members.items;

    return found < pool->members.count && tt_streq(items[found].service, service) &&
           tt_streq(items[found].address, address);
}

int tt_roster_find(const struct tt_roster *roster, const struct tt_server *machine,
                   const char *service, const char *address, int port)
{
    if (roster->cloud)
        return find_member(roster->cloud, machine->id);
    return roster->pool && address ? find_entry(roster->pool, service, address, port) : -1;
}

enum tt_member_state tt_roster_state(const struct tt_roster *roster, int entry)
{
    return roster->cloud ? roster->cloud->members.items[entry].state
                         : roster->pool->members.items[entry].state;
}

const char *tt_member_address(const struct tt_balancer_view *balancer,
                              const struct tt_machine *machine)
{
    const struct tt_balancer *spec = balancer->spec;

    if (!spec && balancer->region && balancer->region != machine->region)
        return machine->server->public_address;
    if (!spec || (strcmp(spec->account->name, machine->account->name) == 0 &&
                  strcmp(spec->region, machine->region->name) == 0))
        return machine->server->private_address;
    return machine->server->public_address;
}

char *tt_pool_service(struct tt_arena *arena, const struct tt_service_view *service)
{
    return tt_printf(arena, "%s.%s", service->deployment->name, service->name);
}

struct tt_link tt_link_of(struct tt_arena *arena, const struct tt_service_view *service,
                          struct tt_balancer_view *balancer)
{
    return (struct tt_link){
        .balancer = balancer,
        .service = service,
        .pool_service = tt_pool_service(arena, service),
        .target = tt_roster_of(balancer, balancer->target),
        .serving = tt_roster_of(balancer, balancer->serving),
        .usable = !balancer->unseen && !balancer->blocked && !balancer->closed,
    };
}

bool tt_link_takes(const struct tt_link *link, const struct tt_machine *machine)
{
    const struct tt_balancer_view *balancer = link->balancer;
    const char *zone = machine->server->zone;

    if (!tt_balancer_covers(balancer->spec, machine->account->name, machine->region->name))
        return false;
    return balancer->spec->scope != TT_SCOPE_DATA_CENTER || !zone ||
           tt_strings_has(&balancer->spec->zones, zone) ||
           (balancer->cloud->zones && tt_strings_has(balancer->cloud->zones, zone));
}

/* Only a machine that the balancer covers is a member by its spec. */
static int find(const struct tt_link *link, const struct tt_roster *roster,
                const struct tt_machine *machine)
{
    if (!tt_balancer_covers(link->balancer->spec, machine->account->name, machine->region->name))
        return -1;
    return tt_roster_find(roster, machine->server, link->pool_service,
                          tt_member_address(link->balancer, machine), link->service->spec->port);
}

int tt_link_entry(const struct tt_link *link, const struct tt_machine *machine)
{
    return find(link, &link->target, machine);
}

bool tt_link_enrolled(const struct tt_link *link, const struct tt_machine *machine)
{
    int entry = find(link, &link->serving, machine);

    return entry >= 0 && tt_roster_state(&link->serving, entry) == TT_MEMBER_IN_SERVICE;
}

bool tt_link_serves(const struct tt_link *link, const struct tt_machine *machine)
{
    return machine->healthy && tt_link_enrolled(link, machine);
}

bool tt_link_is_lost(const struct tt_link *link, const struct tt_machine *machine)
{
    enum tt_member_state state;
    int entry;

    if (link->balancer->target == link->balancer->serving || !tt_link_serves(link, machine))
        return false;
    entry = tt_link_entry(link, machine);
    if (entry < 0)
        return false;
    state = tt_roster_state(&link->target, entry);
    return state == TT_MEMBER_OUT_OF_SERVICE || state == TT_MEMBER_UNKNOWN;
}
