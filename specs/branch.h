/*
 * Branches: where they stand in a local repository.
 */
#ifndef TT_SPECS_BRANCH_H
#define TT_SPECS_BRANCH_H

#include "base/arena.h"

/* A branch of REPOSITORY whose newest commit is REVISION, in full ("refs/heads/main"); the one that
 * HEAD names first. NULL: none is, or there is no repository. */
const char *tt_branch_at(struct tt_arena *arena, const char *repository, const char *revision);

/* The newest commit of BRANCH in hex; NULL: there is no such branch. */
const char *tt_branch_tip(struct tt_arena *arena, const char *repository, const char *branch);

#endif
