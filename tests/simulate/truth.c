/*
 * Truth: what the simulated cloud really has.
 */
#include "tests/simulate/truth.h"

const char *const truth_service_names[2] = {"api", "web"};

const struct tt_region *truth_region(const struct tt_world *world, const char *account)
{
    return tt_world_region(world, account, "r");
}

const struct tt_cloud_balancer *truth_lb(const struct tt_world *world)
{
    const struct tt_region *region = truth_region(world, "east");

    return region ? tt_region_balancer(region, "elb") : NULL;
}

bool truth_is_live(const struct tt_server *server)
{
    return tt_streq(server->tags.owner, "acme") && server->state != TT_SERVER_GONE;
}

const struct tt_server *truth_find_by_address(const struct tt_world *world, const char *address)
{
    TT_EACH (account, &world->accounts)
        TT_EACH (server, &truth_region(world, account->name)->servers)
            if (tt_streq(server->private_address, address) ||
                tt_streq(server->public_address, address))
                return server;
    return NULL;
}

const struct tt_server *truth_find(const struct tt_world *world, const char *account,
                                   const char *id)
{
    const struct tt_region *region = truth_region(world, account);

    return region && id ? tt_region_server(region, id) : NULL;
}

int truth_placed(const struct commit *c, int service, int account)
{
    return c->count[service][account] < 0 ? 0 : c->count[service][account];
}

int truth_wanted(const struct commit *c, int service, int account)
{
    return c->running ? truth_placed(c, service, account) : 0;
}
