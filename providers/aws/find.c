/*
 * Find: what the specs' words for images, security groups and subnets stand for. Each kind is
 * listed once for all words by id, once for all others by name, and the rest by the Name tag.
 */
#include <string.h>

#include "providers/aws/cloud.h"

/* One listing: the item being read, and where items go. */
struct finding {
    struct tt_arena *arena;
    const char *item; /* path of an item: "imagesSet/item" */
    const char *id;   /* its leaves */
    const char *name; /* NULL: it has none */
    struct tt_aws_named now;
    const char *now_name, *now_tag, *tag_key;
    bool own; /* nobody else's: anyone may give an image any name */
    enum { BY_ID, BY_NAME, BY_TAG, BY_VPC } by;
    const struct tt_strings *words;
    struct tt_aws_names *names;
};

static bool is_leaf(const struct finding *finding, const char *path, const char *leaf)
{
    size_t length = strlen(finding->item);

    return leaf && strncmp(path, finding->item, length) == 0 && path[length] == '/' &&
           strcmp(path + length + 1, leaf) == 0;
}

static void add(struct finding *finding)
{
    const char *by[] = {
        finding->now.id,
        finding->now_name,
        finding->now_tag,
        finding->now.vpc,
    };

    TT_EACH (word, finding->words)
        if (tt_streq(*word, by[finding->by])) {
            finding->now.word = *word;
            *TT_VEC_ADD(finding->arena, finding->names) = finding->now;
        }
}

static int take(void *self, enum tt_xml_event event, const char *path, const char *value,
                struct tt_error *err)
{
    struct finding *finding = self;
    struct tt_arena *arena = finding->arena;

    (void)err;
    if (event == TT_XML_BEGIN && strcmp(path, finding->item) == 0) {
        finding->now = (struct tt_aws_named){0};
        finding->now_name = finding->now_tag = NULL;
    } else if (event == TT_XML_END && strcmp(path, finding->item) == 0) {
        add(finding);
    } else if (event == TT_XML_LEAF) {
        if (is_leaf(finding, path, finding->id))
            finding->now.id = tt_strdup(arena, value);
        else if (is_leaf(finding, path, finding->name))
            finding->now_name = tt_strdup(arena, value);
        else if (is_leaf(finding, path, "vpcId"))
            finding->now.vpc = tt_strdup(arena, value);
        else if (is_leaf(finding, path, "availabilityZone"))
            finding->now.zone = tt_strdup(arena, value);
        else if (is_leaf(finding, path, "defaultForAz"))
            finding->now.usual = strcmp(value, "true") == 0;
        else if (is_leaf(finding, path, "creationDate"))
            finding->now.made = tt_strdup(arena, value);
        else if (is_leaf(finding, path, "tagSet/item/key"))
            finding->tag_key = tt_strdup(arena, value);
        else if (is_leaf(finding, path, "tagSet/item/value") && tt_streq(finding->tag_key, "Name"))
            finding->now_tag = tt_strdup(arena, value);
    }
    return 0;
}

static bool is_found(const struct tt_aws_names *names, const char *word)
{
    TT_EACH (named, names)
        if (strcmp(named->word, word) == 0)
            return true;
    return false;
}

/* Those that begin with PREFIX, or those that do not and were not found yet. */
static struct tt_strings choose(struct tt_arena *arena, const struct tt_strings *words,
                                const char *prefix, bool with, const struct tt_aws_names *found)
{
    struct tt_strings chosen = {0};

    TT_EACH (word, words)
        if (tt_starts_with(*word, prefix) == with && (with || !is_found(found, *word)))
            tt_strings_add(arena, &chosen, *word);
    return chosen;
}

