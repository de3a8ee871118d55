/*
 * Create: a new machine, under the lock of its region from the first look to the running program,
 * so that the same request never makes two, from whatever thread or process it comes. The
 * description is written before the program starts: a crash in between leaves a failed machine
 * that is seen, or a folder without description that the next create removes.
 */
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/local/cloud.h"
#include "providers/proxies/agent.h"

/* The first of those with the fewest machines. */
static const char *emptiest_zone(const struct tt_strings *zones,
                                 const struct tt_local_machines *machines)
{
    const char *emptiest = zones->items[0];
    size_t fewest = SIZE_MAX;

    TT_EACH (zone, zones) {
        size_t count = 0;

        TT_EACH (machine, machines)
            count += tt_streq(machine->server.zone, *zone);
        if (count < fewest) {
            fewest = count;
            emptiest = *zone;
        }
    }
    return emptiest;
}

static int choose_zone(const struct tt_local *cloud, const struct tt_create_request *request,
                       const struct tt_local_machines *machines, struct tt_arena *arena,
                       const char **ret_zone, struct tt_error *err)
{
    const struct tt_strings *zones = &cloud->account->zones;

    if (request->zone && !tt_strings_has(zones, request->zone))
        return tt_fail(err, TT_ERR_SPEC, "account %s has no zone %s; it has %s",
                       cloud->account->name, request->zone, tt_strings_join(arena, zones, "none"));
    if (!request->zone && !zones->count)
        return tt_fail(err, TT_ERR_SPEC, "account %s has no zones", cloud->account->name);
    *ret_zone = request->zone ? request->zone : emptiest_zone(zones, machines);
    return 0;
}

static const struct tt_local_machine *find_twin(const struct tt_local_machines *machines,
                                                const struct tt_create_request *request)
{
    TT_EACH (machine, machines)
        if ((request->client_token && tt_streq(machine->token, request->client_token)) ||
            (request->tags.incarnation &&
             tt_streq(machine->server.tags.incarnation, request->tags.incarnation) &&
             tt_streq(machine->server.tags.owner, request->tags.owner)))
            return machine;
    return NULL;
}

static int new_id(struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    unsigned char bytes[8];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return tt_fail_errno(err, TT_ERR_INTERNAL, "no random numbers");
    *ret_id = tt_printf(arena, "m-%02x%02x%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2],
                        bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
    return 0;
}

static int describe(const struct tt_local *cloud, const struct tt_create_request *request,
                    const struct tt_local_template *template, const char *region_folder,
                    const char *zone, struct tt_arena *arena, struct tt_local_machine *machine,
                    struct tt_error *err)
{
    struct tt_server *server = &machine->server;

    if (new_id(arena, &server->id, err) < 0 ||
        tt_local_free_address(cloud, request->region, zone, template->software ? 0 : request->port,
                              arena, &server->private_address, err) < 0)
        return -1;
    machine->folder = tt_printf(arena, "%s/machines/%s", region_folder, server->id);
    machine->root = tt_printf(arena, "%s/root", machine->folder);
    machine->port = request->port;
    machine->token = request->client_token;
    server->name = request->name;
    server->zone = zone;
    server->template = request->spec->template;
    server->size = request->spec->size;
    server->firewalls = request->spec->firewalls;
    server->key = request->spec->key;
    server->network = request->spec->network;
    server->created_at = cloud->clock->now(cloud->clock->self);
    server->tags = request->tags;
    return tt_local_command(cloud, template, machine, arena, &machine->command, err);
}

/* The agent, and which software it drives. */
static int furnish_agent(const struct tt_local_machine *machine, const char *software,
                         struct tt_arena *arena, struct tt_error *err)
{
    const char *bin = tt_printf(arena, "%s/enstratus/bin", machine->root);
    const char *etc = tt_printf(arena, "%s/enstratus/etc", machine->root);

    if (tt_make_folders(bin, 0700, err) < 0 || tt_make_folders(etc, 0700, err) < 0 ||
        tt_agent_install(bin, err) < 0)
        return -1;
    return tt_file_write(tt_printf(arena, "%s/backend", etc), software, strlen(software), 0600,
                         err);
}

/* Its root: the agent of a balancer's machine, the user data of any. */
static int furnish(const struct tt_local_machine *machine, const struct tt_local_template *template,
                   const char *user_data, struct tt_arena *arena, struct tt_error *err)
{
    if (tt_make_folders(machine->root, 0700, err) < 0 ||
        (template->software && furnish_agent(machine, template->software, arena, err) < 0))
        return -1;
    if (!user_data)
        return 0;
    return tt_file_write(tt_printf(arena, "%s/user-data", machine->root), user_data,
                         strlen(user_data), 0600, err);
}

static int build(const struct tt_local_machine *machine, const struct tt_local_template *template,
                 const char *user_data, struct tt_arena *arena, struct tt_error *err)
{
    TT_LOCAL_LOCK busy = -1;

    if (tt_make_folders(machine->folder, 0700, err) < 0 ||
        tt_local_lock(tt_printf(arena, "%s/busy", machine->folder), &busy, err) < 0 ||
        furnish(machine, template, user_data, arena, err) < 0 ||
        tt_local_meta_write(machine, err) < 0)
        return -1;
    return tt_local_start(machine, arena, err);
}

/* A twin that a crash kept from starting is started now; whatever else it is, it is left as it
 * is. */
static int settle_twin(const struct tt_local *cloud, const char *region,
                       const struct tt_local_machine *twin, struct tt_arena *arena,
                       struct tt_error *err)
{
    struct stat st;

    if (stat(tt_printf(arena, "%s/pid", twin->folder), &st) == 0 || twin->stopped)
        return 0;
    return tt_local_start_server((struct tt_provider *)&cloud->base, region, twin->server.id, err);
}

static int make(const struct tt_local *cloud, const struct tt_create_request *request,
                const struct tt_local_machines *machines, const char *folder,
                struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    const struct tt_local_template *template;
    struct tt_local_machine machine = {0};
    const char *zone = NULL;

    if (choose_zone(cloud, request, machines, arena, &zone, err) < 0 ||
        tt_local_template(cloud, request->spec->template, &template, err) < 0 ||
        describe(cloud, request, template, folder, zone, arena, &machine, err) < 0)
        return -1;
    if (build(&machine, template, request->spec->user_data, arena, err) < 0) {
        tt_local_end(&machine, true, NULL);
        tt_remove_tree(machine.folder, NULL);
        return -1;
    }
    *ret_id = machine.server.id;
    return 0;
}

int tt_local_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                           struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    const struct tt_local *cloud = (const struct tt_local *)provider;
    const struct tt_local_machine *twin;
    struct tt_local_machines machines;
    TT_LOCAL_LOCK lock = -1;
    const char *folder;

    if (tt_local_region_folder(cloud, request->region, arena, &folder, err) < 0 ||
        tt_make_folders(tt_printf(arena, "%s/machines", folder), 0700, err) < 0 ||
        tt_local_lock(tt_printf(arena, "%s/lock", folder), &lock, err) < 0 ||
        tt_local_remove_half_made(folder, arena, err) < 0 ||
        tt_local_machines(folder, arena, &machines, err) < 0)
        return -1;
    twin = find_twin(&machines, request);
    if (!twin)
        return make(cloud, request, &machines, folder, arena, ret_id, err);
    /* Whoever deletes the twin just now has its lock and waits for the region's. */
    tt_local_unlock(&lock);
    lock = -1;
    if (settle_twin(cloud, request->region, twin, arena, err) < 0)
        return -1;
    *ret_id = twin->server.id;
    return 0;
}
