/*
 * Machines: decoding what Nova tells of a server, and writing the marks.
 */
#include "providers/openstack/machines.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/str.h"

#define MARK        "trimtab:"
#define SERVER_MARK MARK "server="
#define MAX_MARK    60 /* characters of a server tag */

const char *tt_openstack_owner_mark(struct tt_arena *arena, const char *owner)
{
    if (strlen(MARK) + strlen(owner) <= MAX_MARK && !strpbrk(owner, ",/"))
        return tt_printf(arena, MARK "%s", owner);
    return tt_printf(arena, MARK "%.32s", tt_sha256_hex(arena, owner, strlen(owner)));
}

const char *tt_openstack_incarnation_mark(struct tt_arena *arena, const char *incarnation)
{
    return tt_printf(arena, MARK "incarnation=%s", incarnation);
}

json_t *tt_openstack_metadata(struct tt_arena *arena, const struct tt_tags *tags, int port)
{
    const struct {
        const char *key, *value;
    } marks[] = {
        {MARK "owner", tags->owner},
        {MARK "deployment", tags->deployment},
        {MARK "service", tags->service},
        {MARK "balancer", tags->balancer},
        {MARK "slot", tags->slot >= 0 ? tt_printf(arena, "%d", tags->slot) : NULL},
        {MARK "incarnation", tags->incarnation},
        {MARK "spec", tags->spec},
        {MARK "port", port ? tt_printf(arena, "%d", port) : NULL},
    };
    json_t *metadata = json_object();

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (marks[i].value)
            json_object_set_new(metadata, marks[i].key, json_string(marks[i].value));
    return metadata;
}

void tt_openstack_mark_template(json_t *metadata, const char *template, const char *image)
{
    json_object_set_new(metadata, MARK "template", json_string(template));
    json_object_set_new(metadata, MARK "image", json_string(image));
}

static const char *mark_of(struct tt_arena *arena, const json_t *machine, const char *key)
{
    return tt_reply_text(arena, json_object_get(machine, "metadata"), key);
}

struct tt_tags tt_openstack_tags_of(struct tt_arena *arena, const json_t *machine)
{
    return (struct tt_tags){
        .owner = mark_of(arena, machine, MARK "owner"),
        .deployment = mark_of(arena, machine, MARK "deployment"),
        .service = mark_of(arena, machine, MARK "service"),
        .balancer = mark_of(arena, machine, MARK "balancer"),
        .slot = tt_reply_number(json_object_get(machine, "metadata"), MARK "slot", -1),
        .incarnation = mark_of(arena, machine, MARK "incarnation"),
        .spec = mark_of(arena, machine, MARK "spec"),
        .host_key = mark_of(arena, machine, MARK "host-key"),
    };
}

int tt_openstack_port_of(const json_t *machine)
{
    int port = tt_reply_number(json_object_get(machine, "metadata"), MARK "port", 0);

    return port > 65535 ? 0 : port;
}

json_t *tt_openstack_member_marks(struct tt_arena *arena, const char *server,
                                  const struct tt_tags *tags)
{
    json_t *marks = json_array();

    json_array_append_new(marks, json_string(tt_printf(arena, SERVER_MARK "%s", server)));
    if (!tags || !tags->owner || !tags->deployment || !tags->service || tags->slot < 0)
        return marks;
    json_array_append_new(marks, json_string(tt_printf(arena, MARK "owner=%s", tags->owner)));
    json_array_append_new(marks,
                          json_string(tt_printf(arena, MARK "deployment=%s", tags->deployment)));
    json_array_append_new(marks, json_string(tt_printf(arena, MARK "service=%s", tags->service)));
    json_array_append_new(marks, json_string(tt_printf(arena, MARK "slot=%d", tags->slot)));
    return marks;
}

/* The value of the tag that begins with KEY; NULL: there is none. Borrowed. */
static const char *peek_mark(const json_t *member, const char *key)
{
    const json_t *tag;
    size_t i;

    json_array_foreach (json_object_get(member, "tags"), i, tag)
        if (json_is_string(tag) && tt_starts_with(json_string_value(tag), key))
            return json_string_value(tag) + strlen(key);
    return NULL;
}

static const char *member_mark(struct tt_arena *arena, const json_t *member, const char *key)
{
    return tt_strdup(arena, peek_mark(member, key));
}

bool tt_openstack_is_our_member(const json_t *member)
{
    return peek_mark(member, SERVER_MARK) != NULL;
}

bool tt_openstack_is_own_member(const struct tt_openstack_visit *visit, const json_t *member)
{
    const char *owner = peek_mark(member, MARK "owner=");

    return tt_openstack_is_our_member(member) && (!owner || tt_streq(owner, visit->cloud->owner));
}

const char *tt_openstack_member_server(struct tt_arena *arena, const json_t *member)
{
    return member_mark(arena, member, SERVER_MARK);
}

