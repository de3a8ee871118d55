/*
 * Covers specs/decode*.c and specs/resolve*.c: what good specs (tests/specs/valid) become, value
 * by value; the defaults; and that the order of files and documents changes nothing (law 2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "support/repo.h"

static int setup(void **state)
{
    struct tt_arena *arena = calloc(1, sizeof(*arena));

    assert_non_null(arena);
    tt_arena_init(arena);
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    tt_arena_release(*state);
    free(*state);
    return 0;
}

/* A case of tests/specs/valid, from a folder of its own that is no repository. */
static const struct tt_desired *load(struct tt_arena *arena, const char *name)
{
    char *folder = tt_test_folder(arena);
    struct tt_specs_request request = {.repository = folder, .worktree = true};
    const struct tt_desired *desired;

    tt_test_copy(tt_printf(arena, TT_SOURCE_DIR "/tests/specs/valid/%s", name), folder);
    desired = tt_test_load(arena, &request);
    tt_test_remove(folder);
    return desired;
}

static const char *joined(struct tt_arena *arena, const struct tt_strings *list)
{
    return tt_strings_join(arena, list, "");
}

static void test_accounts(void **state)
{
    struct tt_arena *arena = *state;
    const struct tt_desired *desired = load(arena, "full");
    const struct tt_account *aws = desired->accounts.items[0], *dc1 = desired->accounts.items[1];

    assert_string_equal(desired->owner, "acme");
    assert_string_equal(desired->revision, "worktree");
    assert_int_equal(desired->guard.max_destroy, 20);
    assert_int_equal(desired->guard.max_vanished, 50);
    assert_int_equal(desired->accounts.count, 2);
    assert_string_equal(aws->name, "aws-prod");
    assert_int_equal(aws->provider, TT_PROVIDER_AWS);
    assert_string_equal(aws->endpoint, "https://ec2.example.com");
    assert_string_equal(aws->profile, "prod");
    assert_null(aws->credentials_env);
    assert_string_equal(joined(arena, &aws->regions), "eu-west-1, us-east-1");
    assert_int_equal(aws->zones.count, 0);
    assert_string_equal(aws->mark.file, "accounts.yaml");
    assert_int_equal(aws->mark.line, 18);
    assert_string_equal(joined(arena, &dc1->regions), "local");
    assert_string_equal(joined(arena, &dc1->zones), "a, b, c");
    assert_int_equal(dc1->templates.count, 2);
    assert_string_equal(joined(arena, &dc1->templates.items[0].command),
                        "python3, -m, http.server, {port}");
    assert_null(dc1->templates.items[0].software);
    assert_string_equal(dc1->templates.items[1].software, "haproxy");
}

static void test_service(void **state)
{
    struct tt_arena *arena = *state;
    const struct tt_desired *desired = load(arena, "full");
    const struct tt_deployment *deployment = tt_desired_deployment(desired, "storefront");
    const struct tt_service *web = tt_deployment_service(deployment, "web");
    const struct tt_placement *aws = &web->placements.items[0], *dc1 = &web->placements.items[1];

    assert_false(deployment->running);
    assert_false(deployment->prune);
    assert_int_equal(deployment->guard.max_destroy, 20); /* the Fleet's */
    assert_int_equal(deployment->guard.max_vanished, 10);
    assert_int_equal(deployment->services.count, 3);
    assert_string_equal(deployment->services.items[0]->name, "cache");
    assert_ptr_equal(web->deployment, deployment);
    assert_int_equal(web->port, 8080);
    assert_string_equal(joined(arena, &web->names), "shop.example.com, a.example.com");
    assert_true(web->health->http);
    assert_string_equal(web->health->path, "/healthz");
    assert_int_equal(web->health->interval, 5000);
    assert_int_equal(web->health->timeout, 250);
    assert_int_equal(web->health->unhealthy_after, 2);
    assert_int_equal(web->health->grace, 120000);
    assert_string_equal(web->balancers.items[0]->name, "edge");
    assert_string_equal(web->balancers.items[1]->name, "zone");
    assert_true(web->max_surge.percent);
    assert_int_equal(web->max_surge.value, 25);
    assert_false(web->max_unavailable.percent);
    assert_int_equal(web->max_unavailable.value, 1);
    assert_int_equal(web->drain, 0);
    assert_string_equal(web->depends_on.items[0]->name, "cache");
    assert_string_equal(web->depends_on.items[1]->name, "db");
    assert_int_equal(web->placements.count, 2);
    assert_string_equal(aws->account->name, "aws-prod");
    assert_string_equal(joined(arena, &aws->zones), "us-east-1a, us-east-1b");
    assert_int_equal(aws->count, 4);
    assert_string_equal(aws->server.template, "web-2026-11");
    assert_string_equal(aws->server.size, "m5.large");
    assert_string_equal(joined(arena, aws->server.firewalls), "web, base");
    assert_string_equal(aws->server.key, "ops");
    assert_string_equal(aws->server.network, "prod");
    assert_string_equal(aws->server.user_data, "#!/bin/sh\necho hello\n");
    /* overridden key by key */
    assert_string_equal(dc1->server.template, "web");
    assert_string_equal(dc1->server.size, "m5.large");
    assert_int_equal(dc1->server.firewalls->count, 0);
    assert_string_equal(dc1->server.user_data, "#!/bin/sh\necho hello\n");
    assert_false(deployment->services.items[0]->health->http);
    assert_null(deployment->services.items[0]->health->path);
}

