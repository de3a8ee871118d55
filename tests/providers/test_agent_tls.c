/*
 * TLS by HAProxy and by Apache: a request over HTTPS reaches a member, the whole chain comes with
 * the certificate, and a key is read by nobody else and said nowhere. Covers what
 * providers/proxies/agent/ does with certificates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/str.h"
#include "providers/shell/shell.h"
#include "tests/providers/support/ajp_server.h"

#define BACKEND_FAILED 21

static bool run(struct agent_machine *machine, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct tt_shell_request request = {.argv = argv, .timeout = 30000, .folder = machine->root};

    return tt_shell_run(&request, &machine->arena, &machine->result, NULL) == 0 &&
           machine->result.exit_code == 0;
}

/* ca.crt signed between.crt, which signed shop.example.crt; other.crt signed nothing. */
static const char make_chain[] =
    "set -e\n"
    "root() {\n"
    "  openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=$1 -keyout $1.key -out $1.crt\n"
    "}\n"
    "sign() {\n"
    "  openssl req -newkey rsa:2048 -nodes -subj /CN=$1 -keyout $1.key -out $1.req\n"
    "  printf \"basicConstraints=CA:$3\\nsubjectAltName=DNS:$1\\n\" >$1.ext\n"
    "  openssl x509 -req -in $1.req -CA $2.crt -CAkey $2.key -CAcreateserial -days 9 -extfile "
    "$1.ext -out $1.crt\n"
    "}\n"
    "root ca\n"
    "root other\n"
    "sign between ca TRUE\n"
    "sign shop.example between FALSE\n";

struct tls {
    struct agent_machine *machine;
    struct ajp_server ajp;
    const char *member; /* its address and port */
    int own, shared;    /* ports: with a certificate of its own, with those of the services */
};

static int begin(void **state)
{
    void *machine = *state;
    struct tls *tls;

    umask(0); /* whoever wants a file to be private says so */
    tls = agent_begin(&machine) < 0 ? NULL : calloc(1, sizeof(*tls));
    if (!tls)
        return -1;
    tls->machine = machine;
    *state = tls;
    return 0;
}

static int end(void **state)
{
    struct tls *tls = *state;
    void *machine = tls->machine;

    if (tls->ajp.pid)
        ajp_server_stop(&tls->ajp);
    free(tls);
    return agent_end(&machine);
}

static const char *start_member(struct tls *tls)
{
    struct agent_machine *machine = tls->machine;
    const struct named_server *server;

    if (tt_streq(machine->backend, "mod_jk")) {
        ajp_server_start(&tls->ajp, machine, 0);
        return tt_printf(&machine->arena, "%s %d", tls->ajp.address, tls->ajp.port);
    }
    server = agent_server(machine);
    return tt_printf(&machine->arena, "%s %d", server->address, server->port);
}

/* A machine with two listeners of https and no member. */
static struct tls *tls_get(void **state)
{
    struct tls *tls = *state;
    void *machine = tls->machine;

    agent_get(&machine);
    if (!run(tls->machine, make_chain) || !run(tls->machine, "command -v curl"))
        skip();
    tls->own = agent_free_port(tls->machine);
    tls->shared = agent_free_port(tls->machine);
    tls->member = start_member(tls);
    agent_ok(tls->machine,
             agent_configure(tls->machine, tt_printf(&tls->machine->arena,
                                                     "listener %d https - /shop.example.crt "
                                                     "/shop.example.key /between.crt\n"
                                                     "listener %d https - - - -\n",
                                                     tls->own, tls->shared)));
    return tls;
}

static int join(struct tls *tls, const char *files)
{
    return agent_run(tls->machine, "startProxy",
                     tt_printf(&tls->machine->arena, "shop.web shop.example NONE %s %s %s",
                               tls->machine->address, tls->member, files));
}

/* A client that trusts ROOT alone. */
static bool ask(struct tls *tls, int port, const char *root)
{
    return run(tls->machine, tt_printf(&tls->machine->arena,
                                       "curl -q -sS --fail --noproxy '*' --max-time 10 --retry 3 "
                                       "--cacert %s.crt --resolve shop.example:%d:%s "
                                       "https://shop.example:%d/",
                                       root, port, tls->machine->address, port));
}

static void test_a_request_reaches_a_member(void **state)
{
    struct tls *tls = tls_get(state);
    struct agent_machine *machine = tls->machine;

    agent_ok(machine, join(tls, "/shop.example.crt /shop.example.key /between.crt"));
    agent_await(machine, "in-service");
    for (int i = 0; i < 2; i++) {
        int port = i ? tls->shared : tls->own;

        if (!ask(tls, port, "ca"))
            fail_msg("port %d: %s", port, machine->result.errors);
        assert_string_equal(machine->result.output, "w0");
        assert_false(ask(tls, port, "other"));
        assert_non_null(strstr(machine->result.errors, "certificate"));
    }
}