struct tt_tags tt_openstack_member_tags(struct tt_arena *arena, const json_t *member)
{
    const char *slot = member_mark(arena, member, MARK "slot=");
    char *end = NULL;
    long number = slot && isdigit((unsigned char)*slot) ? strtol(slot, &end, 10) : -1;

    return (struct tt_tags){
        .owner = member_mark(arena, member, MARK "owner="),
        .deployment = member_mark(arena, member, MARK "deployment="),
        .service = member_mark(arena, member, MARK "service="),
        .slot = number < 0 || number > INT_MAX || *end ? -1 : (int)number,
    };
}

/* Who may see hosts (an administrator, by default) knows more than the status, which stays ACTIVE
 * when a host dies: DOWN is one that was fenced, UNKNOWN one that Nova does not hear from. */
static bool is_lost(const char *host)
{
    return tt_streq(host, "DOWN") || tt_streq(host, "UNKNOWN");
}

/* Nova says so before the machine's host hears of it. */
static bool is_being_deleted(const json_t *machine)
{
    const char *task = tt_reply_peek(machine, "OS-EXT-STS:task_state");

    return tt_streq(task, "deleting") || tt_streq(task, "soft-deleting");
}

static bool is_deleted(const json_t *machine)
{
    const char *status = tt_reply_peek(machine, "status");

    return tt_streq(status, "DELETED") || tt_streq(status, "SOFT_DELETED");
}

static enum tt_server_state state_of(const json_t *machine)
{
    const char *status = tt_reply_peek(machine, "status");
    const char *host = tt_reply_peek(machine, "host_status");
    static const struct {
        const char *word;
        enum tt_server_state state;
    } states[] = {
        {"ACTIVE", TT_SERVER_RUNNING},        {"BUILD", TT_SERVER_PENDING},
        {"REBUILD", TT_SERVER_PENDING},       {"REBOOT", TT_SERVER_PENDING},
        {"HARD_REBOOT", TT_SERVER_PENDING},   {"RESIZE", TT_SERVER_RUNNING},
        {"VERIFY_RESIZE", TT_SERVER_RUNNING}, {"REVERT_RESIZE", TT_SERVER_RUNNING},
        {"MIGRATING", TT_SERVER_RUNNING},     {"PASSWORD", TT_SERVER_RUNNING},
        {"SHUTOFF", TT_SERVER_STOPPED},       {"PAUSED", TT_SERVER_STOPPED},
        {"SUSPENDED", TT_SERVER_STOPPED},     {"SHELVED", TT_SERVER_STOPPED},
        {"DELETED", TT_SERVER_GONE},          {"SOFT_DELETED", TT_SERVER_GONE},
    };

    if (is_being_deleted(machine))
        return TT_SERVER_GONE;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (tt_streq(status, states[i].word))
            return states[i].state == TT_SERVER_RUNNING && is_lost(host) ? TT_SERVER_FAILED
                                                                         : states[i].state;
    return TT_SERVER_FAILED; /* ERROR, RESCUE, SHELVED_OFFLOADED, UNKNOWN */
}

bool tt_openstack_is_gone(const json_t *machine)
{
    return state_of(machine) == TT_SERVER_GONE;
}

static const char *in_words(const struct tt_map *map, const char *name)
{
    const char *word = name ? tt_map_get(map, name) : NULL;

    return word ? word : name;
}

/* An image that is replaced by another one of its name leaves the servers that run as they are:
 * they were made from that template. One that was rebuilt from another image was not. */
static const char *template_of(const struct tt_openstack_names *names, struct tt_arena *arena,
                               const json_t *machine)
{
    const char *id = tt_reply_text(arena, json_object_get(machine, "image"), "id");
    const char *made_from = mark_of(arena, machine, MARK "template");
    const struct tt_strings *templates = names->request ? &names->request->templates : NULL;

    if (made_from && templates && tt_strings_has(templates, made_from) &&
        tt_streq(mark_of(arena, machine, MARK "image"), id))
        return made_from;
    return in_words(&names->images, id); /* none: made from a volume */
}

static const char *size_of(const struct tt_openstack_names *names, struct tt_arena *arena,
                           const json_t *machine)
{
    const json_t *flavor = json_object_get(machine, "flavor");
    const char *name = tt_reply_text(arena, flavor, "original_name");

    return in_words(&names->flavors, name);
}

static const struct tt_strings *groups_of(const struct tt_openstack_names *names,
                                          struct tt_arena *arena, const json_t *machine)
{
    const json_t *list = json_object_get(machine, "security_groups");
    struct tt_strings *groups;
    const json_t *group;
    size_t i;

