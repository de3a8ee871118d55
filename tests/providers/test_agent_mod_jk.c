/*
 * The agent with mod_jk in a real Apache: members come and go through the status worker without a
 * reload, a drain waits, the pool survives, and an error that comes as HTTP 200 is one. Covers
 * providers/proxies/agent/mod_jk*.lib.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/shell/shell.h"
#include "tests/providers/support/ajp_server.h"

#define SERVERS        3
#define BACKEND_FAILED 21

struct pool {
    struct agent_machine *machine;
    struct ajp_server servers[SERVERS];
};

static int begin(void **state)
{
    void *machine = *state;
    struct pool *pool;

    pool = agent_begin(&machine) < 0 ? NULL : calloc(1, sizeof(*pool));
    if (!pool)
        return -1;
    pool->machine = machine;
    *state = pool;
    for (int i = 0; i < SERVERS && pool->machine->supervisor; i++)
        ajp_server_start(&pool->servers[i], pool->machine, i);
    return 0;
}

static int end(void **state)
{
    struct pool *pool = *state;
    void *machine = pool->machine;

    for (int i = 0; i < SERVERS && pool->machine->supervisor; i++)
        ajp_server_stop(&pool->servers[i]);
    free(pool);
    return agent_end(&machine);
}

static struct pool *pool_get(void **state)
{
    struct pool *pool = *state;
    void *machine = pool->machine;

    agent_get(&machine);
    return pool;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void join(struct pool *pool, const char *service, const char *names, int server)
{
    const struct ajp_server *at = &pool->servers[server];

    agent_ok(pool->machine,
             agent_run(pool->machine, "startProxy",
                       tt_printf(&pool->machine->arena, "%s %s %s %s %d", service, names,
                                 pool->machine->address, at->address, at->port)));
}

static void leave(struct pool *pool, int server)
{
    agent_ok(pool->machine, agent_run(pool->machine, "stopProxy", pool->servers[server].address));
}

static const char *line(struct pool *pool, const char *service, int server, const char *state)
{
    return tt_printf(&pool->machine->arena, "%s\t%s\t%d\t%s\n", service,
                     pool->servers[server].address, pool->servers[server].port, state);
}

/* Who answers twelve requests: "w0 w1 ". */
static const char *who_serves(struct pool *pool, int port, const char *host)
{
    bool seen[SERVERS] = {0};
    const char *text = "";

    for (int i = 0; i < 12; i++) {
        const char *name = agent_get_page(pool->machine, port, host, "/");

        if (name[0] != 'w' || name[1] < '0' || name[1] >= '0' + SERVERS)
            return tt_printf(&pool->machine->arena, "\"%s\"", name);
        seen[name[1] - '0'] = true;
    }
    for (int i = 0; i < SERVERS; i++)
        if (seen[i])
            text = tt_printf(&pool->machine->arena, "%sw%d ", text, i);
    return text;
}

static const char *generation(struct pool *pool)
{
    return agent_file(pool->machine, "enstratus/var/status-url");
}

static void test_members_come_and_go_without_a_reload(void **state)
{
    struct pool *pool = pool_get(state);
    int port = pool->machine->port;
    const char *before;

    assert_string_equal(agent_list(pool->machine), "");
    join(pool, "shop.web", "shop.example NONE", 0);
    before = generation(pool);
    for (int i = 0; i < 2; i++) {
        join(pool, "shop.web", "shop.example NONE", 1);
        assert_string_equal(agent_list(pool->machine),
                            tt_printf(&pool->machine->arena, "%s%s",
                                      line(pool, "shop.web", 0, "in-service"),
                                      line(pool, "shop.web", 1, "in-service")));
        assert_string_equal(who_serves(pool, port, "x"), "w0 w1 ");
    }
    for (int i = 0; i < 2; i++) {
        leave(pool, 0);
        assert_string_equal(agent_list(pool->machine), line(pool, "shop.web", 1, "in-service"));
        assert_string_equal(who_serves(pool, port, "x"), "w1 ");
    }
    join(pool, "shop.web", "shop.example NONE", 2); /* takes the slot that was left */
    assert_string_equal(who_serves(pool, port, "x"), "w1 w2 ");
    assert_string_equal(generation(pool), before);
    leave(pool, 1);
    leave(pool, 2);
    assert_string_equal(agent_list(pool->machine), "");
}

