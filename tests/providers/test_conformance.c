/*
 * Conformance of the providers of this program: `sim` in memory, `sim` kept in a file.
 * Covers providers/sim/, providers/file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/sim/sim.h"
#include "tests/providers/support/conformance.h"

#define START INT64_C(1795406400000) /* 2026-11-23T04:00:00Z */

static const char *const zones[] = {"r1-a", "r1-b", NULL};

/* What a fixture holds; found again through its clock, which is its first member. */
struct sim_fixture {
    struct tt_sim_clock clock;
    struct tt_arena arena;
    struct tt_sim *sim; /* NULL: kept in a file */
    char folder[64];
    struct tt_account accounts[2];
};

static struct sim_fixture *begin_any(struct tt_conformance *is)
{
    struct sim_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    tt_sim_clock_init(&fixture->clock, START);
    *is = (struct tt_conformance){
        .owner = "acme",
        .region = "r1",
        .zones = zones,
        .template = "web-1",
        .refuses_templates = true,
        .balancer_template = "lb-1",
        .agent_folder = "/enstratus/bin",
        .reads_back = TT_READS_SIZE | TT_READS_FIREWALLS | TT_READS_KEY | TT_READS_NETWORK,
        .foreign_name = "legacy",
        .balancer = "elb",
        .address = "203.0.113.9",
        .clock = &fixture->clock.clock,
        .patience = 60000,
    };
    return fixture;
}

static void begin_memory(struct tt_conformance *is)
{
    static const struct tt_sim_options slow = {.boot = 30000,
                                               .into_service = 5000,
                                               .drain = 10000,
                                               .vanish = 2000,
                                               .create_seen = 1000,
                                               .call = 5};
    struct sim_fixture *fixture = begin_any(is);
    struct tt_sim *sim = tt_sim_new(&fixture->clock.clock, &slow);

    fixture->sim = sim;
    tt_sim_add_region(sim, "east", "r1", zones);
    tt_sim_add_region(sim, "west", "r1", zones);
    tt_sim_add_template(sim, "east", "r1", "web-1");
    tt_sim_add_template(sim, "east", "r1", "lb-1");
    tt_sim_add_balancer(sim, "east", "r1", "elb", NULL);
    tt_sim_add_address(sim, "east", "r1", "203.0.113.9");
    is->foreign = tt_sim_add_machine(sim, "east", "r1", "r1-a", "legacy");
    is->provider = tt_sim_account(sim, &fixture->arena, "east", "acme");
    is->other = tt_sim_account(sim, &fixture->arena, "west", "acme");
}

static const char seed[] =
    "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-11-23T04:00:00Z\", \"accounts\": ["
    " {\"name\": \"east\", \"provider\": \"sim\", \"regions\": [{\"name\": \"r1\","
    "  \"status\": \"observed\", \"error\": null, \"templates\": [\"web-1\", \"lb-1\"],"
    "  \"zones\": [{\"name\": \"r1-a\", \"state\": \"available\"},"
    "             {\"name\": \"r1-b\", \"state\": \"available\"}],"
    "  \"servers\": [{\"id\": \"i-legacy\", \"name\": \"legacy\", \"zone\": \"r1-a\","
    "                \"state\": \"running\"}],"
    "  \"balancers\": [{\"id\": \"elb\", \"name\": \"elb\", \"zones\": [\"r1-a\", \"r1-b\"],"
    "                  \"members\": []}],"
    "  \"addresses\": [{\"address\": \"203.0.113.9\", \"server\": null}]}]}]}";

static struct tt_provider *open_kept(struct sim_fixture *fixture, int index, const char *name,
                                     const char *endpoint)
{
    struct tt_account *account = &fixture->accounts[index];
    struct tt_provider *provider = NULL;
    struct tt_error err = {0};

    *account = (struct tt_account){
        .name = name, .provider = TT_PROVIDER_SIM, .endpoint = endpoint, .folder = ""};
    tt_strings_add(&fixture->arena, &account->regions, "r1");
    if (tt_sim_ops()->open(&(struct tt_provider_settings){.account = account,
                                                          .owner = "acme",
                                                          .state_folder = fixture->folder,
                                                          .base_folder = fixture->folder,
                                                          .clock = &fixture->clock.clock},
                           &fixture->arena, &provider, &err) < 0)
        fail_msg("%s", err.message);
    return provider;
}

static void begin_kept(struct tt_conformance *is)
{
    struct sim_fixture *fixture = begin_any(is);
    struct tt_error err = {0};

    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/trimtab-sim-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(tt_file_write(tt_printf(&fixture->arena, "%s/seed.json", fixture->folder),
                                   seed, strlen(seed), 0600, &err),
                     0);
    is->foreign = "i-legacy";
    is->provider = open_kept(fixture, 0, "east", "file://seed.json");
    is->other = open_kept(fixture, 1, "west", NULL);
}

static void end_sim(struct tt_conformance *is)
{
    struct sim_fixture *fixture = is->clock->self;

    tt_provider_close(is->provider);
    tt_provider_close(is->other);
    tt_sim_free(fixture->sim);
    if (fixture->folder[0])
        tt_remove_tree(fixture->folder, NULL);
    tt_arena_release(&fixture->arena);
    free(fixture);
}

int main(void)
{
    const struct tt_conformance_provider memory = {"sim", tt_sim_ops(), begin_memory, end_sim};
    const struct tt_conformance_provider kept = {"sim kept in a file", tt_sim_ops(), begin_kept,
                                                 end_sim};
    int failed = tt_conformance_run(&memory);

    failed += tt_conformance_run(&kept);
    return failed ? 1 : 0;
}