    if (!json_array_size(list))
        return NULL;
    groups = TT_NEW(arena, struct tt_strings);
    json_array_foreach (list, i, group) {
        const char *name = in_words(&names->groups, tt_reply_text(arena, group, "name"));

        if (name && !tt_strings_has(groups, name)) /* once for each port */
            tt_strings_add(arena, groups, name);
    }
    tt_strings_sort(groups);
    return groups;
}

/* The first address of version 4 of that TYPE ("fixed", "floating"), and its network. */
static const char *address_of(struct tt_arena *arena, const json_t *machine, const char *type,
                              const char **ret_network)
{
    const char *network;
    json_t *list;

    json_object_foreach (json_object_get(machine, "addresses"), network, list) {
        const json_t *address;
        size_t i;

        json_array_foreach (list, i, address) {
            const char *kind = tt_reply_peek(address, "OS-EXT-IPS:type");

            if (tt_reply_number(address, "version", 4) == 4 &&
                tt_streq(kind ? kind : "fixed", type)) {
                if (ret_network)
                    *ret_network = tt_strdup(arena, network);
                return tt_reply_text(arena, address, "addr");
            }
        }
    }
    return NULL;
}

const char *tt_openstack_private_address(struct tt_arena *arena, const json_t *machine)
{
    return address_of(arena, machine, "fixed", NULL);
}

bool tt_openstack_read_machine(const struct tt_openstack_names *names, struct tt_arena *arena,
                               const json_t *machine, struct tt_server *ret_server)
{
    const char *created = tt_reply_peek(machine, "created");
    const char *network = NULL;
    struct tt_server server = {
        .id = tt_reply_text(arena, machine, "id"),
        .name = tt_reply_text(arena, machine, "name"),
        .zone = tt_reply_text(arena, machine, "OS-EXT-AZ:availability_zone"),
        .state = state_of(machine),
        .health = TT_HEALTH_UNKNOWN,
        .template = template_of(names, arena, machine),
        .size = size_of(names, arena, machine),
        .firewalls = groups_of(names, arena, machine),
        .key = tt_reply_text(arena, machine, "key_name"),
        .tags = tt_openstack_tags_of(arena, machine),
    };

    if (!server.id || server.state == TT_SERVER_GONE)
        return false;
    if (!created || tt_time_parse(created, &server.created_at) < 0)
        server.created_at = TT_TIME_UNKNOWN;
    server.private_address = address_of(arena, machine, "fixed", &network);
    server.public_address = address_of(arena, machine, "floating", NULL);
    if (!server.public_address && network && tt_map_get(&names->outside, network))
        server.public_address = server.private_address;
    server.network = in_words(&names->networks, network);
    *ret_server = server;
    return true;
}

/* https://docs.openstack.org/api-guide/compute/down_cells.html */
bool tt_openstack_is_hidden(const json_t *machine)
{
    return tt_streq(tt_reply_peek(machine, "status"), "UNKNOWN") &&
           !json_object_get(machine, "name");
}

static int show(const struct tt_openstack_visit *visit, const char *id,
                bool (*is_gone)(const json_t *machine), json_t **ret_machine, struct tt_error *err)
{
    struct tt_openstack_request request = {
        .service = TT_OPENSTACK_COMPUTE,
        .what = "show server",
        .path = tt_printf(visit->arena, "/servers/%s", tt_http_escape(visit->arena, id, false)),
    };
    TT_REPLY_AUTO *answer = NULL;
    json_t *machine;
    int minor;

    if (tt_openstack_minor(visit, &minor, err) < 0 ||
        tt_openstack_call(visit, &request, &answer, err) < 0)
        return -1;
    machine = json_object_get(answer, "server");
    if (!machine || is_gone(machine))
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no server %s", id);
    if (tt_openstack_is_hidden(machine))
        return tt_fail(err, TT_ERR_UNAVAILABLE,
                       "Nova cannot reach the cell that has server %s, so nobody knows its state",
                       id);
    *ret_machine = json_incref(machine);
    return 0;
}

int tt_openstack_machine(const struct tt_openstack_visit *visit, const char *id,
                         json_t **ret_machine, struct tt_error *err)
{
    return show(visit, id, tt_openstack_is_gone, ret_machine, err);
}

int tt_openstack_machine_that_may_run(const struct tt_openstack_visit *visit, const char *id,
                                      json_t **ret_machine, struct tt_error *err)
{
    return show(visit, id, is_deleted, ret_machine, err);
}

int tt_openstack_check_owner(const struct tt_openstack_visit *visit, const json_t *machine,
                             const char *id, struct tt_error *err)
{
    const char *owner = tt_reply_peek(json_object_get(machine, "metadata"), MARK "owner");

    if (!tt_streq(owner, visit->cloud->owner))
        return tt_fail(err, TT_ERR_DENIED, "server %s does not carry the mark of %s", id,
                       visit->cloud->owner);
    return 0;
}
