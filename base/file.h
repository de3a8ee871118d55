/*
 * Whole files: bounded reading, and writing that is all or nothing.
 */
#ifndef TT_BASE_FILE_H
#define TT_BASE_FILE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* The whole file, NUL-terminated; a file over LIMIT bytes is an error. RET_SIZE may be NULL. */
int tt_file_read(struct tt_arena *arena, const char *path, size_t limit, char **ret_text,
                 size_t *ret_size, struct tt_error *err);

/* Writes beside PATH, syncs and renames: after a crash the old or the new content is there. */
int tt_file_write(const char *path, const void *data, size_t size, int mode, struct tt_error *err);

/* Writes PATH anew, neither synced nor all at once: for a file in a folder that is not named yet.
 */
int tt_file_make(const char *path, const void *data, size_t size, int mode, struct tt_error *err);

/* mkdir -p with MODE for each folder that is made. */
int tt_make_folders(const char *path, int mode, struct tt_error *err);

/* rm -rf; symbolic links are removed, not followed. A PATH that does not exist is success. */
int tt_remove_tree(const char *path, struct tt_error *err);

#endif
