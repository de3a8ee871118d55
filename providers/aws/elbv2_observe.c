/*
 * Target groups as cloud balancers of the world, under the names that the specs may give them.
 */
#include <stdlib.h>
#include <string.h>

#include "providers/aws/elbv2.h"

/* --- names ---------------------------------------------------------------------------------- */

static const struct tt_target_group *find_group(const struct tt_elbv2 *elbv2, const char *arn)
{
    TT_EACH (group, &elbv2->groups)
        if (tt_streq(group->arn, arn))
            return group;
    return NULL;
}

/* "NAME:PORT", or "NAME" when its listeners forward to one group. */
static int find_by_listener(const struct tt_aws_visit *visit, struct tt_elbv2 *elbv2,
                            const char *name, const struct tt_target_group **ret_group,
                            struct tt_error *err)
{
    const char *colon = strrchr(name, ':');
    const struct tt_elbv2_balancer *balancer = tt_elbv2_balancer(
        elbv2, colon ? tt_strndup(visit->arena, name, (size_t)(colon - name)) : name);
    const char *group = NULL;
    bool several = false;

    if (!balancer)
        return 0;
    if (tt_elbv2_read_listeners(visit, balancer->arn, elbv2, err) < 0)
        return -1;
    TT_EACH (listener, &elbv2->listeners) {
        if (!tt_streq(listener->balancer, balancer->arn) || !listener->group ||
            (colon && listener->port != atoi(colon + 1)))
            continue;
        several = several || (group && !tt_streq(group, listener->group));
        group = listener->group;
    }
    *ret_group = several ? NULL : find_group(elbv2, group);
    return 0;
}

static int find_by_name(const struct tt_aws_visit *visit, struct tt_elbv2 *elbv2, const char *name,
                        const struct tt_target_group **ret_group, struct tt_error *err)
{
    *ret_group = NULL;
    if (!tt_starts_with(name, "tg/"))
        return find_by_listener(visit, elbv2, name, ret_group, err);
    TT_EACH (group, &elbv2->groups)
        if (strcmp(group->name, name + 3) == 0)
            *ret_group = group;
    return 0;
}

int tt_elbv2_find(const struct tt_aws_visit *visit, const char *name, const char **ret_arn,
                  struct tt_error *err)
{
    const struct tt_target_group *group;
    struct tt_elbv2 elbv2 = {0};

    if (tt_elbv2_read(visit, NULL, &elbv2, err) < 0 ||
        find_by_name(visit, &elbv2, name, &group, err) < 0)
        return -1;
    *ret_arn = group ? group->arn : NULL;
    return 0;
}

/* --- members -------------------------------------------------------------------------------- */

struct health {
    struct tt_arena *arena;
    const struct tt_region *region;
    struct tt_cloud_balancer *balancer;
    struct tt_member now;
};

static enum tt_member_state state_of(const char *word)
{
    if (strcmp(word, "healthy") == 0 || strcmp(word, "unavailable") == 0)
        return TT_MEMBER_IN_SERVICE; /* unavailable: its health checks are switched off */
    if (strcmp(word, "draining") == 0)
        return TT_MEMBER_DRAINING;
    if (strcmp(word, "initial") == 0 || strcmp(word, "unhealthy") == 0 ||
        strcmp(word, "unused") == 0)
        return TT_MEMBER_OUT_OF_SERVICE;
    return TT_MEMBER_UNKNOWN;
}

static bool is_outside(const struct health *health)
{
    const struct tt_server *server = tt_region_server(health->region, health->now.server);

    return server && server->zone && health->balancer->zones &&
           !tt_strings_has(health->balancer->zones, server->zone);
}

/* One machine may be registered at several ports: it serves when any of them does. */
static void add_member(struct health *health)
{
    TT_EACH (member, &health->balancer->members)
        if (tt_streq(member->server, health->now.server)) {
            if (health->now.state == TT_MEMBER_IN_SERVICE)
                member->state = health->now.state;
            return;
        }
    *TT_VEC_ADD(health->arena, &health->balancer->members) = health->now;
}

static int take_member(void *self, enum tt_xml_event event, const char *path, const char *value,
                       struct tt_error *err)
{
    struct health *health = self;