static void test_policy(void **state)
{
    const struct tt_desired *desired = load(*state, "full");
    const struct tt_policy *policy = &tt_desired_deployment(desired, "storefront")->policy;

    assert_true(policy->on_push_given); /* the Fleet's */
    assert_int_equal(policy->on_push, TT_ON_PUSH_APPLY);
    assert_int_equal(policy->on_drift, TT_ON_DRIFT_REPORT);
    assert_int_equal(policy->on_failure, TT_ON_FAILURE_RECOVER);
    assert_false(policy->suspend);
    assert_int_equal(policy->windows.count, 2); /* in the place of the Fleet's */
    assert_int_equal(policy->windows.items[0].days, 0x30);
    assert_int_equal(policy->windows.items[0].from, 22 * 60);
    assert_int_equal(policy->windows.items[0].to, 4 * 60 + 30);
    assert_int_equal(policy->windows.items[1].days, TT_ALL_DAYS);
}

static void test_balancers(void **state)
{
    struct tt_arena *arena = *state;
    const struct tt_desired *desired = load(arena, "full");
    const struct tt_deployment *deployment = tt_desired_deployment(desired, "storefront");
    const struct tt_balancer *edge = deployment->balancers.items[0];
    const struct tt_balancer *old = deployment->balancers.items[1];
    const struct tt_balancer *zone = deployment->balancers.items[2];

    assert_string_equal(edge->name, "edge");
    assert_int_equal(edge->type, TT_BALANCER_VM_DYNAMIC);
    assert_int_equal(edge->scope, TT_SCOPE_GLOBAL);
    assert_int_equal(edge->listeners->count, 2);
    assert_int_equal(edge->listeners->items[0].port, 80);
    assert_int_equal(edge->listeners->items[0].protocol, TT_PROTOCOL_HTTP);
    assert_int_equal(edge->listeners->items[0].target_port, 0);
    assert_int_equal(edge->listeners->items[1].protocol, TT_PROTOCOL_HTTPS);
    assert_int_equal(edge->listeners->items[1].target_port, 8443);
    assert_string_equal(edge->listeners->items[1].certificate, "/c.pem");
    assert_null(edge->listeners->items[1].chain);
    assert_true(edge->has_algorithm);
    assert_int_equal(edge->algorithm, TT_ALGORITHM_LEAST_CONNECTIONS);
    assert_false(edge->health->http);
    assert_int_equal(edge->software, TT_SOFTWARE_ZEUS);
    assert_string_equal(edge->server.template, "lb");
    assert_null(edge->server.firewalls);
    assert_string_equal(edge->address, "127.1.0.9");
    assert_int_equal(edge->recovery.unhealthy_after, 5);
    assert_int_equal(edge->recovery.interval, 1000);
    assert_int_equal(edge->recovery.max_per_hour, 0);
    assert_null(edge->cloud_name);
    assert_int_equal(old->type, TT_BALANCER_VM_STATIC);
    assert_string_equal(old->machine, "i-0abc");
    assert_int_equal(old->software, TT_SOFTWARE_MOD_JK);
    assert_int_equal(zone->type, TT_BALANCER_CLOUD);
    assert_string_equal(zone->cloud_name, "storefront-elb");
    assert_string_equal(joined(arena, &zone->zones), "us-east-1a, us-east-1b");
    assert_null(zone->listeners);
    assert_null(zone->health);
    assert_false(zone->has_algorithm);
}

