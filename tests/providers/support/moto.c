/*
 * Moto: see the header. It is started as a child with two pipes, and asked over HTTP.
 */
#include "tests/providers/support/moto.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "providers/http/http.h"
#include "providers/shell/shell.h"

extern char **environ;

/* What pip may need on its way to PyPI, and where its fruits are kept. */
static void add_environment(struct tt_arena *arena, struct tt_strings *environment)
{
    static const char *const names[] = {
        "TRIMTAB_TEST_CACHE", "XDG_CACHE_HOME", "HTTPS_PROXY", "HTTP_PROXY",
        "NO_PROXY",           "https_proxy",    "http_proxy",  "no_proxy",
        "SSL_CERT_FILE",      "PIP_INDEX_URL",  "PIP_CERT",    "REQUESTS_CA_BUNDLE"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (getenv(names[i]))
            tt_strings_add(arena, environment,
                           tt_printf(arena, "%s=%s", names[i], getenv(names[i])));
}

/* The Python that has moto, or "". */
static void find_python(const char *source, char *path, size_t size)
{
    struct tt_arena arena = {0};
    const char *argv[] = {tt_printf(&arena, "%s/dev.d/moto.sh", source), NULL};
    struct tt_shell_request request = {.argv = argv, .timeout = 600000};
    struct tt_run_result result = {0};

    path[0] = '\0';
    add_environment(&arena, &request.environment);
    if (tt_shell_run(&request, &arena, &result, NULL) == 0 && result.exit_code == 0)
        snprintf(path, size, "%.*s", (int)strcspn(result.output, "\n"), result.output);
    tt_arena_release(&arena);
}

static int read_port(int output)
{
    char line[128] = "";
    size_t length = 0;
    int port = 0;

    while (length + 1 < sizeof(line) && read(output, line + length, 1) == 1 && line[length] != '\n')
        length++;
    line[length] = '\0';
    sscanf(line, "{\"port\": %d}", &port);
    return port;
}

void moto_spawn(struct moto *moto, const char *python, const char *script)
{
    char *const argv[] = {(char *)(uintptr_t)python, (char *)(uintptr_t)script, NULL};
    posix_spawn_file_actions_t actions;
    int input[2], output[2];

    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
        abort();
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&moto->pid, python, &actions, NULL, argv, environ) != 0)
        abort();
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    moto->input = input[1];
    moto->port = read_port(output[0]);
    close(output[0]);
    if (!moto->port)
        abort();
}

bool moto_start(struct moto *moto, const char *source)
{
    char python[512];
    char script[512];

    find_python(source, python, sizeof(python));
    snprintf(script, sizeof(script), "%s/tests/clouds/aws/cloud.py", source);
    if (!python[0]) {
        fprintf(stderr, "no moto on this host\n");
        return false;
    }
    moto_spawn(moto, python, script);
    return true;
}

void moto_stop(struct moto *moto)
{
    close(moto->input);
    waitpid(moto->pid, NULL, 0);
}

json_t *moto_ask(const struct moto *moto, const char *path, const char *text)
{
    struct tt_arena arena = {0};
    struct tt_error err = {0};
    struct tt_http_reply reply;
    struct tt_http *http = tt_http_new(
        &arena, &(struct tt_http_settings){
                    .clock = tt_clock_real(), .account = "test", .rate = 1000, .burst = 1000});
    struct tt_http_request request = {
        .api = path,
        .method = text ? "POST" : "GET",
        .url = tt_printf(&arena, "http://127.0.0.1:%d%s", moto->port, path),
        .body = text,
        .size = text ? strlen(text) : 0,
        .direct = true,
    };
    json_t *answer;

    if (tt_http_call(http, &request, &arena, &reply, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    answer = json_loadb(reply.body, reply.size, JSON_DECODE_ANY, NULL);
    if (!answer)
        abort();
    tt_http_free(http);
    tt_arena_release(&arena);
    return answer;
}
