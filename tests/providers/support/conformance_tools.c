/*
 * Tools of the conformance tests: see the header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/providers/support/conformance_tools.h"

#define STEP 50 /* ms between two looks */

void describe_server(const struct tt_conformance_test *test, int slot, const char *zone,
                     struct made *made)
{
    *made = (struct made){.firewall = "web"};
    snprintf(made->name, sizeof(made->name), "storefront-web-%d", slot);
    snprintf(made->token, sizeof(made->token), "token-%d", slot);
    snprintf(made->incarnation, sizeof(made->incarnation), "inc-%d", slot);
    made->firewalls = (struct tt_strings){.items = &made->firewall, .count = 1};
    made->spec =
        (struct tt_server_spec){.template = test->is.template,
                                .size = "small",
                                .firewalls = test->is.no_firewalls ? NULL : &made->firewalls,
                                .key = "ops",
                                .network = "prod"};
    made->request = (struct tt_create_request){
        .region = test->is.region,
        .zone = zone,
        .name = made->name,
        .client_token = made->token,
        .spec = &made->spec,
        .port = 8080,
        .tags = {.owner = test->is.owner,
                 .deployment = "storefront",
                 .service = "web",
                 .slot = slot,
                 .incarnation = made->incarnation,
                 .spec = "0123456789abcdef"},
    };
}

const char *make_server(struct tt_conformance_test *test, int slot, const char *zone)
{
    struct made made;
    const char *id = NULL;

    describe_server(test, slot, zone, &made);
    ok(tt_provider_create_server(test->is.provider, &made.request, &test->arena, &id, &test->err));
    assert_non_null(id);
    return id;
}

const char *make_balancer(struct tt_conformance_test *test)
{
    struct made made;
    const char *id = NULL;

    describe_server(test, 0, NULL, &made);
    snprintf(made.name, sizeof(made.name), "storefront-edge");
    made.spec.template = test->is.balancer_template;
    made.request.port = 0;
    made.request.client_token = "token-edge";
    made.request.tags.service = NULL;
    made.request.tags.balancer = "edge";
    made.request.tags.slot = -1;
    made.request.tags.incarnation = "inc-edge";
    made.listener = (struct tt_listener){.port = 18080, .protocol = TT_PROTOCOL_HTTP};
    made.listeners = (struct tt_listeners){.items = &made.listener, .count = 1};
    made.setup =
        (struct tt_balancer_setup){.software = TT_SOFTWARE_HAPROXY, .listeners = &made.listeners};
    made.request.setup = &made.setup;
    ok(tt_provider_create_server(test->is.provider, &made.request, &test->arena, &id, &test->err));
    await_state(test, id, TT_SERVER_RUNNING);
    return id;
}

static const struct tt_region *observe(struct tt_conformance_test *test,
                                       const struct tt_observe_request *request)
{
    struct tt_region *region = TT_NEW(&test->arena, struct tt_region);
    struct tt_observe_request named = *request;

    tt_strings_add(&test->arena, &named.templates, test->is.template);
    tt_strings_add(&test->arena, &named.firewalls, "web");
    tt_strings_add(&test->arena, &named.networks, "prod");
    if (test->is.balancer)
        tt_strings_add(&test->arena, &named.balancers, test->is.balancer);
    if (test->is.address)
        tt_strings_add(&test->arena, &named.addresses, test->is.address);
    ok(tt_provider_observe(test->is.provider, &named, &test->arena, region, &test->err));
    assert_true(region->observed);
    return region;
}

const struct tt_region *look(struct tt_conformance_test *test)
{
    return observe(
        test, &(struct tt_observe_request){.region = test->is.region, .owner = test->is.owner});
}

const struct tt_region *look_everywhere(struct tt_conformance_test *test)
{
    return observe(test, &(struct tt_observe_request){.region = test->is.region,
                                                      .owner = test->is.owner,
                                                      .everything = true});
}

const struct tt_region *look_for(struct tt_conformance_test *test, const char *machine)
{
    struct tt_observe_request request = {.region = test->is.region, .owner = test->is.owner};

    tt_strings_add(&test->arena, &request.machines, machine);
    return observe(test, &request);
}

