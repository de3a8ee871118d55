/*
 * Process: whether a machine is alive, its start and its end, seen from outside of its supervisor.
 * The number in its pid file is believed only with the start time and the boot that stand beside
 * it: numbers are used again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "providers/local/cloud.h"
#include "providers/shell/shell.h"

#define TERM_PATIENCE  3000
#define KILL_PATIENCE  3000
#define SWEEP_PATIENCE 10000
#define LOOK_EVERY     10 /* ms, without a pidfd */
#define MAX_PID_FILE   4096

void tt_local_read_small(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);

    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

/* Field 22 of the stat file; the name in field 2 may hold anything, so the count begins behind it,
 * at the state in field 3. Zombies fool everything else: they count as dead. */
long long tt_local_start_time(pid_t pid)
{
    char path[64], text[1024];
    const char *at;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    tt_local_read_small(path, text, sizeof(text));
    at = strrchr(text, ')');
    if (!at || strncmp(at, ") ", 2) != 0 || at[2] == 'Z' || at[2] == 'X')
        return -1;
    for (int field = 2; field < 22 && at; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at, NULL, 10) : -1;
}

static const char *beside(struct tt_arena *arena, const struct tt_local_machine *machine,
                          const char *name)
{
    return tt_printf(arena, "%s/%s", machine->folder, name);
}

bool tt_local_is_alive(const struct tt_local_machine *machine)
{
    struct tt_arena arena;
    bool alive;

    tt_arena_init(&arena);
    alive = tt_local_is_locked(beside(&arena, machine, "lock"));
    tt_arena_release(&arena);
    return alive;
}

/* --- starting --- */

static int explain(const struct tt_local_machine *machine, const struct tt_local_report *report,
                   struct tt_error *err)
{
    static const char *const words[] = {
        [TT_LOCAL_RUNS] = "its program runs",
        [TT_LOCAL_FORK] = "its supervisor cannot be forked",
        [TT_LOCAL_LOCKING] = "its lock cannot be taken",
        [TT_LOCAL_FILES] = "its files cannot be written",
        [TT_LOCAL_EXEC] = "its program cannot be run",
    };
    bool spec = report->stage == TT_LOCAL_EXEC &&
                (report->error == ENOENT || report->error == EACCES || report->error == ENOEXEC);

    errno = report->error;
    return tt_fail_errno(err, spec ? TT_ERR_SPEC : TT_ERR_INTERNAL, "%s in %s: %s (%s)",
                         machine->server.name, machine->folder, words[report->stage],
                         machine->command.items[0]);
}

int tt_local_start(const struct tt_local_machine *machine, struct tt_arena *arena,
                   struct tt_error *err)
{
    struct tt_strings marks = tt_local_environment(machine, arena);
    char **argv = TT_NEW_ARRAY(arena, machine->command.count + 1, char *);
    struct tt_local_launch launch = {
        .id = machine->server.id,
        .lock = beside(arena, machine, "lock"),
        .pid = beside(arena, machine, "pid"),
        .log = beside(arena, machine, "log"),
        .root = machine->root,
        .argv = argv,
        .environment = tt_shell_environment(arena, &marks),
    };
    struct tt_local_report report;

    if (!machine->command.count)
        return tt_fail(err, TT_ERR_SPEC, "%s has no program to run", machine->server.name);
    for (size_t i = 0; i < machine->command.count; i++)
        argv[i] = tt_strdup(arena, machine->command.items[i]);
    if (!tt_local_sweep(machine->server.id, SWEEP_PATIENCE))
        return tt_fail(err, TT_ERR_INTERNAL, "%s: processes of its former life cannot be ended",
                       machine->server.name);
    report = tt_local_supervise(&launch);
    return report.stage == TT_LOCAL_RUNS ? 0 : explain(machine, &report, err);
}

/* --- ending --- */

