/*
 * The agent: what the scripts of design.md §8 (providers/proxies/agent) do on a machine of the
 * simulated cloud. Any running machine has them, so that it can be turned into a balancer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/sim/cloud.h"

#define EXIT_USAGE      2
#define EXIT_NO_COMMAND 127

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int count_words(const char *const *argv)
{
    int count = 0;

    while (argv[count])
        count++;
    return count;
}

static int port_of(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end || port < 1 || port > 65535 ? -1 : (int)port;
}

/* A NULL service or a port of 0 matches every one. */
static bool matches(const struct tt_pool_member *member, const char *address, const char *service,
                    int port)
{
    return strcmp(member->address, address) == 0 &&
           (!service || strcmp(member->service, service) == 0) && (!port || member->port == port);
}

static void become_balancer(struct sim_server *machine)
{
    if (machine->balances)
        return;
    machine->balances = true;
    machine->pool = (struct tt_pool){.machine = machine->is.id};
}

static int start_proxy(struct tt_sim *sim, struct sim_server *machine, const char *const *argv)
{
    int words = count_words(argv);
    int port = words >= 7 ? port_of(argv[6]) : -1;

    if ((words != 7 && words != 10) || port < 0)
        return EXIT_USAGE;
    become_balancer(machine);
    TT_EACH (member, &machine->pool.members)
        if (matches(member, argv[5], argv[1], port))
            return 0;
    *TT_VEC_ADD(&sim->arena, &machine->pool.members) = (struct tt_pool_member){
        .service = tt_strdup(&sim->arena, argv[1]),
        .address = tt_strdup(&sim->arena, argv[5]),
        .port = port,
    };
    return 0;
}

/* A line for each, with the arguments of startProxy. */
static int join_proxy(struct tt_sim *sim, struct sim_server *machine, const char *input)
{
    struct tt_arena scratch = {0};
    int code = 0;

    for (const char *line = input ? input : ""; *line && code == 0;) {
        size_t length = strcspn(line, "\n");
        char *rest = tt_strndup(&scratch, line, length);
        const char *argv[12] = {"startProxy"};

        for (size_t i = 1; i < 11 && (argv[i] = strtok_r(i == 1 ? rest : NULL, " ", &rest)); i++)
            ;
        code = start_proxy(sim, machine, argv);
        line += length + (line[length] ? 1 : 0);
    }
    tt_arena_release(&scratch);
    return code;
}

/* Drains are over at once. */
static int stop_proxy(struct sim_server *machine, const char *const *argv)
{
    struct tt_pool *pool = &machine->pool;
    int words = count_words(argv);
    int port = words >= 4 ? port_of(argv[3]) : 0;
    size_t kept = 0;

    if (words < 2 || words > 4 || port < 0)
        return EXIT_USAGE;
    TT_EACH (member, &pool->members)
        if (!matches(member, argv[1], words > 2 ? argv[2] : NULL, port))
            pool->members.items[kept++] = *member;
    pool->members.count = kept;
    return 0;
}

static int list_proxy(const struct tt_sim *sim, const struct sim_server *machine,
                      const char *service, struct tt_buf *output)
{
    TT_EACH (member, &machine->pool.members)
        if (!service || strcmp(member->service, service) == 0)
            tt_buf_addf(output, "%s\t%s\t%d\t%s\n", member->service, member->address, member->port,
                        tt_member_state_words[tt_sim_pool_state(sim, member->address)]);
    return 0;
}

static int list_listeners(const struct sim_server *machine, struct tt_buf *output)
{
    if (!machine->pool.listeners)
        return 0;
    TT_EACH (listener, machine->pool.listeners) {
        tt_buf_addf(output, "%d\t%s\t", listener->port, tt_protocol_words[listener->protocol]);
        if (listener->target_port)
            tt_buf_addf(output, "%d\t%d\n", listener->target_port, listener->port);
        else
            tt_buf_addf(output, "-\t%d\n", listener->port);
    }
    return 0;
}

static char *or_null(struct tt_arena *arena, const char *word)
{
    return strcmp(word, "-") == 0 ? NULL : tt_strdup(arena, word);
}

