/*
 * Observe: a region as its folder shows it. A machine's state is what its locks say: nothing is
 * asked of any machine.
 */
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/local/cloud.h"

#define MAX_ADDRESS_FILE 4096

static enum tt_server_state state_of(const struct tt_local_machine *machine, struct tt_arena *arena)
{
    if (tt_local_is_alive(machine))
        return TT_SERVER_RUNNING;
    if (machine->stopped)
        return TT_SERVER_STOPPED;
    if (tt_local_is_locked(tt_printf(arena, "%s/busy", machine->folder)))
        return TT_SERVER_PENDING; /* somebody is starting or ending it */
    /* It may have been started between the two looks. */
    return tt_local_is_alive(machine) ? TT_SERVER_RUNNING : TT_SERVER_FAILED;
}

static bool is_wanted(const struct tt_observe_request *request, const struct tt_server *server)
{
    return request->everything || tt_streq(server->tags.owner, request->owner) ||
           tt_strings_has(&request->machines, server->id) ||
           tt_strings_has(&request->machines, server->name);
}

static bool has_machine(const struct tt_local_machines *machines, const char *id)
{
    TT_EACH (machine, machines)
        if (tt_streq(machine->server.id, id))
            return true;
    return false;
}

static int read_addresses(const char *folder, const struct tt_local_machines *machines,
                          struct tt_arena *arena, struct tt_region *region, struct tt_error *err)
{
    const char *addresses = tt_printf(arena, "%s/addresses", folder);
    struct tt_strings names;

    if (tt_local_list(addresses, arena, &names, err) < 0)
        return -1;
    TT_EACH (name, &names) {
        char *id;

        if (tt_file_read(arena, tt_printf(arena, "%s/%s", addresses, *name), MAX_ADDRESS_FILE, &id,
                         NULL, err) < 0)
            return -1;
        id[strcspn(id, " \t\r\n")] = '\0';
        *TT_VEC_ADD(arena, &region->addresses) = (struct tt_elastic_address){
            .address = *name, .server = has_machine(machines, id) ? id : NULL};
    }
    return 0;
}

int tt_local_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                     struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    const struct tt_local *cloud = (const struct tt_local *)provider;
    struct tt_region region = {.name = tt_strdup(arena, request->region), .observed = true};
    struct tt_strings *templates = TT_NEW(arena, struct tt_strings);
    struct tt_local_machines machines;
    const char *folder;

    if (tt_local_region_folder(cloud, request->region, arena, &folder, err) < 0 ||
        tt_local_machines(folder, arena, &machines, err) < 0 ||
        read_addresses(folder, &machines, arena, &region, err) < 0)
        return -1;
    TT_EACH (template, &cloud->account->templates)
        tt_strings_add(arena, templates, tt_strdup(arena, template->name));
    region.templates = templates;
    TT_EACH (zone, &cloud->account->zones)
        *TT_VEC_ADD(arena, &region.zones) =
            (struct tt_zone){.name = tt_strdup(arena, *zone), .state = TT_ZONE_AVAILABLE};
    TT_EACH (machine, &machines) {
        if (!is_wanted(request, &machine->server))
            continue;
        machine->server.state = state_of(machine, arena);
        *TT_VEC_ADD(arena, &region.servers) = machine->server;
    }
    *ret_region = region;
    return 0;
}
