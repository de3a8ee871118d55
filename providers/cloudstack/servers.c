/*
 * Servers: starting, stopping, destroying and marking machines, and running commands on them.
 */
#include <string.h>

#include "base/str.h"
#include "providers/cloudstack/machines.h"

/* 1: MACHINE is listed and ours; 0: it is gone; -1: neither can be said, or it is another's. */
static int find_own(struct tt_cloudstack *cloud, const char *id, json_t **ret_machine,
                    struct tt_error *err)
{
    struct tt_error own = {0};

    if (tt_cloudstack_machine(cloud, id, ret_machine, &own) == 0)
        return tt_cloudstack_check_owner(cloud, *ret_machine, id, err) < 0 ? -1 : 1;
    if (own.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = own;
    return -1;
}

static int change(struct tt_cloudstack *cloud, const char *command, const char *id,
                  const char *option, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_cloudstack_parameters parameters = {0};
    int result;

    tt_arena_init(&scratch);
    tt_cloudstack_add(&scratch, &parameters, "id", id);
    if (option)
        tt_cloudstack_add(&scratch, &parameters, option, "true");
    result = tt_cloudstack_call_and_wait(cloud, command, &parameters, NULL, err);
    tt_arena_release(&scratch);
    return result;
}

/* The job of an account that may not expunge fails with the code of any failure, and a text. */
static bool may_not_expunge(const struct tt_error *err)
{
    return err->class == TT_ERR_DENIED ||
           (err->class == TT_ERR_CONFLICT && strstr(err->message, "expunge can be passed"));
}

/* A machine that is only destroyed keeps its name until it is expunged, which not every account may
 * do; names carry the incarnation, so that does no harm. */
int tt_cloudstack_delete_server(struct tt_provider *provider, const char *region, const char *id,
                                struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    TT_REPLY_AUTO *machine = NULL;
    struct tt_error own = {0};
    int found = find_own(cloud, id, &machine, err);

    (void)region;
    if (found <= 0)
        return found;
    if (change(cloud, "destroyVirtualMachine", id, "expunge", &own) == 0 ||
        own.class == TT_ERR_NOT_FOUND)
        return 0;
    if (!may_not_expunge(&own)) {
        if (err)
            *err = own;
        return -1;
    }
    return change(cloud, "destroyVirtualMachine", id, NULL, err);
}

int tt_cloudstack_start_server(struct tt_provider *provider, const char *region, const char *id,
                               struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    TT_REPLY_AUTO *machine = NULL;
    const char *state;

    (void)region;
    if (tt_cloudstack_machine(cloud, id, &machine, err) < 0 ||
        tt_cloudstack_check_owner(cloud, machine, id, err) < 0)
        return -1;
    state = tt_reply_peek(machine, "state");
    if (tt_streq(state, "Running") || tt_streq(state, "Starting"))
        return 0;
    return change(cloud, "startVirtualMachine", id, NULL, err);
}

int tt_cloudstack_fence(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    TT_REPLY_AUTO *machine = NULL;
    int found = find_own(cloud, id, &machine, err);

    (void)region;
    if (found <= 0)
        return found;
    if (tt_streq(tt_reply_peek(machine, "state"), "Stopped"))
        return 0;
    return change(cloud, "stopVirtualMachine", id, "forced", err);
}

int tt_cloudstack_tag(struct tt_provider *provider, const char *region, const char *id,
                      const struct tt_tags *tags, struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    struct tt_arena scratch = {0};
    TT_REPLY_AUTO *machine = NULL;
    int result;

    (void)region;
    if (tt_cloudstack_machine(cloud, id, &machine, err) < 0)
        return -1;
    tt_arena_init(&scratch);
    result = tt_cloudstack_put_marks(cloud, &scratch, id, machine, tags, err);
    tt_arena_release(&scratch);
    return result;
}

static int find_address(void *self, const char *region, const char *id, struct tt_arena *arena,
                        struct tt_server *ret_server, struct tt_error *err)
{
    const struct tt_observe_request words = {.region = region};
    struct tt_cloudstack *cloud = self;
    TT_REPLY_AUTO *machine = NULL;

    if (tt_cloudstack_machine(cloud, id, &machine, err) < 0)
        return -1;
    tt_cloudstack_read_machine(cloud, arena, machine, &words, ret_server);
    return 0;
}

int tt_cloudstack_run(struct tt_provider *provider, const struct tt_run_request *request,
                      struct tt_arena *arena, struct tt_run_result *ret_result,
                      struct tt_error *err)
{
    const struct tt_cloudstack *cloud = (const struct tt_cloudstack *)provider;
    const struct tt_ssh_cloud asked = {.find = find_address, .self = provider};

    return tt_ssh_machines_run(cloud->machines, request, &asked, arena, ret_result, err);
}