static void touch(struct pool *pool, const char *name)
{
    assert_int_equal(
        tt_file_write(tt_printf(&pool->machine->arena, "%s/%s", pool->machine->root, name), "", 0,
                      0600, &pool->machine->err),
        0);
}

static pid_t leave_slowly(struct pool *pool, int seconds)
{
    agent_ok(pool->machine,
             agent_run(pool->machine, "configureProxy",
                       tt_printf(&pool->machine->arena, "--drain shop.web %d", seconds)));
    return agent_spawn(pool->machine, "stopProxy", pool->servers[0].address);
}

static int ask_slowly(struct pool *pool)
{
    tt_time last = tt_monotonic() + 10000;
    int fd = agent_ask(pool->machine, pool->machine->port, "x", "/slow");

    while (!agent_file(pool->machine, "w0.held")) {
        assert_true(tt_monotonic() < last);
        nap();
    }
    return fd;
}

static void test_drain_waits(void **state)
{
    struct pool *pool = pool_get(state);
    pid_t leaving;
    int fd;

    join(pool, "shop.web", "NONE NONE", 0);
    fd = ask_slowly(pool);
    leaving = leave_slowly(pool, 200);
    agent_await(pool->machine, "draining");
    join(pool, "shop.web", "NONE NONE", 1); /* nobody waits for the one who drains */
    assert_string_equal(who_serves(pool, pool->machine->port, "x"), "w1 ");
    join(pool, "shop.api", "api.example NONE", 2); /* a reload: the request is with an old child */
    assert_string_equal(who_serves(pool, pool->machine->port, "api.example"), "w2 ");
    agent_await(pool->machine, "draining");
    touch(pool, "w0.release");
    assert_string_equal(agent_answer(pool->machine, fd), "w0");
    assert_int_equal(agent_wait(leaving), 0);
    assert_null(strstr(agent_list(pool->machine), pool->servers[0].address));
}

static void test_drain_ends_after_its_time(void **state)
{
    struct pool *pool = pool_get(state);
    tt_time begun = tt_monotonic();
    int fd;

    join(pool, "shop.web", "NONE NONE", 0);
    fd = ask_slowly(pool);
    assert_int_equal(agent_wait(leave_slowly(pool, 1)), 0);
    assert_true(tt_monotonic() - begun < 9000);
    assert_string_equal(agent_list(pool->machine), "");
    touch(pool, "w0.release");
    close(fd);
}

/* Children of a parent that was killed keep its ports until they are ended. */
static void test_restart_keeps_the_pool(void **state)
{
    struct pool *pool = pool_get(state);
    pid_t parent;

    join(pool, "shop.web", "NONE NONE", 0);
    join(pool, "shop.web", "NONE NONE", 1);
    leave(pool, 0);
    parent = (pid_t)strtol(agent_file(pool->machine, "enstratus/var/httpd.pid"), NULL, 10);
    assert_true(parent > 1);
    kill(parent, SIGKILL);
    while (kill(parent, 0) == 0)
        nap();
    join(pool, "shop.web", "NONE NONE", 2); /* waits for it */
    assert_string_equal(who_serves(pool, pool->machine->port, "x"), "w1 w2 ");
    assert_string_equal(agent_list(pool->machine),
                        tt_printf(&pool->machine->arena, "%s%s",
                                  line(pool, "shop.web", 1, "in-service"),
                                  line(pool, "shop.web", 2, "in-service")));
}

static const char *settings(struct pool *pool, const char *algorithm, const char *listeners)
{
    return tt_printf(&pool->machine->arena, "algorithm %s\nhealth tcp - 1000 1000 3\n%s\n",
                     algorithm, listeners);
}

