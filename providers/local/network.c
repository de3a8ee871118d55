/*
 * Network: zones as subnets of 127.0.0.0/8. Where the subnets of a cloud begin is a hash of its
 * folder, so that clouds side by side on one host keep apart; whatever listens on an address
 * already is stepped over.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/map.h"
#include "base/sha256.h"
#include "base/str.h"
#include "providers/local/cloud.h"

#define FIRST_X      16 /* 127.16 to 127.250; the lower ones are what people use by hand */
#define COUNT_X      235
#define COUNT_Y      256
#define REGION_ZONES 32 /* subnets kept for each region */

static size_t index_in(const struct tt_strings *list, const char *name)
{
    size_t index = 0;

    while (index < list->count && !tt_streq(list->items[index], name))
        index++;
    return index;
}

/* "127.x.y" of a zone. */
static const char *subnet_of(const struct tt_local *cloud, const char *region, const char *zone,
                             struct tt_arena *arena)
{
    const char *digits =
        tt_strndup(arena, tt_sha256_hex(arena, cloud->folder, strlen(cloud->folder)), 8);
    size_t subnet = strtoul(digits, NULL, 16) +
                    index_in(&cloud->account->regions, region) * REGION_ZONES +
                    index_in(&cloud->account->zones, zone);

    subnet %= (size_t)COUNT_X * COUNT_Y;
    return tt_printf(arena, "127.%zu.%zu", FIRST_X + subnet / COUNT_Y, subnet % COUNT_Y);
}

/* The addresses of all machines of the account: zones may have been renamed since. */
static int used_addresses(const struct tt_local *cloud, struct tt_arena *arena, struct tt_map *used,
                          struct tt_error *err)
{
    struct tt_strings regions;

    tt_map_init(used, arena);
    if (tt_local_list(cloud->folder, arena, &regions, err) < 0)
        return -1;
    TT_EACH (region, &regions) {
        struct tt_local_machines machines;

        if (tt_local_machines(tt_printf(arena, "%s/%s", cloud->folder, *region), arena, &machines,
                              err) < 0)
            return -1;
        TT_EACH (machine, &machines)
            tt_map_put(used, machine->server.private_address, machine);
    }
    return 0;
}

/* 0, or why nothing can listen there. */
static int try_to_listen(const char *address, int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = 0;

    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1)
        result = EINVAL;
    else if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 1) < 0)
        result = errno;
    close(fd);
    return result;
}

int tt_local_free_address(const struct tt_local *cloud, const char *region, const char *zone,
                          int port, struct tt_arena *arena, const char **ret_address,
                          struct tt_error *err)
{
    const char *subnet = subnet_of(cloud, region, zone, arena);
    struct tt_map used;
    int taken = 0;

    if (used_addresses(cloud, arena, &used, err) < 0)
        return -1;
    for (int host = 1; host <= 254; host++) {
        const char *address = tt_printf(arena, "%s.%d", subnet, host);
        int result = tt_map_get(&used, address) ? EADDRNOTAVAIL
                     : port                     ? try_to_listen(address, port)
                                                : 0;

        if (result == 0) {
            *ret_address = address;
            return 0;
        }
        if (result == EACCES)
            return tt_fail(err, TT_ERR_SPEC,
                           "user %d cannot listen on port %d: ports below 1024 are root's; give "
                           "the service a port from 1024 on",
                           (int)getuid(), port);
        if (result == EADDRINUSE)
            taken++;
        else if (result != EADDRNOTAVAIL) {
            errno = result;
            return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot listen on %s:%d", address, port);
        }
    }
    tt_fail(err, TT_ERR_CONFLICT, "zone %s (%s.0/24) has no free address%s", zone, subnet,
            taken ? ": another program listens on the service's port" : "");
    if (err)
        snprintf(err->code, sizeof(err->code), "no-capacity");
    return -1;
}
