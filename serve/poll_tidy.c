/*
 * Tidying: each fetch that brings something leaves a pack of its own, and libgit2 looks into all of
 * them. When there are many, small ones become one. The old ones are marked and removed later: a
 * run that has just begun may still read them.
 */
#include <dirent.h>
#include <git2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/poll.h"
#include "specs/source_git.h"

#define MANY         16
#define AT_ONCE      256               /* each is open meanwhile; the next time takes more */
#define SMALL        ((off_t)16 << 20) /* larger ones are not written again */
#define GRACE        INT64_C(60000)
#define LEFT_BEHIND  INT64_C(3600000)
#define UNFINISHED   "pack_git2_" /* of a fetch that was ended in the middle */
#define BACKEND_RANK 1

/* The files of objects/pack. */
struct shelf {
    struct tt_arena *arena;
    const char *folder;
    struct tt_strings small; /* "pack-ID", those that may become one */
    tt_time now;
};

TT_DEFINE_AUTO(git_repository, git_repository_free)
TT_DEFINE_AUTO(git_odb, git_odb_free)
TT_DEFINE_AUTO(git_packbuilder, git_packbuilder_free)

static char *path_of(const struct shelf *shelf, const char *name, const char *ending)
{
    return tt_printf(shelf->arena, "%s/%s%s", shelf->folder, name, ending);
}

/* -1: there is no such file. */
static tt_time age_of(const struct shelf *shelf, const char *path, off_t *ret_size)
{
    struct stat at;
    tt_time age;

    if (stat(path, &at) < 0)
        return -1;
    if (ret_size)
        *ret_size = at.st_size;
    age = shelf->now - ((tt_time)at.st_mtim.tv_sec * 1000 + at.st_mtim.tv_nsec / 1000000);
    return age > 0 ? age : 0;
}

/* The index goes first: without it nobody looks for the pack. */
static void remove_pack(const struct shelf *shelf, const char *name)
{
    unlink(path_of(shelf, name, ".idx"));
    unlink(path_of(shelf, name, ".pack"));
    unlink(path_of(shelf, name, ".old"));
}

static void look_at(struct shelf *shelf, const char *file)
{
    size_t length = strlen(file);
    const char *name;
    off_t size = 0;
    tt_time old;

    if (tt_starts_with(file, UNFINISHED) &&
        age_of(shelf, path_of(shelf, file, ""), NULL) > LEFT_BEHIND)
        unlink(path_of(shelf, file, ""));
    if (!tt_starts_with(file, "pack-") || length < 4 || strcmp(file + length - 4, ".idx") != 0)
        return;
    name = tt_strndup(shelf->arena, file, length - 4);
    old = age_of(shelf, path_of(shelf, name, ".old"), NULL);
    if (old > GRACE)
        remove_pack(shelf, name);
    else if (old < 0 && shelf->small.count < AT_ONCE &&
             age_of(shelf, path_of(shelf, name, ".pack"), &size) >= 0 && size <= SMALL)
        tt_strings_add(shelf->arena, &shelf->small, name);
}

static int look(struct shelf *shelf, struct tt_error *err)
{
    DIR *list = opendir(shelf->folder);

    if (!list)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read %s", shelf->folder);
    for (const struct dirent *entry; (entry = readdir(list));)
        look_at(shelf, entry->d_name);
    closedir(list);
    return 0;
}

static int add_object(const git_oid *id, void *builder)
{
    return git_packbuilder_insert(builder, id, NULL);
}

/* The objects of the small packs, and of nothing else. */
static int open_small(const struct shelf *shelf, git_odb **ret_objects)
{
    git_odb_backend *backend;
    int code = git_odb_new(ret_objects);

    for (size_t i = 0; code == 0 && i < shelf->small.count; i++) {
        code = git_odb_backend_one_pack(&backend, path_of(shelf, shelf->small.items[i], ".idx"));
        if (code == 0)
            code = git_odb_add_backend(*ret_objects, backend, BACKEND_RANK);
    }
    return code;
}

static int write_one(const struct shelf *shelf, const char *clone, const char **ret_name,
                     struct tt_error *err)
{
    TT_AUTO(git_repository) *repository = NULL;
    TT_AUTO(git_odb) *objects = NULL;
    TT_AUTO(git_packbuilder) *builder = NULL;
    int code;

    if (tt_git_open(clone, &repository, err) < 0)
        return -1;
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1); /* before the old ones go */
    code = git_packbuilder_new(&builder, repository);
    if (code == 0)
        code = open_small(shelf, &objects);
    if (code == 0)
        code = git_odb_foreach(objects, add_object, builder);
    if (code == 0)
        code = git_packbuilder_write(builder, NULL, 0, NULL, NULL);
    if (code < 0) {
        tt_git_fail(err, code, TT_ERR_INTERNAL, "cannot make one pack of many");
        return -1;
    }
    *ret_name = tt_printf(shelf->arena, "pack-%s", git_packbuilder_name(builder));
    return 0;
}

int tt_poll_tidy(struct tt_arena *arena, const char *folder, tt_time now, struct tt_error *err)
{
    struct shelf shelf = {
        .arena = arena, .folder = tt_printf(arena, "%s/objects/pack", folder), .now = now};
    const char *name = NULL;

    if (look(&shelf, err) < 0)
        return -1;
    if (shelf.small.count <= MANY)
        return 0;
    if (write_one(&shelf, folder, &name, err) < 0)
        return -1;
    for (size_t i = 0; i < shelf.small.count; i++)
        if (strcmp(shelf.small.items[i], name) != 0 && /* one may have had all of it */
            tt_file_write(path_of(&shelf, shelf.small.items[i], ".old"), "", 0, 0600, err) < 0)
            return -1;
    return 0;
}
