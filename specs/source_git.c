/*
 * Reading a revision through libgit2: resolving it, walking its tree, reading blobs within limits,
 * finding the oldest root commit. Git objects are held with cleanup attributes.
 */
#include "specs/source_git.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "specs/source_limits.h"

TT_DEFINE_AUTO(git_object, git_object_free)
TT_DEFINE_AUTO(git_tree, git_tree_free)
TT_DEFINE_AUTO(git_tree_entry, git_tree_entry_free)
TT_DEFINE_AUTO(git_blob, git_blob_free)
TT_DEFINE_AUTO(git_odb, git_odb_free)
TT_DEFINE_AUTO(git_revwalk, git_revwalk_free)
TT_DEFINE_AUTO(git_commit, git_commit_free)

int tt_git_fail(struct tt_error *err, int code, enum tt_error_class class, const char *what)
{
    const git_error *last = git_error_last();

    if (code == GIT_ENOTFOUND)
        class = TT_ERR_NOT_FOUND;
    return tt_fail(err, class, "%s: %s", what, last && last->message ? last->message : "failed");
}

int tt_git_add_quarantine(git_repository *repository)
{
    const char *folder = getenv("GIT_QUARANTINE_PATH");
    git_odb *odb = NULL;
    int code;

    if (!folder || *folder != '/')
        return 0;
    code = git_repository_odb(&odb, repository);
    if (code == 0)
        code = git_odb_add_disk_alternate(odb, folder);
    git_odb_free(odb);
    return code;
}

int tt_git_open(const char *folder, git_repository **ret_repository, struct tt_error *err)
{
    int code;

    if (git_libgit2_init() < 0) /* never shut down: see source.c */
        abort();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    code = git_repository_open_ext(ret_repository, folder, 0, NULL);
    if (code == 0 && (code = tt_git_add_quarantine(*ret_repository)) < 0) {
        git_repository_free(*ret_repository);
        *ret_repository = NULL;
    }
    return code < 0 ? tt_git_fail(err, code, TT_ERR_NOT_FOUND, "cannot open the repository") : 0;
}

int tt_git_resolve(git_repository *repository, const char *revision, git_commit **ret_commit,
                   struct tt_error *err)
{
    TT_AUTO(git_object) *object = NULL;
    int code;

    if (strcmp(revision, "HEAD") == 0 && git_repository_head_unborn(repository) == 1)
        return tt_fail(err, TT_ERR_NOT_FOUND,
                       "the repository has no commit yet; commit the specs, or read the files as "
                       "they are with --worktree");
    code = git_revparse_single(&object, repository, revision);
    if (code == GIT_ENOTFOUND)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no revision %s in the repository",
                       revision);
    if (code == GIT_EAMBIGUOUS)
        return tt_fail(err, TT_ERR_SPEC, "the revision %s is ambiguous; give more of the id",
                       revision);
    if (code < 0)
        return tt_git_fail(err, code, TT_ERR_SPEC, "cannot read the revision");
    if (git_object_peel((git_object **)ret_commit, object, GIT_OBJECT_COMMIT) < 0)
        return tt_fail(err, TT_ERR_SPEC, "%s is no commit but a %s", revision,
                       git_object_type2string(git_object_type(object)));
    return 0;
}

/* A blob's bytes; RET_TEXT stays NULL when it is over LIMIT. */
static int read_blob(struct tt_arena *arena, git_repository *repository, const git_oid *id,
                     size_t limit, const char **ret_text, size_t *ret_size, struct tt_error *err)
{
    TT_AUTO(git_odb) *odb = NULL;
    TT_AUTO(git_blob) *blob = NULL;
    git_object_t type;
    int code = git_repository_odb(&odb, repository);

    if (code == 0)
        code = git_odb_read_header(ret_size, &type, odb, id);
    if (code == 0 && *ret_size > limit)
        return 0;
    if (code == 0)
        code = git_blob_lookup(&blob, repository, id);
    if (code < 0)
        return tt_git_fail(err, code, TT_ERR_INTERNAL, "cannot read from the repository");
    *ret_size = (size_t)git_blob_rawsize(blob);
    *ret_text = tt_strndup(arena, git_blob_rawcontent(blob), *ret_size);
    return 0;
}

struct walk {
    struct tt_arena *arena;
    git_repository *repository;
    const char *folder;
    struct tt_source_files *files;
    size_t total;
    struct tt_error *err;
};

