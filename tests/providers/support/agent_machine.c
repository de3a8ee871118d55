/*
 * A balancer machine of its own for a test: see the header.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/proxies/agent.h"
#include "providers/shell/shell.h"
#include "tests/providers/support/agent_machine.h"

#define PATIENCE     10000
#define MAX_WORDS    16
#define CALL_TIMEOUT 60000

const char *agent_address(struct agent_machine *machine, int host)
{
    unsigned pid = (unsigned)getpid();

    return tt_printf(&machine->arena, "127.%u.%u.%d", 100 + pid / 256 % 150, pid % 256, host);
}

int agent_free_port(struct agent_machine *machine)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof(name);

    inet_pton(AF_INET, machine->address, &name.sin_addr);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    close(fd);
    return ntohs(name.sin_port);
}

/* --- scripts --- */

static struct tt_strings environment_of(struct agent_machine *machine)
{
    struct tt_strings list = {0};

    tt_strings_add(&machine->arena, &list,
                   tt_printf(&machine->arena, "TRIMTAB_ROOT=%s", machine->root));
    tt_strings_add(&machine->arena, &list,
                   tt_printf(&machine->arena, "TRIMTAB_ADDRESS=%s", machine->address));
    return list;
}

static const char **words_of(struct agent_machine *machine, const char *script, const char *words)
{
    const char **argv = TT_NEW_ARRAY(&machine->arena, MAX_WORDS, const char *);
    char *rest = tt_strdup(&machine->arena, words);
    size_t count = 0;

    argv[count++] = machine->shell;
    argv[count++] = tt_printf(&machine->arena, "%s/enstratus/bin/%s", machine->root, script);
    for (char *word; count + 1 < MAX_WORDS && (word = strtok_r(rest, " ", &rest));)
        argv[count++] = word;
    return argv;
}

static int run_script(struct agent_machine *machine, const char *script, const char *words,
                      const char *input)
{
    struct tt_shell_request request = {.argv = words_of(machine, script, words),
                                       .environment = environment_of(machine),
                                       .input = input,
                                       .timeout = CALL_TIMEOUT};

    if (tt_shell_run(&request, &machine->arena, &machine->result, &machine->err) < 0)
        fail_msg("%s %s: %s", script, words, machine->err.message);
    return machine->result.exit_code;
}

int agent_run(struct agent_machine *machine, const char *script, const char *words)
{
    return run_script(machine, script, words, NULL);
}

int agent_configure(struct agent_machine *machine, const char *settings)
{
    return run_script(machine, "configureProxy", "", settings);
}

int agent_tell(struct agent_machine *machine, const char *script, const char *input)
{
    return run_script(machine, script, "", input);
}

pid_t agent_spawn(struct agent_machine *machine, const char *script, const char *words)
{
    const char **argv = words_of(machine, script, words);
    struct tt_strings marks = environment_of(machine);
    char **environment = tt_shell_environment(&machine->arena, &marks);
    const char *program = tt_shell_find(&machine->arena, argv[0]);
    const char *log = tt_printf(&machine->arena, "%s/log", machine->root);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        setpgid(0, 0);
        dup2(fd, 1);
        dup2(fd, 2);
        execve(program, (char *const *)argv, environment);
        _exit(127);
    }
    return pid;
}

