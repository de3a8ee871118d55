/*
 * Servers: made, ended, started, stopped, tagged, and commands on them. What is not ours is refused
 * after a look at its tags, as EC2 itself knows no owner.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "providers/aws/cloud.h"

/* --- tags ----------------------------------------------------------------------------------- */

void tt_aws_each_tag(struct tt_arena *arena, const struct tt_tags *tags,
                     void (*add)(void *self, const char *key, const char *value), void *self)
{
    const struct {
        const char *key;
        const char *value;
    } all[] = {
        {"trimtab:owner", tags->owner},
        {"trimtab:deployment", tags->deployment},
        {"trimtab:service", tags->service},
        {"trimtab:balancer", tags->balancer},
        {"trimtab:slot", tags->slot >= 0 ? tt_printf(arena, "%d", tags->slot) : NULL},
        {"trimtab:incarnation", tags->incarnation},
        {"trimtab:spec", tags->spec},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].value)
            add(self, all[i].key, all[i].value);
}

/* Tags in a form. */
struct tagging {
    struct tt_aws_form *form;
    const char *prefix;
    int count;
};

static void add_tag(void *self, const char *key, const char *value)
{
    struct tagging *tagging = self;

    tagging->count++;
    tt_aws_add(tagging->form, key, "%s.%d.Key", tagging->prefix, tagging->count);
    tt_aws_add(tagging->form, value, "%s.%d.Value", tagging->prefix, tagging->count);
}

/* --- making --------------------------------------------------------------------------------- */

/* What a new machine is made from, in AWS's ids. */
struct parts {
    const char *image;
    const char *subnet;
    const char *vpc;
    struct tt_strings groups;
};

static int find_image(const struct tt_aws_visit *visit, const char *word, struct parts *parts,
                      struct tt_error *err)
{
    struct tt_strings words = {.items = &word, .count = 1};
    struct tt_aws_names names = {0};
    const struct tt_aws_named *newest = NULL;

    if (tt_aws_find_images(visit, &words, &names, err) < 0)
        return -1;
    TT_EACH (image, &names)
        if (!newest || tt_strcmp(image->made, newest->made) > 0)
            newest = image;
    if (!newest)
        return tt_fail(err, TT_ERR_SPEC, "region %s has no image %s that this account may use",
                       visit->region->name, word);
    parts->image = newest->id;
    return 0;
}

static int find_subnet(const struct tt_aws_visit *visit, const char *word, const char *zone,
                       struct parts *parts, struct tt_error *err)
{
    struct tt_strings words = {.items = &word, .count = 1};
    struct tt_aws_names names = {0};

    if (!word)
        return 0;
    if (tt_aws_find_subnets(visit, &words, zone, &names, err) < 0)
        return -1;
    TT_EACH (subnet, &names)
        if ((!zone || tt_streq(subnet->zone, zone)) &&
            (!parts->subnet || strcmp(subnet->id, parts->subnet) < 0)) {
            parts->subnet = subnet->id;
            parts->vpc = subnet->vpc;
        }
    if (!parts->subnet)
        return tt_fail(err, TT_ERR_SPEC, "region %s has no subnet of network %s in %s",
                       visit->region->name, word, zone ? zone : "any zone");
    return 0;
}

static int find_groups(const struct tt_aws_visit *visit, const struct tt_strings *words,
                       struct parts *parts, struct tt_error *err)
{
    struct tt_aws_names names = {0};

    if (!words || !words->count)
        return 0;
    if (tt_aws_find_groups(visit, words, parts->vpc, &names, err) < 0)
        return -1;
    TT_EACH (word, words) {
        const struct tt_aws_named *found = NULL;

        TT_EACH (named, &names) {
            if (!tt_streq(named->word, *word) || (found && tt_streq(found->id, named->id)))
                continue;
            if (found)
                return tt_fail(
                    err, TT_ERR_SPEC,
                    "there are several security groups %s in region %s: name the network "
                    "that is meant, or the group by its id",
                    *word, visit->region->name);
            found = named;
        }
        if (!found)
            return tt_fail(err, TT_ERR_SPEC, "region %s has no security group %s",
                           visit->region->name, *word);
        tt_strings_add(visit->arena, &parts->groups, found->id);
    }
    return 0;
}

