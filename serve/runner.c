/*
 * Runner: posix_spawn, two pipes and a handle of the process, read together until it has ended.
 * The pipes are not waited for: what a machine of the local provider holds open does not matter.
 */
#include "serve/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "model/words.h"

#define LONGEST_LINE    ((size_t)1 << 20)
#define KEPT_ERRORS     ((size_t)8192)
#define KILL_AFTER_MS   30000 /* one that does not stop when its time is over */
#define LARGEST_INPUT   ((size_t)1 << 20)
#define LOOK_MS         100
#define LONGEST_WAIT_MS 3600000

struct child {
    const struct tt_runner_request *request;
    struct tt_runner *runner;
    int out[2], errors[2], input;
    int handle; /* of the process; -1: this host had none to give */
    struct tt_buf line;
    bool overlong; /* the line is longer than is read */
    struct tt_buf *kept;
    tt_time deadline; /* TT_TIME_UNKNOWN: none */
    bool asked;       /* to stop, for its time is over */
};

void tt_runner_init(struct tt_runner *runner)
{
    *runner = (struct tt_runner){0};
    pthread_mutex_init(&runner->mutex, NULL);
}

void tt_runner_release(struct tt_runner *runner)
{
    pthread_mutex_destroy(&runner->mutex);
}

static void signal_child(struct tt_runner *runner, int number)
{
    pthread_mutex_lock(&runner->mutex);
    if (runner->pid > 0)
        kill(runner->pid, number);
    pthread_mutex_unlock(&runner->mutex);
}

void tt_runner_stop(struct tt_runner *runner)
{
    pthread_mutex_lock(&runner->mutex);
    if (runner->pid > 0 && !runner->stopping)
        kill(runner->pid, SIGTERM);
    runner->stopping = true;
    pthread_mutex_unlock(&runner->mutex);
}

/* --- what it says ------------------------------------------------------------------------------
 */

static void end_line(struct child *child)
{
    if (!child->overlong && child->request->line)
        child->request->line(child->request->self, tt_buf_text(&child->line), child->line.length);
    tt_buf_clear(&child->line);
    child->overlong = false;
}

static void take_lines(struct child *child, const char *text, size_t size)
{
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;

        if (child->line.length + length > LONGEST_LINE)
            child->overlong = true;
        if (!child->overlong)
            tt_buf_addn(&child->line, text, length);
        if (!end)
            return;
        end_line(child);
        text += length + 1;
        size -= length + 1;
    }
}

/* The end is what tells why. */
static void keep_errors(struct child *child, const char *text, size_t size)
{
    size_t most = KEPT_ERRORS;
    char half[KEPT_ERRORS / 2];

    if (child->kept->length + size > most && child->kept->length > sizeof(half)) {
        memcpy(half, child->kept->data + child->kept->length - sizeof(half), sizeof(half));
        tt_buf_clear(child->kept);
        tt_buf_addn(child->kept, half, sizeof(half));
    }
    tt_buf_addn(child->kept, text, size < most / 2 ? size : most / 2);
}

/* Reads what is there; false: nothing more will come. */
static bool drain(struct child *child, int fd)
{
    char buffer[16384];
    ssize_t size;

    while ((size = read(fd, buffer, fd == child->errors[0] ? 2048 : sizeof(buffer))) > 0)
        if (fd == child->out[0])
            take_lines(child, buffer, (size_t)size);
        else
            keep_errors(child, buffer, (size_t)size);
    return size < 0 && (errno == EAGAIN || errno == EINTR);
}

/* --- its life ----------------------------------------------------------------------------------
 */

