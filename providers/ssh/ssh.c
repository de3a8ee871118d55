/*
 * SSH: a machine exists because a LoadBalancer names it, and runs when it can be reached. One that
 * refuses us, or whose host key is another one, was not seen: that says nothing about the machine.
 * Only one that Git names no more counts as failed then: the others of its region do not depend on
 * it.
 */
#include "providers/ssh/ssh.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "base/str.h"
#include "providers/shell/ssh.h"

struct ssh_account {
    struct tt_provider base;
    const struct tt_account *account;
    struct tt_ssh *ssh;
};

static int open_account(const struct tt_provider_settings *settings, struct tt_arena *arena,
                        struct tt_provider **ret_provider, struct tt_error *err)
{
    struct ssh_account *account = TT_NEW(arena, struct ssh_account);
    struct tt_ssh_settings ssh;

    if (tt_ssh_settings_of(settings->account, settings->base_folder, arena, &ssh, err) < 0)
        return -1;
    account->base.ops = tt_ssh_ops();
    account->account = settings->account;
    account->ssh = tt_ssh_new(&ssh);
    *ret_provider = &account->base;
    return 0;
}

static void close_account(struct tt_provider *provider)
{
    tt_ssh_free(((struct ssh_account *)provider)->ssh);
}

/* As the agent scripts want it; NULL: the name has no IPv4 address. */
static const char *address_of(const char *machine, struct tt_arena *arena)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char text[INET_ADDRSTRLEN];
    const char *address = NULL;

    if (getaddrinfo(machine, NULL, &hints, &found) != 0)
        return NULL;
    if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
                    NI_NUMERICHOST) == 0)
        address = tt_strdup(arena, text);
    freeaddrinfo(found);
    return address;
}

static int observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    const struct ssh_account *account = (const struct ssh_account *)provider;
    struct tt_region region = {.name = tt_strdup(arena, request->region), .observed = true};

    if (!tt_strings_has(&account->account->regions, request->region))
        return tt_fail(err, TT_ERR_SPEC, "account %s has no region %s", account->account->name,
                       request->region);
    TT_EACH (machine, &request->machines) {
        struct tt_ssh_target target = {.address = *machine};
        struct tt_error inner = {0};
        struct tt_server *server;
        bool reached;

        if (tt_region_server(&region, *machine))
            continue;
        reached = tt_ssh_reach(account->ssh, &target, &inner) == 0;
        if (!reached && inner.class != TT_ERR_UNAVAILABLE && inner.class != TT_ERR_TIMEOUT &&
            !tt_strings_has(&request->former, *machine)) {
            if (err)
                *err = inner;
            return -1;
        }
        server = TT_VEC_ADD(arena, &region.servers);
        server->id = server->name = tt_strdup(arena, *machine);
        server->state = reached ? TT_SERVER_RUNNING : TT_SERVER_FAILED;
        server->private_address = server->public_address = address_of(*machine, arena);
        server->created_at = TT_TIME_UNKNOWN;
        server->tags.slot = -1;
    }
    *ret_region = region;
    return 0;
}

static int refuse(const struct tt_provider *provider, const char *what, struct tt_error *err)
{
    return tt_fail(err, TT_ERR_UNSUPPORTED,
                   "account %s cannot %s: no cloud manages the machines of an ssh account; name a "
                   "machine that runs by a LoadBalancer of type vm-static, or use an account of "
                   "another provider",
                   ((const struct ssh_account *)provider)->account->name, what);
}

static int create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    (void)request;
    (void)arena;
    (void)ret_id;
    return refuse(provider, "make a machine", err);
}

static int delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err)
{
    (void)region;
    (void)id;
    return refuse(provider, "delete a machine", err);
}

static int run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    const struct ssh_account *account = (const struct ssh_account *)provider;
    struct tt_ssh_target target = {.address = request->machine};

    return tt_ssh_run(account->ssh, &target, request, arena, ret_result, err);
}

const struct tt_provider_ops *tt_ssh_ops(void)
{
    static const struct tt_provider_ops ops = {
        .name = "ssh",
        .open = open_account,
        .close = close_account,
        .observe = observe,
        .create_server = create_server,
        .delete_server = delete_server,
        .run = run,
    };

    return &ops;
}
