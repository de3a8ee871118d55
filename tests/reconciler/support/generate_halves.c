/*
 * Generate halves: a twin for some machines. Each entry of the machine stays, goes over to the
 * twin, or is there for both.
 */
#include "generate_halves.h"

#include <string.h>

#include "base/str.h"
#include "generate_more.h"

struct halves {
    struct tt_arena *arena;
    uint64_t seed;
    struct tt_world *world;
    int twins;
};

static bool chance(const struct halves *h, const char *what, const char *name, unsigned percent)
{
    return tt_draw(h->seed, what, name, 100) < percent;
}

/* True when the entry at PLACE goes over to the twin of SERVER; RET_BOTH: it stays as well. */
static bool goes_over(const struct halves *h, const char *place, const struct tt_server *server,
                      bool *ret_both)
{
    unsigned r = tt_draw(h->seed, place, server->id, 10);

    *ret_both = r >= 8;
    return r >= 4;
}

static void split_members(const struct halves *h, struct tt_region *region,
                          const struct tt_server *server, const struct tt_server *twin)
{
    TT_EACH (cloud, &region->balancers)
        for (size_t i = 0, count = cloud->members.count; i < count; i++) {
            struct tt_member member = cloud->members.items[i];
            bool both;

            if (strcmp(member.server, server->id) != 0 || !goes_over(h, cloud->id, server, &both))
                continue;
            member.server = twin->id;
            if (cloud->zones && twin->zone && !tt_strings_has(cloud->zones, twin->zone))
                member.state = TT_MEMBER_OUT_OF_SERVICE;
            if (both)
                *TT_VEC_ADD(h->arena, &cloud->members) = member;
            else
                cloud->members.items[i] = member;
        }
}

static void split_pool(const struct halves *h, struct tt_pool *pool, const char *address,
                       const char *other, const struct tt_server *server)
{
    for (size_t i = 0, count = pool->members.count; i < count; i++) {
        struct tt_pool_member member = pool->members.items[i];
        bool both;

        if (!tt_streq(member.address, address) || !goes_over(h, pool->machine, server, &both))
            continue;
        member.address = other;
        if (both)
            *TT_VEC_ADD(h->arena, &pool->members) = member;
        else
            pool->members.items[i] = member;
    }
}

static void split_pools(const struct halves *h, const struct tt_region *own,
                        const struct tt_server *server, const struct tt_server *twin)
{
    TT_EACH (account, &h->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (pool, &region->pools) {
                if (region == own)
                    split_pool(h, pool, server->private_address, twin->private_address, server);
                else if (server->public_address)
                    split_pool(h, pool, server->public_address, twin->public_address, server);
            }
}

static void add_twin(struct halves *h, struct tt_region *region, size_t index)
{
    static const char *const zones[] = {"a", "b", "c"};
    struct tt_server server = region->servers.items[index];
    struct tt_server twin = server;

    h->twins++;
    twin.id = tt_printf(h->arena, "%s-twin", server.id);
    twin.zone = zones[tt_draw(h->seed, "zone", server.id, 3)];
    twin.template = chance(h, "template", server.id, 60) ? "v2" : "v1";
    twin.private_address = tt_printf(h->arena, "10.7.0.%d", h->twins);
    twin.public_address = tt_printf(h->arena, "198.51.77.%d", h->twins);
    twin.created_at += 1000;
    *TT_VEC_ADD(h->arena, &region->servers) = twin;
    split_members(h, region, &server, &twin);
    split_pools(h, region, &server, &twin);
}

/* Replacement before removal, and no room to spare: the hard case. */
static void tighten(const struct halves *h, struct tt_deployment *deployment)
{
    TT_EACH (service, &deployment->services)
        if (chance(h, "tight", (*service)->name, 70)) {
            (*service)->max_surge = (struct tt_amount){1, false};
            (*service)->max_unavailable = (struct tt_amount){0, false};
        }
}

void tt_generate_halves(struct tt_arena *arena, uint64_t seed, struct tt_case *what)
{
    struct halves h = {.arena = arena, .seed = seed, .world = (struct tt_world *)what->world};

    TT_EACH (deployment, &what->desired->deployments)
        tighten(&h, *deployment);
    TT_EACH (account, &h.world->accounts)
        TT_EACH (region, &account->regions)
            for (size_t i = 0, count = region->servers.count; i < count; i++) {
                const struct tt_server *server = &region->servers.items[i];

                if (server->tags.service && server->tags.slot >= 0 &&
                    server->state == TT_SERVER_RUNNING && chance(&h, "twin", server->id, 15))
                    add_twin(&h, region, i);
            }
    tt_world_sort(h.world);
}
