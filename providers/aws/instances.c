/*
 * Instances: DescribeInstances into servers, with the specs' own words for images, groups and
 * subnets where these stand for what a machine has.
 */
#include <stdlib.h>
#include <string.h>

#include "providers/aws/cloud.h"

#define PAGE  1000
#define FEW   9000 /* machines: nine pages */
#define ITEM  "reservationSet/item/instancesSet/item"
#define MARK  "trimtab:"
#define FIELD (sizeof(ITEM)) /* where a field's name begins */

/* A server being read, and the ids that its words are found by. */
struct reading {
    struct tt_arena *arena;
    struct tt_region *region;
    struct tt_map seen; /* ids, so that one is listed once whatever it was asked for by */
    struct tt_server now;
    struct tt_strings group_ids, group_names;
    const char *vpc;
    const char *tag_key, *tag_value;
    /* what the words stand for */
    struct tt_aws_names images, groups, subnets;
};

static enum tt_server_state state_of(const char *word)
{
    if (strcmp(word, "running") == 0)
        return TT_SERVER_RUNNING;
    if (strcmp(word, "pending") == 0)
        return TT_SERVER_PENDING;
    if (strcmp(word, "stopping") == 0 || strcmp(word, "stopped") == 0)
        return TT_SERVER_STOPPED;
    return TT_SERVER_GONE; /* shutting-down, terminated */
}

static void take_mark(struct tt_tags *tags, const char *key, const char *value)
{
    if (strcmp(key, "owner") == 0)
        tags->owner = value;
    else if (strcmp(key, "deployment") == 0)
        tags->deployment = value;
    else if (strcmp(key, "service") == 0)
        tags->service = value;
    else if (strcmp(key, "balancer") == 0)
        tags->balancer = value;
    else if (strcmp(key, "incarnation") == 0)
        tags->incarnation = value;
    else if (strcmp(key, "spec") == 0)
        tags->spec = value;
    else if (strcmp(key, "host-key") == 0)
        tags->host_key = value;
    else if (strcmp(key, "slot") == 0 && *value && strlen(value) < 7 &&
             value[strspn(value, "0123456789")] == '\0')
        tags->slot = atoi(value);
}

static void take_tag(struct reading *reading)
{
    if (!reading->tag_key || !reading->tag_value)
        return;
    if (strcmp(reading->tag_key, "Name") == 0)
        reading->now.name = reading->tag_value;
    else if (tt_starts_with(reading->tag_key, MARK))
        take_mark(&reading->now.tags, reading->tag_key + strlen(MARK), reading->tag_value);
}

static void begin(struct reading *reading)
{
    reading->now = (struct tt_server){.created_at = TT_TIME_UNKNOWN, .tags.slot = -1};
    reading->group_ids = reading->group_names = (struct tt_strings){0};
    reading->vpc = NULL;
}

/* FIELD is the path below the instance. */
static void take_field(struct reading *reading, const char *field, const char *value)
{
    struct tt_server *now = &reading->now;
    struct tt_arena *arena = reading->arena;
    const struct {
        const char *field;
        const char **target;
    } texts[] = {
        {"instanceId", &now->id},
        {"placement/availabilityZone", &now->zone},
        {"imageId", &now->template},
        {"instanceType", &now->size},
        {"keyName", &now->key},
        {"subnetId", &now->network},
        {"vpcId", &reading->vpc},
        {"privateIpAddress", &now->private_address},
        {"ipAddress", &now->public_address},
        {"tagSet/item/key", &reading->tag_key},
        {"tagSet/item/value", &reading->tag_value},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(field, texts[i].field) == 0 &&
            (*value || texts[i].target == &reading->tag_value))
            *texts[i].target = tt_strdup(arena, value);
    if (strcmp(field, "instanceState/name") == 0)
        now->state = state_of(value);
    else if (strcmp(field, "launchTime") == 0 && tt_time_parse(value, &now->created_at) < 0)
        now->created_at = TT_TIME_UNKNOWN;
    else if (strcmp(field, "groupSet/item/groupId") == 0)
        tt_strings_add(arena, &reading->group_ids, tt_strdup(arena, value));
    else if (strcmp(field, "groupSet/item/groupName") == 0)
        tt_strings_add(arena, &reading->group_names, tt_strdup(arena, value));
}

/* The word that ID was found by, or NULL. */
static const char *word_of(const struct tt_aws_names *names, const char *id)
{
    TT_EACH (named, names)
        if (tt_streq(named->id, id))
            return named->word;
    return NULL;
}

/* An image's word stands for its newest image alone, as a new machine would get that one. */
static const char *image_word(const struct tt_aws_names *images, const char *id)
{
    const char *word = word_of(images, id);

    TT_EACH (other, images)
        if (word && tt_streq(other->word, word) && !tt_streq(other->id, id)) {
            const struct tt_aws_named *own = NULL;

            TT_EACH (named, images)
                if (tt_streq(named->id, id))
                    own = named;
            if (own && tt_strcmp(other->made, own->made) > 0)
                return NULL;
        }
    return word;
}

