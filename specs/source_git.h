/*
 * Reading a revision through libgit2: the part of source.c that knows Git.
 */
#ifndef TT_SPECS_SOURCE_GIT_H
#define TT_SPECS_SOURCE_GIT_H

#include <git2.h>

#include "specs/source.h"

/* A failed libgit2 call as an error: GIT_ENOTFOUND is NOT_FOUND, the rest CLASS. */
int tt_git_fail(struct tt_error *err, int code, enum tt_error_class class, const char *what);

/* In a pre-receive hook the objects of a push are not among the repository's own yet: adds them. */
int tt_git_add_quarantine(git_repository *repository);
/* Opens the repository that FOLDER is in, quarantine included. */
int tt_git_open(const char *folder, git_repository **ret_repository, struct tt_error *err);

int tt_git_resolve(git_repository *repository, const char *revision, git_commit **ret_commit,
                   struct tt_error *err);
int tt_git_list(struct tt_arena *arena, git_repository *repository, git_commit *commit,
                const char *folder, struct tt_source_files *files, struct tt_error *err);
int tt_git_read(struct tt_arena *arena, git_repository *repository, git_commit *commit,
                const char *path, size_t limit, const char **ret_text, size_t *ret_size,
                struct tt_error *err);
int tt_git_oldest_root(struct tt_arena *arena, git_repository *repository, const git_oid *from,
                       const char **ret_id, struct tt_error *err);

#endif