static int list(const struct tt_aws_visit *visit, enum tt_aws_action action, const char *filter,
                const struct tt_strings *words, struct finding *finding, const char *key,
                const char *within, struct tt_error *err)
{
    TT_FORM_AUTO form = {0};

    if (!words->count)
        return 0;
    finding->words = words;
    tt_aws_filter_any(&form, filter, words);
    if (within)
        tt_aws_filter(&form, key, within);
    tt_aws_add(&form, finding->own ? "self" : NULL, "Owner.1");
    /* paging would need MaxResults, which not all of these take with filters of ids */
    return tt_aws_list(visit, action, &form, 0, take, finding, err);
}

int tt_aws_find_images(const struct tt_aws_visit *visit, const struct tt_strings *words,
                       struct tt_aws_names *ret_names, struct tt_error *err)
{
    struct tt_arena *arena = visit->arena;
    struct finding finding = {
        .arena = arena, .item = "imagesSet/item", .id = "imageId", .name = "name"};
    struct tt_strings chosen = choose(arena, words, "ami-", true, ret_names);

    finding.names = ret_names;
    finding.by = BY_ID;
    if (list(visit, TT_AWS_DESCRIBE_IMAGES, "image-id", &chosen, &finding, NULL, NULL, err) < 0)
        return -1;
    finding.by = BY_NAME;
    finding.own = true;
    chosen = choose(arena, words, "ami-", false, ret_names);
    if (list(visit, TT_AWS_DESCRIBE_IMAGES, "name", &chosen, &finding, NULL, NULL, err) < 0)
        return -1;
    finding.by = BY_TAG;
    chosen = choose(arena, words, "ami-", false, ret_names);
    return list(visit, TT_AWS_DESCRIBE_IMAGES, "tag:Name", &chosen, &finding, NULL, NULL, err);
}

int tt_aws_find_groups(const struct tt_aws_visit *visit, const struct tt_strings *words,
                       const char *vpc, struct tt_aws_names *ret_names, struct tt_error *err)
{
    struct tt_arena *arena = visit->arena;
    struct finding finding = {
        .arena = arena, .item = "securityGroupInfo/item", .id = "groupId", .name = "groupName"};
    struct tt_strings chosen = choose(arena, words, "sg-", true, ret_names);

    finding.names = ret_names;
    finding.by = BY_ID;
    if (list(visit, TT_AWS_DESCRIBE_SECURITY_GROUPS, "group-id", &chosen, &finding, NULL, NULL,
             err) < 0)
        return -1;
    finding.by = BY_NAME;
    chosen = choose(arena, words, "sg-", false, ret_names);
    if (list(visit, TT_AWS_DESCRIBE_SECURITY_GROUPS, "group-name", &chosen, &finding, "vpc-id", vpc,
             err) < 0)
        return -1;
    finding.by = BY_TAG;
    chosen = choose(arena, words, "sg-", false, ret_names);
    return list(visit, TT_AWS_DESCRIBE_SECURITY_GROUPS, "tag:Name", &chosen, &finding, "vpc-id",
                vpc, err);
}

/* The VPCs of these words become words themselves, under which their subnets are found. */
static int find_in_vpcs(const struct tt_aws_visit *visit, const struct tt_strings *words,
                        const char *zone, struct finding *subnets, struct tt_error *err)
{
    struct tt_arena *arena = visit->arena;
    struct tt_aws_names vpcs = {0}, found = {0};
    struct finding finding = {
        .arena = arena, .item = "vpcSet/item", .id = "vpcId", .by = BY_TAG, .names = &vpcs};
    struct tt_strings named = choose(arena, words, "vpc-", false, subnets->names);
    struct tt_strings ids = choose(arena, words, "vpc-", true, subnets->names);
    struct tt_aws_names *all = subnets->names;
    int result;

    if (list(visit, TT_AWS_DESCRIBE_VPCS, "tag:Name", &named, &finding, NULL, NULL, err) < 0)
        return -1;
    TT_EACH (id, &ids)
        *TT_VEC_ADD(arena, &vpcs) = (struct tt_aws_named){.word = *id, .id = *id};
    TT_EACH (vpc, &vpcs)
        if (!tt_strings_has(&ids, vpc->id))
            tt_strings_add(arena, &ids, vpc->id);
    subnets->by = BY_VPC;
    subnets->names = &found;
    result = list(visit, TT_AWS_DESCRIBE_SUBNETS, "vpc-id", &ids, subnets, "availability-zone",
                  zone, err);
    subnets->names = all;
    if (result < 0)
        return -1;
    TT_EACH (subnet, &found)
        TT_EACH (vpc, &vpcs)
            if (tt_streq(subnet->vpc, vpc->id)) {
                struct tt_aws_named *copy = TT_VEC_ADD(arena, all);

                *copy = *subnet;
                copy->word = vpc->word;
            }
    return 0;
}