static void test_services_have_names_and_listeners_ports(void **state)
{
    struct pool *pool = pool_get(state);
    struct agent_machine *machine = pool->machine;
    int other = agent_free_port(machine);

    agent_ok(machine, agent_configure(machine, settings(pool, "least-connections",
                                                        tt_printf(&machine->arena,
                                                                  "listener %d http - - - -\n"
                                                                  "listener %d http %d - - -",
                                                                  machine->port, other,
                                                                  pool->servers[1].port))));
    join(pool, "a.first", "NONE NONE", 0);
    join(pool, "a_b.x.y", "api.example also.example,third.example", 1);
    assert_string_equal(who_serves(pool, machine->port, "x"), "w0 ");
    assert_string_equal(who_serves(pool, machine->port, "api.example"), "w1 ");
    assert_string_equal(who_serves(pool, machine->port, "third.example"), "w1 ");
    assert_string_equal(who_serves(pool, other, "also.example"), "w1 "); /* by the target's port */
    agent_ok(machine, agent_run(machine, "listProxy", "a_b.x.y"));
    assert_string_equal(machine->result.output, line(pool, "a_b.x.y", 1, "in-service"));
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_string_equal(machine->result.output,
                        tt_printf(&machine->arena, "%d\thttp\t-\t%d\n%d\thttp\t%d\t%d\n",
                                  machine->port, machine->port, other, pool->servers[1].port,
                                  other));
}

static void test_dead_member_is_out_of_service(void **state)
{
    struct pool *pool = pool_get(state);

    join(pool, "shop.web", "NONE NONE", 0);
    agent_ok(pool->machine, agent_run(pool->machine, "startProxy",
                                      tt_printf(&pool->machine->arena, "shop.web NONE NONE %s %s 9",
                                                pool->machine->address, pool->servers[1].address)));
    assert_string_equal(who_serves(pool, pool->machine->port, "x"), "w0 "); /* and none fails */
    assert_non_null(strstr(agent_list(pool->machine), "\t9\tout-of-service\n"));
}

/* More members than slots: a reload makes room, and all of them are there. */
static void test_slots_grow(void **state)
{
    struct pool *pool = pool_get(state);
    struct agent_machine *machine = pool->machine;
    tt_time last = tt_monotonic() + 10000;
    size_t lines = 0;

    for (int i = 0; i < 17; i++)
        agent_ok(machine, agent_run(machine, "startProxy",
                                    tt_printf(&machine->arena, "shop.web NONE NONE %s %s %d",
                                              machine->address, pool->servers[0].address,
                                              i ? 20000 + i : pool->servers[0].port)));
    for (const char *at = agent_list(machine); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 17);
    assert_non_null(strstr(agent_file(machine, "enstratus/var/slots"), "shop.web\t31\t-\t-\n"));
    /* Sixteen of them are dead, which is found out again and again. */
    while (strcmp(agent_get_page(machine, machine->port, "x", "/"), "w0") != 0)
        assert_true(tt_monotonic() < last);
}

static void test_what_it_cannot_do_is_refused(void **state)
{
    struct pool *pool = pool_get(state);
    struct agent_machine *machine = pool->machine;
    const char *http = tt_printf(&machine->arena, "listener %d http - - - -", machine->port);

    join(pool, "shop.web", "NONE NONE", 0);
    assert_int_equal(
        agent_configure(machine, settings(pool, "round-robin", "listener 7000 tcp - - - -")),
        BACKEND_FAILED);
    assert_non_null(strstr(machine->result.errors, "mod_jk balances HTTP only"));
    assert_int_equal(agent_configure(machine, settings(pool, "source", http)), BACKEND_FAILED);
    assert_non_null(strstr(machine->result.errors, "does not balance by source"));
    assert_string_equal(who_serves(pool, machine->port, "x"), "w0 ");
}

