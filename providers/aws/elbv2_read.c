/*
 * Target groups, application and network balancers, and their listeners: three lists.
 */
#include "providers/aws/elbv2.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 400

struct reading {
    struct tt_arena *arena;
    struct tt_elbv2 *elbv2;
    struct tt_target_group group;
    struct tt_elbv2_balancer balancer;
    struct tt_elbv2_listener listener;
};

/* The rest of PATH behind ITEM and a slash, or "". */
static const char *field_of(const char *path, const char *item)
{
    size_t length = strlen(item);

    return strncmp(path, item, length) == 0 && path[length] == '/' ? path + length + 1 : "";
}

struct text {
    const char *field;
    const char **target;
};

static void take_text(struct tt_arena *arena, const struct text *texts, size_t count,
                      const char *field, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(field, texts[i].field) == 0)
            *texts[i].target = tt_strdup(arena, value);
}

#define TAKE_TEXT(arena, texts, field, value)                                                      \
    take_text(arena, texts, sizeof(texts) / sizeof((texts)[0]), field, value)

static void take_group_field(struct reading *reading, const char *field, const char *value)
{
    struct tt_target_group *now = &reading->group;
    const struct text texts[] = {
        {"TargetGroupArn", &now->arn},
        {"TargetGroupName", &now->name},
        {"Protocol", &now->protocol},
        {"HealthCheckPath", &now->health.path},
    };

    TAKE_TEXT(reading->arena, texts, field, value);
    if (strcmp(field, "Port") == 0)
        now->port = atoi(value);
    else if (strcmp(field, "HealthCheckProtocol") == 0)
        now->health.http = tt_starts_with(value, "HTTP");
    else if (strcmp(field, "HealthCheckIntervalSeconds") == 0)
        now->health.interval = (tt_time)atoi(value) * 1000;
    else if (strcmp(field, "HealthCheckTimeoutSeconds") == 0)
        now->health.timeout = (tt_time)atoi(value) * 1000;
    else if (strcmp(field, "UnhealthyThresholdCount") == 0)
        now->health.unhealthy_after = atoi(value);
    else if (strcmp(field, "LoadBalancerArns/member") == 0)
        tt_strings_add(reading->arena, &now->balancers, tt_strdup(reading->arena, value));
}

static int take_group(void *self, enum tt_xml_event event, const char *path, const char *value,
                      struct tt_error *err)
{
    struct reading *reading = self;

    (void)err;
    if (event == TT_XML_BEGIN && strcmp(path, "TargetGroups/member") == 0) {
        reading->group = (struct tt_target_group){0};
    } else if (event == TT_XML_END && strcmp(path, "TargetGroups/member") == 0 &&
               reading->group.arn && reading->group.name) {
        if (!reading->group.health.http)
            reading->group.health.path = NULL;
        *TT_VEC_ADD(reading->arena, &reading->elbv2->groups) = reading->group;
    } else if (event == TT_XML_LEAF) {
        take_group_field(reading, field_of(path, "TargetGroups/member"), value);
    }
    return 0;
}

static int take_balancer(void *self, enum tt_xml_event event, const char *path, const char *value,
                         struct tt_error *err)
{
    struct reading *reading = self;
    struct tt_elbv2_balancer *now = &reading->balancer;
    const char *field = field_of(path, "LoadBalancers/member");
    const struct text texts[] = {
        {"LoadBalancerArn", &now->arn},
        {"LoadBalancerName", &now->name},
        {"VpcId", &now->vpc},
    };

