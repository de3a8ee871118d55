/*
 * Observe: a region by list calls alone. Whatever fails, fails the whole: what was not seen must
 * not look empty.
 */
#include <string.h>

#include "providers/aws/cloud.h"

struct zones {
    const struct tt_aws_visit *visit;
    struct tt_region *region;
    struct tt_zone now;
};

static int take_zone(void *self, enum tt_xml_event event, const char *path, const char *value,
                     struct tt_error *err)
{
    struct zones *zones = self;
    struct tt_arena *arena = zones->visit->arena;

    (void)err;
    if (event == TT_XML_BEGIN && strcmp(path, "availabilityZoneInfo/item") == 0)
        zones->now = (struct tt_zone){0};
    else if (event == TT_XML_LEAF && strcmp(path, "availabilityZoneInfo/item/zoneName") == 0)
        zones->now.name = tt_strdup(arena, value);
    else if (event == TT_XML_LEAF && strcmp(path, "availabilityZoneInfo/item/zoneState") == 0)
        zones->now.state = strcmp(value, "available") == 0 ? TT_ZONE_AVAILABLE : TT_ZONE_IMPAIRED;
    else if (event == TT_XML_END && strcmp(path, "availabilityZoneInfo/item") == 0 &&
             zones->now.name)
        *TT_VEC_ADD(arena, &zones->region->zones) = zones->now;
    return 0;
}

static int observe_zones(const struct tt_aws_visit *visit, struct tt_region *region,
                         struct tt_error *err)
{
    struct zones zones = {.visit = visit, .region = region};
    TT_FORM_AUTO form = {0};

    return tt_aws_call(visit, TT_AWS_DESCRIBE_ZONES, &form, take_zone, &zones, err);
}

int tt_aws_check_zones(const struct tt_aws_visit *visit, const struct tt_strings *zones,
                       struct tt_error *err)
{
    struct tt_region region = {.name = visit->region->name};

    if (!zones->count)
        return tt_fail(err, TT_ERR_SPEC, "a cloud balancer needs at least one zone");
    if (observe_zones(visit, &region, err) < 0)
        return -1;
    TT_EACH (zone, zones)
        if (!tt_region_zone(&region, *zone))
            return tt_fail(err, TT_ERR_SPEC, "region %s has no zone %s", region.name, *zone);
    return 0;
}

int tt_aws_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    struct tt_region region = {.name = request->region};
    struct tt_aws_visit visit;

    if (tt_aws_enter(provider, request->region, arena, &visit, err) < 0)
        return -1;
    if (observe_zones(&visit, &region, err) < 0 ||
        tt_aws_observe_servers(&visit, request, &region, err) < 0 ||
        tt_elb_observe(&visit, request, &region, err) < 0 ||
        tt_elbv2_observe(&visit, request, &region, err) < 0 ||
        tt_aws_observe_addresses(&visit, request, &region, err) < 0)
        return -1;
    TT_EACH (server, &region.servers)
        tt_ssh_machines_learn(visit.aws->machines, server);
    region.observed = true;
    *ret_region = region;
    return 0;
}
