/*
 * Conformance of `openstack` on the real control plane that cloud.py starts. The argument is the
 * file with what it printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/str.h"
#include "providers/openstack/openstack.h"
#include "tests/providers/support/conformance.h"

static const char *const zones[] = {"az1", "az2", NULL};
static json_t *facts;

/* What a fixture holds; found again through its clock. */
struct fixture {
    struct tt_clock clock;
    struct tt_arena arena;
    struct tt_account accounts[2];
};

static struct tt_provider *open_as(struct fixture *fixture, int index, const char *name)
{
    struct tt_account *account = &fixture->accounts[index];
    int port =
        (int)json_integer_value(json_object_get(json_object_get(facts, "ports"), "keystone"));
    struct tt_provider *provider = NULL;
    struct tt_error err = {0};

    *account =
        (struct tt_account){.name = name,
                            .provider = TT_PROVIDER_OPENSTACK,
                            .endpoint = tt_printf(&fixture->arena, "http://127.0.0.1:%d", port),
                            .credentials_env = index ? "OTHER" : "TEST",
                            .folder = ""};
    tt_strings_add(&fixture->arena, &account->regions, "RegionOne");
    if (tt_openstack_ops()->open(&(struct tt_provider_settings){.account = account,
                                                                .owner = "acme",
                                                                .state_folder = "/nonexistent",
                                                                .base_folder = "/nonexistent",
                                                                .clock = &fixture->clock},
                                 &fixture->arena, &provider, &err) < 0)
        fail_msg("%s", err.message);
    return provider;
}

static void begin(struct tt_conformance *is)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->clock = *tt_clock_real();
    fixture->clock.self = fixture;
    *is = (struct tt_conformance){
        .provider = open_as(fixture, 0, "east"),
        .other = open_as(fixture, 1, "west"),
        .owner = "acme",
        .region = "RegionOne",
        .zones = zones,
        .template = "web-1",
        .refuses_templates = true,
        .reads_back = TT_READS_SIZE | TT_READS_FIREWALLS | TT_READS_KEY | TT_READS_NETWORK,
        .foreign = json_string_value(json_object_get(facts, "foreign")),
        .foreign_name = "legacy",
        .balancer = "shop-lb",
        .address = json_string_value(json_object_get(facts, "address")),
        .clock = &fixture->clock,
        .patience = 60000,
    };
}

static void end(struct tt_conformance *is)
{
    struct fixture *fixture = is->clock->self;

    tt_provider_close(is->provider);
    tt_provider_close(is->other);
    tt_arena_release(&fixture->arena);
    free(fixture);
}

int main(int argc, char **argv)
{
    const struct tt_conformance_provider openstack = {"openstack", tt_openstack_ops(), begin, end};
    int failed;

    facts = argc == 2 ? json_load_file(argv[1], 0, NULL) : NULL;
    if (!facts) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    setenv("TEST_USERNAME", "admin", 1);
    setenv("TEST_PASSWORD", "adminpw", 1);
    setenv("TEST_PROJECT_NAME", "admin", 1);
    setenv("OTHER_USERNAME", "other", 1);
    setenv("OTHER_PASSWORD", "adminpw", 1);
    setenv("OTHER_PROJECT_NAME", "other", 1);
    failed = tt_conformance_run(&openstack);
    json_decref(facts);
    return failed ? 1 : 0;
}
