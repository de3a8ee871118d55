/*
 * The store: a simulated cloud that outlives the process, as a world snapshot with the key "sim".
 * Each call reads the file anew; a call that changes the cloud holds a lock file from before the
 * reading until after the writing, so that processes and threads see one cloud.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "model/world_json.h"
#include "providers/sim/cloud.h"

#define MAX_FILE (256u << 20)

static const struct tt_sim_options defaults = {.boot = 500, .into_service = 200, .drain = 200};

static char *file_of(const struct sim_store *store, struct tt_arena *arena, const char *suffix)
{
    return tt_printf(arena, "%s/%s.%s", store->folder, store->account->name, suffix);
}

static int lock(struct sim_store *store, struct tt_arena *arena, struct tt_error *err)
{
    const char *path = file_of(store, arena, "lock");
    int result;

    if (tt_make_folders(store->folder, 0700, err) < 0)
        return -1;
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot open %s", path);
    do
        result = flock(store->lock, LOCK_EX);
    while (result < 0 && errno == EINTR);
    return result < 0 ? tt_fail_errno(err, TT_ERR_INTERNAL, "cannot lock %s", path) : 0;
}

void tt_sim_store_unlock(struct sim_store *store)
{
    if (store->lock >= 0)
        close(store->lock);
    store->lock = -1;
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

#define AUTO_JSON __attribute__((cleanup(free_json))) json_t

/* The account of the snapshot at PATH, with its extras. The file may be read again and again before
 * it is written: what is under way in it began when it was taken. */
static int take_over(struct tt_sim *sim, const char *name, const char *path, struct tt_error *err)
{
    struct tt_arena *arena = &sim->arena;
    const struct tt_world_account *account;
    struct tt_world *world;
    AUTO_JSON *root = NULL;
    json_t *extras;
    size_t size;
    char *text;

    if (tt_file_read(arena, path, MAX_FILE, &text, &size, err) < 0 ||
        tt_world_from_json(arena, text, size, path, &world, err) < 0)
        return -1;
    account = tt_world_account(world, name);
    if (!account)
        return tt_fail(err, TT_ERR_SPEC, "%s has no account %s", path, name);
    root = json_loadb(text, size, 0, NULL);
    extras = json_object_get(root, "sim");
    if (tt_sim_extras_options(extras, path, sim, err) < 0)
        return -1;
    tt_sim_seed_account(sim, account, world->taken_at);
    tt_sim_extras_read(extras, sim, tt_sim_find_account(sim, name));
    return 0;
}

/* A path of the Account is relative to the file that it is written in. */
static const char *seed_of(const struct sim_store *store, struct tt_arena *arena)
{
    const char *path =
        store->account->endpoint ? store->account->endpoint + strlen("file://") : NULL;
    const char *folder = store->account->folder;

    if (!path || path[0] == '/')
        return path;
    if (!folder || !folder[0])
        return tt_printf(arena, "%s/%s", store->base_folder, path);
    return tt_printf(arena, "%s/%s/%s", store->base_folder, folder, path);
}

/* A region that nobody has described has three zones. */
static void add_regions(struct tt_sim *sim, const struct tt_account *account)
{
    static const char *const suffixes[] = {"a", "b", "c"};

    TT_EACH (name, &account->regions) {
        struct sim_region *region = tt_sim_make_region(sim, account->name, *name);

        if (region->zones.count)
            continue;
        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
            tt_sim_make_zone(sim, region, tt_printf(&sim->arena, "%s-%s", *name, suffixes[i]));
    }
}

static void forget(struct tt_sim *sim)
{
    tt_arena_release(&sim->arena);
    memset(&sim->accounts, 0, sizeof(sim->accounts));
    sim->next = 1;
    sim->options = defaults;
}

int tt_sim_store_load(struct sim_provider *provider, bool changes, struct tt_error *err)
{
    struct sim_store *store = provider->store;
    struct tt_sim *sim = provider->sim;
    const char *path, *seed;

    forget(sim);
    if (changes && lock(store, &sim->arena, err) < 0)
        return -1;
    path = file_of(store, &sim->arena, "json");
    seed = seed_of(store, &sim->arena);
    if (access(path, F_OK) == 0) {
        if (take_over(sim, store->account->name, path, err) < 0)
            return tt_wrap(err, "the simulated cloud");
    } else if (seed && take_over(sim, store->account->name, seed, err) < 0) {
        return tt_wrap(err, "the seed of the simulated cloud");
    }
    add_regions(sim, store->account);
    return 0;
}

int tt_sim_store_save(struct sim_provider *provider, struct tt_error *err)
{
    struct tt_sim *sim = provider->sim;
    struct sim_account *account = tt_sim_find_account(sim, provider->account);
    tt_time now = sim->clock->now(sim->clock->self);
    AUTO_JSON *root = NULL;
    char *text;
    int result;

    tt_sim_settle(sim, now);
    root = json_loads(tt_world_to_json(&sim->arena, tt_sim_read_world(sim, now, &sim->arena)), 0,
                      NULL);
    tt_sim_extras_write(root, sim, account);
    text = json_dumps(root, JSON_INDENT(1));
    if (!text)
        return tt_fail(err, TT_ERR_INTERNAL, "the simulated cloud cannot be written as JSON");
    result =
        tt_file_write(file_of(provider->store, &sim->arena, "json"), text, strlen(text), 0600, err);
    free(text);
    return result;
}
