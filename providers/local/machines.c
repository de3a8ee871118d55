/*
 * Machines: what is done to one that exists. Each is changed under a lock of its own; its folder
 * is removed under the lock of its region.
 */
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/local/cloud.h"

static int check_owner(const struct tt_local *cloud, const struct tt_local_machine *machine,
                       struct tt_error *err)
{
    if (machine->server.tags.owner && tt_streq(machine->server.tags.owner, cloud->owner))
        return 0;
    return tt_fail(err, TT_ERR_DENIED, "%s (%s) belongs to %s, not to %s", machine->server.id,
                   machine->server.name,
                   machine->server.tags.owner ? machine->server.tags.owner : "nobody",
                   cloud->owner);
}

/* tt_local_take, for members to which a machine that is gone is a success: RET_LOCK is -1 then. */
static int take_if_there(const struct tt_local *cloud, const char *region, const char *id,
                         struct tt_arena *arena, struct tt_local_machine *ret_machine,
                         int *ret_lock, struct tt_error *err)
{
    struct tt_error inner = {0};

    *ret_lock = -1;
    if (tt_local_take(cloud, region, id, arena, ret_machine, ret_lock, &inner) == 0 ||
        inner.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = inner;
    return -1;
}

/* The description goes first: what a crash leaves is a folder that the next create removes. */
static int remove_folder(const struct tt_local *cloud, const char *region,
                         const struct tt_local_machine *machine, struct tt_arena *arena,
                         struct tt_error *err)
{
    const char *meta = tt_printf(arena, "%s/meta.json", machine->folder);
    TT_LOCAL_LOCK lock = -1;
    const char *folder;

    if (tt_local_region_folder(cloud, region, arena, &folder, err) < 0 ||
        tt_local_lock(tt_printf(arena, "%s/lock", folder), &lock, err) < 0)
        return -1;
    if (unlink(meta) < 0 && errno != ENOENT)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot remove %s", meta);
    return tt_remove_tree(machine->folder, err);
}

static int delete_machine(const struct tt_local *cloud, const char *region, const char *id,
                          struct tt_arena *arena, struct tt_error *err)
{
    struct tt_local_machine machine;
    TT_LOCAL_LOCK lock = -1;

    if (take_if_there(cloud, region, id, arena, &machine, &lock, err) < 0)
        return -1;
    if (lock < 0)
        return 0;
    if (check_owner(cloud, &machine, err) < 0 || tt_local_end(&machine, false, err) < 0)
        return -1;
    return remove_folder(cloud, region, &machine, arena, err);
}

static int fence_machine(const struct tt_local *cloud, const char *region, const char *id,
                         struct tt_arena *arena, struct tt_error *err)
{
    struct tt_local_machine machine;
    TT_LOCAL_LOCK lock = -1;

    if (take_if_there(cloud, region, id, arena, &machine, &lock, err) < 0)
        return -1;
    if (lock < 0)
        return 0;
    if (check_owner(cloud, &machine, err) < 0)
        return -1;
    return tt_local_end(&machine, true, err);
}

static int start_machine(const struct tt_local *cloud, const char *region, const char *id,
                         struct tt_arena *arena, struct tt_error *err)
{
    struct tt_local_machine machine;
    TT_LOCAL_LOCK lock = -1;

    if (tt_local_take(cloud, region, id, arena, &machine, &lock, err) < 0 ||
        check_owner(cloud, &machine, err) < 0)
        return -1;
    if (machine.stopped) {
        machine.stopped = false;
        if (tt_local_meta_write(&machine, err) < 0)
            return -1;
    }
    return tt_local_is_alive(&machine) ? 0 : tt_local_start(&machine, arena, err);
}

static int stop_machine(const struct tt_local *cloud, const char *region, const char *id,
                        struct tt_arena *arena, struct tt_error *err)
{
    struct tt_local_machine machine;
    TT_LOCAL_LOCK lock = -1;

    if (tt_local_take(cloud, region, id, arena, &machine, &lock, err) < 0)
        return -1;
    machine.stopped = true;
    if (tt_local_meta_write(&machine, err) < 0)
        return -1;
    return tt_local_end(&machine, false, err);
}

static int with_arena(int (*change)(const struct tt_local *cloud, const char *region,
                                    const char *id, struct tt_arena *arena, struct tt_error *err),
                      struct tt_provider *provider, const char *region, const char *id,
                      struct tt_error *err)
{
    struct tt_arena arena;
    int result;

    tt_arena_init(&arena);
    result = change((const struct tt_local *)provider, region, id, &arena, err);
    tt_arena_release(&arena);
    return result;
}

int tt_local_delete_server(struct tt_provider *provider, const char *region, const char *id,
                           struct tt_error *err)
{
    return with_arena(delete_machine, provider, region, id, err);
}

int tt_local_fence(struct tt_provider *provider, const char *region, const char *id,
                   struct tt_error *err)
{
    return with_arena(fence_machine, provider, region, id, err);
}

int tt_local_start_server(struct tt_provider *provider, const char *region, const char *id,
                          struct tt_error *err)
{
    return with_arena(start_machine, provider, region, id, err);
}

int tt_local_stop(struct tt_provider *provider, const char *region, const char *id,
                  struct tt_error *err)
{
    return with_arena(stop_machine, provider, region, id, err);
}

static void put_tags(struct tt_tags *on, const struct tt_tags *tags)
{
    if (tags->owner)
        on->owner = tags->owner;
    if (tags->deployment)
        on->deployment = tags->deployment;
    if (tags->service)
        on->service = tags->service;
    if (tags->balancer)
        on->balancer = tags->balancer;
    if (tags->slot >= 0)
        on->slot = tags->slot;
    if (tags->incarnation)
        on->incarnation = tags->incarnation;
    if (tags->spec)
        on->spec = tags->spec;
}

static int tag_machine(const struct tt_local *cloud, const char *region, const char *id,
                       const struct tt_tags *tags, struct tt_arena *arena, struct tt_error *err)
{
    struct tt_local_machine machine;
    TT_LOCAL_LOCK lock = -1;

    if (tt_local_take(cloud, region, id, arena, &machine, &lock, err) < 0 ||
        (machine.server.tags.owner && check_owner(cloud, &machine, err) < 0))
        return -1;
    put_tags(&machine.server.tags, tags);
    return tt_local_meta_write(&machine, err);
}

int tt_local_tag(struct tt_provider *provider, const char *region, const char *id,
                 const struct tt_tags *tags, struct tt_error *err)
{
    struct tt_arena arena;
    int result;

    tt_arena_init(&arena);
    result = tag_machine((const struct tt_local *)provider, region, id, tags, &arena, err);
    tt_arena_release(&arena);
    return result;
}
