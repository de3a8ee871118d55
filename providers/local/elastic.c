/*
 * Elastic: addresses that move from machine to machine. One exists when its file does; a machine
 * has it when its own etc/address says so, and configureProxy makes the balancer listen there.
 * The new machine takes it up before the others let go of it, so that no request is lost; where the
 * software cannot share an address with another process, the others let go first. The file is
 * written last: a crash in between leaves a move that can be made again.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/local/cloud.h"

#define CONFIGURE_TIMEOUT 60000
#define MAX_ADDRESS_FILE  4096

/* Lets a running balancer take up what etc/address says; a machine without the agent has nothing
 * to tell. */
static int tell(const struct tt_local_machine *machine, struct tt_arena *arena,
                struct tt_error *err)
{
    const char *argv[] = {"/enstratus/bin/configureProxy", "--address", NULL};
    struct tt_run_request request = {.argv = argv, .timeout = CONFIGURE_TIMEOUT};
    struct tt_run_result result = {0};
    struct tt_error inner = {0};
    const char *line;

    if (tt_local_run_on(machine, &request, arena, &result, &inner) < 0) {
        if (inner.class == TT_ERR_NOT_FOUND || inner.class == TT_ERR_UNAVAILABLE)
            return 0;
        if (err)
            *err = inner;
        return -1;
    }
    if (result.exit_code == 0)
        return 0;
    line = tt_strndup(arena, result.errors, strcspn(result.errors, "\n"));
    return tt_fail(err, TT_ERR_CONFLICT, "%s (%s) cannot take up a change of its address: %s",
                   machine->server.id, machine->server.name, line);
}

static const char *address_file(const struct tt_local_machine *machine, struct tt_arena *arena)
{
    return tt_printf(arena, "%s/enstratus/etc/address", machine->root);
}

static bool has_address(const struct tt_local_machine *machine, const char *address,
                        struct tt_arena *arena)
{
    char *text;

    if (tt_file_read(arena, address_file(machine, arena), MAX_ADDRESS_FILE, &text, NULL, NULL) < 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return strcmp(text, address) == 0;
}

static int give(const struct tt_local_machine *machine, const char *address, struct tt_arena *arena,
                struct tt_error *err)
{
    const char *text = tt_printf(arena, "%s\n", address);

    if (tt_make_folders(tt_printf(arena, "%s/enstratus/etc", machine->root), 0700, err) < 0 ||
        tt_file_write(address_file(machine, arena), text, strlen(text), 0600, err) < 0)
        return -1;
    return tell(machine, arena, err);
}

static int take(const struct tt_local_machine *machine, struct tt_arena *arena,
                struct tt_error *err)
{
    const char *path = address_file(machine, arena);

    if (unlink(path) < 0 && errno != ENOENT)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot remove %s", path);
    return tell(machine, arena, err);
}

/* The machines that have ADDRESS and are not TARGET. */
static struct tt_local_machines others_with(const struct tt_local_machines *machines,
                                            const struct tt_local_machine *target,
                                            const char *address, struct tt_arena *arena)
{
    struct tt_local_machines others = {0};

    TT_EACH (machine, machines)
        if (!tt_streq(machine->server.id, target->server.id) &&
            has_address(machine, address, arena))
            *TT_VEC_ADD(arena, &others) = *machine;
    return others;
}

/* Whether TARGET may listen beside the OTHERS: all that run are HAProxy, which share an address. */
static bool can_share(const struct tt_local_machine *target, const struct tt_local_machines *others,
                      const char *address, struct tt_arena *arena)
{
    bool sharing = access(tt_printf(arena, "%s/enstratus/var/admin.sock", target->root), F_OK) == 0;

    TT_EACH (other, others) {
        struct tt_local_listeners listeners;

        if (!sharing || !tt_local_is_alive(other))
            continue;
        tt_local_listeners_open(other, address, arena, &listeners);
        sharing = listeners.count > 0;
        tt_local_listeners_close(&listeners);
    }
    return sharing;
}

/* Lets new connections come to the machine that was given ADDRESS last, and the OTHERS accept those
 * that came to them. */
static void steer_away(const struct tt_local_machines *others, const char *address,
                       struct tt_arena *arena)
{
    struct tt_local_listeners *listeners =
        TT_NEW_ARRAY(arena, others->count, struct tt_local_listeners);
    size_t serving = 0;

    for (size_t i = 0; i < others->count; i++) {
        tt_local_listeners_open(&others->items[i], address, arena, &listeners[i]);
        serving += listeners[i].count > 0;
    }
    for (size_t i = 0; i < others->count; i++)
        tt_local_listeners_steer(&listeners[i], serving);
    for (size_t i = 0; i < others->count; i++) {
        if (listeners[i].count)
            tt_local_listeners_settle(&listeners[i]);
        tt_local_listeners_close(&listeners[i]);
    }
}

static int take_all(const struct tt_local_machines *others, struct tt_arena *arena,
                    struct tt_error *err)
{
    TT_EACH (other, others)
        if (take(other, arena, err) < 0)
            return -1;
    return 0;
}

static int move(const char *folder, const struct tt_local_machine *target, const char *address,
                struct tt_arena *arena, struct tt_error *err)
{
    const char *path = tt_printf(arena, "%s/addresses/%s", folder, address);
    struct tt_local_machines machines, others;
    const char *text;
    bool sharing;

    if (tt_local_machines(folder, arena, &machines, err) < 0)
        return -1;
    others = others_with(&machines, target, address, arena);
    sharing = can_share(target, &others, address, arena);
    if (!sharing && take_all(&others, arena, err) < 0)
        return -1;
    if (give(target, address, arena, err) < 0)
        return -1;
    if (sharing) {
        steer_away(&others, address, arena);
        if (take_all(&others, arena, err) < 0)
            return -1;
    }
    text = tt_printf(arena, "%s\n", target->server.id);
    return tt_file_write(path, text, strlen(text), 0600, err);
}

static int move_locked(const struct tt_local *cloud, const char *region, const char *address,
                       const char *machine, struct tt_arena *arena, struct tt_error *err)
{
    struct tt_local_machine target;
    TT_LOCAL_LOCK lock = -1;
    const char *folder;
    struct stat st;

    if (tt_local_region_folder(cloud, region, arena, &folder, err) < 0)
        return -1;
    if (strspn(address, "0123456789.") != strlen(address) || *address == '.' || !*address ||
        stat(tt_printf(arena, "%s/addresses/%s", folder, address), &st) < 0)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no elastic address %.100s", region,
                       address);
    if (tt_local_lock(tt_printf(arena, "%s/addresses.lock", folder), &lock, err) < 0 ||
        tt_local_find(cloud, region, machine, arena, &target, err) < 0)
        return -1;
    return move(folder, &target, address, arena, err);
}

int tt_local_move_address(struct tt_provider *provider, const char *region, const char *address,
                          const char *machine, struct tt_error *err)
{
    struct tt_arena arena;
    int result;

    tt_arena_init(&arena);
    result = move_locked((const struct tt_local *)provider, region, address, machine, &arena, err);
    tt_arena_release(&arena);
    return result;
}
