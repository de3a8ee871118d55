/*
 * Conformance of `aws` against moto's server, which nobody here wrote: with a classic balancer, and
 * with a target group. What moto lacks is in tests/clouds/aws/cloud.py.
 * Covers providers/aws/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "providers/aws/aws.h"
#include "tests/providers/support/conformance.h"
#include "tests/providers/support/moto.h"

static const char *const zones[] = {"us-east-1a", "us-east-1b", "us-east-1c", NULL};
static struct moto moto;

/* What a fixture holds; found again through its clock. */
struct fixture {
    struct tt_clock clock;
    struct tt_arena arena;
    struct tt_account accounts[2];
    json_t *facts;
};

static const char *fact(const struct fixture *fixture, const char *name)
{
    return json_string_value(json_object_get(fixture->facts, name));
}

static struct tt_provider *open_as(struct fixture *fixture, int index, const char *name,
                                   const char *prefix)
{
    struct tt_account *account = &fixture->accounts[index];
    struct tt_provider *provider = NULL;
    struct tt_error err = {0};

    *account = (struct tt_account){.name = name,
                                   .provider = TT_PROVIDER_AWS,
                                   .endpoint =
                                       tt_printf(&fixture->arena, "http://127.0.0.1:%d", moto.port),
                                   .credentials_env = prefix,
                                   .folder = ""};
    tt_strings_add(&fixture->arena, &account->regions, "us-east-1");
    if (tt_aws_ops()->open(&(struct tt_provider_settings){.account = account,
                                                          .owner = "acme",
                                                          .state_folder = "/nonexistent",
                                                          .base_folder = "/nonexistent",
                                                          .clock = &fixture->clock},
                           &fixture->arena, &provider, &err) < 0)
        fail_msg("%s", err.message);
    return provider;
}

static void begin(struct tt_conformance *is, const char *balancer)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->clock = *tt_clock_real();
    fixture->clock.self = fixture;
    fixture->facts = moto_ask(&moto, "/double/seed", "");
    setenv("TEST_ACCESS_KEY_ID", "AKIATEST", 1);
    setenv("TEST_SECRET_ACCESS_KEY", "secret", 1);
    setenv("OTHER_ACCESS_KEY_ID", fact(fixture, "otherId"), 1);
    setenv("OTHER_SECRET_ACCESS_KEY", fact(fixture, "otherSecret"), 1);
    setenv("OTHER_SESSION_TOKEN", fact(fixture, "otherToken"), 1);
    *is = (struct tt_conformance){
        .provider = open_as(fixture, 0, "east", "TEST"),
        .other = open_as(fixture, 1, "west", "OTHER"),
        .owner = "acme",
        .region = "us-east-1",
        .zones = zones,
        .template = "web-1",
        .refuses_templates = true,
        .reads_back = TT_READS_SIZE | TT_READS_FIREWALLS | TT_READS_KEY | TT_READS_NETWORK,
        .foreign = fact(fixture, "foreign"),
        .foreign_name = "legacy",
        .balancer = balancer,
        .address = fact(fixture, "address"),
        .clock = &fixture->clock,
        .patience = 15000,
    };
}

static void begin_classic(struct tt_conformance *is)
{
    begin(is, "elb");
}

static void begin_target_group(struct tt_conformance *is)
{
    begin(is, "tg/web");
    is->least_zones = 2;
}

static void end(struct tt_conformance *is)
{
    struct fixture *fixture = is->clock->self;

    tt_provider_close(is->provider);
    tt_provider_close(is->other);
    json_decref(fixture->facts);
    tt_arena_release(&fixture->arena);
    free(fixture);
}

static void test_aws_conformance(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct tt_conformance_provider classic = {"aws with a classic balancer", tt_aws_ops(),
                                                    begin_classic, end};
    const struct tt_conformance_provider group = {"aws with a target group", tt_aws_ops(),
                                                  begin_target_group, end};
    const struct CMUnitTest skipped[] = {cmocka_unit_test(test_aws_conformance)};
    int failed;

    if (!moto_start(&moto, TT_SOURCE_DIR))
        return cmocka_run_group_tests(skipped, NULL, NULL);
    failed = tt_conformance_run(&classic);
    failed += tt_conformance_run(&group);
    moto_stop(&moto);
    return failed ? 1 : 0;
}
