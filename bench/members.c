/*
 * Tells a balancer's machine of many members through one SSH connection, as apply does when many
 * join at once, and prints how long that took: the first time, and again when all are there.
 * usage: bench_members SSH_PORT KEY KNOWN_HOSTS SCRIPTS MEMBER_PORT COUNT
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "bench/stopwatch.h"
#include "providers/proxies/proxy.h"
#include "providers/ssh/ssh.h"

#define MACHINE "127.0.0.1"
#define REGION  "cellar"

static int fail(const char *what, const struct tt_error *err)
{
    fprintf(stderr, "bench_members: %s: %s\n", what, err->message);
    return 1;
}

static const struct tt_proxy_member **make_members(struct tt_arena *arena, int count, int port,
                                                   const struct tt_service *service)
{
    const struct tt_proxy_member **members =
        TT_NEW_ARRAY(arena, (size_t)count, const struct tt_proxy_member *);

    for (int i = 0; i < count; i++) {
        struct tt_proxy_member *member = TT_NEW(arena, struct tt_proxy_member);

        member->service = service;
        member->address = tt_printf(arena, "127.20.%d.%d", i / 200, 1 + i % 200);
        member->port = port;
        members[i] = member;
    }
    return members;
}

static int measure(const struct tt_proxy *proxy, struct tt_arena *arena,
                   const struct tt_proxy_member *const *members, int count)
{
    static const char *const rounds[] = {"all join", "all again"};
    struct tt_error err = {0};
    struct tt_pool pool = {0};
    double began;

    for (int i = 0; i < 2; i++) {
        began = tt_stopwatch(CLOCK_MONOTONIC);
        if (tt_proxy_start_all(proxy, members, (size_t)count, &err) < 0)
            return fail(rounds[i], &err);
        printf("%d members, %s: %.2f s\n", count, rounds[i],
               (tt_stopwatch(CLOCK_MONOTONIC) - began) / 1000);
    }
    began = tt_stopwatch(CLOCK_MONOTONIC);
    if (tt_proxy_list(proxy, arena, &pool, &err) < 0)
        return fail("listing", &err);
    printf("%zu members, listed: %.2f s\n", pool.members.count,
           (tt_stopwatch(CLOCK_MONOTONIC) - began) / 1000);
    return pool.members.count == (size_t)count ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct tt_arena arena = {0};
    struct tt_error err = {0};
    struct tt_account account = {.name = "metal", .provider = TT_PROVIDER_SSH, .folder = ""};
    struct tt_provider_settings settings = {.account = &account, .owner = "bench"};
    struct tt_deployment deployment = {.name = "bench"};
    struct tt_service service = {.name = "web", .deployment = &deployment};
    struct tt_provider *provider;
    struct tt_proxy proxy;
    int result;

    if (argc != 7) {
        fprintf(stderr, "usage: bench_members SSH_PORT KEY KNOWN_HOSTS SCRIPTS PORT COUNT\n");
        return 2;
    }
    account.ssh.port = atoi(argv[1]);
    account.ssh.key = argv[2];
    account.ssh.known_hosts = argv[3];
    tt_strings_add(&arena, &account.regions, REGION);
    if (tt_ssh_ops()->open(&settings, &arena, &provider, &err) < 0)
        return fail("opening the account", &err);
    proxy = (struct tt_proxy){.provider = provider,
                              .region = REGION,
                              .machine = MACHINE,
                              .address = MACHINE,
                              .agent_folder = argv[4]};
    result = measure(&proxy, &arena, make_members(&arena, atoi(argv[6]), atoi(argv[5]), &service),
                     atoi(argv[6]));
    tt_provider_close(provider);
    tt_arena_release(&arena);
    return result;
}
