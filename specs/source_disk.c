/*
 * Reading the files of a folder on disk. Symbolic links are not followed: a link in a repository
 * could lead to any file of this host.
 */
#include "specs/source_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "specs/source_limits.h"

static void close_fts(FTS **walk)
{
    if (*walk)
        fts_close(*walk);
}

static char *full_path(struct tt_arena *arena, const char *root, const char *path)
{
    size_t length = strlen(root);
    bool slash = length > 0 && root[length - 1] == '/';

    if (!*path)
        return tt_strdup(arena, root);
    return tt_printf(arena, "%s%s%s", root, slash ? "" : "/", path);
}

static int add_file(struct tt_arena *arena, const char *root, const FTSENT *entry,
                    struct tt_source_files *files, size_t *total, struct tt_error *err)
{
    const char *below = entry->fts_path + strlen(root);
    struct tt_source_file file = {.size = (size_t)entry->fts_statp->st_size};
    char *text;

    file.path = tt_strdup(arena, below + strspn(below, "/"));
    if (file.size <= TT_YAML_MAX_SIZE) {
        if (tt_file_read(arena, entry->fts_path, TT_YAML_MAX_SIZE, &text, &file.size, err) < 0)
            return -1;
        file.text = text;
    }
    *TT_VEC_ADD(arena, files) = file;
    return tt_check_limits(files->count, total, file.text ? file.size : 0, err);
}

int tt_disk_list(struct tt_arena *arena, const char *root, const char *folder,
                 struct tt_source_files *files, struct tt_error *err)
{
    char *start = full_path(arena, root, folder);
    char *const starts[] = {start, NULL};
    __attribute__((cleanup(close_fts))) FTS *walk = NULL;
    struct stat st;
    size_t total = 0;
    FTSENT *entry;

    if (stat(start, &st) < 0)
        return tt_fail_errno(err, TT_ERR_NOT_FOUND, "cannot read the folder %s", start);
    if (!S_ISDIR(st.st_mode))
        return tt_fail(err, TT_ERR_SPEC, "%s is no folder", start);
    walk = fts_open(starts, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    if (!walk)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read the folder %s", start);
    while (errno = 0, (entry = fts_read(walk))) {
        if (entry->fts_info == FTS_D && entry->fts_level > 0 &&
            strcmp(entry->fts_name, ".git") == 0)
            fts_set(walk, entry, FTS_SKIP);
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            errno = entry->fts_errno;
            return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read %s", entry->fts_path);
        }
        if (entry->fts_info == FTS_F && S_ISREG(entry->fts_statp->st_mode) &&
            tt_is_spec_name(entry->fts_name) &&
            add_file(arena, root, entry, files, &total, err) < 0)
            return -1;
    }
    if (errno)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read the folder %s", start);
    return 0;
}

int tt_disk_read(struct tt_arena *arena, const char *root, const char *path, size_t limit,
                 const char **ret_text, size_t *ret_size, struct tt_error *err)
{
    const char *full = full_path(arena, root, path);
    struct stat st;
    char *text;

    if (lstat(full, &st) < 0)
        return tt_fail_errno(err, TT_ERR_NOT_FOUND, "cannot read %s", path);
    if (!S_ISREG(st.st_mode))
        return tt_fail(err, TT_ERR_SPEC, "%s is a folder or a link, not a file", path);
    if (tt_file_read(arena, full, limit, &text, ret_size, err) < 0)
        return -1;
    *ret_text = text;
    return 0;
}