    (void)err;
    if (event == TT_XML_BEGIN && strcmp(path, "LoadBalancers/member") == 0) {
        *now = (struct tt_elbv2_balancer){0};
    } else if (event == TT_XML_END && strcmp(path, "LoadBalancers/member") == 0 && now->arn &&
               now->name) {
        *TT_VEC_ADD(reading->arena, &reading->elbv2->balancers) = *now;
    } else if (event == TT_XML_LEAF) {
        TAKE_TEXT(reading->arena, texts, field, value);
        if (strcmp(field, "AvailabilityZones/member/ZoneName") == 0)
            tt_strings_add(reading->arena, &now->zones, tt_strdup(reading->arena, value));
        else if (strcmp(field, "AvailabilityZones/member/SubnetId") == 0)
            tt_strings_add(reading->arena, &now->subnets, tt_strdup(reading->arena, value));
    }
    return 0;
}

static int take_listener(void *self, enum tt_xml_event event, const char *path, const char *value,
                         struct tt_error *err)
{
    struct reading *reading = self;
    struct tt_elbv2_listener *now = &reading->listener;
    const char *field = field_of(path, "Listeners/member");
    const struct text texts[] = {
        {"ListenerArn", &now->arn},
        {"LoadBalancerArn", &now->balancer},
        {"Protocol", &now->protocol},
        {"DefaultActions/member/TargetGroupArn", &now->group},
        {"DefaultActions/member/ForwardConfig/TargetGroups/member/TargetGroupArn", &now->group},
    };

    (void)err;
    if (event == TT_XML_BEGIN && strcmp(path, "Listeners/member") == 0) {
        *now = (struct tt_elbv2_listener){0};
    } else if (event == TT_XML_END && strcmp(path, "Listeners/member") == 0 && now->arn) {
        *TT_VEC_ADD(reading->arena, &reading->elbv2->listeners) = *now;
    } else if (event == TT_XML_LEAF) {
        TAKE_TEXT(reading->arena, texts, field, value);
        if (strcmp(field, "Port") == 0)
            now->port = atoi(value);
    }
    return 0;
}

int tt_elbv2_read(const struct tt_aws_visit *visit, const char *arn, struct tt_elbv2 *elbv2,
                  struct tt_error *err)
{
    struct reading reading = {.arena = visit->arena, .elbv2 = elbv2};
    TT_FORM_AUTO groups = {0};
    TT_FORM_AUTO balancers = {0};

    tt_aws_add(&groups, arn, "TargetGroupArns.member.1");
    if (tt_aws_list(visit, TT_ELBV2_DESCRIBE_TARGET_GROUPS, &groups, arn ? 0 : PAGE, take_group,
                    &reading, err) < 0)
        return -1;
    return tt_aws_list(visit, TT_ELBV2_DESCRIBE_LOAD_BALANCERS, &balancers, PAGE, take_balancer,
                       &reading, err);
}

int tt_elbv2_read_listeners(const struct tt_aws_visit *visit, const char *balancer,
                            struct tt_elbv2 *elbv2, struct tt_error *err)
{
    struct reading reading = {.arena = visit->arena, .elbv2 = elbv2};
    TT_FORM_AUTO form = {0};

    TT_EACH (known, &elbv2->listeners)
        if (tt_streq(known->balancer, balancer))
            return 0;
    tt_aws_add(&form, balancer, "LoadBalancerArn");
    return tt_aws_list(visit, TT_ELBV2_DESCRIBE_LISTENERS, &form, PAGE, take_listener, &reading,
                       err);
}

const struct tt_elbv2_balancer *tt_elbv2_balancer(const struct tt_elbv2 *elbv2, const char *name)
{
    TT_EACH (balancer, &elbv2->balancers)
        if (tt_streq(balancer->name, name) || tt_streq(balancer->arn, name))
            return balancer;
    return NULL;
}

enum tt_protocol tt_elbv2_protocol(const char *word)
{
    if (tt_streq(word, "HTTP"))
        return TT_PROTOCOL_HTTP;
    if (tt_streq(word, "HTTPS"))
        return TT_PROTOCOL_HTTPS;
    return tt_streq(word, "TLS") ? TT_PROTOCOL_SSL : TT_PROTOCOL_TCP;
}
