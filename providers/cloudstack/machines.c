/*
 * Machines: decoding. A machine's tags are its marks; without them its name is. Templates,
 * offerings, networks and groups are told by name, unless the specs name them by id, so that what
 * was asked for and what is can be compared.
 */
#include "providers/cloudstack/machines.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/cloudstack/names.h"

static enum tt_server_state state_of(const char *state)
{
    if (tt_streq(state, "Running") || tt_streq(state, "Migrating"))
        return TT_SERVER_RUNNING;
    if (tt_streq(state, "Starting"))
        return TT_SERVER_PENDING;
    if (tt_streq(state, "Stopped") || tt_streq(state, "Stopping") || tt_streq(state, "Shutdown"))
        return TT_SERVER_STOPPED;
    return TT_SERVER_FAILED; /* Error, Unknown */
}

const char *tt_cloudstack_tag_of(const json_t *machine, const char *name)
{
    const json_t *tag;
    size_t i;

    json_array_foreach (json_object_get(machine, "tags"), i, tag)
        if (tt_streq(tt_reply_peek(tag, "key"), name))
            return json_string_value(json_object_get(tag, "value"));
    return NULL;
}

static bool read_tags(const struct tt_cloudstack *cloud, struct tt_arena *arena,
                      const json_t *machine, struct tt_tags *ret_tags)
{
    const char *owner = tt_cloudstack_tag_of(machine, "trimtab:owner");
    const char *slot = tt_cloudstack_tag_of(machine, "trimtab:slot");

    *ret_tags = (struct tt_tags){.slot = -1};
    if (!owner)
        return tt_cloudstack_read_name(arena, tt_reply_peek(machine, "displayname"),
                                       tt_reply_peek(machine, "name"), cloud->owner_mark,
                                       cloud->owner, ret_tags);
    *ret_tags = (struct tt_tags){
        .owner = tt_strdup(arena, owner),
        .deployment = tt_strdup(arena, tt_cloudstack_tag_of(machine, "trimtab:deployment")),
        .service = tt_strdup(arena, tt_cloudstack_tag_of(machine, "trimtab:service")),
        .balancer = tt_strdup(arena, tt_cloudstack_tag_of(machine, "trimtab:balancer")),
        .slot = slot && slot[0] && strspn(slot, "0123456789") == strlen(slot) && strlen(slot) < 9
                    ? atoi(slot)
                    : -1,
        .incarnation = tt_strdup(arena, tt_cloudstack_tag_of(machine, "trimtab:incarnation")),
        .spec = tt_strdup(arena, tt_cloudstack_tag_of(machine, "trimtab:spec")),
        .host_key = tt_strdup(arena, tt_cloudstack_tag_of(machine, "trimtab:host-key")),
    };
    return true;
}

/* RFC 1918, and the carriers' and link-local ranges. */
static bool is_private(const char *address)
{
    struct in_addr in;
    uint32_t host;

    if (inet_pton(AF_INET, address, &in) != 1)
        return true;
    host = ntohl(in.s_addr);
    return host >> 24 == 10 || host >> 24 == 127 || host >> 20 == 0xac1 || host >> 16 == 0xc0a8 ||
           host >> 16 == 0xa9fe || host >> 22 == 0x191;
}

const json_t *tt_cloudstack_card_of(const json_t *machine)
{
    const json_t *cards = json_object_get(machine, "nic");
    const json_t *card;
    size_t i;

    json_array_foreach (cards, i, card)
        if (tt_reply_flag(card, "isdefault"))
            return card;
    return json_array_get(cards, 0);
}

/* The member ID of OBJECT where the specs have that WORD, else the member NAME. */
static const char *as_named(struct tt_arena *arena, const struct tt_strings *words,
                            const json_t *object, const char *name, const char *id)
{
    const char *text = tt_reply_text(arena, object, id);

    return text && words && tt_strings_has(words, text) ? text : tt_reply_text(arena, object, name);
}

