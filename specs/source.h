/*
 * Source: where spec files come from: a revision of a Git repository, read through libgit2 and
 * never from the work tree; or the files on disk.
 *
 * Paths are relative to the repository's root and have no "." or ".." in them.
 */
#ifndef TT_SPECS_SOURCE_H
#define TT_SPECS_SOURCE_H

#include "specs/specs.h"

struct tt_source;

struct tt_source_file {
    const char *path;
    const char *text; /* NULL: larger than the limit */
    size_t size;
};

struct tt_source_files {
    struct tt_source_file *items; /* by path */
    size_t count;
    size_t capacity;
};

/* Finds the repository and the revision. Errors: NOT_FOUND (repository, revision), SPEC. Close it
 * with tt_source_close; both work in ARENA. */
int tt_source_open(struct tt_arena *arena, const struct tt_specs_request *request,
                   struct tt_source **ret_source, struct tt_error *err);
void tt_source_close(struct tt_source **source);

#define TT_SOURCE_AUTO __attribute__((cleanup(tt_source_close))) struct tt_source

/* The full commit id, or "worktree". */
const char *tt_source_revision(const struct tt_source *source);

/* All *.yaml and *.yml under the request's path; links and submodules are not followed. Errors:
 * NOT_FOUND (no such folder), SPEC (too many files). */
int tt_source_list(struct tt_source *source, struct tt_source_files *ret_files,
                   struct tt_error *err);

/* One file as NUL-terminated text. Errors: NOT_FOUND; SPEC (no file, a link, over LIMIT). */
int tt_source_read(struct tt_source *source, const char *path, size_t limit, const char **ret_text,
                   size_t *ret_size, struct tt_error *err);

/* The id of the oldest root commit of the revision's (with the work tree: HEAD's) history. Errors:
 * SPEC (no repository, no commit, a shallow clone whose root is not there). */
int tt_source_owner(struct tt_source *source, const char **ret_owner, struct tt_error *err);

/* FOLDER and PATH as one path without "." and ".."; NULL when it leads out of the repository. */
char *tt_source_join(struct tt_arena *arena, const char *folder, const char *path);

#endif