static void name_parts(struct reading *reading)
{
    struct tt_server *now = &reading->now;
    struct tt_strings *firewalls = TT_NEW(reading->arena, struct tt_strings);
    const char *word = image_word(&reading->images, now->template);

    if (word)
        now->template = word;
    word = word_of(&reading->subnets, now->network);
    if (word)
        now->network = word;
    for (size_t i = 0; i < reading->group_ids.count; i++) {
        word = word_of(&reading->groups, reading->group_ids.items[i]);
        if (!word && i < reading->group_names.count)
            word = reading->group_names.items[i];
        tt_strings_add(reading->arena, firewalls, word ? word : reading->group_ids.items[i]);
    }
    now->firewalls = firewalls;
}

static int take(void *self, enum tt_xml_event event, const char *path, const char *value,
                struct tt_error *err)
{
    struct reading *reading = self;

    (void)err;
    if (strncmp(path, ITEM, sizeof(ITEM) - 1) != 0)
        return 0;
    if (event == TT_XML_BEGIN && !path[sizeof(ITEM) - 1]) {
        begin(reading);
    } else if (event == TT_XML_BEGIN && strcmp(path + FIELD, "tagSet/item") == 0) {
        reading->tag_key = reading->tag_value = NULL;
    } else if (event == TT_XML_END && strcmp(path, ITEM "/tagSet/item") == 0) {
        take_tag(reading);
    } else if (event == TT_XML_LEAF && path[sizeof(ITEM) - 1]) {
        take_field(reading, path + FIELD, value);
    } else if (event == TT_XML_END && !path[sizeof(ITEM) - 1] && reading->now.id &&
               !tt_map_get(&reading->seen, reading->now.id)) {
        name_parts(reading);
        tt_map_put(&reading->seen, reading->now.id, reading->region);
        *TT_VEC_ADD(reading->arena, &reading->region->servers) = reading->now;
    }
    return 0;
}

/* --- the words of the specs ----------------------------------------------------------------- */

/* Ids stand for themselves and need no asking. */
static void leave_ids_out(struct tt_arena *arena, const struct tt_strings *words,
                          const char *prefix, struct tt_strings *ret_names,
                          struct tt_aws_names *ret_ids)
{
    TT_EACH (word, words) {
        if (tt_starts_with(*word, prefix))
            *TT_VEC_ADD(arena, ret_ids) = (struct tt_aws_named){.word = *word, .id = *word};
        else
            tt_strings_add(arena, ret_names, *word);
    }
}

static int find_words(const struct tt_aws_visit *visit, const struct tt_observe_request *request,
                      struct reading *reading, struct tt_error *err)
{
    struct tt_strings images = {0}, groups = {0}, subnets = {0};

    leave_ids_out(visit->arena, &request->templates, "ami-", &images, &reading->images);
    leave_ids_out(visit->arena, &request->firewalls, "sg-", &groups, &reading->groups);
    leave_ids_out(visit->arena, &request->networks, "subnet-", &subnets, &reading->subnets);
    if (tt_aws_find_images(visit, &images, &reading->images, err) < 0 ||
        tt_aws_find_groups(visit, &groups, NULL, &reading->groups, err) < 0 ||
        tt_aws_find_subnets(visit, &subnets, NULL, &reading->subnets, err) < 0)
        return -1;
    return 0;
}

/* Those that the specs name and that exist; ids are not asked for, and taken as they are. */
static void list_templates(const struct tt_aws_visit *visit, const struct reading *reading,
                           struct tt_region *region)
{
    struct tt_strings *templates = TT_NEW(visit->arena, struct tt_strings);

    TT_EACH (image, &reading->images)
        if (!tt_strings_has(templates, image->word))
            tt_strings_add(visit->arena, templates, image->word);
    region->templates = templates;
}

/* --- which machines ------------------------------------------------------------------------- */

bool tt_aws_is_instance_id(const char *id)
{
    return tt_starts_with(id, "i-") && id[2] && id[2 + strspn(id + 2, "0123456789abcdef")] == '\0';
}

static int list_owned(const struct tt_aws_visit *visit, const struct tt_observe_request *request,
                      struct reading *reading, struct tt_error *err)
{
    TT_FORM_AUTO form = {0};

    if (!request->everything)
        tt_aws_filter(&form, "tag:" MARK "owner", request->owner);
    return tt_aws_list(visit, TT_AWS_DESCRIBE_INSTANCES, &form, PAGE, take, reading, err);
}