static const struct tt_strings *groups_of(struct tt_arena *arena, const struct tt_strings *words,
                                          const json_t *machine)
{
    const json_t *list = json_object_get(machine, "securitygroup");
    struct tt_strings *groups;
    const json_t *group;
    size_t i;

    if (!json_array_size(list))
        return NULL;
    groups = TT_NEW(arena, struct tt_strings);
    json_array_foreach (list, i, group) {
        const char *name = as_named(arena, words, group, "name", "id");

        if (name)
            tt_strings_add(arena, groups, name);
    }
    tt_strings_sort(groups);
    return groups;
}

static void read_addresses(struct tt_arena *arena, const struct tt_strings *networks,
                           const json_t *machine, struct tt_server *server)
{
    const json_t *card = tt_cloudstack_card_of(machine);

    server->network = as_named(arena, networks, card, "networkname", "networkid");
    server->private_address = tt_reply_text(arena, card, "ipaddress");
    server->public_address = tt_reply_text(arena, machine, "publicip");
    if (!server->public_address && server->private_address && !is_private(server->private_address))
        server->public_address = server->private_address;
}

bool tt_cloudstack_read_machine(const struct tt_cloudstack *cloud, struct tt_arena *arena,
                                const json_t *machine, const struct tt_observe_request *words,
                                struct tt_server *ret_server)
{
    const char *state = tt_reply_peek(machine, "state");
    const char *created = tt_reply_peek(machine, "created");
    const char *id = tt_reply_text(arena, machine, "id");
    struct tt_server server = {.id = id, .zone = tt_strdup(arena, words->region)};

    if (!id || tt_streq(state, "Destroyed") || tt_streq(state, "Expunging"))
        return false;
    server.name = tt_reply_text(arena, machine, "displayname");
    if (!server.name)
        server.name = tt_reply_text(arena, machine, "name");
    server.state = state_of(state);
    server.health = TT_HEALTH_UNKNOWN;
    server.template = as_named(arena, &words->templates, machine, "templatename", "templateid");
    server.size =
        as_named(arena, &words->sizes, machine, "serviceofferingname", "serviceofferingid");
    server.firewalls = groups_of(arena, &words->firewalls, machine);
    server.key = tt_reply_text(arena, machine, "keypairs");
    if (!server.key)
        server.key = tt_reply_text(arena, machine, "keypair");
    if (!created || tt_time_parse(created, &server.created_at) < 0)
        server.created_at = TT_TIME_UNKNOWN;
    read_addresses(arena, &words->networks, machine, &server);
    read_tags(cloud, arena, machine, &server.tags);
    *ret_server = server;
    return true;
}

int tt_cloudstack_machine(struct tt_cloudstack *cloud, const char *id, json_t **ret_machine,
                          struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    json_t *machine;
    const char *state;
    int result;

    tt_arena_init(&scratch);
    tt_cloudstack_add(&scratch, &parameters, "id", id);
    tt_cloudstack_add(&scratch, &parameters, "listall", "true");
    result = tt_cloudstack_list(cloud, "listVirtualMachines", &parameters, "virtualmachine", &items,
                                err);
    tt_arena_release(&scratch);
    if (result < 0)
        return -1;
    machine = json_array_get(items, 0);
    state = tt_reply_peek(machine, "state");
    if (!machine || tt_streq(state, "Destroyed") || tt_streq(state, "Expunging"))
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no machine %s", id);
    *ret_machine = json_incref(machine);
    return 0;
}

int tt_cloudstack_check_owner(const struct tt_cloudstack *cloud, const json_t *machine,
                              const char *id, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_tags tags;
    bool ours;

    tt_arena_init(&scratch);
    ours = read_tags(cloud, &scratch, machine, &tags) && tt_streq(tags.owner, cloud->owner);
    tt_arena_release(&scratch);
    if (!ours)
        return tt_fail(err, TT_ERR_DENIED, "machine %s does not carry the mark of %s", id,
                       cloud->owner);
    return 0;
}
