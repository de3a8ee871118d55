/*
 * A balancer machine of its own for a test: a root folder with the agent in it, HAProxy or mod_jk
 * kept by superviseProxy, and little web servers that can be its members. Include cmocka.h first.
 */
#ifndef TT_TESTS_AGENT_MACHINE_H
#define TT_TESTS_AGENT_MACHINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "providers/provider.h"
#include "tests/providers/support/named_server.h"

#define AGENT_SERVERS 4

struct agent_machine {
    struct tt_arena arena;
    struct tt_error err;
    const char *shell;   /* that runs the scripts */
    const char *backend; /* haproxy or mod_jk */
    char root[64];
    char address[24];
    int port;         /* of its listener, configured */
    pid_t supervisor; /* the group of superviseProxy */
    int server_count;
    struct named_server servers[AGENT_SERVERS];
    struct tt_run_result result; /* of the last script */
};

/* Fixtures of cmocka: *STATE is the shell's name before, or "SHELL mod_jk", a struct agent_machine
 * * then. Where something is not installed, agent_get skips the test. */
int agent_begin(void **state);
int agent_end(void **state);

/* The machine; skips the test when there is none. */
struct agent_machine *agent_get(void **state);

/* A server with its own address: servers[0] is "w0" at x.y.z.10, then x.y.z.11 ... */
struct named_server *agent_server(struct agent_machine *machine);

/* x.y.z.HOST of the machine's subnet. */
const char *agent_address(struct agent_machine *machine, int host);

/* A port that nobody listens on at the machine's address. */
int agent_free_port(struct agent_machine *machine);

/* Runs SCRIPT with WORDS, split at spaces; its exit code, all else in machine->result. */
int agent_run(struct agent_machine *machine, const char *script, const char *words);
int agent_configure(struct agent_machine *machine, const char *settings);
/* Runs SCRIPT with INPUT and no words. */
int agent_tell(struct agent_machine *machine, const char *script, const char *input);

/* The same without waiting: a process to be waited for by agent_wait, which gives its exit code. */
pid_t agent_spawn(struct agent_machine *machine, const char *script, const char *words);
int agent_wait(pid_t pid);

/* startProxy and stopProxy for a server of service shop.web; they must succeed. */
void agent_join(struct agent_machine *machine, const struct named_server *server);
void agent_leave(struct agent_machine *machine, const struct named_server *server);

/* What listProxy prints. */
const char *agent_list(struct agent_machine *machine);

/* Waits at most ten seconds for listProxy to print TEXT somewhere. */
void agent_await(struct agent_machine *machine, const char *text);

/* The body of an answer of the balancer on PORT; its first line when it is no success; "": none. */
const char *agent_get_page(struct agent_machine *machine, int port, const char *host,
                           const char *path);

/* Sends a request and leaves; the descriptor gives the answer later. */
int agent_ask(struct agent_machine *machine, int port, const char *host, const char *path);
const char *agent_answer(struct agent_machine *machine, int fd);

/* NAME.crt and NAME.key in the root; false: there is no openssl. */
bool agent_certificate(struct agent_machine *machine, const char *name);

/* The text of a file below the root; NULL: there is none. */
const char *agent_file(struct agent_machine *machine, const char *path);

#define agent_ok(machine, call)                                                                    \
    do {                                                                                           \
        int exit_code_ = (call);                                                                   \
        if (exit_code_)                                                                            \
            fail_msg("%s: exit %d: %s", #call, exit_code_, (machine)->result.errors);              \
    } while (0)

#endif