/* "listener PORT PROTOCOL TARGET|- CERTIFICATE|- KEY|- CHAIN|-" */
static int read_listener(struct tt_arena *arena, const char *line, struct tt_listeners *listeners)
{
    char port[8], protocol[8], target[8], certificate[256], key[256], chain[256];
    struct tt_listener listener = {0};
    int word;

    if (sscanf(line, "listener %7s %7s %7s %255s %255s %255s", port, protocol, target, certificate,
               key, chain) != 6)
        return -1;
    word = tt_word_find(tt_protocol_words, protocol);
    listener.port = port_of(port);
    listener.target_port = strcmp(target, "-") == 0 ? 0 : port_of(target);
    if (word < 0 || listener.port < 0 || listener.target_port < 0)
        return -1;
    listener.protocol = (enum tt_protocol)word;
    listener.certificate = or_null(arena, certificate);
    listener.key = or_null(arena, key);
    listener.chain = or_null(arena, chain);
    *TT_VEC_ADD(arena, listeners) = listener;
    return 0;
}

/* The algorithm and the health check have no effect that could be seen here. */
static int configure_proxy(struct tt_sim *sim, struct sim_server *machine, const char *input)
{
    struct tt_listeners *listeners = TT_NEW(&sim->arena, struct tt_listeners);

    for (const char *line = input ? input : ""; *line;) {
        size_t length = strcspn(line, "\n");

        if (tt_starts_with(line, "listener ") &&
            read_listener(&sim->arena, tt_strndup(&sim->arena, line, length), listeners) < 0)
            return EXIT_USAGE;
        line += length + (line[length] ? 1 : 0);
    }
    become_balancer(machine);
    machine->pool.listeners = listeners;
    return 0;
}

/* The exit code, or -1: there is no such command. */
static int obey(struct tt_sim *sim, struct sim_server *machine,
                const struct tt_run_request *request, struct tt_buf *output)
{
    const char *const *argv = request->argv;
    const char *name = base_name(argv[0]);

    if (machine->agent_exit)
        return machine->agent_exit == EXIT_NO_COMMAND ? -1 : machine->agent_exit;
    if (strcmp(name, "startProxy") == 0)
        return start_proxy(sim, machine, argv);
    if (strcmp(name, "joinProxy") == 0)
        return join_proxy(sim, machine, request->input);
    if (strcmp(name, "stopProxy") == 0)
        return stop_proxy(machine, argv);
    if (strcmp(name, "configureProxy") == 0 && tt_streq(argv[1], "--drain"))
        return count_words(argv) == 6 ? 0 : EXIT_USAGE;
    if (strcmp(name, "configureProxy") == 0)
        return configure_proxy(sim, machine, request->input);
    if (strcmp(name, "listProxy") == 0 && tt_streq(argv[1], "--listeners"))
        return list_listeners(machine, output);
    if (strcmp(name, "listProxy") == 0)
        return list_proxy(sim, machine, argv[1], output);
    return -1;
}

static int run(const struct sim_visit *visit, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *result, struct tt_error *err)
{
    struct sim_server *machine = tt_sim_find_server(visit->region, request->machine);
    TT_BUF_AUTO output = {0};
    int code;

    if (!machine || machine->is.state == TT_SERVER_GONE)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", visit->region->name,
                       request->machine);
    if (machine->is.state != TT_SERVER_RUNNING)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "cannot connect to machine %s: it is %s",
                       request->machine, tt_server_state_words[machine->is.state]);
    code = obey(visit->sim, machine, request, &output);
    if (code < 0)
        return tt_fail(err, TT_ERR_NOT_FOUND, "machine %s has no command %s", request->machine,
                       request->argv[0]);
    *result = (struct tt_run_result){
        .exit_code = code,
        .output = tt_strdup(arena, tt_buf_text(&output)),
        .errors = code ? tt_printf(arena, "%s: failed\n", base_name(request->argv[0])) : "",
    };
    return 0;
}

int tt_sim_run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    struct tt_run_result result = {0};
    struct sim_visit visit;
    bool changes;

    if (!request->argv[0])
        return tt_fail(err, TT_ERR_SPEC, "there is no command to run");
    changes = strcmp(base_name(request->argv[0]), "listProxy") != 0;
    if (tt_sim_enter(provider, TT_CALL_RUN, changes, request->region, &visit, err) < 0)
        return -1;
    if (tt_sim_leave(&visit, run(&visit, request, arena, &result, err), err) < 0)
        return -1;
    *ret_result = result;
    return 0;
}
