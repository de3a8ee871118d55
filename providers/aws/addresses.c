/*
 * Elastic addresses: listed where the specs name one, and moved with reassociation.
 */
#include <string.h>

#include "providers/aws/cloud.h"

#define ITEM "addressesSet/item/"

struct address {
    const char *ip;
    const char *allocation;
    const char *server;
};

struct reading {
    struct tt_arena *arena;
    struct address now;
    TT_VEC(struct address) items;
};

static int take(void *self, enum tt_xml_event event, const char *path, const char *value,
                struct tt_error *err)
{
    struct reading *reading = self;

    (void)err;
    if (event == TT_XML_BEGIN && strcmp(path, "addressesSet/item") == 0)
        reading->now = (struct address){0};
    else if (event == TT_XML_END && strcmp(path, "addressesSet/item") == 0)
        *TT_VEC_ADD(reading->arena, &reading->items) = reading->now;
    else if (event == TT_XML_LEAF && *value && strcmp(path, ITEM "publicIp") == 0)
        reading->now.ip = tt_strdup(reading->arena, value);
    else if (event == TT_XML_LEAF && *value && strcmp(path, ITEM "allocationId") == 0)
        reading->now.allocation = tt_strdup(reading->arena, value);
    else if (event == TT_XML_LEAF && *value && strcmp(path, ITEM "instanceId") == 0)
        reading->now.server = tt_strdup(reading->arena, value);
    return 0;
}

/* The list has no pages. */
static int list(const struct tt_aws_visit *visit, struct reading *reading, struct tt_error *err)
{
    TT_FORM_AUTO form = {0};

    reading->arena = visit->arena;
    return tt_aws_call(visit, TT_AWS_DESCRIBE_ADDRESSES, &form, take, reading, err);
}

static void add(const struct tt_aws_visit *visit, struct tt_region *region, const char *address,
                const char *server)
{
    *TT_VEC_ADD(visit->arena, &region->addresses) = (struct tt_elastic_address){address, server};
}

int tt_aws_observe_addresses(const struct tt_aws_visit *visit,
                             const struct tt_observe_request *request, struct tt_region *region,
                             struct tt_error *err)
{
    struct reading reading = {0};

    if (!request->addresses.count && !request->everything)
        return 0;
    if (list(visit, &reading, err) < 0)
        return -1;
    TT_EACH (address, &reading.items) {
        if (address->ip)
            add(visit, region, address->ip, address->server);
        if (address->allocation && tt_strings_has(&request->addresses, address->allocation))
            add(visit, region, address->allocation, address->server);
    }
    return 0;
}

static int move(const struct tt_aws_visit *visit, const char *address, const char *machine,
                struct tt_error *err)
{
    struct reading reading = {0};
    const struct address *found = NULL;
    TT_FORM_AUTO form = {0};

    if (!tt_aws_is_instance_id(machine))
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", visit->region->name,
                       machine);
    if (list(visit, &reading, err) < 0)
        return -1;
    TT_EACH (item, &reading.items)
        if (tt_streq(item->ip, address) || tt_streq(item->allocation, address))
            found = item;
    if (!found)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no elastic address %s",
                       visit->region->name, address);
    if (tt_streq(found->server, machine))
        return 0;
    if (found->allocation)
        tt_aws_add(&form, found->allocation, "AllocationId");
    else
        tt_aws_add(&form, found->ip, "PublicIp");
    tt_aws_add(&form, machine, "InstanceId");
    tt_aws_add(&form, "true", "AllowReassociation");
    return tt_aws_await_server(
        visit, machine, tt_aws_call(visit, TT_AWS_ASSOCIATE_ADDRESS, &form, NULL, NULL, err), err);
}

int tt_aws_move_address(struct tt_provider *provider, const char *region, const char *address,
                        const char *machine, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_aws_visit visit;
    int result = tt_aws_enter(provider, region, &scratch, &visit, err);

    if (result == 0)
        result = move(&visit, address, machine, err);
    tt_arena_release(&scratch);
    return result;
}
