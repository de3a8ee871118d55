/*
 * Classic load balancers: read whole, and changed by the calls that each setting has.
 */
#include <stdlib.h>
#include <string.h>

#include "providers/aws/cloud.h"

#define PAGE     400
#define ITEM     "LoadBalancerDescriptions/member"
#define LISTENER ITEM "/ListenerDescriptions/member"

/* A balancer as it is, with what the world does not show. */
struct classic {
    struct tt_cloud_balancer is;
    struct tt_strings zones, subnets;
    struct tt_listeners listeners;
    struct tt_strings certificates; /* one for each listener; "" for none */
    struct tt_health_check health;
    int healthy_after;
    const char *vpc;
};

struct reading {
    struct tt_arena *arena;
    struct classic now;
    struct tt_listener listener;
    const char *certificate;
    TT_VEC(struct classic) items;
};

/* --- reading -------------------------------------------------------------------------------- */

static enum tt_protocol protocol_of(const char *word)
{
    int found = tt_word_find((const char *const[]){"HTTP", "HTTPS", "TCP", "SSL", NULL}, word);

    return found < 0 ? TT_PROTOCOL_TCP : (enum tt_protocol)found;
}

/* "HTTP:8080/healthz", "TCP:80" */
static void take_target(struct reading *reading, const char *value)
{
    const char *path = strchr(value, '/');

    reading->now.health.http = tt_starts_with(value, "HTTP");
    reading->now.health.path =
        reading->now.health.http && path ? tt_strdup(reading->arena, path) : NULL;
}

static void take_listener(struct reading *reading, const char *field, const char *value)
{
    if (strcmp(field, "LoadBalancerPort") == 0)
        reading->listener.port = atoi(value);
    else if (strcmp(field, "InstancePort") == 0)
        reading->listener.target_port = atoi(value);
    else if (strcmp(field, "Protocol") == 0)
        reading->listener.protocol = protocol_of(value);
    else if (strcmp(field, "SSLCertificateId") == 0)
        reading->certificate = tt_strdup(reading->arena, value);
}

static void take_health(struct reading *reading, const char *field, const char *value)
{
    struct tt_health_check *health = &reading->now.health;

    if (strcmp(field, "Target") == 0)
        take_target(reading, value);
    else if (strcmp(field, "Interval") == 0)
        health->interval = (tt_time)atoi(value) * 1000;
    else if (strcmp(field, "Timeout") == 0)
        health->timeout = (tt_time)atoi(value) * 1000;
    else if (strcmp(field, "UnhealthyThreshold") == 0)
        health->unhealthy_after = atoi(value);
    else if (strcmp(field, "HealthyThreshold") == 0)
        reading->now.healthy_after = atoi(value);
}

static void take_field(struct reading *reading, const char *field, const char *value)
{
    struct classic *now = &reading->now;
    struct tt_arena *arena = reading->arena;

    if (strcmp(field, "LoadBalancerName") == 0)
        now->is.id = now->is.name = tt_strdup(arena, value);
    else if (strcmp(field, "AvailabilityZones/member") == 0)
        tt_strings_add(arena, &now->zones, tt_strdup(arena, value));
    else if (strcmp(field, "Subnets/member") == 0)
        tt_strings_add(arena, &now->subnets, tt_strdup(arena, value));
    else if (strcmp(field, "VPCId") == 0)
        now->vpc = tt_strdup(arena, value);
    else if (strcmp(field, "Instances/member/InstanceId") == 0)
        *TT_VEC_ADD(arena, &now->is.members) =
            (struct tt_member){tt_strdup(arena, value), TT_MEMBER_UNKNOWN};
    else if (tt_starts_with(field, "ListenerDescriptions/member/Listener/"))
        take_listener(reading, field + strlen("ListenerDescriptions/member/Listener/"), value);
    else if (tt_starts_with(field, "HealthCheck/"))
        take_health(reading, field + strlen("HealthCheck/"), value);
}

static int take(void *self, enum tt_xml_event event, const char *path, const char *value,
                struct tt_error *err)
{
    struct reading *reading = self;
    struct tt_arena *arena = reading->arena;