/* The zone is a part of it, because AWS makes a second machine for the same token in another one.
 */
static char *token_of(struct tt_arena *arena, const struct tt_create_request *request)
{
    const char *text =
        tt_printf(arena, "%s\n%s", request->client_token ? request->client_token : "",
                  request->zone ? request->zone : "");

    return tt_sha256_hex(arena, text, strlen(text));
}

static char *base64(struct tt_arena *arena, const char *text)
{
    size_t length = strlen(text);
    char *out = tt_alloc(arena, (length + 2) / 3 * 4 + 1);

    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)length);
    return out;
}

static void describe(const struct tt_aws_visit *visit, const struct tt_create_request *request,
                     const struct parts *parts, struct tt_aws_form *form)
{
    const struct tt_server_spec *spec = request->spec;
    struct tagging tagging = {form, "TagSpecification.1.Tag", 0};

    tt_aws_add(form, parts->image, "ImageId");
    tt_aws_add(form, spec->size, "InstanceType");
    tt_aws_add(form, "1", "MinCount");
    tt_aws_add(form, "1", "MaxCount");
    tt_aws_add(form, spec->key, "KeyName");
    tt_aws_add(form, request->zone, "Placement.AvailabilityZone");
    tt_aws_add(form, parts->subnet, "SubnetId");
    tt_aws_add_all(form, &parts->groups, "SecurityGroupId");
    tt_aws_add(form, spec->user_data ? base64(visit->arena, spec->user_data) : NULL, "UserData");
    tt_aws_add(form, "required", "MetadataOptions.HttpTokens");
    if (request->client_token)
        tt_aws_add(form, token_of(visit->arena, request), "ClientToken");
    tt_aws_add(form, "instance", "TagSpecification.1.ResourceType");
    add_tag(&tagging, "Name", request->name);
    tt_aws_each_tag(visit->arena, &request->tags, add_tag, &tagging);
}

struct made {
    struct tt_arena *arena;
    const char *id;
};

static int take_made(void *self, enum tt_xml_event event, const char *path, const char *value,
                     struct tt_error *err)
{
    struct made *made = self;

    (void)err;
    if (event == TT_XML_LEAF && strcmp(path, "instancesSet/item/instanceId") == 0)
        made->id = tt_strdup(made->arena, value);
    return 0;
}

static int run_instance(const struct tt_aws_visit *visit, const struct tt_create_request *request,
                        const struct parts *parts, const char **ret_id, struct tt_error *err)
{
    struct made made = {.arena = visit->arena};
    TT_FORM_AUTO form = {0};
    struct tt_error own = {0};

    describe(visit, request, parts, &form);
    if (tt_aws_call(visit, TT_AWS_RUN_INSTANCES, &form, take_made, &made, &own) < 0) {
        if (own.class == TT_ERR_NOT_FOUND) /* an image or key that the specs name */
            own.class = TT_ERR_SPEC;
        if (err)
            *err = own;
        return -1;
    }
    if (!made.id)
        return tt_fail(err, TT_ERR_TIMEOUT, "ec2 RunInstances: the answer names no instance");
    *ret_id = made.id;
    return 0;
}

int tt_aws_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    struct parts parts = {0};
    struct tt_aws_visit visit;

    if (tt_aws_enter(provider, request->region, arena, &visit, err) < 0)
        return -1;
    if (!request->spec->template)
        return tt_fail(err, TT_ERR_SPEC, "a machine of AWS needs a template: an image");
    if (find_image(&visit, request->spec->template, &parts, err) < 0 ||
        find_subnet(&visit, request->spec->network, request->zone, &parts, err) < 0 ||
        find_groups(&visit, request->spec->firewalls, &parts, err) < 0)
        return -1;
    return run_instance(&visit, request, &parts, ret_id, err);
}

