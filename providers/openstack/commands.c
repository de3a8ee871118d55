/*
 * Commands on machines, by SSH: where a machine is, and what its console says of its host keys.
 *
 * Source: "Show console output (os-getConsoleOutput Action)" in the Compute API.
 */
#include "base/str.h"
#include "providers/openstack/machines.h"

static int find_address(void *self, const char *region, const char *id, struct tt_arena *arena,
                        struct tt_server *ret_server, struct tt_error *err)
{
    const struct tt_openstack_names no_words = {0};
    struct tt_openstack_visit visit;
    TT_REPLY_AUTO *machine = NULL;

    if (tt_openstack_enter(self, region, arena, &visit, err) < 0 ||
        tt_openstack_machine(&visit, id, &machine, err) < 0)
        return -1;
    if (!tt_openstack_read_machine(&no_words, arena, machine, ret_server))
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no server %s", id);
    return 0;
}

/* All of it: the first block of keys counts, not the newest lines. */
static int read_console(void *self, const char *region, const char *id, struct tt_arena *arena,
                        const char **ret_text, struct tt_error *err)
{
    TT_REPLY_AUTO *body = json_pack("{s:{}}", "os-getConsoleOutput");
    TT_REPLY_AUTO *answer = NULL;
    struct tt_openstack_visit visit;
    struct tt_openstack_request request = {.service = TT_OPENSTACK_COMPUTE,
                                           .what = "show console",
                                           .method = "POST",
                                           .path = tt_printf(arena, "/servers/%s/action", id),
                                           .body = body};

    if (tt_openstack_enter(self, region, arena, &visit, err) < 0 ||
        tt_openstack_call(&visit, &request, &answer, err) < 0)
        return -1;
    *ret_text = tt_reply_text(arena, answer, "output");
    return 0;
}

int tt_openstack_run(struct tt_provider *provider, const struct tt_run_request *request,
                     struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    const struct tt_openstack *openstack = (const struct tt_openstack *)provider;
    const struct tt_ssh_cloud cloud = {
        .find = find_address, .console = read_console, .self = provider};

    return tt_ssh_machines_run(openstack->machines, request, &cloud, arena, ret_result, err);
}
