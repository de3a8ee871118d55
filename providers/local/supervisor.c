/*
 * Supervisor: the process that is a machine's power supply. It is forked twice with a session in
 * between, so that it belongs to nobody; holds the machine's lock, which is what "alive" means;
 * adopts whatever the program leaves behind; and ends, with all of it, when the program dies or a
 * TERM arrives.
 *
 * It is forked from a program with threads: between fork and exec or exit nothing is allocated.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "providers/local/cloud.h"

#define LOCK_PATIENCE  2000 /* an observer holds the lock for a moment */
#define GRACE          2000 /* of the program after a TERM; less than that of tt_local_end */
#define SWEEP_PATIENCE 2000

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void send_report(int pipe, enum tt_local_stage stage)
{
    struct tt_local_report report = {stage, stage == TT_LOCAL_RUNS ? 0 : errno};
    ssize_t put = write(pipe, &report, sizeof(report));

    (void)put; /* nobody listens any more: the machine runs all the same */
}

/* --- settling in --- */

static int take_lock(const char *path)
{
    tt_time end = tt_monotonic() + LOCK_PATIENCE;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK || tt_monotonic() > end)
            return -1;
        nap();
    }
    return fd;
}

static int redirect(const char *log)
{
    int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    return none < 0 || file < 0 || dup2(none, 0) < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0 ? -1
                                                                                               : 0;
}

static void close_listed_but(int one, int other)
{
    _Alignas(struct dirent64) char block[4096];
    int list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t got;

    while (list >= 0 && (got = getdents64(list, block, sizeof(block))) > 0)
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *item = (const struct dirent64 *)(block + at);
            int fd = (int)strtol(item->d_name, NULL, 10);

            if (fd >= 3 && fd != one && fd != other && fd != list)
                close(fd);
            at += item->d_reclen;
        }
    if (list >= 0)
        close(list);
}

/* Kernels before 5.9 do not know close_range. */
static void close_all_but(int one, int other)
{
    unsigned low = (unsigned)(one < other ? one : other);
    unsigned high = (unsigned)(one < other ? other : one);

    if ((low > 3 && close_range(3, low - 1, 0) < 0) ||
        (high > low + 1 && close_range(low + 1, high - 1, 0) < 0) ||
        close_range(high + 1, ~0U, 0) < 0)
        close_listed_but(one, other);
}

static void default_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    for (int i = 1; i < NSIG; i++)
        sigaction(i, &action, NULL);
}

static int write_pid(const char *path)
{
    char boot[64], text[160];
    int length;

    tt_local_read_small("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
    length = snprintf(text, sizeof(text), "%d %lld %s\n", (int)getpid(),
                      tt_local_start_time(getpid()), boot);
    return tt_file_write(path, text, (size_t)length, 0600, NULL);
}

/* --- the program --- */

static void exec_program(const struct tt_local_launch *launch, pid_t supervisor, int failed)
{
    sigset_t none;

    sigemptyset(&none);
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* The supervisor may have died before it could be bound to its death. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == supervisor &&
        chdir(launch->root) == 0)
        execve(launch->argv[0], launch->argv, launch->environment);
    send_report(failed, TT_LOCAL_EXEC);
    _exit(127);
}

/* Returns when the program runs; its pid, or -1 with errno. */
static pid_t launch_program(const struct tt_local_launch *launch, enum tt_local_stage *stage)
{
    struct tt_local_report report = {TT_LOCAL_RUNS, 0};
    pid_t self = getpid(), program;
    int failed[2];

    *stage = TT_LOCAL_FORK;
    if (pipe2(failed, O_CLOEXEC) < 0)
        return -1;
    program = fork();
    if (program == 0)
        exec_program(launch, self, failed[1]);
    close(failed[1]);
    if (program > 0 && read(failed[0], &report, sizeof(report)) == sizeof(report)) {
        waitpid(program, NULL, 0);
        *stage = TT_LOCAL_EXEC;
        errno = report.error;
        program = -1;
    }
    close(failed[0]);
    return program;
}

/* --- the end --- */

/* Reaps what has died but the program itself, whose number must stay taken as long as its group is
 * to be killed by it; true when it is dead. */
static bool is_over(pid_t program)
{
    for (;;) {
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
            return true;
        if (info.si_pid == 0)
            return false;
        if (info.si_pid == program)
            return true;
        waitpid(info.si_pid, NULL, 0);
    }
}

/* Processes that emptied their environment are children of the supervisor once their parents are
 * gone. */
static void kill_children(void)
{
    char path[64], text[4096], *at = text, *end;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    tt_local_read_small(path, text, sizeof(text));
    for (long pid; (pid = strtol(at, &end, 10)) > 0 && end != at; at = end)
        kill((pid_t)pid, SIGKILL);
}

static void end_all(const struct tt_local_launch *launch, pid_t program)
{
    tt_time end = tt_monotonic() + SWEEP_PATIENCE;

    kill(-program, SIGKILL);
    tt_local_sweep(launch->id, SWEEP_PATIENCE);
    while (tt_monotonic() < end) {
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (pid < 0)
            return; /* no children are left */
        kill_children();
        nap();
    }
}

/* Until the program is dead: by itself, or asked by a TERM and given a grace. */
static void keep(pid_t program)
{
    tt_time end = 0;
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGCHLD);
    while (!is_over(program)) {
        int caught = end ? sigtimedwait(&wanted, NULL, &(struct timespec){.tv_nsec = 50000000})
                         : sigwaitinfo(&wanted, NULL);

        if (caught == SIGTERM && !end) {
            end = tt_monotonic() + GRACE;
            kill(-program, SIGTERM);
        }
        if (end && tt_monotonic() > end)
            return;
    }
}

static void supervise(const struct tt_local_launch *launch, int ready)
{
    enum tt_local_stage stage = TT_LOCAL_LOCKING;
    pid_t program = -1;
    int lock;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "trimtab-machine");
    default_signals();
    lock = take_lock(launch->lock);
    if (lock >= 0) {
        stage = TT_LOCAL_FILES;
        if (redirect(launch->log) == 0 && chdir("/") == 0) {
            close_all_but(lock, ready);
            if (write_pid(launch->pid) == 0)
                program = launch_program(launch, &stage);
        }
    }
    if (program < 0) {
        send_report(ready, stage);
        _exit(1);
    }
    send_report(ready, TT_LOCAL_RUNS);
    close(ready);
    keep(program);
    end_all(launch, program);
    _exit(0);
}

/* --- the caller's side --- */

/* The one in between gives the supervisor a session that no terminal and no shell knows. */
static pid_t fork_twice(const struct tt_local_launch *launch, int ready)
{
    pid_t middle = fork(), child;

    if (middle != 0)
        return middle;
    if (setsid() < 0 || (child = fork()) < 0) {
        send_report(ready, TT_LOCAL_FORK);
        _exit(1);
    }
    if (child == 0)
        supervise(launch, ready);
    _exit(0);
}

struct tt_local_report tt_local_supervise(const struct tt_local_launch *launch)
{
    struct tt_local_report report = {TT_LOCAL_FORK, 0};
    sigset_t all, before;
    int ready[2];
    pid_t middle;
    ssize_t got;

    if (pipe2(ready, O_CLOEXEC) < 0) {
        report.error = errno;
        return report;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    middle = fork_twice(launch, ready[1]);
    report.error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ready[1]);
    if (middle > 0) {
        tt_child_reap(middle);
        report.error = ECHILD; /* it died without a word */
        do
            got = read(ready[0], &report, sizeof(report));
        while (got < 0 && errno == EINTR);
    }
    close(ready[0]);
    return report;
}
