/*
 * Poll: a repository is fetched into a bare clone of our own, and its newest commit is read: which
 * deployments it has, and a mark for each that changes when what it asks for changes.
 */
#ifndef TT_SERVE_POLL_H
#define TT_SERVE_POLL_H

#include "model/policy.h"
#include "serve/config.h"
#include "serve/runner.h"

/* Fetches the branch into the bare repository FOLDER, which is made when it is not there. The
 * newest commit's id in RET_REVISION (ARENA). libgit2 waits for a silent server for ever: after
 * SILENCE seconds (0: never) SIGALRM ends this process. Errors: NOT_FOUND (no such branch), DENIED,
 * UNAVAILABLE; their messages name the repository's address without secrets. */
int tt_poll_fetch(struct tt_arena *arena, const struct tt_repository_config *repository,
                  const char *folder, unsigned silence, const char **ret_revision,
                  struct tt_error *err);

/* poll_tidy.c: the clone FOLDER stays as small as its history: many packs become one (very many:
 * a part of them each time), and those that are no longer needed go a minute later. Nobody else
 * fetches into it meanwhile. */
int tt_poll_tidy(struct tt_arena *arena, const char *folder, tt_time now, struct tt_error *err);

/* The clone of the repository NAME. */
const char *tt_poll_folder(struct tt_arena *arena, const char *state_folder, const char *name);

/* The same by a child, `PROGRAM serve --fetch`, so that a server that says nothing holds up nobody
 * who stops RUNNER. CONFIG is the configuration that REPOSITORY is of. RET_WARNING: what went wrong
 * after it had fetched; NULL: nothing. */
int tt_poll_fetch_by_child(struct tt_arena *arena, const char *program, const char *state_folder,
                           const struct tt_config *config,
                           const struct tt_repository_config *repository, struct tt_runner *runner,
                           const char **ret_revision, const char **ret_warning,
                           struct tt_error *err);

/* The newest commit that the clone FOLDER has, from an earlier fetch. NOT_FOUND: none. */
int tt_poll_known(struct tt_arena *arena, const struct tt_repository_config *repository,
                  const char *folder, const char **ret_revision, struct tt_error *err);

/* The commit that was followed last stays known in the clone FOLDER, so that after a restart it
 * goes on to hold when the newest one is refused. */
int tt_poll_accept(const char *folder, const char *revision, struct tt_error *err);
/* NULL: none was. */
const char *tt_poll_accepted(struct tt_arena *arena, const char *folder);

struct tt_followed {
    const char *name;
    struct tt_policy policy;
    const char *accounts; /* those that it uses: ",aws-prod,here," */
    const char *mark;     /* equal marks: nothing that concerns it was touched */
};
struct tt_followed_list {
    struct tt_followed *items; /* by name */
    size_t count;
    size_t capacity;
};

/* What REVISION of the clone FOLDER asks for. Errors: SPEC with the first finding's place and how
 * many there are, when the specs are wrong. */
int tt_poll_read(struct tt_arena *arena, const struct tt_repository_config *repository,
                 const char *folder, const char *revision, struct tt_followed_list *ret_list,
                 struct tt_error *err);

#endif
