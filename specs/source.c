/*
 * Source: finds the repository and the revision of a request and reads from it, or from the work
 * tree.
 *
 * libgit2's check of a folder's owner (safe.directory) is off: it protects those who run a
 * repository's hooks and filters, and nothing is run here, only read.
 */
#include "specs/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "specs/source_disk.h"
#include "specs/source_git.h"
#include "specs/yaml.h"

struct tt_source {
    struct tt_arena *arena;
    git_repository *repository; /* NULL: a folder that is no repository */
    git_commit *commit;         /* NULL: the work tree */
    const char *root;           /* of the work tree */
    const char *folder;         /* --path; "" is the root */
    const char *revision;
};

void tt_source_close(struct tt_source **source)
{
    if (!*source)
        return;
    git_commit_free((*source)->commit);
    git_repository_free((*source)->repository);
    *source = NULL;
}

const char *tt_source_revision(const struct tt_source *source)
{
    return source->revision;
}

char *tt_source_join(struct tt_arena *arena, const char *folder, const char *path)
{
    char *joined = tt_alloc(arena, strlen(folder) + strlen(path) + 2);
    const char *parts[] = {folder, path};
    size_t length = 0;

    for (int i = 0; i < 2; i++) {
        for (const char *part = parts[i]; *part;) {
            size_t size = strcspn(part, "/");

            if (size == 2 && memcmp(part, "..", 2) == 0) {
                const char *slash = memrchr(joined, '/', length);

                if (length == 0)
                    return NULL;
                length = slash ? (size_t)(slash - joined) : 0;
            } else if (size > 0 && !(size == 1 && *part == '.')) {
                if (length)
                    joined[length++] = '/';
                memcpy(joined + length, part, size);
                length += size;
            }
            part += size;
            part += strspn(part, "/");
        }
    }
    joined[length] = '\0';
    return joined;
}

static int open_repository(struct tt_source *source, const struct tt_specs_request *request,
                           struct tt_error *err)
{
    const char *where = request->repository ? request->repository : ".";
    struct stat st;
    int code;

    if (stat(where, &st) < 0)
        return tt_fail_errno(err, TT_ERR_NOT_FOUND, "cannot open %s", where);
    code = git_repository_open_ext(&source->repository, where, 0, NULL);
    if (code == GIT_ENOTFOUND && request->worktree) {
        source->root = where;
        return 0;
    }
    if (code == GIT_ENOTFOUND)
        return tt_fail(err, TT_ERR_NOT_FOUND,
                       "%s is not inside a Git repository; name one with -C, or read the files as "
                       "they are with --worktree",
                       where);
    if (code < 0)
        return tt_git_fail(err, code, TT_ERR_SPEC,
                           tt_printf(source->arena, "cannot open %s", where));
    if (tt_git_add_quarantine(source->repository) < 0)
        return tt_git_fail(err, -1, TT_ERR_SPEC, "cannot read what is being pushed");
    source->root = git_repository_workdir(source->repository);
    if (!source->root && request->worktree)
        return tt_fail(err, TT_ERR_SPEC,
                       "%s is a bare repository: it has no work tree; name a "
                       "revision with --rev instead",
                       where);
    return 0;
}

static int open_revision(struct tt_source *source, const struct tt_specs_request *request,
                         struct tt_error *err)
{
    char id[GIT_OID_HEXSZ + 1];

    source->revision = "worktree";
    if (request->worktree)
        return 0;
    if (tt_git_resolve(source->repository, request->revision ? request->revision : "HEAD",
                       &source->commit, err) < 0)
        return -1;
    git_oid_tostr(id, sizeof(id), git_commit_id(source->commit));
    source->revision = tt_strdup(source->arena, id);
    return 0;
}

int tt_source_open(struct tt_arena *arena, const struct tt_specs_request *request,
                   struct tt_source **ret_source, struct tt_error *err)
{
    TT_SOURCE_AUTO *source = TT_NEW(arena, struct tt_source);

    /*
     * Never shut down: libgit2 1.5 then deletes a thread-specific key that libcrypto has been given
     * in the meantime, and what threads of other providers keep there is lost when they end.
     */
    if (git_libgit2_init() < 0)
        abort();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    source->arena = arena;
    source->folder = tt_source_join(arena, "", request->path ? request->path : "");
    if (!source->folder)
        return tt_fail(err, TT_ERR_SPEC, "the path %s leads out of the repository", request->path);
    if (request->worktree && request->revision)
        return tt_fail(err, TT_ERR_SPEC,
                       "a revision and the work tree exclude each other: drop "
                       "--rev or --worktree");
    if (open_repository(source, request, err) < 0 || open_revision(source, request, err) < 0)
        return -1;
    *ret_source = source;
    source = NULL;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct tt_source_file *)a)->path,
                  ((const struct tt_source_file *)b)->path);
}

int tt_source_list(struct tt_source *source, struct tt_source_files *ret_files,
                   struct tt_error *err)
{
    struct tt_source_files files = {0};
    int failed;

    if (source->commit)
        failed = tt_git_list(source->arena, source->repository, source->commit, source->folder,
                             &files, err);
    else
        failed = tt_disk_list(source->arena, source->root, source->folder, &files, err);
    if (failed)
        return -1;
    if (files.count > 1)
        qsort(files.items, files.count, sizeof(*files.items), by_path);
    *ret_files = files;
    return 0;
}

int tt_source_read(struct tt_source *source, const char *path, size_t limit, const char **ret_text,
                   size_t *ret_size, struct tt_error *err)
{
    if (source->commit)
        return tt_git_read(source->arena, source->repository, source->commit, path, limit, ret_text,
                           ret_size, err);
    return tt_disk_read(source->arena, source->root, path, limit, ret_text, ret_size, err);
}

int tt_source_owner(struct tt_source *source, const char **ret_owner, struct tt_error *err)
{
    git_oid head;

    if (!source->repository)
        return tt_fail(err, TT_ERR_SPEC,
                       "%s is not inside a Git repository, so there is no root commit to mark what "
                       "is owned with; add a document of kind Fleet",
                       source->root);
    if (git_repository_is_shallow(source->repository) == 1)
        return tt_fail(err, TT_ERR_SPEC,
                       "this clone is shallow, so its root commit, the mark on what is owned, is "
                       "not known; run git fetch --unshallow, or add a document of kind Fleet");
    if (source->commit)
        head = *git_commit_id(source->commit);
    else if (git_reference_name_to_id(&head, source->repository, "HEAD") < 0)
        return tt_fail(err, TT_ERR_SPEC,
                       "the repository has no commit yet, so there is no root commit to mark what "
                       "is owned with; commit, or add a document of kind Fleet");
    return tt_git_oldest_root(source->arena, source->repository, &head, ret_owner, err);
}
