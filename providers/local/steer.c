/*
 * Steering: two HAProxy on this host may listen at one address (SO_REUSEPORT), and the kernel
 * shares new connections out between them. When an elastic address moves, all of these are to go
 * to the newcomer while the other one still accepts what waits at its door: a socket that is closed
 * resets whoever waits there. HAProxy hands copies of its listening sockets to whoever may use its
 * admin socket, as it does to its own successor in a reload; a filter of the kernel on any one of
 * them speaks for all sockets of that address and port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "providers/local/cloud.h"

#define BATCH        253 /* the sockets that come with one message */
#define SOCKETS_MAX  1024
#define ANSWER_S     5
#define SETTLE_TURNS 500 /* of 2 ms */
#define SETTLE_NS    2000000

/* Paths of sockets have a short limit, and a machine's root may have more. */
static int connect_admin(const char *root, struct tt_arena *arena)
{
    const struct timeval patience = {.tv_sec = ANSWER_S};
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int folder = open(tt_printf(arena, "%s/enstratus/var", root), O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd;

    if (folder < 0)
        return -1;
    snprintf(place.sun_path, sizeof(place.sun_path), "/proc/self/fd/%d/admin.sock", folder);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
                    connect(fd, (struct sockaddr *)&place, sizeof(place)) < 0)) {
        close(fd);
        fd = -1;
    }
    close(folder);
    return fd;
}

static bool is_at(int fd, const char *address)
{
    struct sockaddr_in bound = {0};
    socklen_t size = sizeof(bound);
    char text[INET_ADDRSTRLEN];

    return getsockname(fd, (struct sockaddr *)&bound, &size) == 0 && bound.sin_family == AF_INET &&
           inet_ntop(AF_INET, &bound.sin_addr, text, sizeof(text)) && strcmp(text, address) == 0;
}

/* Keeps those at ADDRESS of the sockets that came with MESSAGE; returns how many came. */
static size_t keep(struct msghdr *message, const char *address,
                   struct tt_local_listeners *listeners)
{
    size_t came = 0;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
            if (listeners->count < TT_LOCAL_LISTENERS && is_at(fd, address))
                listeners->fds[listeners->count++] = fd;
            else
                close(fd);
        }
        came += count;
    }
    return came;
}

/* Reads one message of sockets, which is to be acknowledged by a byte; returns how many came. */
static size_t receive(int admin, const char *address, struct tt_local_listeners *listeners)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(BATCH * sizeof(int))];
    } control;
    char about[65536]; /* names of interfaces and the like */
    struct iovec text = {about, sizeof(about)};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    size_t came;

    if (recvmsg(admin, &message, MSG_CMSG_CLOEXEC) <= 0)
        return 0;
    came = keep(&message, address, listeners);
    (void)send(admin, "", 1, MSG_NOSIGNAL); /* after the last one nobody may listen any more */
    return came;
}

void tt_local_listeners_open(const struct tt_local_machine *machine, const char *address,
                             struct tt_arena *arena, struct tt_local_listeners *ret_listeners)
{
    static const char ask[] = "_getsocks\n";
    int admin = connect_admin(machine->root, arena);
    int left = 0;

    ret_listeners->count = 0;
    if (admin < 0)
        return;
    if (send(admin, ask, strlen(ask), MSG_NOSIGNAL) < 0 ||
        recv(admin, &left, sizeof(left), MSG_WAITALL) != sizeof(left) || left > SOCKETS_MAX)
        left = 0;
    while (left > 0) {
        size_t came = receive(admin, address, ret_listeners);

        if (came == 0)
            break;
        left -= (int)came;
    }
    close(admin);
}

void tt_local_listeners_close(struct tt_local_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close(listeners->fds[i]);
    listeners->count = 0;
}

void tt_local_listeners_steer(const struct tt_local_listeners *listeners, size_t index)
{
    struct sock_filter choose = {.code = BPF_RET | BPF_K, .k = (uint32_t)index};
    const struct sock_fprog program = {.len = 1, .filter = &choose};

    /* Where the kernel refuses, connections are shared out until the move is over. */
    for (size_t i = 0; i < listeners->count; i++)
        (void)setsockopt(listeners->fds[i], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                         sizeof(program));
}

/* Of a listening socket tcpi_unacked counts who waits to be accepted. */
static bool has_waiting(const struct tt_local_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof(info);

        if (getsockopt(listeners->fds[i], IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
            info.tcpi_unacked > 0)
            return true;
    }
    return false;
}

void tt_local_listeners_settle(const struct tt_local_listeners *listeners)
{
    const struct timespec turn = {.tv_nsec = SETTLE_NS};

    for (int i = 0, empty = 0; i < SETTLE_TURNS && empty < 2; i++) {
        empty = has_waiting(listeners) ? 0 : empty + 1;
        nanosleep(&turn, NULL);
    }
}
