/*
 * Shell: posix_spawn, which is safe beside other threads, two bounded pipes to read from, and a
 * pidfd that tells the end; where there is none, a look every few milliseconds. Standard input is a
 * file in memory, so that writing it can neither block nor raise a signal.
 */
#include "providers/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"

#define LOOK_EVERY 10 /* ms, without a pidfd */

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_FD __attribute__((cleanup(close_fd))) int

/* One of the two outputs while it is read. */
struct output {
    struct tt_buf text;
    int fd;
};

/* A running command. */
struct command {
    pid_t pid; /* of the process and of its group */
    int pidfd; /* -1: this host has none */
    struct output output;
    struct output errors;
};

static int open_input(const char *input, struct tt_error *err)
{
    int fd = input ? memfd_create("input", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC);
    size_t left = input ? strlen(input) : 0;

    if (fd < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot open a standard input");
    while (left) {
        ssize_t put = write(fd, input, left);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            tt_fail_errno(err, TT_ERR_INTERNAL, "cannot write a standard input");
            close(fd);
            return -1;
        }
        input += put;
        left -= (size_t)put;
    }
    if (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE) {
        tt_fail_errno(err, TT_ERR_INTERNAL, "cannot rewind a standard input");
        close(fd);
        return -1;
    }
    return fd;
}

/* A group of its own, default signals, three descriptors. */
static int spawn(const struct tt_shell_request *request, const char *program, char **environment,
                 const int fds[3], pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    int result = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSIGMASK);
    for (int i = 0; i < 3 && !result; i++)
        result = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    if (!result)
        result = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!result && request->folder)
        result = posix_spawn_file_actions_addchdir_np(&actions, request->folder);
    if (!result)
        result = posix_spawn(ret_pid, program, &actions, &attributes, (char *const *)request->argv,
                             environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

/* Above the three that the child is given, so that its dup2s cannot overwrite one another. */
static int raise_fd(int fd)
{
    int raised = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    close(fd);
    return raised;
}

static int make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    ends[0] = raise_fd(ends[0]);
    ends[1] = raise_fd(ends[1]);
    if (ends[0] < 0 || ends[1] < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        close_fd(&ends[0]);
        close_fd(&ends[1]);
        ends[0] = ends[1] = -1;
        return -1;
    }
    return 0;
}

bool tt_shell_lacks_pidfd(int error)
{
    return error == ENOSYS || error == EPERM;
}

static int start(const struct tt_shell_request *request, const char *program, char **environment,
                 struct command *command, struct tt_error *err)
{
    AUTO_FD input = open_input(request->input, err);
    int output[2] = {-1, -1}, errors[2] = {-1, -1};
    int result;

    if (input < 0)
        return -1;
    input = raise_fd(input);
    if (input < 0 || make_pipe(output) < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot make a pipe");
    command->output.fd = output[0];
    if (make_pipe(errors) < 0) {
        tt_fail_errno(err, TT_ERR_INTERNAL, "cannot make a pipe");
        close(output[1]);
        return -1;
    }
    command->errors.fd = errors[0];
    result = spawn(request, program, environment, (const int[3]){input, output[1], errors[1]},
                   &command->pid);
    close(output[1]);
    close(errors[1]);
    if (result) {
        command->pid = 0;
        errno = result;
        return tt_fail_errno(err,
                             result == ENOENT || result == ENOTDIR ? TT_ERR_NOT_FOUND
                             : result == EACCES                    ? TT_ERR_DENIED
                                                                   : TT_ERR_INTERNAL,
                             "cannot run %s", request->argv[0]);
    }
    command->pidfd = pidfd_open(command->pid, 0);
    if (command->pidfd < 0 && !tt_shell_lacks_pidfd(errno))
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot watch %s", request->argv[0]);
    return 0;
}

/* Takes what is there; closes it at its end. */
static void read_output(struct output *output)
{
    char block[65536];

    while (output->fd >= 0) {
        ssize_t got = read(output->fd, block, sizeof(block));
        size_t room = TT_SHELL_MAX_OUTPUT - output->text.length;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            close(output->fd);
            output->fd = -1;
            return;
        }
        tt_buf_addn(&output->text, block, (size_t)got < room ? (size_t)got : room);
        if ((size_t)got < sizeof(block))
            return;
    }
}

/* For poll: -1 is without end. */
static int patience(const struct command *command, tt_time left)
{
    if (command->pidfd < 0 && left > LOOK_EVERY)
        return LOOK_EVERY;
    return left < INT32_MAX ? (int)left : -1;
}

/* Reads until the command has ended. What it left in the background may hold the pipes: they are
 * not waited for. */
static int watch(struct command *command, tt_time timeout, struct tt_error *err)
{
    tt_time end = tt_monotonic() + timeout;

    for (;;) {
        struct pollfd fds[3] = {{.fd = command->pidfd, .events = POLLIN},
                                {.fd = command->output.fd, .events = POLLIN},
                                {.fd = command->errors.fd, .events = POLLIN}};
        tt_time left = timeout ? end - tt_monotonic() : INT32_MAX;
        bool ended;

        if (left <= 0)
            return tt_fail(err, TT_ERR_TIMEOUT, "it did not end within %.1f s",
                           (double)timeout / 1000);
        if (poll(fds, 3, patience(command, left)) < 0 && errno != EINTR)
            return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot wait for it");
        ended = command->pidfd < 0 ? tt_child_has_ended(command->pid) : fds[0].revents != 0;
        read_output(&command->output);
        read_output(&command->errors);
        if (ended)
            return 0;
    }
}

/* Reaps it, by force when it still runs. */
static int finish(struct command *command, bool ended)
{
    if (!ended)
        kill(-command->pid, SIGKILL);
    return tt_child_reap(command->pid);
}

int tt_shell_run(const struct tt_shell_request *request, struct tt_arena *arena,
                 struct tt_run_result *ret_result, struct tt_error *err)
{
    char **environment = tt_shell_environment(arena, &request->environment);
    struct command command = {.pidfd = -1, .output.fd = -1, .errors.fd = -1};
    const char *program = request->argv[0];
    int result;

    /* posix_spawnp takes a folder of PATH that may not be entered for the program itself. */
    if (!strchr(program, '/') && !(program = tt_shell_find(arena, program)))
        return tt_fail(err, TT_ERR_NOT_FOUND, "cannot run %s: no folder of PATH has it",
                       request->argv[0]);
    result = start(request, program, environment, &command, err);
    if (result == 0)
        result = watch(&command, request->timeout, err);
    if (result < 0 && command.pid)
        tt_wrap(err, "%s", request->argv[0]);
    if (command.pid) {
        int exit_code = finish(&command, result == 0);

        if (result == 0)
            *ret_result = (struct tt_run_result){
                .exit_code = exit_code,
                .output = tt_strdup(arena, tt_buf_text(&command.output.text)),
                .errors = tt_strdup(arena, tt_buf_text(&command.errors.text)),
            };
    }
    close_fd(&command.pidfd);
    close_fd(&command.output.fd);
    close_fd(&command.errors.fd);
    tt_buf_release(&command.output.text);
    tt_buf_release(&command.errors.text);
    return result;
}