static int prepare(struct child *child, struct tt_error *err)
{
    const struct tt_runner_request *request = child->request;

    if (pipe2(child->out, O_CLOEXEC) < 0 || pipe2(child->errors, O_CLOEXEC) < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot make a pipe");
    fcntl(child->out[0], F_SETFL, O_NONBLOCK);
    fcntl(child->errors[0], F_SETFL, O_NONBLOCK);
    if (!request->input) {
        child->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return child->input < 0 ? tt_fail_errno(err, TT_ERR_INTERNAL, "cannot open /dev/null") : 0;
    }
    child->input = memfd_create("input", MFD_CLOEXEC);
    if (request->input_size > LARGEST_INPUT || child->input < 0 ||
        write(child->input, request->input, request->input_size) != (ssize_t)request->input_size ||
        lseek(child->input, 0, SEEK_SET) < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot hand over the input");
    return 0;
}

/* In a process group of its own: a Ctrl-C in a terminal is for the daemon, which tells its runs. */
static int spawn(struct child *child, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int error;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGHUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child->input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->errors[1], STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    error = posix_spawn(ret_pid, child->request->program, &actions, &attributes,
                        (char *const *)(uintptr_t)child->request->argv,
                        (char *const *)(uintptr_t)child->request->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static int start(struct child *child, struct tt_error *err)
{
    struct tt_runner *runner = child->runner;
    pid_t pid;
    int error;

    pthread_mutex_lock(&runner->mutex);
    error = runner->stopping ? ECANCELED : spawn(child, &pid);
    if (!error)
        runner->pid = runner->last = pid;
    pthread_mutex_unlock(&runner->mutex);
    if (error) {
        errno = error;
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot start %s", child->request->argv[0]);
    }
    child->handle = (int)syscall(SYS_pidfd_open, pid, 0);
    close(child->out[1]);
    close(child->errors[1]);
    child->out[1] = child->errors[1] = -1;
    return 0;
}

/* Asks a child whose time is over to stop, and later ends it; then waits for that. */
static void keep_time(struct child *child)
{
    if (child->deadline == TT_TIME_UNKNOWN || tt_monotonic() < child->deadline)
        return;
    signal_child(child->runner, child->asked ? SIGKILL : SIGTERM);
    child->asked = true;
    child->deadline = tt_monotonic() + KILL_AFTER_MS;
}

/* How long to wait for what is polled. Without a handle nothing tells of the child's end: it is
 * looked for now and then. */
static int patience(const struct child *child)
{
    tt_time wait = child->handle < 0 ? LOOK_MS : -1, left;

    if (child->deadline == TT_TIME_UNKNOWN)
        return (int)wait;
    left = child->deadline - tt_monotonic();
    if (left < 0)
        left = 0;
    if (wait < 0 || left < wait)
        wait = left;
    return wait < LONGEST_WAIT_MS ? (int)wait : LONGEST_WAIT_MS;
}

static void listen_to(struct child *child)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = child->out[0], .events = POLLIN},
                               {.fd = child->errors[0], .events = POLLIN},
                               {.fd = child->handle, .events = POLLIN}};
        bool ended;

        poll(fds, 3, patience(child));
        ended = tt_child_has_ended(child->runner->pid);
        if (!ended)
            keep_time(child);
        for (int i = 0; i < 2; i++) {
            int *fd = i == 0 ? &child->out[0] : &child->errors[0];

            if (*fd >= 0 && !drain(child, *fd)) {
                close(*fd);
                *fd = -1;
            }
        }
        if (ended)
            return;
    }
}

static int reap(struct child *child)
{
    struct tt_runner *runner = child->runner;
    int code;

    pthread_mutex_lock(&runner->mutex);
    code = tt_child_reap(runner->pid);
    runner->pid = 0;
    pthread_mutex_unlock(&runner->mutex);
    return code;
}

static void close_all(struct child *child)
{
    int fds[] = {child->out[0],    child->out[1], child->errors[0],
                 child->errors[1], child->handle, child->input};

    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    tt_buf_release(&child->line);
}

int tt_runner_run(struct tt_runner *runner, const struct tt_runner_request *request, int *ret_code,
                  struct tt_buf *ret_errors, struct tt_error *err)
{
    struct child child = {.request = request,
                          .runner = runner,
                          .out = {-1, -1},
                          .errors = {-1, -1},
                          .handle = -1,
                          .input = -1,
                          .kept = ret_errors,
                          .deadline = TT_TIME_UNKNOWN};
    int result = -1;

    if (request->seconds > 0)
        child.deadline = tt_monotonic() + (tt_time)request->seconds * 1000;
    if (prepare(&child, err) == 0 && start(&child, err) == 0) {
        listen_to(&child);
        if (child.line.length)
            end_line(&child);
        *ret_code = reap(&child);
        result = 0;
    }
    close_all(&child);
    return result;
}

/* --- what those who run children share ---------------------------------------------------------
 */

const char *const *tt_runner_environment(struct tt_arena *arena, const char *entry)
{
    size_t name = entry ? strcspn(entry, "=") + 1 : 0;
    struct tt_strings list = {0};

    for (char **at = environ; *at; at++)
        if (!(name && strncmp(*at, entry, name) == 0) && !tt_starts_with(*at, "NOTIFY_SOCKET=") &&
            !tt_starts_with(*at, "WATCHDOG_"))
            tt_strings_add(arena, &list, *at);
    if (entry)
        tt_strings_add(arena, &list, entry);
    *TT_VEC_ADD(arena, &list) = NULL;
    return list.items;
}

const char *tt_runner_last_line(struct tt_arena *arena, const struct tt_buf *errors)
{
    char *text = tt_strdup(arena, tt_buf_text(errors));
    size_t length = strlen(text);
    char *newline;

    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    newline = strrchr(text, '\n');
    text = newline ? newline + 1 : text;
    return tt_starts_with(text, "trimtab: ") ? text + strlen("trimtab: ") : text;
}
