/*
 * Shell: runs one program on this host and waits for its end. There is no shell in between: an
 * argument is an argument, whatever it contains.
 */
#ifndef TT_PROVIDERS_SHELL_H
#define TT_PROVIDERS_SHELL_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/words.h"
#include "providers/provider.h"

#define TT_SHELL_MAX_OUTPUT (1024u * 1024)

struct tt_shell_request {
    const char *const *argv;       /* ends with NULL; argv[0] without a slash is searched in PATH */
    const char *folder;            /* where it runs; NULL: here */
    struct tt_strings environment; /* "NAME=VALUE", beside tt_shell_environment */
    const char *input;             /* its standard input; NULL: empty */
    tt_time timeout;               /* for the whole command; 0: none */
};

/* What every program gets and nothing else, so that no credential of ours reaches it: PATH, HOME,
 * USER, LANG and TMPDIR of this process, then EXTRA, which wins. Ends with NULL. */
char **tt_shell_environment(struct tt_arena *arena, const struct tt_strings *extra);

/* The file that NAME stands for: searched in PATH when it has no slash. NULL: there is none that
 * may be executed. */
const char *tt_shell_find(struct tt_arena *arena, const char *name);

/* Whether ERROR, of pidfd_open, says that this host has no such descriptors: kernels before 5.3 do
 * not know them, and some sandboxes refuse whatever they do not know. */
bool tt_shell_lacks_pidfd(int error);

/* Runs it in a process group of its own, without any descriptor of ours. Output past 1 MiB is
 * read and dropped. When the time is over the whole group is killed. A program that fails is a
 * success of this call. Errors: NOT_FOUND (no such program or folder, or PATH has none that may be
 * executed), DENIED (a path that may not be executed), TIMEOUT, INTERNAL. */
int tt_shell_run(const struct tt_shell_request *request, struct tt_arena *arena,
                 struct tt_run_result *ret_result, struct tt_error *err);

#endif
