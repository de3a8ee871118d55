/*
 * Sweep: finds the processes of a machine wherever they went (another session, another group) by
 * the mark in their environment. Runs in forked supervisors, too: it allocates nothing. A zombie
 * has no environment and counts as dead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "providers/local/cloud.h"
#include "providers/shell/shell.h"

/* The entry that is looked for while bytes go by. */
struct match {
    const char *entry;
    size_t length;
    size_t matched; /* SIZE_MAX: this entry is another one */
};

static bool feed(struct match *match, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\0') {
            if (match->matched == match->length)
                return true;
            match->matched = 0;
        } else if (match->matched < match->length && bytes[i] == match->entry[match->matched])
            match->matched++;
        else
            match->matched = SIZE_MAX;
    }
    return false;
}

static bool carries(pid_t pid, const char *entry)
{
    struct match match = {.entry = entry, .length = strlen(entry)};
    char path[64], block[16384];
    bool found = false;
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (!found && (got = read(fd, block, sizeof(block))) > 0)
        found = feed(&match, block, (size_t)got);
    close(fd);
    return found;
}

/* The descriptor stands for one process, whatever becomes of its number; where there are none, the
 * number is used right after its mark was seen. */
static bool kill_one(pid_t pid, const char *entry)
{
    int fd;

    if (pid == getpid() || !carries(pid, entry))
        return false;
    fd = pidfd_open(pid, 0);
    if (fd < 0 && !tt_shell_lacks_pidfd(errno))
        return true;
    if (!carries(pid, entry))
        ;
    else if (fd >= 0)
        pidfd_send_signal(fd, SIGKILL, NULL, 0);
    else
        kill(pid, SIGKILL);
    if (fd >= 0)
        close(fd);
    return true;
}

/* Whether there was one. */
static bool kill_all(const char *entry)
{
    _Alignas(struct dirent64) char block[32768];
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool any = false;
    ssize_t got;

    while (proc >= 0 && (got = getdents64(proc, block, sizeof(block))) > 0)
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *item = (const struct dirent64 *)(block + at);

            if (item->d_name[0] >= '1' && item->d_name[0] <= '9')
                any |= kill_one((pid_t)strtol(item->d_name, NULL, 10), entry);
            at += item->d_reclen;
        }
    if (proc >= 0)
        close(proc);
    return any;
}

bool tt_local_sweep(const char *id, tt_time patience)
{
    tt_time end = tt_monotonic() + patience;
    char entry[128];

    snprintf(entry, sizeof(entry), "TRIMTAB_MACHINE=%s", id);
    while (kill_all(entry)) {
        if (tt_monotonic() > end)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return true;
}