static bool is_plain_file(const git_tree_entry *entry)
{
    git_filemode_t mode = git_tree_entry_filemode(entry);

    return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static int visit(const char *folder, const git_tree_entry *entry, void *payload)
{
    struct walk *walk = payload;
    const char *name = git_tree_entry_name(entry);
    struct tt_source_file file = {0};

    if (!is_plain_file(entry) || !tt_is_spec_name(name))
        return 0;
    file.path =
        tt_printf(walk->arena, "%s%s%s%s", walk->folder, *walk->folder ? "/" : "", folder, name);
    if (read_blob(walk->arena, walk->repository, git_tree_entry_id(entry), TT_YAML_MAX_SIZE,
                  &file.text, &file.size, walk->err) < 0)
        return -1;
    *TT_VEC_ADD(walk->arena, walk->files) = file;
    return tt_check_limits(walk->files->count, &walk->total, file.text ? file.size : 0, walk->err);
}

int tt_git_list(struct tt_arena *arena, git_repository *repository, git_commit *commit,
                const char *folder, struct tt_source_files *files, struct tt_error *err)
{
    TT_AUTO(git_tree) *root = NULL;
    TT_AUTO(git_tree_entry) *entry = NULL;
    TT_AUTO(git_tree) *tree = NULL;
    struct tt_error inner = {0};
    struct walk walk = {arena, repository, folder, files, 0, &inner};
    int code = git_commit_tree(&root, commit);

    if (code == 0 && *folder) {
        code = git_tree_entry_bypath(&entry, root, folder);
        if (code == GIT_ENOTFOUND)
            return tt_fail(err, TT_ERR_NOT_FOUND, "there is no folder %s in this revision", folder);
        if (code == 0 && git_tree_entry_type(entry) != GIT_OBJECT_TREE)
            return tt_fail(err, TT_ERR_SPEC, "%s is no folder in this revision", folder);
        if (code == 0)
            code = git_tree_lookup(&tree, repository, git_tree_entry_id(entry));
    }
    if (code == 0)
        code = git_tree_walk(tree ? tree : root, GIT_TREEWALK_PRE, visit, &walk);
    if (code < 0 && inner.class != TT_ERR_NONE)
        return tt_fail(err, inner.class, "%s", inner.message);
    return code < 0 ? tt_git_fail(err, code, TT_ERR_INTERNAL, "cannot read the revision") : 0;
}

int tt_git_read(struct tt_arena *arena, git_repository *repository, git_commit *commit,
                const char *path, size_t limit, const char **ret_text, size_t *ret_size,
                struct tt_error *err)
{
    TT_AUTO(git_tree) *root = NULL;
    TT_AUTO(git_tree_entry) *entry = NULL;
    const char *text = NULL;
    int code = git_commit_tree(&root, commit);

    if (code == 0)
        code = git_tree_entry_bypath(&entry, root, path);
    if (code == GIT_ENOTFOUND)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no file %s in this revision", path);
    if (code < 0)
        return tt_git_fail(err, code, TT_ERR_INTERNAL, "cannot read the revision");
    if (!is_plain_file(entry))
        return tt_fail(err, TT_ERR_SPEC, "%s is a folder or a link, not a file", path);
    if (read_blob(arena, repository, git_tree_entry_id(entry), limit, &text, ret_size, err) < 0)
        return -1;
    if (!text)
        return tt_fail(err, TT_ERR_SPEC, "%s is larger than %zu bytes", path, limit);
    *ret_text = text;
    return 0;
}

int tt_git_oldest_root(struct tt_arena *arena, git_repository *repository, const git_oid *from,
                       const char **ret_id, struct tt_error *err)
{
    TT_AUTO(git_revwalk) *walk = NULL;
    git_time_t oldest = 0;
    git_oid id, best = {0};
    bool found = false;
    char text[GIT_OID_HEXSZ + 1];
    int code = git_revwalk_new(&walk, repository);

    if (code == 0)
        code = git_revwalk_push(walk, from);
    while (code == 0 && (code = git_revwalk_next(&id, walk)) == 0) {
        TT_AUTO(git_commit) *commit = NULL;
        git_time_t time;

        code = git_commit_lookup(&commit, repository, &id);
        if (code < 0 || git_commit_parentcount(commit) > 0)
            continue;
        time = git_commit_time(commit);
        if (!found || time < oldest || (time == oldest && git_oid_cmp(&id, &best) < 0)) {
            best = id;
            oldest = time;
            found = true;
        }
    }
    if (code != GIT_ITEROVER)
        return tt_git_fail(err, code, TT_ERR_INTERNAL, "cannot read the history");
    if (!found)
        return tt_fail(err, TT_ERR_INTERNAL, "the history has no root commit");
    git_oid_tostr(text, sizeof(text), &best);
    *ret_id = tt_strdup(arena, text);
    return 0;
}
