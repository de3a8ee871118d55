/*
 * Proxy: the agent scripts' command lines and their answers.
 */
#include "providers/proxies/proxy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define AGENT_FOLDER "/enstratus/bin"
#define CALL_TIMEOUT (INT64_C(60) * 1000)
#define MAX_OUTPUT   ((size_t)1024 * 1024) /* of struct tt_run_result */

/* Runs a script of the agent; ARGV[0] is its name and gets its folder in front. */
static int run_script(const struct tt_proxy *proxy, const char **argv, const char *input,
                      tt_time timeout, struct tt_arena *arena, struct tt_run_result *ret_result,
                      struct tt_error *err)
{
    struct tt_run_request request = {
        .region = proxy->region,
        .machine = proxy->machine,
        .argv = argv,
        .input = input,
        .timeout = timeout,
    };

    argv[0] = tt_printf(arena, "%s/%s", proxy->agent_folder ? proxy->agent_folder : AGENT_FOLDER,
                        argv[0]);
    return tt_provider_run(proxy->provider, &request, arena, ret_result, err);
}

static const char *meaning_of(int exit_code)
{
    switch (exit_code) {
    case 1:
        return "it refused its arguments";
    case 20:
        return "the change of its list failed";
    case 21:
        return "its backend failed";
    case 22:
        return "its reload failed";
    default:
        return "it failed";
    }
}

/* The last line that is not empty, fit for a terminal. */
static const char *last_line(struct tt_arena *arena, const char *text)
{
    size_t end = strlen(text), begin;
    char *line;

    while (end && (text[end - 1] == '\n' || text[end - 1] == '\r'))
        end--;
    for (begin = end; begin && text[begin - 1] != '\n';)
        begin--;
    line = tt_strndup(arena, text + begin, end - begin);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    return line;
}

static int check_exit(struct tt_arena *arena, const struct tt_proxy *proxy, const char *script,
                      const struct tt_run_result *result, struct tt_error *err)
{
    const char *line;

    if (!result->exit_code)
        return 0;
    line = last_line(arena, result->errors ? result->errors : "");
    return tt_fail(err, TT_ERR_INTERNAL, "%s on %s: %s (exit %d)%s%s", script, proxy->machine,
                   meaning_of(result->exit_code), result->exit_code, *line ? ": " : "", line);
}

/* Runs a script whose output does not matter. */
static int call(const struct tt_proxy *proxy, const char **argv, const char *input, tt_time timeout,
                struct tt_error *err)
{
    const char *script = argv[0];
    struct tt_run_result run = {0};
    struct tt_arena arena;
    int result;

    tt_arena_init(&arena);
    result = run_script(proxy, argv, input, timeout, &arena, &run, err);
    if (result == 0)
        result = check_exit(&arena, proxy, script, &run, err);
    tt_arena_release(&arena);
    return result;
}

static const char *or_dash(const char *s)
{
    return s ? s : "-";
}

int tt_proxy_configure(const struct tt_proxy *proxy, const struct tt_balancer_setup *setup,
                       struct tt_error *err)
{
    const char *argv[] = {"configureProxy", NULL};
    TT_BUF_AUTO input = {0};
    struct tt_error inner = {0};

    tt_buf_addf(&input, "algorithm %s\n", tt_algorithm_words[setup->algorithm]);
    if (setup->health)
        tt_buf_addf(&input, "health %s %s %" PRId64 " %" PRId64 " %d\n",
                    setup->health->http ? "http" : "tcp",
                    setup->health->http ? setup->health->path : "-", setup->health->interval,
                    setup->health->timeout, setup->health->unhealthy_after);
    if (setup->listeners)
        TT_EACH (listener, setup->listeners) {
            tt_buf_addf(&input, "listener %d %s ", listener->port,
                        tt_protocol_words[listener->protocol]);
            if (listener->target_port)
                tt_buf_addf(&input, "%d", listener->target_port);
            else
                tt_buf_add(&input, "-");
            tt_buf_addf(&input, " %s %s %s\n", or_dash(listener->certificate),
                        or_dash(listener->key), or_dash(listener->chain));
        }
    if (call(proxy, argv, tt_buf_text(&input), CALL_TIMEOUT, &inner) == 0)
        return 0;
    if (inner.class == TT_ERR_NOT_FOUND)
        return tt_fail(err, TT_ERR_UNSUPPORTED,
                       "%s has no configureProxy: its image keeps its own listeners",
                       proxy->machine);
    if (err)
        *err = inner;
    return -1;
}

