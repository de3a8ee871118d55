/*
 * Meta: a machine's description in its folder, written before it starts.
 */
#include <string.h>

#include "base/file.h"
#include "model/json.h"
#include "providers/local/cloud.h"

#define FORMAT   "trimtab.local-machine/v1"
#define MAX_META (4u * 1024 * 1024)

static json_t *write_tags(const struct tt_tags *tags)
{
    json_t *object = json_object();

    tt_json_set_known(object, "owner", tags->owner);
    tt_json_set_known(object, "deployment", tags->deployment);
    tt_json_set_known(object, "service", tags->service);
    tt_json_set_known(object, "balancer", tags->balancer);
    if (tags->slot >= 0)
        json_object_set_new(object, "slot", json_integer(tags->slot));
    tt_json_set_known(object, "incarnation", tags->incarnation);
    tt_json_set_known(object, "spec", tags->spec);
    return object;
}

int tt_local_meta_write(const struct tt_local_machine *machine, struct tt_error *err)
{
    const struct tt_server *server = &machine->server;
    json_t *object = json_object();
    struct tt_arena arena;
    const char *text;
    int result;

    tt_arena_init(&arena);
    tt_json_set_known(object, "format", FORMAT);
    tt_json_set_known(object, "name", server->name);
    tt_json_set_known(object, "zone", server->zone);
    tt_json_set_known(object, "template", server->template);
    tt_json_set_known(object, "size", server->size);
    if (server->firewalls)
        json_object_set_new(object, "firewalls", tt_json_from_strings(server->firewalls));
    tt_json_set_known(object, "key", server->key);
    tt_json_set_known(object, "network", server->network);
    tt_json_set_known(object, "address", server->private_address);
    tt_json_set_known(object, "createdAt", tt_time_format(&arena, server->created_at));
    json_object_set_new(object, "tags", write_tags(&server->tags));
    json_object_set_new(object, "port", json_integer(machine->port));
    tt_json_set_known(object, "token", machine->token);
    json_object_set_new(object, "stopped", json_boolean(machine->stopped));
    json_object_set_new(object, "command", tt_json_from_strings(&machine->command));
    text = tt_json_text(&arena, object);
    result = tt_file_write(tt_printf(&arena, "%s/meta.json", machine->folder), text, strlen(text),
                           0600, err);
    tt_arena_release(&arena);
    return result;
}

static int read_tags(struct tt_arena *arena, const struct tt_json *machine, struct tt_tags *tags,
                     struct tt_error *err)
{
    struct tt_json json = tt_json_member(machine, "tags");

    tags->slot = -1;
    return tt_json_object(&json, err) < 0 ||
                   tt_json_string(arena, &json, "owner", &tags->owner, err) < 0 ||
                   tt_json_string(arena, &json, "deployment", &tags->deployment, err) < 0 ||
                   tt_json_string(arena, &json, "service", &tags->service, err) < 0 ||
                   tt_json_string(arena, &json, "balancer", &tags->balancer, err) < 0 ||
                   tt_json_int(&json, "slot", 0, 1 << 30, &tags->slot, err) < 0 ||
                   tt_json_string(arena, &json, "incarnation", &tags->incarnation, err) < 0 ||
                   tt_json_string(arena, &json, "spec", &tags->spec, err) < 0
               ? -1
               : 0;
}

static int read_server(struct tt_arena *arena, const struct tt_json *json, struct tt_server *server,
                       struct tt_error *err)
{
    server->created_at = TT_TIME_UNKNOWN;
    if (tt_json_required_string(arena, json, "name", &server->name, err) < 0 ||
        tt_json_required_string(arena, json, "zone", &server->zone, err) < 0 ||
        tt_json_string(arena, json, "template", &server->template, err) < 0 ||
        tt_json_string(arena, json, "size", &server->size, err) < 0 ||
        tt_json_strings(arena, json, "firewalls", &server->firewalls, err) < 0 ||
        tt_json_string(arena, json, "key", &server->key, err) < 0 ||
        tt_json_string(arena, json, "network", &server->network, err) < 0 ||
        tt_json_required_string(arena, json, "address", &server->private_address, err) < 0 ||
        tt_json_time(json, "createdAt", &server->created_at, err) < 0)
        return -1;
    server->public_address = server->private_address;
    server->health = TT_HEALTH_UNKNOWN;
    return read_tags(arena, json, &server->tags, err);
}

static int read_machine(struct tt_arena *arena, const struct tt_json *json,
                        struct tt_local_machine *machine, struct tt_error *err)
{
    const struct tt_strings *command = NULL;

    if (tt_json_format(json, FORMAT, err) < 0 ||
        read_server(arena, json, &machine->server, err) < 0 ||
        tt_json_int(json, "port", 0, 65535, &machine->port, err) < 0 ||
        tt_json_string(arena, json, "token", &machine->token, err) < 0 ||
        tt_json_bool(json, "stopped", &machine->stopped, err) < 0 ||
        tt_json_strings(arena, json, "command", &command, err) < 0)
        return -1;
    if (command)
        machine->command = *command;
    return 0;
}

int tt_local_meta_read(const char *folder, const char *id, struct tt_arena *arena,
                       struct tt_local_machine *ret_machine, struct tt_error *err)
{
    const char *path = tt_printf(arena, "%s/meta.json", folder);
    struct tt_local_machine machine = {.folder = tt_strdup(arena, folder),
                                       .root = tt_printf(arena, "%s/root", folder)};
    struct tt_json json = {0};
    size_t size;
    char *text;
    int result;

    if (tt_file_read(arena, path, MAX_META, &text, &size, err) < 0 ||
        tt_json_parse(text, size, path, &json.value, err) < 0)
        return -1;
    machine.server.id = tt_strdup(arena, id);
    result = read_machine(arena, &json, &machine, err);
    json_decref(json.value);
    if (result < 0)
        return tt_wrap(err, "%s", path);
    *ret_machine = machine;
    return 0;
}