/* The machines that the specs name by id, then those by name. */
static int list_named(const struct tt_aws_visit *visit, const struct tt_observe_request *request,
                      struct reading *reading, struct tt_error *err)
{
    for (int ids = 1; ids >= 0; ids--) {
        struct tt_strings wanted = {0};
        TT_FORM_AUTO form = {0};

        TT_EACH (machine, &request->machines)
            if (tt_aws_is_instance_id(*machine) == (ids == 1))
                tt_strings_add(visit->arena, &wanted, *machine);
        if (!wanted.count || request->everything)
            continue;
        tt_aws_filter_any(&form, ids ? "instance-id" : "tag:Name", &wanted);
        if (tt_aws_list(visit, TT_AWS_DESCRIBE_INSTANCES, &form, PAGE, take, reading, err) < 0)
            return -1;
    }
    return 0;
}

/* Machines that have not passed a check. */
struct checks {
    struct tt_map impaired;
    const char *id; /* of the machine being read */
};

/* What passed is not taken either: what only speaks like EC2 may know nothing of the filter. */
static int take_check(void *self, enum tt_xml_event event, const char *path, const char *value,
                      struct tt_error *err)
{
    struct checks *checks = self;

    (void)err;
    if (event != TT_XML_LEAF)
        return 0;
    if (strcmp(path, "instanceStatusSet/item/instanceId") == 0)
        checks->id = tt_strdup(checks->impaired.arena, value);
    else if ((strcmp(path, "instanceStatusSet/item/instanceStatus/status") == 0 ||
              strcmp(path, "instanceStatusSet/item/systemStatus/status") == 0) &&
             strcmp(value, "impaired") == 0 && checks->id)
        tt_map_put(&checks->impaired, checks->id, checks);
    return 0;
}

/* Those whose CHECK says so. */
static int list_impaired(const struct tt_aws_visit *visit, const char *check, struct checks *checks,
                         struct tt_error *err)
{
    TT_FORM_AUTO form = {0};

    tt_aws_filter(&form, check, "impaired");
    return tt_aws_list(visit, TT_AWS_DESCRIBE_INSTANCE_STATUS, &form, PAGE, take_check, checks,
                       err);
}

/* Machines that AWS itself finds broken have failed: by the check of the machine, or by that of
 * what it runs on. No filter means either, so these are two calls; a region with so many machines
 * that the second would be one too many is asked the first alone. */
static int mark_impaired(const struct tt_aws_visit *visit, struct tt_region *region,
                         struct tt_error *err)
{
    struct checks checks = {0};

    tt_map_init(&checks.impaired, visit->arena);
    if (list_impaired(visit, "instance-status.status", &checks, err) < 0 ||
        (region->servers.count <= FEW &&
         list_impaired(visit, "system-status.status", &checks, err) < 0))
        return -1;
    TT_EACH (server, &region->servers)
        if (server->state == TT_SERVER_RUNNING && tt_map_get(&checks.impaired, server->id))
            server->state = TT_SERVER_FAILED;
    return 0;
}

int tt_aws_observe_servers(const struct tt_aws_visit *visit,
                           const struct tt_observe_request *request, struct tt_region *region,
                           struct tt_error *err)
{
    struct reading reading = {.arena = visit->arena, .region = region};

    tt_map_init(&reading.seen, visit->arena);
    if (find_words(visit, request, &reading, err) < 0 ||
        list_owned(visit, request, &reading, err) < 0 ||
        list_named(visit, request, &reading, err) < 0)
        return -1;
    /* a snapshot outlives the specs of today: images that these do not name exist, too */
    if (request->templates.count && !request->everything)
        list_templates(visit, &reading, region);
    return region->servers.count ? mark_impaired(visit, region, err) : 0;
}

int tt_aws_find_server(const struct tt_aws_visit *visit, const char *id,
                       const struct tt_server **ret_server, struct tt_error *err)
{
    struct tt_region *region = TT_NEW(visit->arena, struct tt_region);
    struct reading reading = {.arena = visit->arena, .region = region};
    TT_FORM_AUTO form = {0};

    *ret_server = NULL;
    if (!tt_aws_is_instance_id(id))
        return 0;
    tt_map_init(&reading.seen, visit->arena);
    tt_aws_filter(&form, "instance-id", id);
    if (tt_aws_call(visit, TT_AWS_DESCRIBE_INSTANCES, &form, take, &reading, err) < 0)
        return -1;
    if (region->servers.count)
        *ret_server = region->servers.items;
    return 0;
}

int tt_aws_await_server(const struct tt_aws_visit *visit, const char *id, int result,
                        struct tt_error *err)
{
    const struct tt_server *server;

    if (result == 0 || !err || !tt_starts_with(err->code, "InvalidInstance") ||
        err->class != TT_ERR_NOT_FOUND || tt_aws_find_server(visit, id, &server, NULL) < 0)
        return result;
    if (server && server->state != TT_SERVER_GONE)
        err->class = TT_ERR_UNAVAILABLE;
    return result;
}