int agent_wait(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- the machine --- */

static bool is_installed(struct tt_arena *arena, const char *name)
{
    return tt_shell_find(arena, name) ||
           tt_shell_find(arena, tt_printf(arena, "/usr/sbin/%s", name));
}

static bool has_backend(struct agent_machine *machine)
{
    if (tt_streq(machine->backend, "mod_jk"))
        return is_installed(&machine->arena, "apache2") && is_installed(&machine->arena, "curl") &&
               access("/usr/lib/apache2/modules/mod_jk.so", F_OK) == 0;
    return is_installed(&machine->arena, "haproxy") && is_installed(&machine->arena, "socat");
}

/* What balances is what is installed; anything else is a setting. */
static int choose_backend(struct agent_machine *machine)
{
    const char *etc = tt_printf(&machine->arena, "%s/enstratus/etc", machine->root);

    if (tt_streq(machine->backend, "haproxy"))
        return 0;
    if (tt_make_folders(etc, 0700, &machine->err) < 0)
        return -1;
    return tt_file_write(tt_printf(&machine->arena, "%s/backend", etc), machine->backend,
                         strlen(machine->backend), 0600, &machine->err);
}

int agent_begin(void **state)
{
    struct agent_machine *machine = calloc(1, sizeof(*machine));
    const char *bin, *words = *state;

    machine->shell = tt_strndup(&machine->arena, words, strcspn(words, " "));
    machine->backend = strchr(words, ' ') ? strchr(words, ' ') + 1 : "haproxy";
    *state = machine;
    if (!has_backend(machine) || !is_installed(&machine->arena, machine->shell))
        return 0;
    snprintf(machine->address, sizeof(machine->address), "%s", agent_address(machine, 1));
    snprintf(machine->root, sizeof(machine->root), "/tmp/trimtab-agent-XXXXXX");
    if (!mkdtemp(machine->root))
        return -1;
    bin = tt_printf(&machine->arena, "%s/enstratus/bin", machine->root);
    if (tt_make_folders(bin, 0700, &machine->err) < 0 || tt_agent_install(bin, &machine->err) < 0 ||
        choose_backend(machine) < 0)
        return -1;
    machine->supervisor = agent_spawn(machine, "superviseProxy", "");
    machine->port = agent_free_port(machine);
    if (agent_configure(machine, tt_printf(&machine->arena,
                                           "algorithm round-robin\nhealth tcp - 200 1000 1\n"
                                           "listener %d http - - - -\n",
                                           machine->port)) == 0)
        return 0;
    print_message("%s", machine->result.errors);
    agent_end(state);
    return -1;
}

int agent_end(void **state)
{
    struct agent_machine *machine = *state;

    if (machine->supervisor) {
        kill(machine->supervisor, SIGTERM);
        agent_wait(machine->supervisor);
        kill(-machine->supervisor, SIGKILL);
        for (int i = 0; i < machine->server_count; i++)
            named_server_stop(&machine->servers[i]);
        tt_remove_tree(machine->root, NULL);
    }
    tt_arena_release(&machine->arena);
    free(machine);
    return 0;
}

struct agent_machine *agent_get(void **state)
{
    struct agent_machine *machine = *state;

    if (!machine->supervisor) {
        print_message("%s with its tools, or %s, is not installed\n", machine->backend,
                      machine->shell);
        skip();
    }
    return machine;
}

struct named_server *agent_server(struct agent_machine *machine)
{
    int index = machine->server_count++;
    struct named_server *server = &machine->servers[index];

    assert_true(index < AGENT_SERVERS);
    named_server_start(server, tt_printf(&machine->arena, "w%d", index),
                       agent_address(machine, 10 + index), 0);
    return server;
}

void agent_join(struct agent_machine *machine, const struct named_server *server)
{
    agent_ok(machine, agent_run(machine, "startProxy",
                                tt_printf(&machine->arena, "shop.web shop.example NONE %s %s %d",
                                          machine->address, server->address, server->port)));
}

void agent_leave(struct agent_machine *machine, const struct named_server *server)
{
    agent_ok(machine, agent_run(machine, "stopProxy",
                                tt_printf(&machine->arena, "%s shop.web %d", server->address,
                                          server->port)));
}

const char *agent_list(struct agent_machine *machine)
{
    agent_ok(machine, agent_run(machine, "listProxy", ""));
    return machine->result.output;
}

void agent_await(struct agent_machine *machine, const char *text)
{
    tt_time end = tt_monotonic() + PATIENCE;
    const char *list;

    while (!strstr(list = agent_list(machine), text)) {
        if (tt_monotonic() > end)
            fail_msg("listProxy never says \"%s\" but \"%s\"", text, list);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

const char *agent_file(struct agent_machine *machine, const char *path)
{
    char *text = NULL;

    tt_file_read(&machine->arena, tt_printf(&machine->arena, "%s/%s", machine->root, path), 1 << 20,
                 &text, NULL, NULL);
    return text;
}

/* --- requests --- */

int agent_ask(struct agent_machine *machine, int port, const char *host, const char *path)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const char *request =
        tt_printf(&machine->arena, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, machine->address, &name.sin_addr);
    if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
        send(fd, request, strlen(request), MSG_NOSIGNAL);
    return fd;
}

const char *agent_answer(struct agent_machine *machine, int fd)
{
    struct timeval patience = {.tv_sec = PATIENCE / 1000};
    char text[4096];
    size_t length = 0;
    const char *body;
    ssize_t got;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    text[0] = '\0';
    /* The connection may be kept: the body is over when it is as long as a name. */
    while (!((body = strstr(text, "\r\n\r\n")) && strlen(body) >= 4 + 2) &&
           length + 1 < sizeof(text) &&
           (got = recv(fd, text + length, sizeof(text) - 1 - length, 0)) > 0) {
        length += (size_t)got;
        text[length] = '\0';
    }
    close(fd);
    if (strncmp(text, "HTTP/1.1 200", 12) != 0)
        return tt_strndup(&machine->arena, text, strcspn(text, "\r\n"));
    return tt_strdup(&machine->arena, strstr(text, "\r\n\r\n") + 4);
}

const char *agent_get_page(struct agent_machine *machine, int port, const char *host,
                           const char *path)
{
    return agent_answer(machine, agent_ask(machine, port, host, path));
}

bool agent_certificate(struct agent_machine *machine, const char *name)
{
    struct tt_arena *arena = &machine->arena;
    const char *argv[] = {"openssl",  "req",
                          "-x509",    "-newkey",
                          "rsa:2048", "-nodes",
                          "-days",    "9",
                          "-subj",    tt_printf(arena, "/CN=%s", name),
                          "-keyout",  tt_printf(arena, "%s/%s.key", machine->root, name),
                          "-out",     tt_printf(arena, "%s/%s.crt", machine->root, name),
                          NULL};

    return tt_shell_run(&(struct tt_shell_request){.argv = argv, .timeout = 20000}, arena,
                        &machine->result, NULL) == 0 &&
           machine->result.exit_code == 0;
}
