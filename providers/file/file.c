/*
 * File: reads the snapshot once, when the account is opened, and answers every observation from it.
 */
#include "providers/file/file.h"

#include <string.h>

#include "base/file.h"
#include "model/world_json.h"
#include "providers/copy.h"

#define MAX_SNAPSHOT (512u << 20)

struct file_provider {
    struct tt_provider base;
    struct tt_provider_ops ops; /* with the snapshot's features */
    const struct tt_world_account *account;
};

static const char *path_of(const struct tt_provider_settings *settings, struct tt_arena *arena)
{
    const char *snapshot = settings->account->snapshot;

    if (snapshot[0] == '/' || !settings->base_folder)
        return snapshot;
    return tt_printf(arena, "%s/%s", settings->base_folder, snapshot);
}

static int open_snapshot(const struct tt_provider_settings *settings, struct tt_arena *arena,
                         struct tt_provider **ret_provider, struct tt_error *err)
{
    const char *name = settings->account->name;
    struct file_provider *self;
    struct tt_world *world;
    const char *path;
    size_t size;
    char *text;

    if (!settings->account->snapshot)
        return tt_fail(err, TT_ERR_SPEC, "account %s names no snapshot", name);
    path = path_of(settings, arena);
    if (tt_file_read(arena, path, MAX_SNAPSHOT, &text, &size, err) < 0 ||
        tt_world_from_json(arena, text, size, path, &world, err) < 0)
        return tt_wrap(err, "the snapshot of account %s", name);
    self = TT_NEW(arena, struct file_provider);
    self->ops = *tt_file_ops();
    self->base.ops = &self->ops;
    self->account = tt_world_account(world, name);
    if (!self->account)
        return tt_fail(err, TT_ERR_SPEC, "the snapshot %s has no account %s", path, name);
    self->ops.features = self->account->features;
    *ret_provider = &self->base;
    return 0;
}

/* The snapshot lives in the arena that open was given. */
static void close_snapshot(struct tt_provider *provider)
{
    (void)provider;
}

static int observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    const struct file_provider *self = (const struct file_provider *)provider;
    const struct tt_region *found = NULL;

    TT_EACH (region, &self->account->regions)
        if (strcmp(region->name, request->region) == 0)
            found = region;
    if (!found)
        return tt_fail(err, TT_ERR_SPEC, "the snapshot of account %s has no region %s",
                       self->account->name, request->region);
    if (!found->observed)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s",
                       found->error ? found->error
                                    : "the region was unreachable when the snapshot was taken");
    *ret_region = tt_copy_region(arena, found);
    return 0;
}

static int cannot_change(const char *what, const char *which, struct tt_error *err)
{
    return tt_fail(err, TT_ERR_UNSUPPORTED,
                   "%s %s is impossible: the world of a file account is a snapshot", what, which);
}

static int create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    (void)provider;
    (void)arena;
    (void)ret_id;
    return cannot_change("creating", request->name, err);
}

static int delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err)
{
    (void)provider;
    (void)region;
    return cannot_change("deleting", id, err);
}

const struct tt_provider_ops *tt_file_ops(void)
{
    static const struct tt_provider_ops ops = {
        .name = "file",
        .open = open_snapshot,
        .close = close_snapshot,
        .observe = observe,
        .create_server = create_server,
        .delete_server = delete_server,
    };

    return &ops;
}