int tt_aws_find_subnets(const struct tt_aws_visit *visit, const struct tt_strings *words,
                        const char *zone, struct tt_aws_names *ret_names, struct tt_error *err)
{
    struct tt_arena *arena = visit->arena;
    struct finding finding = {
        .arena = arena, .item = "subnetSet/item", .id = "subnetId", .names = ret_names};
    struct tt_strings chosen = choose(arena, words, "subnet-", true, ret_names);
    struct tt_strings others = {0}, rest = {0};

    if (list(visit, TT_AWS_DESCRIBE_SUBNETS, "subnet-id", &chosen, &finding, NULL, NULL, err) < 0)
        return -1;
    others = choose(arena, words, "subnet-", false, ret_names);
    chosen = choose(arena, &others, "vpc-", false, ret_names);
    finding.by = BY_TAG;
    if (list(visit, TT_AWS_DESCRIBE_SUBNETS, "tag:Name", &chosen, &finding, "availability-zone",
             zone, err) < 0)
        return -1;
    TT_EACH (word, &others)
        if (!is_found(ret_names, *word))
            tt_strings_add(arena, &rest, *word);
    return find_in_vpcs(visit, &rest, zone, &finding, err);
}

/* The one of ZONE that a balancer would be given by hand: the zone's default, or the only one. */
static const char *choose_subnet(const struct tt_aws_names *subnets, const char *zone, int *count)
{
    const char *only = NULL;

    *count = 0;
    TT_EACH (subnet, subnets)
        if (tt_streq(subnet->zone, zone)) {
            if (subnet->usual) {
                *count = 1;
                return subnet->id;
            }
            only = subnet->id;
            (*count)++;
        }
    return *count == 1 ? only : NULL;
}

int tt_aws_is_default_vpc(const struct tt_aws_visit *visit, const char *vpc, bool *ret_is,
                          struct tt_error *err)
{
    struct tt_strings words = {.items = &vpc, .count = 1};
    struct tt_aws_names subnets = {0};

    if (tt_aws_find_subnets(visit, &words, NULL, &subnets, err) < 0)
        return -1;
    *ret_is = false;
    TT_EACH (subnet, &subnets)
        *ret_is = *ret_is || subnet->usual;
    return 0;
}

int tt_aws_choose_subnets(const struct tt_aws_visit *visit, const char *vpc,
                          const struct tt_strings *current, const struct tt_strings *zones,
                          struct tt_strings *ret_subnets, struct tt_error *err)
{
    struct tt_strings words = {.items = &vpc, .count = 1};
    struct tt_aws_names subnets = {0};

    if (tt_aws_find_subnets(visit, &words, NULL, &subnets, err) < 0)
        return -1;
    TT_EACH (zone, zones) {
        const char *chosen = NULL;
        int count = 0;

        TT_EACH (subnet, &subnets)
            if (tt_streq(subnet->zone, *zone) && tt_strings_has(current, subnet->id))
                tt_strings_add(visit->arena, ret_subnets, chosen = subnet->id);
        if (chosen)
            continue;
        chosen = choose_subnet(&subnets, *zone, &count);
        if (!chosen)
            return tt_fail(err, TT_ERR_SPEC, "%s has %d subnets in zone %s%s", vpc, count, *zone,
                           count ? " and none is the default: give the balancer one by hand" : "");
        tt_strings_add(visit->arena, ret_subnets, chosen);
    }
    return 0;
}