static const char *secondary_names(struct tt_arena *arena, const struct tt_strings *names)
{
    TT_BUF_AUTO text = {0};

    if (names->count < 2)
        return "NONE";
    for (size_t i = 1; i < names->count; i++)
        tt_buf_addf(&text, "%s%s", i > 1 ? "," : "", names->items[i]);
    return tt_strdup(arena, tt_buf_text(&text));
}

#define START_ARGUMENTS 11

/* The command line of startProxy, ending with NULL. */
static void start_arguments(const struct tt_proxy *proxy, const struct tt_proxy_member *member,
                            struct tt_arena *arena, const char *argv[START_ARGUMENTS])
{
    const struct tt_service *service = member->service;
    bool tls = member->certificate && member->key;

    argv[0] = "startProxy";
    argv[1] = tt_printf(arena, "%s.%s", service->deployment->name, service->name);
    argv[2] = service->names.count ? service->names.items[0] : "NONE";
    argv[3] = secondary_names(arena, &service->names);
    argv[4] = proxy->address;
    argv[5] = member->address;
    argv[6] = tt_printf(arena, "%d", member->port);
    argv[7] = tls ? member->certificate : NULL;
    argv[8] = member->key;
    argv[9] = member->chain ? member->chain : "NONE";
    argv[10] = NULL;
}

int tt_proxy_start(const struct tt_proxy *proxy, const struct tt_proxy_member *member,
                   struct tt_error *err)
{
    struct tt_arena arena;
    const char *argv[START_ARGUMENTS];
    int result;

    tt_arena_init(&arena);
    start_arguments(proxy, member, &arena, argv);
    result = call(proxy, argv, NULL, CALL_TIMEOUT, err);
    tt_arena_release(&arena);
    return result;
}

/* Adds the arguments of one member as a line; -1: a word has a blank. */
static int add_line(struct tt_buf *input, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (!*words[i] || strpbrk(words[i], " \t\n\r"))
            return -1;
        tt_buf_addf(input, "%s%s", i ? " " : "", words[i]);
    }
    tt_buf_add(input, "\n");
    return 0;
}

int tt_proxy_start_all(const struct tt_proxy *proxy, const struct tt_proxy_member *const *members,
                       size_t count, struct tt_error *err)
{
    const char *argv[] = {"joinProxy", NULL};
    TT_BUF_AUTO input = {0};
    struct tt_arena arena;
    int result = 0;

    tt_arena_init(&arena);
    for (size_t i = 0; i < count && result == 0; i++) {
        const char *words[START_ARGUMENTS];

        start_arguments(proxy, members[i], &arena, words);
        result = add_line(&input, words + 1);
    }
    if (result < 0)
        tt_fail(err, TT_ERR_NOT_FOUND, "a path of a certificate has a blank");
    else
        result = call(proxy, argv, tt_buf_text(&input), CALL_TIMEOUT, err);
    tt_arena_release(&arena);
    return result;
}

/* The contract's stopProxy knows no time: ours is told before, for this member alone. An image with
 * scripts of its own drains as it likes. */