/* --- keys --- */

/* A line in the middle of each key. */
static const char find_key[] = "for key in *.key; do sed -n 5p $key; done >secrets\n"
                               "grep -c . secrets >/dev/null && grep -rlFf secrets enstratus";

static void expect_private(struct tls *tls)
{
    struct agent_machine *machine = tls->machine;
    const char *folder = tt_printf(&machine->arena, "%s/enstratus/var/tls", machine->root);
    struct stat st;
    char *rest;

    assert_true(run(machine, find_key)); /* some file has it, or nothing could be served */
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    rest = tt_strdup(&machine->arena, machine->result.output);
    for (char *file; (file = strtok_r(rest, "\n", &rest));) {
        assert_true(tt_starts_with(file, "enstratus/var/tls/"));
        assert_int_equal(stat(tt_printf(&machine->arena, "%s/%s", machine->root, file), &st), 0);
        if ((st.st_mode & 0777) != 0600)
            fail_msg("%s has mode %o", file, (unsigned)st.st_mode);
    }
}

/* What the last script said has no line of a key. */
static void expect_silent(struct tls *tls)
{
    struct agent_machine *machine = tls->machine;
    const char *said =
        tt_printf(&machine->arena, "%s%s", machine->result.output, machine->result.errors);
    char *rest;

    assert_true(run(machine, "cat *.key | grep -v -e -----"));
    rest = tt_strdup(&machine->arena, machine->result.output);
    for (char *line; (line = strtok_r(rest, "\n", &rest));)
        assert_null(strstr(said, line));
}

static void test_keys_stay_private(void **state)
{
    /* a key of another certificate, a key for a certificate, and for a chain */
    static const char *const wrong[] = {"/shop.example.crt /between.key NONE",
                                        "/shop.example.key /shop.example.crt NONE",
                                        "/shop.example.key /shop.example.key /shop.example.key"};
    struct tls *tls = tls_get(state);
    struct agent_machine *machine = tls->machine;

    agent_ok(machine, join(tls, "/shop.example.crt /shop.example.key /between.crt"));
    expect_silent(tls);
    expect_private(tls);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        int code = join(tls, wrong[i]);

        /* HAProxy finds certificate and key in any order */
        if (i != 1)
            assert_int_equal(code, BACKEND_FAILED);
        expect_silent(tls);
        expect_private(tls);
    }
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    expect_silent(tls);
    agent_ok(machine, agent_run(machine, "listProxy", ""));
    expect_silent(tls);
}

/* A bad line behind a good one: no key is kept, nobody has joined. */
static void test_a_bad_line_keeps_no_key(void **state)
{
    struct tls *tls = tls_get(state);
    struct agent_machine *machine = tls->machine;
    const char *files = "ls enstratus/var enstratus/var/tls", *before;
    const char *good = tt_printf(&machine->arena,
                                 "shop.web shop.example NONE %s %s /between.crt /between.key NONE",
                                 machine->address, tls->member);

    assert_true(run(machine, files));
    before = machine->result.output;
    assert_int_equal(
        agent_tell(machine, "joinProxy",
                   tt_printf(&machine->arena, "%s\nshop.web NONE NONE x y 80\n", good)),
        1);
    assert_true(run(machine, files));
    assert_string_equal(machine->result.output, before);
    agent_ok(machine, agent_tell(machine, "joinProxy", tt_printf(&machine->arena, "%s\n", good)));
    expect_private(tls);
    assert_null(agent_file(machine, "enstratus/var/joining"));
}

/* Two certificates never share a file. */
static void test_files_are_named_by_their_contents(void **state)
{
    struct tls *tls = tls_get(state);
    struct agent_machine *machine = tls->machine;

    agent_ok(machine, join(tls, "/between.crt /between.key NONE"));
    if (!run(machine, "cd enstratus/var/tls && sha256sum *"))
        fail_msg("%s", machine->result.errors);
    for (char *rest = tt_strdup(&machine->arena, machine->result.output), *line;
         (line = strtok_r(rest, "\n", &rest));)
        if (strncmp(line, line + 66, 64) != 0 || strcmp(line + 130, ".pem") != 0)
            fail_msg("%s", line);
}

#define WITH(test, shell)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(test, begin, end, (char[]){shell})
#define TEST(test) WITH(test, "dash"), WITH(test, "bash mod_jk")

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_reaches_a_member),
        TEST(test_keys_stay_private),
        TEST(test_a_bad_line_keeps_no_key),
        TEST(test_files_are_named_by_their_contents),
    };

    return cmocka_run_group_tests_name("agent tls", tests, NULL, NULL);
}
