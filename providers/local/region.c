/*
 * Region: the machines of one region, found by one look through its folder.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/local/cloud.h"

int tt_local_machines(const char *region_folder, struct tt_arena *arena,
                      struct tt_local_machines *ret_machines, struct tt_error *err)
{
    const char *folder = tt_printf(arena, "%s/machines", region_folder);
    struct tt_local_machines machines = {0};
    struct tt_strings names;

    if (tt_local_list(folder, arena, &names, err) < 0)
        return -1;
    TT_EACH (name, &names) {
        struct tt_local_machine machine;
        struct tt_error inner = {0};

        if (tt_local_meta_read(tt_printf(arena, "%s/%s", folder, *name), *name, arena, &machine,
                               &inner) == 0)
            *TT_VEC_ADD(arena, &machines) = machine;
        else if (inner.class != TT_ERR_NOT_FOUND) {
            if (err)
                *err = inner;
            return -1;
        }
    }
    *ret_machines = machines;
    return 0;
}

static int no_such_machine(const char *region, const char *id, struct tt_error *err)
{
    return tt_fail(err, TT_ERR_NOT_FOUND, "there is no machine %.100s in region %s", id, region);
}

int tt_local_find(const struct tt_local *cloud, const char *region, const char *id,
                  struct tt_arena *arena, struct tt_local_machine *ret_machine,
                  struct tt_error *err)
{
    struct tt_error inner = {0};
    const char *folder;

    if (tt_local_region_folder(cloud, region, arena, &folder, err) < 0)
        return -1;
    if (!tt_is_dns_label(id))
        return no_such_machine(region, id, err);
    if (tt_local_meta_read(tt_printf(arena, "%s/machines/%s", folder, id), id, arena, ret_machine,
                           &inner) == 0)
        return 0;
    if (inner.class == TT_ERR_NOT_FOUND)
        return no_such_machine(region, id, err);
    if (err)
        *err = inner;
    return -1;
}

int tt_local_take(const struct tt_local *cloud, const char *region, const char *id,
                  struct tt_arena *arena, struct tt_local_machine *ret_machine, int *ret_lock,
                  struct tt_error *err)
{
    struct tt_local_machine machine = {0};
    struct tt_error inner = {0};
    int lock = -1;

    if (tt_local_find(cloud, region, id, arena, &machine, err) < 0)
        return -1;
    if (tt_local_lock(tt_printf(arena, "%s/busy", machine.folder), &lock, &inner) < 0) {
        if (inner.class == TT_ERR_NOT_FOUND)
            return no_such_machine(region, id, err);
        if (err)
            *err = inner;
        return -1;
    }
    /* Whoever had the lock before may have changed or removed it. */
    if (tt_local_find(cloud, region, id, arena, &machine, err) < 0) {
        tt_local_unlock(&lock);
        return -1;
    }
    *ret_machine = machine;
    *ret_lock = lock;
    return 0;
}

int tt_local_remove_half_made(const char *region_folder, struct tt_arena *arena,
                              struct tt_error *err)
{
    const char *folder = tt_printf(arena, "%s/machines", region_folder);
    struct tt_strings names = {0};

    if (tt_local_list(folder, arena, &names, err) < 0)
        return -1;
    TT_EACH (name, &names) {
        const char *path = tt_printf(arena, "%s/%s", folder, *name);
        struct stat st;

        if (stat(tt_printf(arena, "%s/meta.json", path), &st) == 0 || errno != ENOENT ||
            tt_local_is_locked(tt_printf(arena, "%s/lock", path)))
            continue;
        tt_local_sweep(*name, 1000);
        if (tt_remove_tree(path, err) < 0)
            return tt_wrap(err, "removing a machine that was never finished");
    }
    return 0;
}