    (void)err;
    if (!tt_starts_with(path, ITEM))
        return 0;
    if (event == TT_XML_BEGIN && strcmp(path, ITEM) == 0) {
        reading->now = (struct classic){0};
    } else if (event == TT_XML_BEGIN && strcmp(path, LISTENER) == 0) {
        reading->listener = (struct tt_listener){0};
        reading->certificate = "";
    } else if (event == TT_XML_END && strcmp(path, LISTENER) == 0) {
        *TT_VEC_ADD(arena, &reading->now.listeners) = reading->listener;
        tt_strings_add(arena, &reading->now.certificates, reading->certificate);
    } else if (event == TT_XML_END && strcmp(path, ITEM) == 0 && reading->now.is.name) {
        *TT_VEC_ADD(arena, &reading->items) = reading->now;
    } else if (event == TT_XML_LEAF && path[strlen(ITEM)] == '/') {
        take_field(reading, path + strlen(ITEM) + 1, value);
    }
    return 0;
}

/* --- members -------------------------------------------------------------------------------- */

struct health {
    struct tt_arena *arena;
    const struct tt_region *region;
    struct tt_cloud_balancer *balancer;
    struct tt_member now;
    bool leaving;
};

/* The machine is in a zone that the balancer does not serve. */
static bool is_outside(const struct health *health)
{
    const struct tt_server *server = tt_region_server(health->region, health->now.server);

    return server && server->zone && !tt_strings_has(health->balancer->zones, server->zone);
}

/* Each machine once, whatever the answer says. */
static void add_member(struct health *health)
{
    if (health->leaving)
        health->now.state = TT_MEMBER_DRAINING;
    else if (health->now.state == TT_MEMBER_IN_SERVICE && is_outside(health))
        health->now.state = TT_MEMBER_OUT_OF_SERVICE;
    TT_EACH (member, &health->balancer->members)
        if (tt_streq(member->server, health->now.server))
            return;
    *TT_VEC_ADD(health->arena, &health->balancer->members) = health->now;
}

static int take_member(void *self, enum tt_xml_event event, const char *path, const char *value,
                       struct tt_error *err)
{
    struct health *health = self;
    const char *field = tt_starts_with(path, "InstanceStates/member/")
                            ? path + strlen("InstanceStates/member/")
                            : "";

    (void)err;
    if (event == TT_XML_BEGIN && strcmp(path, "InstanceStates/member") == 0) {
        health->now = (struct tt_member){NULL, TT_MEMBER_UNKNOWN};
        health->leaving = false;
    } else if (event == TT_XML_LEAF && strcmp(field, "InstanceId") == 0) {
        health->now.server = tt_strdup(health->arena, value);
    } else if (event == TT_XML_LEAF && strcmp(field, "State") == 0) {
        health->now.state = strcmp(value, "InService") == 0      ? TT_MEMBER_IN_SERVICE
                            : strcmp(value, "OutOfService") == 0 ? TT_MEMBER_OUT_OF_SERVICE
                                                                 : TT_MEMBER_UNKNOWN;
    } else if (event == TT_XML_LEAF && strcmp(field, "Description") == 0) {
        /* "Instance deregistration currently in progress." */
        health->leaving = strstr(value, "deregistration currently in progress") != NULL;
    } else if (event == TT_XML_END && strcmp(path, "InstanceStates/member") == 0 &&
               health->now.server) {
        add_member(health);
    }
    return 0;
}

static int observe_members(const struct tt_aws_visit *visit, const struct tt_region *region,
                           struct tt_cloud_balancer *balancer, struct tt_error *err)
{
    struct health health = {.arena = visit->arena, .region = region, .balancer = balancer};
    TT_FORM_AUTO form = {0};

    balancer->members.count = 0;
    tt_aws_add(&form, balancer->name, "LoadBalancerName");
    return tt_aws_call(visit, TT_ELB_DESCRIBE_INSTANCE_HEALTH, &form, take_member, &health, err);
}

int tt_elb_observe(const struct tt_aws_visit *visit, const struct tt_observe_request *request,
                   struct tt_region *region, struct tt_error *err)
{
    struct reading reading = {.arena = visit->arena};
    TT_FORM_AUTO form = {0};

    if (!request->balancers.count && !request->everything)
        return 0;
    if (tt_aws_list(visit, TT_ELB_DESCRIBE_LOAD_BALANCERS, &form, PAGE, take, &reading, err) < 0)
        return -1;
    TT_EACH (item, &reading.items) {
        item->is.zones = &item->zones;
        item->is.listeners = &item->listeners;
        item->is.health = &item->health;
        if (tt_aws_wants(request, item->is.name) &&
            observe_members(visit, region, &item->is, err) < 0)
            return -1;
        *TT_VEC_ADD(visit->arena, &region->balancers) = item->is;
    }
    return 0;
}

/* --- changing ------------------------------------------------------------------------------- */

