/*
 * Whole files: bounded reading, atomic writing, making and removing trees.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_FD __attribute__((cleanup(close_fd))) int

int tt_file_read(struct tt_arena *arena, const char *path, size_t limit, char **ret_text,
                 size_t *ret_size, struct tt_error *err)
{
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t capacity = 4096, size = 0;
    struct stat st;
    char *text;

    if (fd < 0 || fstat(fd, &st) < 0)
        return tt_fail_errno(err, errno == ENOENT ? TT_ERR_NOT_FOUND : TT_ERR_INTERNAL,
                             "cannot read %s", path);
    if (S_ISDIR(st.st_mode))
        return tt_fail(err, TT_ERR_SPEC, "cannot read %s: it is a folder", path);
    if (st.st_size > 0)
        capacity = (size_t)st.st_size + 1;
    text = tt_alloc(arena, capacity + 1);
    for (;;) {
        ssize_t got = read(fd, text + size, capacity - size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read %s", path);
        if (got == 0)
            break;
        size += (size_t)got;
        if (size > limit)
            return tt_fail(err, TT_ERR_SPEC, "%s is larger than %zu bytes", path, limit);
        if (size == capacity) {
            char *more = tt_alloc(arena, capacity * 2 + 1);
            memcpy(more, text, size);
            text = more;
            capacity *= 2;
        }
    }
    text[size] = '\0';
    *ret_text = text;
    if (ret_size)
        *ret_size = size;
    return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t put = write(fd, data, size);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

int tt_file_write(const char *path, const void *data, size_t size, int mode, struct tt_error *err)
{
    char temporary[PATH_MAX];

    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return tt_fail(err, TT_ERR_SPEC, "the path is too long: %s", path);

    AUTO_FD fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot write %s", path);
    if (fchmod(fd, (mode_t)mode) < 0 || write_all(fd, data, size) < 0 || fsync(fd) < 0 ||
        rename(temporary, path) < 0) {
        tt_fail_errno(err, TT_ERR_INTERNAL, "cannot write %s", path);
        unlink(temporary);
        return -1;
    }
    return 0;
}

int tt_file_make(const char *path, const void *data, size_t size, int mode, struct tt_error *err)
{
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);

    if (fd < 0 || write_all(fd, data, size) < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot write %s", path);
    return 0;
}

int tt_make_folders(const char *path, int mode, struct tt_error *err)
{
    char part[PATH_MAX];

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return tt_fail(err, TT_ERR_SPEC, "the path is too long: %s", path);
    for (char *slash = part + 1;; slash++) {
        char cut = *slash;

        if (cut != '/' && cut != '\0')
            continue;
        *slash = '\0';
        if (mkdir(part, (mode_t)mode) < 0 && errno != EEXIST)
            return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot make the folder %s", part);
        if (cut == '\0')
            return 0;
        *slash = cut;
    }
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int tt_remove_tree(const char *path, struct tt_error *err)
{
    if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot remove %s", path);
    return 0;
}
