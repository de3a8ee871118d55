/*
 * Conformance of `cloudstack` against the double of a management server: in a zone with a virtual
 * router, which has balancing rules and static NAT, and in one with security groups, which has
 * neither.
 * Covers providers/cloudstack/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "providers/cloudstack/cloudstack.h"
#include "tests/providers/support/conformance.h"
#include "tests/providers/support/moto.h"

#define HURRY 10 /* so many times faster goes the provider's clock */

static const char *const paris[] = {"paris", "paris", NULL};
static const char *const lyon[] = {"lyon", "lyon", NULL};
static struct moto moto;

/* What a fixture holds; found again through its clock. */
struct fixture {
    struct tt_clock clock;
    tt_time begun;
    struct tt_arena arena;
    struct tt_account accounts[2];
    json_t *facts;
};

static tt_time fast_now(void *self)
{
    const struct fixture *fixture = self;
    tt_time now = tt_clock_real()->now(tt_clock_real()->self);

    return fixture->begun + (now - fixture->begun) * HURRY;
}

static void sleep_less(void *self, tt_time delay)
{
    (void)self;
    tt_clock_real()->sleep(tt_clock_real()->self, delay / HURRY);
}

static struct tt_provider *open_as(struct fixture *fixture, int index, const char *name,
                                   const char *prefix)
{
    struct tt_account *account = &fixture->accounts[index];
    struct tt_provider *provider = NULL;
    struct tt_error err = {0};

    *account = (struct tt_account){
        .name = name,
        .provider = TT_PROVIDER_CLOUDSTACK,
        .endpoint = tt_printf(&fixture->arena, "http://127.0.0.1:%d/client/api", moto.port),
        .credentials_env = prefix,
        .folder = ""};
    if (tt_cloudstack_ops()->open(&(struct tt_provider_settings){.account = account,
                                                                 .owner = "acme",
                                                                 .state_folder = "/nonexistent",
                                                                 .base_folder = "/nonexistent",
                                                                 .clock = &fixture->clock},
                                  &fixture->arena, &provider, &err) < 0)
        fail_msg("%s", err.message);
    return provider;
}

static void begin(struct tt_conformance *is, const char *const *zones)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->begun = tt_clock_real()->now(tt_clock_real()->self);
    fixture->clock = (struct tt_clock){.now = fast_now, .sleep = sleep_less, .self = fixture};
    json_decref(moto_ask(&moto, "/double", "{\"action\": \"reset\"}"));
    fixture->facts = moto_ask(
        &moto, "/double",
        tt_printf(&fixture->arena,
                  "{\"action\": \"machine\", \"name\": \"legacy\", \"zone\": \"%s\"}", zones[0]));
    setenv("TEST_API_KEY", "test-api-key", 1);
    setenv("TEST_SECRET_KEY", "test-secret-key", 1);
    setenv("OTHER_API_KEY", "other-api-key", 1);
    setenv("OTHER_SECRET_KEY", "other-secret-key", 1);
    *is = (struct tt_conformance){
        .provider = open_as(fixture, 0, "east", "TEST"),
        .other = open_as(fixture, 1, "west", "OTHER"),
        .owner = "acme",
        .region = zones[0],
        .zones = zones,
        .template = "web-kvm",
        .refuses_templates = true,
        .reads_back = TT_READS_SIZE | TT_READS_KEY | TT_READS_NETWORK,
        .foreign = json_string_value(json_object_get(fixture->facts, "foreign")),
        .foreign_name = "legacy",
        .clock = &fixture->clock,
        .patience = 15000,
    };
}

static void begin_router(struct tt_conformance *is)
{
    begin(is, paris);
    is->no_firewalls = true;
    is->balancer = "shop-http";
    is->address = "203.0.113.30";
}

static void begin_groups(struct tt_conformance *is)
{
    begin(is, lyon);
    is->reads_back |= TT_READS_FIREWALLS;
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

int main(void)
{
    const struct tt_conformance_provider router = {"cloudstack with a virtual router",
                                                   tt_cloudstack_ops(), begin_router, end};
    const struct tt_conformance_provider groups = {"cloudstack with security groups",
                                                   tt_cloudstack_ops(), begin_groups, end};
    int failed;

    moto_spawn(&moto, "python3", TT_SOURCE_DIR "/tests/clouds/cloudstack/double.py");
    failed = tt_conformance_run(&router);
    failed += tt_conformance_run(&groups);
    moto_stop(&moto);
    return failed ? 1 : 0;
}