static int find(const struct tt_aws_visit *visit, const char *name, struct classic *ret_classic,
                struct tt_error *err)
{
    struct reading reading = {.arena = visit->arena};
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, name, "LoadBalancerNames.member.1");
    if (tt_aws_call(visit, TT_ELB_DESCRIBE_LOAD_BALANCERS, &form, take, &reading, err) < 0)
        return -1;
    if (!reading.items.count)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no classic load balancer %s",
                       visit->region->name, name);
    *ret_classic = reading.items.items[0];
    return 0;
}

static int enroll(const struct tt_aws_visit *visit, const char *id, const char *server,
                  struct tt_error *err)
{
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, id, "LoadBalancerName");
    tt_aws_add(&form, server, "Instances.member.1.InstanceId");
    return tt_aws_call(visit, TT_ELB_REGISTER_INSTANCES, &form, NULL, NULL, err);
}

static int withdraw(const struct tt_aws_visit *visit, const char *id, const char *server,
                    struct tt_error *err)
{
    struct tt_error own = {0};
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, id, "LoadBalancerName");
    tt_aws_add(&form, server, "Instances.member.1.InstanceId");
    if (tt_aws_call(visit, TT_ELB_DEREGISTER_INSTANCES, &form, NULL, NULL, &own) == 0 ||
        strcmp(own.code, "InvalidInstance") == 0) /* it is no member */
        return 0;
    if (err)
        *err = own;
    return -1;
}

/* Calls ACTION with those of LIST that are not in OTHER; with none, not at all. */
static int change_list(const struct tt_aws_visit *visit, enum tt_aws_action action,
                       const char *name, const char *key, const struct tt_strings *list,
                       const struct tt_strings *other, struct tt_error *err)
{
    struct tt_strings rest = {0};
    TT_FORM_AUTO form = {0};

    TT_EACH (item, list)
        if (!tt_strings_has(other, *item))
            tt_strings_add(visit->arena, &rest, *item);
    if (!rest.count)
        return 0;
    tt_aws_add(&form, name, "LoadBalancerName");
    tt_aws_add_all(&form, &rest, key);
    return tt_aws_call(visit, action, &form, NULL, NULL, err);
}

/* First what comes, then what goes: the last one cannot be taken out. */
static int change_both(const struct tt_aws_visit *visit, const char *id, bool subnets,
                       const struct tt_strings *now, const struct tt_strings *wanted,
                       struct tt_error *err)
{
    const char *key = subnets ? "Subnets.member" : "AvailabilityZones.member";

    if (change_list(visit, subnets ? TT_ELB_ATTACH_SUBNETS : TT_ELB_ENABLE_ZONES, id, key, wanted,
                    now, err) < 0)
        return -1;
    return change_list(visit, subnets ? TT_ELB_DETACH_SUBNETS : TT_ELB_DISABLE_ZONES, id, key, now,
                       wanted, err);
}

/* Zones can be named in the default VPC alone; elsewhere they are subnets. */
static int set_zones(const struct tt_aws_visit *visit, const char *id,
                     const struct tt_strings *zones, struct tt_error *err)
{
    struct tt_strings subnets = {0};
    struct classic classic = {0};
    bool by_name = true;

    if (find(visit, id, &classic, err) < 0 || tt_aws_check_zones(visit, zones, err) < 0)
        return -1;
    if (classic.vpc && tt_aws_is_default_vpc(visit, classic.vpc, &by_name, err) < 0)
        return -1;
    if (by_name)
        return change_both(visit, id, false, &classic.zones, zones, err);
    if (tt_aws_choose_subnets(visit, classic.vpc, &classic.subnets, zones, &subnets, err) < 0)
        return -1;
    return change_both(visit, id, true, &classic.subnets, &subnets, err);
}

static const char *const protocol_words[] = {"HTTP", "HTTPS", "TCP", "SSL", NULL};

/* The certificate that PORT has now, or "". */
static const char *certificate_of(const struct classic *classic, int port)
{
    for (size_t i = 0; i < classic->listeners.count; i++)
        if (classic->listeners.items[i].port == port)
            return classic->certificates.items[i];
    return "";
}

static bool has_listener(const struct tt_listeners *listeners, const struct tt_listener *wanted)
{
    TT_EACH (listener, listeners)
        if (listener->port == wanted->port && listener->protocol == wanted->protocol &&
            listener->target_port == wanted->target_port)
            return true;
    return false;
}