static int tell_drain(const struct tt_proxy *proxy, const char *service, const char *address,
                      const char *port, tt_time drain, struct tt_arena *arena, struct tt_error *err)
{
    const char *argv[] = {
        "configureProxy", "--drain", service, tt_printf(arena, "%" PRId64, (drain + 999) / 1000),
        address,          port,      NULL};
    struct tt_error inner = {0};
    struct tt_run_result run;

    if (run_script(proxy, argv, NULL, CALL_TIMEOUT, arena, &run, &inner) == 0 ||
        inner.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = inner;
    return -1;
}

int tt_proxy_stop(const struct tt_proxy *proxy, const char *service, const char *address, int port,
                  tt_time drain, struct tt_error *err)
{
    char port_text[16];
    const char *argv[] = {"stopProxy", address, service, port_text, NULL};
    struct tt_arena arena;
    int result;

    snprintf(port_text, sizeof(port_text), "%d", port);
    tt_arena_init(&arena);
    result = tell_drain(proxy, service, address, port_text, drain, &arena, err);
    tt_arena_release(&arena);
    return result < 0 ? -1 : call(proxy, argv, NULL, drain + CALL_TIMEOUT, err);
}

/* --- listProxy ------------------------------------------------------------------------------ */

/* Cuts TEXT at the next tab or newline; moves *TEXT behind it. */
static char *next_field(char **text, char *ret_end)
{
    char *field = *text;
    size_t length = strcspn(field, "\t\n");

    *ret_end = field[length];
    field[length] = '\0';
    *text = field + length + (*ret_end ? 1 : 0);
    return field;
}

static int read_number(const char *text, int most)
{
    char *end;
    long number = strtol(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && number <= most ? (int)number : -1;
}

/* A name that may be shown and compared: neither empty nor anything but ASCII that is seen. */
static bool is_word(const char *text)
{
    size_t length = 0;

    while (text[length] > ' ' && text[length] < 0x7f)
        length++;
    return !text[length] && length >= 1 && length <= 255;
}

/* A line of COUNT fields; false when it has more or fewer. */
static bool read_line(char **text, const char **fields, size_t count)
{
    char end = '\t';

    for (size_t i = 0; i < count; i++) {
        if (end != '\t')
            return false;
        fields[i] = next_field(text, &end);
    }
    return end != '\t';
}

static int read_members(struct tt_arena *arena, const struct tt_proxy *proxy, char *text,
                        struct tt_pool *pool, struct tt_error *err)
{
    while (*text) {
        const char *fields[4];
        int state, port;

        if (*text == '\n') {
            text++;
            continue;
        }
        if (!read_line(&text, fields, 4) || !is_word(fields[0]) || !is_word(fields[1]) ||
            (port = read_number(fields[2], 65535)) < 1 ||
            (state = tt_word_find(tt_member_state_words, fields[3])) < 0)
            return tt_fail(err, TT_ERR_INTERNAL,
                           "listProxy on %s: a line is not \"service address port state\"",
                           proxy->machine);
        *TT_VEC_ADD(arena, &pool->members) = (struct tt_pool_member){
            .service = fields[0],
            .address = fields[1],
            .port = port,
            .state = (enum tt_member_state)state,
        };
    }
    return 0;
}

/* An image with a listProxy of its own takes the option for a service, which has no member: that
 * says nothing about listeners. Where there is none, ours says so. */
static int read_listeners(struct tt_arena *arena, char *text, struct tt_listeners *listeners)
{
    if (!*text)
        return -1;
    if (strcmp(text, "none\n") == 0)
        return 0;
    while (*text) {
        const char *fields[4];
        int protocol, port, target, bound;

        if (!read_line(&text, fields, 4) || !is_word(fields[0]) || !is_word(fields[1]) ||
            (port = read_number(fields[0], 65535)) < 1 ||
            (protocol = tt_word_find(tt_protocol_words, fields[1])) < 0)
            return -1;
        target = strcmp(fields[2], "-") == 0 ? 0 : read_number(fields[2], 65535);
        bound = strcmp(fields[3], "-") == 0 ? 0 : read_number(fields[3], 65535);
        if (target < 0 || bound < 0)
            return -1;
        *TT_VEC_ADD(arena, listeners) = (struct tt_listener){.port = port,
                                                             .protocol = (enum tt_protocol)protocol,
                                                             .target_port = target,
                                                             .bound_port = bound == port ? 0
                                                                           : bound       ? bound
                                                                                         : -1};
    }
    return 0;
}

/* `run` keeps no more than so much of an output: a pool that was cut short would look like one that
 * lost members. */
static int check_whole(const struct tt_proxy *proxy, const char *output, struct tt_error *err)
{
    if (strlen(output) < MAX_OUTPUT)
        return 0;
    return tt_fail(err, TT_ERR_INTERNAL, "listProxy on %s: its output is larger than 1 MiB",
                   proxy->machine);
}

int tt_proxy_list(const struct tt_proxy *proxy, struct tt_arena *arena, struct tt_pool *ret_pool,
                  struct tt_error *err)
{
    const char *list[] = {"listProxy", NULL};
    const char *list_listeners[] = {"listProxy", "--listeners", NULL};
    struct tt_pool pool = {.machine = tt_strdup(arena, proxy->machine)};
    struct tt_listeners *listeners = TT_NEW(arena, struct tt_listeners);
    struct tt_run_result run = {0};

    if (run_script(proxy, list, NULL, CALL_TIMEOUT, arena, &run, err) < 0 ||
        check_exit(arena, proxy, "listProxy", &run, err) < 0 ||
        check_whole(proxy, run.output, err) < 0 ||
        read_members(arena, proxy, tt_strdup(arena, run.output), &pool, err) < 0)
        return -1;
    if (run_script(proxy, list_listeners, NULL, CALL_TIMEOUT, arena, &run, NULL) == 0 &&
        run.exit_code == 0 && read_listeners(arena, tt_strdup(arena, run.output), listeners) == 0)
        pool.listeners = listeners;
    *ret_pool = pool;
    return 0;
}
