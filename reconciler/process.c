/*
 * Process: facts from /proc.
 */
#include "reconciler/process.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define FILE_LIMIT 8192

/* The state letter and the start time of PID, fields 3 and 22 of its stat; the name before them may
 * hold anything, so they are counted from its closing parenthesis. */
static bool read_stat(struct tt_arena *arena, int64_t pid, char *ret_state,
                      const char **ret_started)
{
    char *path = tt_printf(arena, "/proc/%" PRId64 "/stat", pid);
    char *text, *field, *save = NULL;

    if (tt_file_read(arena, path, FILE_LIMIT, &text, NULL, NULL) < 0)
        return false;
    field = strrchr(text, ')');
    if (!field)
        return false;
    field = strtok_r(field + 1, " ", &save);
    if (!field)
        return false;
    *ret_state = *field;
    for (int i = 3; field && i < 22; i++)
        field = strtok_r(NULL, " ", &save);
    *ret_started = field ? field : "";
    return true;
}

static const char *read_line(struct tt_arena *arena, const char *path)
{
    char *text;

    if (tt_file_read(arena, path, FILE_LIMIT, &text, NULL, NULL) < 0)
        return "";
    text[strcspn(text, "\n")] = '\0';
    return text;
}

struct tt_process tt_process_self(struct tt_arena *arena)
{
    struct tt_process self = {.pid = getpid(), .space = "", .started = "", .host = "localhost"};
    char host[256] = "", space[64] = "";
    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);
    char state;

    if (gethostname(host, sizeof(host) - 1) == 0 && host[0])
        self.host = tt_strdup(arena, host);
    if (length > 0)
        self.space = tt_strdup(arena, space);
    self.boot = read_line(arena, "/proc/sys/kernel/random/boot_id");
    read_stat(arena, self.pid, &state, &self.started);
    return self;
}

const char *tt_process_user(struct tt_arena *arena)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found)
        return tt_strdup(arena, found->pw_name);
    return tt_printf(arena, "%u", (unsigned)getuid());
}

bool tt_process_is_dead(const struct tt_process *process, const struct tt_process *self)
{
    struct tt_arena scratch = {0};
    const char *started = "";
    char state = 0;
    bool dead;

    if (!tt_streq(process->host, self->host) || !self->boot[0] || !process->boot[0])
        return false;
    if (!tt_streq(process->boot, self->boot))
        return true;
    if (!tt_streq(process->space, self->space) || process->pid <= 0)
        return false;
    if (read_stat(&scratch, process->pid, &state, &started))
        dead = state == 'Z' || state == 'X' ||
               (process->started[0] && !tt_streq(process->started, started));
    else
        dead = kill((pid_t)process->pid, 0) < 0 && errno == ESRCH;
    tt_arena_release(&scratch);
    return dead;
}