/* --- what exists ---------------------------------------------------------------------------- */

static int no_machine(const struct tt_aws_visit *visit, const char *id, struct tt_error *err)
{
    return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", visit->region->name, id);
}

/* Success with NULL for a machine that is gone; DENIED for one that is not ours. */
static int find_owned(const struct tt_aws_visit *visit, const char *id,
                      const struct tt_server **ret_server, struct tt_error *err)
{
    if (tt_aws_find_server(visit, id, ret_server, err) < 0)
        return -1;
    if (*ret_server && (*ret_server)->state == TT_SERVER_GONE)
        *ret_server = NULL;
    if (*ret_server && !tt_streq((*ret_server)->tags.owner, visit->aws->owner))
        return tt_fail(err, TT_ERR_DENIED, "machine %s (%s) does not carry the owner's mark", id,
                       (*ret_server)->name ? (*ret_server)->name : "nameless");
    return 0;
}

/* A call with the one instance ID; that it is gone meanwhile is success when GONE_IS_FINE. */
static int act(const struct tt_aws_visit *visit, enum tt_aws_action action, const char *id,
               const char *force, bool gone_is_fine, struct tt_error *err)
{
    struct tt_error own = {0};
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, id, "InstanceId.1");
    tt_aws_add(&form, force, "Force");
    if (tt_aws_call(visit, action, &form, NULL, NULL, &own) == 0 ||
        (gone_is_fine && own.class == TT_ERR_NOT_FOUND))
        return 0;
    if (err)
        *err = own;
    return -1;
}

int tt_aws_delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err)
{
    const struct tt_server *server;
    struct tt_arena scratch = {0};
    struct tt_aws_visit visit;
    int result = tt_aws_enter(provider, region, &scratch, &visit, err);

    if (result == 0)
        result = find_owned(&visit, id, &server, err);
    if (result == 0 && server)
        result = act(&visit, TT_AWS_TERMINATE_INSTANCES, id, NULL, true, err);
    tt_arena_release(&scratch);
    return result;
}

int tt_aws_fence(struct tt_provider *provider, const char *region, const char *machine,
                 struct tt_error *err)
{
    const struct tt_server *server;
    struct tt_arena scratch = {0};
    struct tt_aws_visit visit;
    int result = tt_aws_enter(provider, region, &scratch, &visit, err);

    if (result == 0)
        result = find_owned(&visit, machine, &server, err);
    if (result == 0 && server && server->state != TT_SERVER_STOPPED)
        result = act(&visit, TT_AWS_STOP_INSTANCES, machine, "true", true, err);
    tt_arena_release(&scratch);
    return result;
}

int tt_aws_start_server(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_aws_visit visit;
    int result = tt_aws_enter(provider, region, &scratch, &visit, err);

    if (result == 0 && !tt_aws_is_instance_id(id))
        result = no_machine(&visit, id, err);
    if (result == 0)
        result = act(&visit, TT_AWS_START_INSTANCES, id, NULL, false, err);
    tt_arena_release(&scratch);
    return result;
}

static int put_tags(const struct tt_aws_visit *visit, const char *server,
                    const struct tt_tags *tags, struct tt_error *err)
{
    TT_FORM_AUTO form = {0};
    struct tagging tagging = {&form, "Tag", 0};

    if (!tt_aws_is_instance_id(server))
        return no_machine(visit, server, err);
    tt_aws_add(&form, server, "ResourceId.1");
    tt_aws_each_tag(visit->arena, tags, add_tag, &tagging);
    if (!tagging.count)
        return 0;
    return tt_aws_call(visit, TT_AWS_CREATE_TAGS, &form, NULL, NULL, err);
}

int tt_aws_tag(struct tt_provider *provider, const char *region, const char *server,
               const struct tt_tags *tags, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_aws_visit visit;
    int result = tt_aws_enter(provider, region, &scratch, &visit, err);

    if (result == 0)
        result = put_tags(&visit, server, tags, err);
    tt_arena_release(&scratch);
    return result;
}
