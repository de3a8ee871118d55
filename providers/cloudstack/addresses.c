/*
 * Addresses: an elastic address is a public one whose static NAT moves from machine to machine.
 */
#include "base/str.h"
#include "providers/cloudstack/lookup.h"
#include "providers/cloudstack/machines.h"

/* The public address as the API tells it, owned by the caller. */
static int find_address(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *region,
                        const char *address, json_t **ret_address, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    const char *zone_id;

    if (tt_cloudstack_zone_id(cloud, arena, region, &zone_id, err) < 0)
        return -1;
    tt_cloudstack_add(arena, &parameters, "listall", "true");
    tt_cloudstack_add(arena, &parameters, "zoneid", zone_id);
    tt_cloudstack_add(arena, &parameters, "ipaddress", address);
    if (tt_cloudstack_list(cloud, "listPublicIpAddresses", &parameters, "publicipaddress", &items,
                           err) < 0)
        return -1;
    if (!json_array_size(items))
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no public address %s in zone %s", address,
                       region);
    *ret_address = json_incref(json_array_get(items, 0));
    return 0;
}

static int release(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *id,
                   struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};

    tt_cloudstack_add(arena, &parameters, "ipaddressid", id);
    return tt_cloudstack_call_and_wait(cloud, "disableStaticNat", &parameters, NULL, err);
}

/* Not an asynchronous command: it has ended when it answers. An address of a VPC belongs to no
 * network while it leads nowhere; for others the server does not look at the one it is told. */
static int attach(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *id,
                  const json_t *machine, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *answer = NULL;

    tt_cloudstack_add(arena, &parameters, "ipaddressid", id);
    tt_cloudstack_add(arena, &parameters, "virtualmachineid", tt_reply_text(arena, machine, "id"));
    tt_cloudstack_add(arena, &parameters, "networkid",
                      tt_reply_text(arena, tt_cloudstack_card_of(machine), "networkid"));
    return tt_cloudstack_call(cloud, "enableStaticNat", true, &parameters, &answer, err);
}

int tt_cloudstack_move_address(struct tt_provider *provider, const char *region,
                               const char *address, const char *machine, struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    struct tt_arena scratch = {0};
    TT_REPLY_AUTO *found = NULL;
    TT_REPLY_AUTO *target = NULL;
    const char *id, *holder;
    int result = -1;

    tt_arena_init(&scratch);
    if (tt_cloudstack_machine(cloud, machine, &target, err) < 0 ||
        find_address(cloud, &scratch, region, address, &found, err) < 0)
        goto out;
    id = tt_reply_text(&scratch, found, "id");
    holder = tt_reply_flag(found, "isstaticnat")
                 ? tt_reply_text(&scratch, found, "virtualmachineid")
                 : NULL;
    if (tt_streq(holder, machine)) {
        result = 0;
        goto out;
    }
    if (tt_reply_flag(found, "issourcenat")) {
        tt_fail(err, TT_ERR_CONFLICT, "%s is the source address of its network and cannot move",
                address);
        goto out;
    }
    if (holder && release(cloud, &scratch, id, err) < 0)
        goto out;
    result = attach(cloud, &scratch, id, target, err);
out:
    tt_arena_release(&scratch);
    return result;
}