/* A program in front of PATH that answers as a status worker that cannot do it: with HTTP 200. */
static void test_error_with_http_200_is_one(void **state)
{
    struct pool *pool = pool_get(state);
    struct agent_machine *machine = pool->machine;
    const char *path = tt_strdup(&machine->arena, getenv("PATH"));
    const char *script = "#!/bin/sh\necho worker.jk_version=x\necho worker.result.type=ERROR\n";
    const char *folder = tt_printf(&machine->arena, "%s/fake", machine->root);
    int code;

    join(pool, "shop.web", "NONE NONE", 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(tt_file_write(tt_printf(&machine->arena, "%s/curl", folder), script,
                                   strlen(script), 0700, &machine->err),
                     0);
    setenv("PATH", tt_printf(&machine->arena, "%s:%s", folder, path), 1);
    code = agent_run(machine, "startProxy",
                     tt_printf(&machine->arena, "shop.web NONE NONE %s %s 80", machine->address,
                               pool->servers[1].address));
    setenv("PATH", path, 1);
    assert_int_equal(code, BACKEND_FAILED);
    assert_non_null(strstr(machine->result.errors, "mod_jk refused the member"));
}

/* Whoever knows the name of the status worker may change the pool. */
static void test_nobody_else_may_read_the_status_name(void **state)
{
    struct pool *pool = pool_get(state);
    struct tt_arena *arena = &pool->machine->arena;
    const char *name = agent_file(pool->machine, "enstratus/var/status");
    struct tt_shell_request request = {
        .argv = (const char *[]){"grep", "-rl", name,
                                 tt_printf(arena, "%s/enstratus", pool->machine->root), NULL},
        .timeout = 20000};
    char *rest;

    join(pool, "shop.web", "NONE NONE", 0);
    assert_int_equal(tt_shell_run(&request, arena, &pool->machine->result, &pool->machine->err), 0);
    rest = tt_strdup(arena, pool->machine->result.output);
    assert_non_null(strstr(rest, "httpd.conf"));
    for (char *file; (file = strtok_r(rest, "\n", &rest));) {
        struct stat st;

        assert_int_equal(stat(file, &st), 0);
        if (st.st_mode & (S_IRWXG | S_IRWXO))
            fail_msg("%s has mode %o", file, (unsigned)st.st_mode);
    }
}

static bool openssl(struct pool *pool, const char *const *argv)
{
    struct tt_shell_request request = {
        .argv = argv, .timeout = 20000, .folder = pool->machine->root};

    return tt_shell_run(&request, &pool->machine->arena, &pool->machine->result, NULL) == 0 &&
           pool->machine->result.exit_code == 0;
}

static void test_tls_by_apache(void **state)
{
    struct pool *pool = pool_get(state);
    struct agent_machine *machine = pool->machine;
    int port = agent_free_port(machine);
    const char *https = tt_printf(&machine->arena, "listener %d https - - - -", port);
    const char *client[] = {
        "openssl",   "s_client", "-servername",
        "b.example", "-connect", tt_printf(&machine->arena, "%s:%d", machine->address, port),
        NULL};

    if (!agent_certificate(pool->machine, "a.example") ||
        !agent_certificate(pool->machine, "b.example"))
        skip();
    agent_ok(machine, agent_configure(machine, settings(pool, "round-robin", https)));
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_non_null(strstr(machine->result.output, "https\t-\t-\n")); /* it waits for one */
    for (int i = 0; i < 2; i++)
        agent_ok(machine,
                 agent_run(machine, "startProxy",
                           tt_printf(&machine->arena,
                                     "shop.%c %c.example NONE %s %s %d /%c.example.crt "
                                     "/%c.example.key NONE",
                                     'a' + i, 'a' + i, machine->address, pool->servers[i].address,
                                     pool->servers[i].port, 'a' + i, 'a' + i)));
    assert_true(openssl(pool, client));
    assert_non_null(strstr(machine->result.output, "CN = b.example"));
    /* A key that belongs to another certificate would end Apache at its next reload. */
    assert_int_equal(agent_run(machine, "startProxy",
                               tt_printf(&machine->arena,
                                         "shop.a a.example NONE %s %s 81 /a.example.crt "
                                         "/b.example.key NONE",
                                         machine->address, pool->servers[0].address)),
                     BACKEND_FAILED);
    assert_true(openssl(pool, client));
}

#define WITH(test, shell)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(test, begin, end, (char[]){shell})
#define TEST(test) WITH(test, "dash mod_jk")

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_members_come_and_go_without_a_reload),
        WITH(test_members_come_and_go_without_a_reload, "bash mod_jk"),
        TEST(test_drain_waits),
        TEST(test_drain_ends_after_its_time),
        TEST(test_restart_keeps_the_pool),
        TEST(test_services_have_names_and_listeners_ports),
        TEST(test_dead_member_is_out_of_service),
        TEST(test_slots_grow),
        TEST(test_what_it_cannot_do_is_refused),
        TEST(test_error_with_http_200_is_one),
        TEST(test_nobody_else_may_read_the_status_name),
        TEST(test_tls_by_apache),
    };

    return cmocka_run_group_tests_name("agent mod_jk", tests, NULL, NULL);
}
