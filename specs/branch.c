/*
 * Branches, through libgit2.
 */
#include "specs/branch.h"

#include <git2.h>

#include "base/str.h"
#include "specs/source_git.h"

/* The full name of REFERENCE when it stands at WANTED; it is freed. */
static const char *name_at(struct tt_arena *arena, git_reference *reference, const git_oid *wanted)
{
    const git_oid *target = git_reference_target(reference);
    const char *name = target && git_oid_equal(target, wanted)
                           ? tt_strdup(arena, git_reference_name(reference))
                           : NULL;

    git_reference_free(reference);
    return name;
}

static const char *find_at(struct tt_arena *arena, git_repository *repository,
                           const git_oid *wanted)
{
    git_branch_iterator *branches = NULL;
    git_reference *reference = NULL;
    const char *name = NULL;
    git_branch_t kind;

    if (git_repository_head(&reference, repository) == 0 && git_reference_is_branch(reference))
        name = name_at(arena, reference, wanted);
    else
        git_reference_free(reference);
    if (name || git_branch_iterator_new(&branches, repository, GIT_BRANCH_LOCAL) < 0)
        return name;
    while (!name && git_branch_next(&reference, &kind, branches) == 0)
        name = name_at(arena, reference, wanted);
    git_branch_iterator_free(branches);
    return name;
}

const char *tt_branch_at(struct tt_arena *arena, const char *repository, const char *revision)
{
    git_repository *opened = NULL;
    const char *name = NULL;
    git_oid wanted;

    if (tt_git_open(repository, &opened, NULL) == 0 && git_oid_fromstr(&wanted, revision) == 0)
        name = find_at(arena, opened, &wanted);
    git_repository_free(opened);
    return name;
}

const char *tt_branch_tip(struct tt_arena *arena, const char *repository, const char *branch)
{
    git_repository *opened = NULL;
    char text[GIT_OID_HEXSZ + 1] = "";
    git_oid id;

    if (tt_git_open(repository, &opened, NULL) == 0 &&
        git_reference_name_to_id(&id, opened, branch) == 0)
        git_oid_tostr(text, sizeof(text), &id);
    git_repository_free(opened);
    return *text ? tt_strdup(arena, text) : NULL;
}
