/*
 * The cloud's things: finding and making them, and what time alone does to them: machines boot and
 * vanish, drains end.
 */
#include "providers/sim/cloud.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define MARKS 256u

struct sim_account *tt_sim_find_account(struct tt_sim *sim, const char *name)
{
    TT_EACH (account, &sim->accounts)
        if (strcmp((*account)->name, name) == 0)
            return *account;
    return NULL;
}

/* From the name, so that an account keeps its addresses apart from those of another process. */
static unsigned free_mark(const struct tt_sim *sim, const char *name)
{
    unsigned mark = 2166136261u;
    bool taken;

    for (const char *c = name; *c; c++)
        mark = (mark ^ (unsigned char)*c) * 16777619u;
    mark %= MARKS;
    do {
        taken = false;
        TT_EACH (account, &sim->accounts)
            taken |= (*account)->mark == mark;
        if (taken)
            mark = (mark + 1) % MARKS;
    } while (taken && sim->accounts.count < MARKS);
    return mark;
}

struct sim_account *tt_sim_make_account(struct tt_sim *sim, const char *name)
{
    struct sim_account *account = tt_sim_find_account(sim, name);

    if (account)
        return account;
    account = TT_NEW(&sim->arena, struct sim_account);
    account->name = tt_strdup(&sim->arena, name);
    account->mark = free_mark(sim, name);
    *TT_VEC_ADD(&sim->arena, &sim->accounts) = account;
    return account;
}

struct sim_region *tt_sim_find_region(const struct sim_account *account, const char *name)
{
    TT_EACH (region, &account->regions)
        if (strcmp((*region)->name, name) == 0)
            return *region;
    return NULL;
}

struct sim_region *tt_sim_make_region(struct tt_sim *sim, const char *account, const char *name)
{
    struct sim_account *owner = tt_sim_make_account(sim, account);
    struct sim_region *region = tt_sim_find_region(owner, name);

    if (region)
        return region;
    region = TT_NEW(&sim->arena, struct sim_region);
    region->name = tt_strdup(&sim->arena, name);
    *TT_VEC_ADD(&sim->arena, &owner->regions) = region;
    return region;
}

struct sim_zone *tt_sim_find_zone(const struct sim_region *region, const char *name)
{
    TT_EACH (zone, &region->zones)
        if (strcmp(zone->name, name) == 0)
            return zone;
    return NULL;
}

void tt_sim_make_zone(struct tt_sim *sim, struct sim_region *region, const char *name)
{
    if (!tt_sim_find_zone(region, name))
        *TT_VEC_ADD(&sim->arena, &region->zones) =
            (struct sim_zone){.name = tt_strdup(&sim->arena, name), .capacity = -1};
}

struct sim_server *tt_sim_find_server(const struct sim_region *region, const char *id)
{
    TT_EACH (server, &region->servers)
        if (tt_streq((*server)->is.id, id))
            return *server;
    return NULL;
}

struct sim_balancer *tt_sim_find_balancer(const struct sim_region *region, const char *name_or_id)
{
    TT_EACH (balancer, &region->balancers)
        if (tt_streq((*balancer)->name, name_or_id) || tt_streq((*balancer)->id, name_or_id))
            return *balancer;
    return NULL;
}

struct sim_member *tt_sim_find_member(const struct sim_balancer *balancer, const char *server)
{
    TT_EACH (member, &balancer->members)
        if (strcmp(member->server, server) == 0)
            return member;
    return NULL;
}

void tt_sim_drop_member(struct sim_balancer *balancer, const char *server)
{
    size_t kept = 0;

    TT_EACH (member, &balancer->members)
        if (strcmp(member->server, server) != 0)
            balancer->members.items[kept++] = *member;
    balancer->members.count = kept;
}

static void settle_servers(struct tt_sim *sim, struct sim_region *region, tt_time now)
{
    size_t kept = 0;

    TT_EACH (item, &region->servers) {
        struct sim_server *server = *item;

        if (server->is.state == TT_SERVER_PENDING && server->running_at <= now)
            server->is.state = TT_SERVER_RUNNING;
        if (server->is.state != TT_SERVER_GONE || server->vanishes_at > now) {
            region->servers.items[kept++] = server;
            continue;
        }
        if (!sim->options.keep_dead_members)
            TT_EACH (balancer, &region->balancers)
                tt_sim_drop_member(*balancer, server->is.id);
    }
    region->servers.count = kept;
}