struct tt_world *world_of(struct tt_conformance_test *test)
{
    struct tt_world *world = TT_NEW(&test->arena, struct tt_world);
    struct tt_world_account *account = TT_VEC_ADD(&test->arena, &world->accounts);

    account->name = "account";
    account->provider = test->provider->ops->name;
    account->features = test->provider->ops->features;
    *TT_VEC_ADD(&test->arena, &account->regions) = *look(test);
    return world;
}

size_t count_owned(struct tt_conformance_test *test)
{
    const struct tt_region *region = look(test);
    size_t count = 0;

    TT_EACH (server, &region->servers)
        count += server->state != TT_SERVER_GONE;
    return count;
}

void await_seen_by_all(struct tt_conformance_test *test, const char *id)
{
    const struct tt_clock *clock = test->is.clock;
    tt_time end = clock->now(clock->self) + test->is.patience;

    while (!tt_region_server(look_everywhere(test), id)) {
        if (clock->now(clock->self) >= end)
            fail_msg("%s was not seen in time", id);
        clock->sleep(clock->self, STEP);
    }
}

/* Looks until SEEN says so, or fails as "WHAT did not come about". */
static const struct tt_region *await(struct tt_conformance_test *test,
                                     bool (*seen)(const struct tt_conformance_test *test,
                                                  const struct tt_region *region, const char *id,
                                                  int state),
                                     const char *id, int state, const char *what)
{
    const struct tt_clock *clock = test->is.clock;
    tt_time end = clock->now(clock->self) + test->is.patience;

    for (;;) {
        const struct tt_region *region = look(test);

        if (seen(test, region, id, state))
            return region;
        if (clock->now(clock->self) >= end)
            fail_msg("%s: %s did not come about in time", id, what);
        clock->sleep(clock->self, STEP);
    }
}

static bool is_there(const struct tt_conformance_test *test, const struct tt_region *region,
                     const char *id, int state)
{
    (void)test;
    (void)state;
    return tt_region_server(region, id) != NULL;
}

static bool is_in_state(const struct tt_conformance_test *test, const struct tt_region *region,
                        const char *id, int state)
{
    const struct tt_server *server = tt_region_server(region, id);

    (void)test;
    return server && (int)server->state == state;
}

static bool is_gone(const struct tt_conformance_test *test, const struct tt_region *region,
                    const char *id, int state)
{
    const struct tt_server *server = tt_region_server(region, id);

    (void)test;
    (void)state;
    return !server || server->state == TT_SERVER_GONE;
}

static bool is_member(const struct tt_conformance_test *test, const struct tt_region *region,
                      const char *id, int state)
{
    const struct tt_cloud_balancer *balancer = tt_region_balancer(region, test->is.balancer);

    assert_non_null(balancer);
    TT_EACH (member, &balancer->members)
        if (tt_streq(member->server, id))
            return (int)member->state == state;
    return state < 0;
}

const struct tt_server *await_seen(struct tt_conformance_test *test, const char *id)
{
    return tt_region_server(await(test, is_there, id, 0, "being seen"), id);
}

const struct tt_server *await_state(struct tt_conformance_test *test, const char *id,
                                    enum tt_server_state state)
{
    return tt_region_server(await(test, is_in_state, id, (int)state, tt_server_state_words[state]),
                            id);
}

void await_gone(struct tt_conformance_test *test, const char *id)
{
    await(test, is_gone, id, 0, "its end");
}

void await_member(struct tt_conformance_test *test, const char *server, int state)
{
    await(test, is_member, server, state,
          state < 0 ? "leaving the balancer" : tt_member_state_words[state]);
}

/* Deleting as whoever owns a machine is not possible here: `end` removes what others own. */
static void sweep_account(struct tt_conformance_test *test, struct tt_provider *provider)
{
    struct tt_observe_request request = {.region = test->is.region, .owner = test->is.owner};
    struct tt_region region = {0};

    if (!provider || tt_provider_observe(provider, &request, &test->arena, &region, &test->err) < 0)
        return;
    TT_EACH (server, &region.servers)
        tt_provider_delete_server(provider, test->is.region, server->id, &test->err);
}

void sweep(struct tt_conformance_test *test)
{
    sweep_account(test, test->is.provider);
    sweep_account(test, test->is.other);
}