static void test_defaults(void **state)
{
    struct tt_arena *arena = *state;
    const struct tt_desired *desired = load(arena, "defaults");
    const struct tt_deployment *shop = desired->deployments.items[0];
    const struct tt_service *web = shop->services.items[0];
    const struct tt_balancer *cloud = tt_deployment_balancer(shop, "cloud");
    const struct tt_balancer *edge = tt_deployment_balancer(shop, "edge");

    assert_true(shop->running);
    assert_true(shop->prune);
    assert_int_equal(shop->guard.max_destroy, 50);
    assert_int_equal(shop->guard.max_vanished, 50);
    assert_int_equal(desired->guard.max_destroy, 50);
    assert_int_equal(web->placements.items[0].count, 1);
    assert_null(web->placements.items[0].server.template);
    assert_null(web->placements.items[0].server.user_data);
    assert_int_equal(web->max_surge.value, 1);
    assert_int_equal(web->max_unavailable.value, 0);
    assert_int_equal(web->drain, 30000);
    assert_string_equal(web->health->path, "/");
    assert_int_equal(web->health->interval, 10000);
    assert_int_equal(web->health->timeout, 2000);
    assert_int_equal(web->health->unhealthy_after, 3);
    assert_int_equal(web->health->grace, 60000);
    assert_string_equal(cloud->cloud_name, "cloud");
    assert_int_equal(cloud->scope, TT_SCOPE_REGIONAL);
    assert_int_equal(edge->software, TT_SOFTWARE_HAPROXY);
    assert_int_equal(edge->recovery.unhealthy_after, 3);
    assert_int_equal(edge->recovery.interval, 5000);
    assert_int_equal(edge->recovery.max_per_hour, 3);
    assert_null(edge->address);
    assert_string_equal(tt_desired_account(desired, "snap")->snapshot, "worlds/now.json");
}

/* The names in their order with what they point to: enough to see any change of order. */
static const char *outline(struct tt_arena *arena, const struct tt_desired *desired)
{
    TT_BUF_AUTO text = {0};

    TT_EACH (account, &desired->accounts)
        tt_buf_addf(&text, "account %s\n", (*account)->name);
    TT_EACH (deployment, &desired->deployments) {
        tt_buf_addf(&text, "deployment %s\n", (*deployment)->name);
        TT_EACH (service, &(*deployment)->services) {
            tt_buf_addf(&text, "service %s:", (*service)->name);
            TT_EACH (placement, &(*service)->placements)
                tt_buf_addf(&text, " %s/%s=%d", placement->account->name, placement->region,
                            placement->count);
            TT_EACH (balancer, &(*service)->balancers)
                tt_buf_addf(&text, " <%s", (*balancer)->name);
            TT_EACH (other, &(*service)->depends_on)
                tt_buf_addf(&text, " >%s", (*other)->name);
            tt_buf_add(&text, "\n");
        }
        TT_EACH (balancer, &(*deployment)->balancers)
            tt_buf_addf(&text, "balancer %s in %s\n", (*balancer)->name, (*balancer)->region);
    }
    return tt_strdup(arena, tt_buf_text(&text));
}

static void test_order_does_not_matter(void **state)
{
    static const char head[] = "apiVersion: trimtab/v1\nkind: ";
    static const char *const bodies[] = {
        "Fleet\nmetadata: {name: acme}\n",
        "Account\nmetadata: {name: a}\nspec: {provider: sim, regions: [r, s]}\n",
        "Account\nmetadata: {name: b}\nspec: {provider: sim, regions: [s, r]}\n",
        "Deployment\nmetadata: {name: one}\n",
        "Deployment\nmetadata: {name: two}\n",
        "Service\nmetadata: {name: db}\nspec: {deployment: one, placements: []}\n",
        "Service\nmetadata: {name: web}\nspec: {deployment: one, port: 1, dependsOn: [db], "
        "balancers: [x, w], placements: [{account: b, region: r}, {account: a, region: s}, "
        "{account: a, region: r}]}\n",
        "LoadBalancer\nmetadata: {name: x}\nspec: {deployment: one, type: cloud, account: a, "
        "region: r}\n",
        "LoadBalancer\nmetadata: {name: w}\nspec: {deployment: one, type: cloud, account: a, "
        "region: s}\n",
        "LoadBalancer\nmetadata: {name: w}\nspec: {deployment: two, type: cloud, account: b, "
        "region: s}\n"};
    const size_t count = sizeof(bodies) / sizeof(*bodies);
    struct tt_arena *arena = *state;
    const char *expected = NULL;

    for (size_t turn = 0; turn < count; turn++) {
        char *folder = tt_test_folder(arena);
        struct tt_specs_request request = {.repository = folder, .worktree = true};
        const char *actual;

        for (size_t i = 0; i < count; i++) /* in other files, and in another order, each turn */
            tt_test_write(folder, tt_printf(arena, "%zu.yaml", (i * 7 + turn) % count),
                          tt_printf(arena, "%s%s", head, bodies[i]));
        actual = outline(arena, tt_test_load(arena, &request));
        tt_test_remove(folder);
        if (!expected)
            expected = actual;
        assert_string_equal(actual, expected);
    }
    assert_non_null(strstr(expected, "service web: a/r=1 a/s=1 b/r=1 <w <x >db\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_accounts),  TEST(test_service),  TEST(test_policy),
        TEST(test_balancers), TEST(test_defaults), TEST(test_order_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