/* "PID START BOOT" of the boot we are in. */
static bool parse_pid(char *text, pid_t *ret_pid, long long *ret_started)
{
    char boot[64], *rest;

    *ret_pid = (pid_t)strtol(text, &rest, 10);
    *ret_started = strtoll(rest, &rest, 10);
    if (*ret_pid <= 0 || *ret_started <= 0 || *rest != ' ')
        return false;
    rest[strcspn(rest, "\n")] = '\0';
    tt_local_read_small("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
    return strcmp(rest + 1, boot) == 0;
}

/* A supervisor. The descriptor stands for it whatever becomes of its number; where there are none
 * (-1), the number is used only right after its start time was seen. */
struct supervisor {
    pid_t pid;
    long long started;
    int fd;
};

static bool is_there(const struct supervisor *supervisor)
{
    return tt_local_start_time(supervisor->pid) == supervisor->started;
}

/* False when it is dead. */
static bool open_supervisor(const struct tt_local_machine *machine, struct supervisor *ret)
{
    struct supervisor found = {.fd = -1};
    struct tt_arena arena;
    bool alive = false;
    char *text;

    tt_arena_init(&arena);
    if (tt_file_read(&arena, beside(&arena, machine, "pid"), MAX_PID_FILE, &text, NULL, NULL) ==
            0 &&
        parse_pid(text, &found.pid, &found.started)) {
        found.fd = pidfd_open(found.pid, 0);
        /* The start time is that of the process that the descriptor stands for, or of none. */
        alive = (found.fd >= 0 || tt_shell_lacks_pidfd(errno)) && is_there(&found);
        if (!alive && found.fd >= 0)
            close(found.fd);
    }
    tt_arena_release(&arena);
    if (alive)
        *ret = found;
    return alive;
}

/* 0, or -1 with errno; ESRCH: it is dead. */
static int send_signal(const struct supervisor *supervisor, int number)
{
    if (supervisor->fd >= 0)
        return pidfd_send_signal(supervisor->fd, number, NULL, 0);
    if (is_there(supervisor))
        return kill(supervisor->pid, number);
    errno = ESRCH;
    return -1;
}

static bool ends_within(const struct supervisor *supervisor, tt_time patience)
{
    tt_time end = tt_monotonic() + patience;
    struct pollfd watched = {.fd = supervisor->fd, .events = POLLIN};
    tt_time left;

    while ((left = end - tt_monotonic()) > 0) {
        if (supervisor->fd < 0 && left > LOOK_EVERY)
            left = LOOK_EVERY;
        if (poll(&watched, 1, (int)left) > 0 || (supervisor->fd < 0 && !is_there(supervisor)))
            return true;
    }
    return false;
}

static int end_supervisor(const struct tt_local_machine *machine, bool force, struct tt_error *err)
{
    struct supervisor supervisor;
    bool ended = false;
    int result = 0;

    if (!open_supervisor(machine, &supervisor))
        return 0;
    if (!force && send_signal(&supervisor, SIGTERM) == 0)
        ended = ends_within(&supervisor, TERM_PATIENCE);
    if (!ended && send_signal(&supervisor, SIGKILL) < 0 && errno != ESRCH)
        result = tt_fail_errno(err, errno == EPERM ? TT_ERR_DENIED : TT_ERR_INTERNAL,
                               "cannot end %s", machine->server.name);
    else if (!ended)
        ends_within(&supervisor, KILL_PATIENCE);
    if (supervisor.fd >= 0)
        close(supervisor.fd);
    return result;
}

int tt_local_end(const struct tt_local_machine *machine, bool force, struct tt_error *err)
{
    tt_time end = tt_monotonic() + KILL_PATIENCE;

    if (end_supervisor(machine, force, err) < 0)
        return -1;
    if (!tt_local_sweep(machine->server.id, SWEEP_PATIENCE))
        return tt_fail(err, TT_ERR_INTERNAL, "%s: some of its processes cannot be ended",
                       machine->server.name);
    while (tt_local_is_alive(machine)) {
        if (tt_monotonic() > end)
            return tt_fail(err, TT_ERR_INTERNAL, "%s still runs, but %s/pid does not say where",
                           machine->server.name, machine->folder);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return 0;
}
