/*
 * Fetching by a child: libgit2 waits for as long as a server likes, has one set of certificate
 * authorities for a whole process, and is given the passwords; a process of its own for each fetch
 * bounds all of it. It reads the daemon's configuration as it was when the daemon read it.
 */
#include <string.h>

#include "base/str.h"
#include "serve/poll.h"

#define LONGEST_FETCH 1800 /* seconds */
#define SIGNALLED     128
#define SILENT        (SIGNALLED + 14) /* SIGALRM */

const char *tt_poll_folder(struct tt_arena *arena, const char *state_folder, const char *name)
{
    return tt_printf(arena, "%s/serve/repositories/%s.git", state_folder, name);
}

struct answer {
    struct tt_arena *arena;
    const char *revision;
};

static void keep_line(void *self, const char *line, size_t length)
{
    struct answer *answer = self;

    answer->revision = tt_strndup(answer->arena, line, length);
}

static int fail(struct tt_arena *arena, const struct tt_repository_config *repository, int code,
                const struct tt_buf *errors, struct tt_error *err)
{
    const char *said = tt_runner_last_line(arena, errors);

    if (code == SILENT)
        said = tt_printf(arena, "cannot fetch %s: the server says nothing", repository->url);
    else if (code >= SIGNALLED || !*said)
        said = tt_printf(arena, "cannot fetch %s: ended with code %d", repository->url, code);
    return tt_fail(err, TT_ERR_UNAVAILABLE, "%s", said);
}

/* What a child says that has fetched: its clone was not tidied. NULL: nothing. */
static const char *warning_of(struct tt_arena *arena, int code, const struct tt_buf *errors)
{
    const char *said = tt_runner_last_line(arena, errors);

    if (*said)
        return said;
    return code ? tt_printf(arena, "fetched, but then ended with code %d", code) : NULL;
}

int tt_poll_fetch_by_child(struct tt_arena *arena, const char *program, const char *state_folder,
                           const struct tt_config *config,
                           const struct tt_repository_config *repository, struct tt_runner *runner,
                           const char **ret_revision, const char **ret_warning,
                           struct tt_error *err)
{
    const char *argv[] = {"trimtab",
                          "serve",
                          "--config=/dev/stdin",
                          tt_printf(arena, "--fetch=%s", repository->name),
                          tt_printf(arena, "--state=%s", state_folder),
                          "--no-color",
                          NULL};
    struct answer answer = {.arena = arena};
    struct tt_runner_request request = {.program = program,
                                        .argv = argv,
                                        .environment = tt_runner_environment(arena, NULL),
                                        .input = config->text,
                                        .input_size = strlen(config->text),
                                        .seconds = LONGEST_FETCH,
                                        .line = keep_line,
                                        .self = &answer};
    TT_BUF_AUTO errors = {0};
    int code = 1;

    if (tt_runner_run(runner, &request, &code, &errors, err) < 0)
        return -1;
    if (!answer.revision)
        return fail(arena, repository, code, &errors, err);
    *ret_revision = answer.revision;
    *ret_warning = warning_of(arena, code, &errors);
    return 0;
}
