/*
 * Reading the files of a folder on disk: the part of source.c that knows the file system.
 */
#ifndef TT_SPECS_SOURCE_DISK_H
#define TT_SPECS_SOURCE_DISK_H

#include "specs/source.h"

/* ROOT is absolute or relative to the current folder; FOLDER and PATH are relative to ROOT. */
int tt_disk_list(struct tt_arena *arena, const char *root, const char *folder,
                 struct tt_source_files *files, struct tt_error *err);
int tt_disk_read(struct tt_arena *arena, const char *root, const char *path, size_t limit,
                 const char **ret_text, size_t *ret_size, struct tt_error *err);

#endif