static int add_listener(const struct classic *classic, const struct tt_listener *listener,
                        int number, struct tt_aws_form *form, struct tt_arena *arena,
                        struct tt_error *err)
{
    bool http = listener->protocol <= TT_PROTOCOL_HTTPS;
    bool secure = listener->protocol == TT_PROTOCOL_HTTPS || listener->protocol == TT_PROTOCOL_SSL;
    const char *certificate = listener->certificate && tt_starts_with(listener->certificate, "arn:")
                                  ? listener->certificate
                                  : certificate_of(classic, listener->port);

    if (secure && !*certificate)
        return tt_fail(err, TT_ERR_SPEC,
                       "the listener at port %d needs the ARN of a certificate as tls.certificate",
                       listener->port);
    tt_aws_add(form, protocol_words[listener->protocol], "Listeners.member.%d.Protocol", number);
    tt_aws_add(form, tt_printf(arena, "%d", listener->port), "Listeners.member.%d.LoadBalancerPort",
               number);
    tt_aws_add(form, tt_printf(arena, "%d", listener->target_port),
               "Listeners.member.%d.InstancePort", number);
    tt_aws_add(form, http ? "HTTP" : "TCP", "Listeners.member.%d.InstanceProtocol", number);
    tt_aws_add(form, secure ? certificate : NULL, "Listeners.member.%d.SSLCertificateId", number);
    return 0;
}

/* A listener cannot be changed: one that differs goes, and comes as it is to be. */
static int set_listeners(const struct tt_aws_visit *visit, const char *id,
                         const struct tt_listeners *listeners, struct tt_error *err)
{
    TT_FORM_AUTO old = {0};
    TT_FORM_AUTO new = {0};
    int gone = 0, come = 0;
    struct classic classic = {0};

    if (find(visit, id, &classic, err) < 0)
        return -1;
    tt_aws_add(&old, id, "LoadBalancerName");
    tt_aws_add(&new, id, "LoadBalancerName");
    TT_EACH (listener, listeners)
        if (!has_listener(&classic.listeners, listener) &&
            add_listener(&classic, listener, ++come, &new, visit->arena, err) < 0)
            return -1;
    TT_EACH (listener, &classic.listeners)
        if (!has_listener(listeners, listener))
            tt_aws_add(&old, tt_printf(visit->arena, "%d", listener->port),
                       "LoadBalancerPorts.member.%d", ++gone);
    if (gone && tt_aws_call(visit, TT_ELB_DELETE_LISTENERS, &old, NULL, NULL, err) < 0)
        return -1;
    return come ? tt_aws_call(visit, TT_ELB_CREATE_LISTENERS, &new, NULL, NULL, err) : 0;
}

static int set_health_check(const struct tt_aws_visit *visit, const char *id,
                            const struct tt_health_check *health, struct tt_error *err)
{
    int interval, timeout, port;
    struct classic classic = {0};
    TT_FORM_AUTO form = {0};

    if (find(visit, id, &classic, err) < 0 ||
        tt_aws_seconds(health->interval, "interval", &interval, err) < 0 ||
        tt_aws_seconds(health->timeout, "timeout", &timeout, err) < 0)
        return -1;
    if (!classic.listeners.count)
        return tt_fail(err, TT_ERR_SPEC, "balancer %s has no listener, so no port to check", id);
    port = classic.listeners.items[0].target_port;
    tt_aws_add(&form, id, "LoadBalancerName");
    tt_aws_add(&form,
               health->http
                   ? tt_printf(visit->arena, "HTTP:%d%s", port, health->path ? health->path : "/")
                   : tt_printf(visit->arena, "TCP:%d", port),
               "HealthCheck.Target");
    tt_aws_add(&form, tt_printf(visit->arena, "%d", interval), "HealthCheck.Interval");
    tt_aws_add(&form, tt_printf(visit->arena, "%d", timeout), "HealthCheck.Timeout");
    tt_aws_add(&form, tt_printf(visit->arena, "%d", health->unhealthy_after),
               "HealthCheck.UnhealthyThreshold");
    tt_aws_add(&form,
               tt_printf(visit->arena, "%d", classic.healthy_after ? classic.healthy_after : 2),
               "HealthCheck.HealthyThreshold");
    return tt_aws_call(visit, TT_ELB_CONFIGURE_HEALTH_CHECK, &form, NULL, NULL, err);
}

const struct tt_aws_balancer_ops *tt_elb_ops(void)
{
    static const struct tt_aws_balancer_ops ops = {enroll, withdraw, set_zones, set_listeners,
                                                   set_health_check};

    return &ops;
}