static void settle_members(struct sim_balancer *balancer, tt_time now)
{
    size_t kept = 0;

    TT_EACH (member, &balancer->members)
        if (member->leaves_at == TT_TIME_UNKNOWN || member->leaves_at > now)
            balancer->members.items[kept++] = *member;
    balancer->members.count = kept;
}

void tt_sim_settle(struct tt_sim *sim, tt_time now)
{
    TT_EACH (account, &sim->accounts)
        TT_EACH (region, &(*account)->regions) {
            settle_servers(sim, *region, now);
            TT_EACH (balancer, &(*region)->balancers)
                settle_members(*balancer, now);
        }
}

/* With an id and addresses that nothing else in the cloud has. */
struct sim_server *tt_sim_make_server(struct tt_sim *sim, struct sim_account *account,
                                      struct sim_region *region)
{
    struct sim_server *server = TT_NEW(&sim->arena, struct sim_server);
    int64_t n = sim->next++;
    int page = (int)(n >> 16), high = (int)(n >> 8 & 255), low = (int)(n & 255);

    server->is.id = tt_printf(&sim->arena, "i-%02x%06" PRIx64, account->mark, (uint64_t)n);
    server->is.private_address =
        tt_printf(&sim->arena, "%d.%u.%d.%d", 10 + page, account->mark, high, low);
    server->is.public_address =
        tt_printf(&sim->arena, "%d.%u.%d.%d", 100 + page, 64 + account->mark % 64, high, low);
    server->is.health = TT_HEALTH_PASSING;
    server->is.tags.slot = -1;
    server->tags_before.slot = -1;
    *TT_VEC_ADD(&sim->arena, &region->servers) = server;
    return server;
}

void tt_sim_end_server(struct sim_region *region, struct sim_server *server, tt_time vanishes_at)
{
    server->is.state = TT_SERVER_GONE;
    server->vanishes_at = vanishes_at;
    server->balances = false;
    TT_EACH (address, &region->addresses)
        if (tt_streq(address->server, server->is.id))
            address->server = NULL;
}

bool tt_sim_serves(const struct sim_server *server)
{
    return server->is.state == TT_SERVER_RUNNING && server->is.health != TT_HEALTH_FAILING;
}

enum tt_member_state tt_sim_member_state(const struct sim_balancer *balancer,
                                         const struct sim_member *member,
                                         const struct sim_server *server, tt_time now)
{
    if (member->leaves_at != TT_TIME_UNKNOWN)
        return TT_MEMBER_DRAINING;
    if (!server || !tt_sim_serves(server) || member->serves_at > now)
        return TT_MEMBER_OUT_OF_SERVICE;
    if (balancer->zones && !tt_strings_has(balancer->zones, server->is.zone))
        return TT_MEMBER_OUT_OF_SERVICE;
    return TT_MEMBER_IN_SERVICE;
}

/* Whether an address looks like one that tt_sim_make_server gave out. */
static bool is_of_account(const struct sim_account *account, const char *address)
{
    unsigned first, second, third, fourth;

    return sscanf(address, "%3u.%3u.%3u.%3u", &first, &second, &third, &fourth) == 4 &&
           ((first >= 10 && first < 100 && second == account->mark) ||
            (first >= 100 && second == 64 + account->mark % 64));
}

/* An address that nothing here has is dead, or that of another process's cloud, which is taken to
 * serve. */
enum tt_member_state tt_sim_pool_state(const struct tt_sim *sim, const char *address)
{
    bool ours = !sim->persists;

    TT_EACH (account, &sim->accounts) {
        ours |= is_of_account(*account, address);
        TT_EACH (region, &(*account)->regions)
            TT_EACH (server, &(*region)->servers)
                if (tt_streq((*server)->is.private_address, address) ||
                    tt_streq((*server)->is.public_address, address))
                    return tt_sim_serves(*server) ? TT_MEMBER_IN_SERVICE : TT_MEMBER_OUT_OF_SERVICE;
    }
    return ours ? TT_MEMBER_OUT_OF_SERVICE : TT_MEMBER_IN_SERVICE;
}