    (void)err;
    if (!tt_starts_with(path, "TargetHealthDescriptions/member"))
        return 0;
    path += strlen("TargetHealthDescriptions/member");
    if (event == TT_XML_BEGIN && !*path) {
        health->now = (struct tt_member){NULL, TT_MEMBER_UNKNOWN};
    } else if (event == TT_XML_LEAF && strcmp(path, "/Target/Id") == 0) {
        health->now.server = tt_strdup(health->arena, value);
    } else if (event == TT_XML_LEAF && strcmp(path, "/TargetHealth/State") == 0) {
        health->now.state = state_of(value);
    } else if (event == TT_XML_END && !*path && health->now.server) {
        if (health->now.state == TT_MEMBER_IN_SERVICE && is_outside(health))
            health->now.state = TT_MEMBER_OUT_OF_SERVICE;
        add_member(health);
    }
    return 0;
}

static int observe_members(const struct tt_aws_visit *visit, const struct tt_region *region,
                           struct tt_cloud_balancer *balancer, struct tt_error *err)
{
    struct health health = {.arena = visit->arena, .region = region, .balancer = balancer};
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, balancer->id, "TargetGroupArn");
    return tt_aws_call(visit, TT_ELBV2_DESCRIBE_TARGET_HEALTH, &form, take_member, &health, err);
}

/* --- the world ------------------------------------------------------------------------------ */

static const struct tt_listeners *listeners_of(struct tt_arena *arena, const struct tt_elbv2 *elbv2,
                                               const struct tt_target_group *group)
{
    struct tt_listeners *listeners = TT_NEW(arena, struct tt_listeners);

    TT_EACH (listener, &elbv2->listeners)
        if (tt_streq(listener->group, group->arn))
            *TT_VEC_ADD(arena, listeners) =
                (struct tt_listener){.port = listener->port,
                                     .protocol = tt_elbv2_protocol(listener->protocol),
                                     .target_port = group->port};
    return listeners;
}

/* GROUP under NAME; what is asked about a group that nobody wants is its name alone. */
static int add_group(const struct tt_aws_visit *visit, struct tt_elbv2 *elbv2,
                     const struct tt_target_group *group, const char *name, bool wanted,
                     struct tt_region *region, struct tt_error *err)
{
    struct tt_cloud_balancer balancer = {.id = group->arn, .name = name, .health = &group->health};
    const struct tt_elbv2_balancer *front =
        group->balancers.count ? tt_elbv2_balancer(elbv2, group->balancers.items[0]) : NULL;

    if (front)
        balancer.zones = &front->zones;
    if (wanted) {
        TT_EACH (arn, &group->balancers)
            if (tt_elbv2_read_listeners(visit, *arn, elbv2, err) < 0)
                return -1;
        balancer.listeners = listeners_of(visit->arena, elbv2, group);
        if (observe_members(visit, region, &balancer, err) < 0)
            return -1;
    }
    *TT_VEC_ADD(visit->arena, &region->balancers) = balancer;
    return 0;
}

int tt_elbv2_observe(const struct tt_aws_visit *visit, const struct tt_observe_request *request,
                     struct tt_region *region, struct tt_error *err)
{
    struct tt_elbv2 *elbv2 = TT_NEW(visit->arena, struct tt_elbv2);
    const struct tt_target_group *group;

    if (!request->balancers.count && !request->everything)
        return 0;
    if (tt_elbv2_read(visit, NULL, elbv2, err) < 0)
        return -1;
    TT_EACH (known, &elbv2->groups) {
        const char *name = tt_printf(visit->arena, "tg/%s", known->name);

        if (add_group(visit, elbv2, known, name, tt_aws_wants(request, name), region, err) < 0)
            return -1;
    }
    TT_EACH (name, &request->balancers) {
        if (tt_starts_with(*name, "tg/") || tt_region_balancer(region, *name))
            continue;
        if (find_by_name(visit, elbv2, *name, &group, err) < 0 ||
            (group && add_group(visit, elbv2, group, *name, true, region, err) < 0))
            return -1;
    }
    return 0;
}
