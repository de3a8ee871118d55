/*
 * Conformance of the local provider: real processes on this host, in a state folder of its own for
 * each test. Covers providers/local/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/local/local.h"
#include "tests/providers/support/conformance.h"

static const char *const zones[] = {"a", "b", NULL};

/* Found again through the clock, which is its first member. */
struct fixture {
    struct tt_clock clock;
    struct tt_arena arena;
    char folder[64];
    struct tt_account accounts[2];
};

static struct tt_provider *open_as(struct fixture *fixture, int index, const char *owner)
{
    struct tt_provider *provider = NULL;
    struct tt_error err = {0};

    if (tt_local_ops()->open(&(struct tt_provider_settings){.account = &fixture->accounts[index],
                                                            .owner = owner,
                                                            .state_folder = fixture->folder,
                                                            .base_folder = fixture->folder,
                                                            .clock = &fixture->clock},
                             &fixture->arena, &provider, &err) < 0)
        fail_msg("%s", err.message);
    return provider;
}

static void describe(struct fixture *fixture, int index, const char *name)
{
    struct tt_account *account = &fixture->accounts[index];
    struct tt_local_template *template;

    *account = (struct tt_account){.name = name, .provider = TT_PROVIDER_LOCAL, .folder = ""};
    tt_strings_add(&fixture->arena, &account->regions, "r1");
    for (size_t i = 0; zones[i]; i++)
        tt_strings_add(&fixture->arena, &account->zones, zones[i]);
    template = TT_VEC_ADD(&fixture->arena, &account->templates);
    template->name = "web-1";
    tt_strings_add(&fixture->arena, &template->command, "sleep");
    tt_strings_add(&fixture->arena, &template->command, "3600");
    template = TT_VEC_ADD(&fixture->arena, &account->templates);
    template->name = "lb-1";
    template->software = "haproxy";
}

/* An address that may move, and a machine that somebody else made. */
static void furnish(struct fixture *fixture, struct tt_conformance *is)
{
    const char *addresses =
        tt_printf(&fixture->arena, "%s/local/east/r1/addresses", fixture->folder);
    struct tt_provider *other = open_as(fixture, 0, "somebody-else");
    struct tt_server_spec spec = {.template = "web-1"};
    struct tt_error err = {0};

    is->address = "127.250.0.9";
    is->foreign_name = "legacy";
    if (tt_make_folders(addresses, 0700, &err) < 0 ||
        tt_file_write(tt_printf(&fixture->arena, "%s/%s", addresses, is->address), "", 0, 0600,
                      &err) < 0 ||
        tt_provider_create_server(
            other,
            &(struct tt_create_request){.region = "r1",
                                        .zone = "a",
                                        .name = is->foreign_name,
                                        .client_token = "legacy",
                                        .tags = {.owner = "somebody-else", .slot = -1},
                                        .spec = &spec},
            &fixture->arena, &is->foreign, &err) < 0)
        fail_msg("%s", err.message);
    tt_provider_close(other);
}

static void begin(struct tt_conformance *is)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->clock = *tt_clock_real();
    fixture->clock.self = fixture;
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/trimtab-local-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    describe(fixture, 0, "east");
    describe(fixture, 1, "west");
    *is = (struct tt_conformance){
        .provider = open_as(fixture, 0, "acme"),
        .other = open_as(fixture, 1, "acme"),
        .owner = "acme",
        .region = "r1",
        .zones = zones,
        .template = "web-1",
        .refuses_templates = true,
        .balancer_template = "lb-1",
        .agent_folder = "/enstratus/bin",
        .reads_back = TT_READS_SIZE | TT_READS_FIREWALLS | TT_READS_KEY | TT_READS_NETWORK,
        .clock = &fixture->clock,
        .patience = 15000,
    };
    furnish(fixture, is);
}

/* The machine of another owner, too. */
static void end_owner(struct fixture *fixture, const char *owner)
{
    struct tt_provider *provider = open_as(fixture, 0, owner);
    struct tt_region region = {0};

    if (tt_provider_observe(provider, &(struct tt_observe_request){.region = "r1", .owner = owner},
                            &fixture->arena, &region, NULL) == 0)
        TT_EACH (server, &region.servers)
            tt_provider_delete_server(provider, "r1", server->id, NULL);
    tt_provider_close(provider);
}

static void end(struct tt_conformance *is)
{
    struct fixture *fixture = is->clock->self;

    end_owner(fixture, "somebody-else");
    tt_provider_close(is->provider);
    tt_provider_close(is->other);
    tt_remove_tree(fixture->folder, NULL);
    tt_arena_release(&fixture->arena);
    free(fixture);
}

int main(void)
{
    const struct tt_conformance_provider local = {"local", tt_local_ops(), begin, end};

    return tt_conformance_run(&local) ? 1 : 0;
}
