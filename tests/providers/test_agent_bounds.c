/*
 * The agent: what it refuses, and that it keeps nothing of what it refused; listeners,
 * certificates, hooks, low ports. Covers providers/proxies/agent/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/shell/shell.h"
#include "tests/providers/support/agent_machine.h"

#define LIST_FAILED    20
#define BACKEND_FAILED 21
#define RELOAD_FAILED  22

/* Runs SCRIPT of the agent with ARGV of any bytes; its exit code. */
static int run_raw(struct agent_machine *machine, const char *script, const char *const *arguments,
                   const char *input)
{
    const char *argv[16] = {
        machine->shell, tt_printf(&machine->arena, "%s/enstratus/bin/%s", machine->root, script)};
    struct tt_shell_request request = {.argv = argv, .input = input, .timeout = 60000};

    for (size_t i = 0; i < 13 && arguments[i]; i++)
        argv[i + 2] = arguments[i];
    tt_strings_add(&machine->arena, &request.environment,
                   tt_printf(&machine->arena, "TRIMTAB_ROOT=%s", machine->root));
    tt_strings_add(&machine->arena, &request.environment,
                   tt_printf(&machine->arena, "TRIMTAB_ADDRESS=%s", machine->address));
    assert_int_equal(tt_shell_run(&request, &machine->arena, &machine->result, &machine->err), 0);
    return machine->result.exit_code;
}

static void put(struct agent_machine *machine, const char *path, const char *text)
{
    const char *full = tt_printf(&machine->arena, "%s/%s", machine->root, path);
    const char *folder = tt_strndup(&machine->arena, full, (size_t)(strrchr(full, '/') - full));

    assert_int_equal(tt_make_folders(folder, 0700, &machine->err), 0);
    assert_int_equal(tt_file_write(full, text, strlen(text), 0755, &machine->err), 0);
}

/* Everything that a call could change. */
static const char *all_of(struct agent_machine *machine)
{
    const char *settings = agent_file(machine, "enstratus/etc/settings");

    return tt_printf(&machine->arena, "%s|%s|%s|%s", settings ? settings : "-",
                     agent_file(machine, "enstratus/var/members"),
                     agent_file(machine, "enstratus/var/haproxy.cfg"), agent_list(machine));
}

static const char *const bad_services[] = {"",      "-x",   ".x",  "a b",      "a\nb", "a/b",
                                           "$(id)", "a\tb", "a;b", "\xc3\xa9", NULL};
static const char *const bad_hosts[] = {"", "-x", "a b", "a\nb", "a{b", "*", "a'b", "\xff", NULL};
static const char *const bad_lists[] = {"",    ",a", "a,",   "a,,b", "a b", "a;b",
                                        "a\n", "-i", "a,-i", "a,.b", NULL};
static const char *const bad_addresses[] = {
    "",    "10.0.0",    "10.0.0.256", "10.0.0.1.1", "10.0.0.01",  "10.0.0.1 ", "10.0.0.1\n",
    "::1", "localhost", "10.0.0.-1",  "10..0.1",    "0x7f.0.0.1", NULL};
static const char *const bad_ports[] = {
    "", "0", "65536", "080", "8o80", "-1", "80 80", "80\n", "99999999999999999999", NULL};
static const char *const bad_files[] = {"", "x.pem", "/a/../b", "/a b", "/a\n", "/$x", NULL};

/* Each of the nine arguments of startProxy in turn is each of the bad ones. */
static void test_bad_arguments_change_nothing(void **state)
{
    struct agent_machine *machine = agent_get(state);
    const char *const *const bad[] = {bad_services,  bad_hosts,     bad_lists,
                                      bad_addresses, bad_addresses, bad_ports,
                                      bad_files,     bad_files,     bad_files};
    const char *before;

    agent_join(machine, agent_server(machine));
    agent_await(machine, "in-service");
    before = all_of(machine);
    for (size_t i = 0; i < 9; i++)
        for (size_t j = 0; bad[i][j]; j++) {
            const char *argv[] = {"shop.x", "x.example", "NONE",     "127.0.0.1", "10.0.0.1",
                                  "8080",   "/c.pem",    "/key.pem", "NONE",      NULL};

            argv[i] = bad[i][j];
            if (i < 6)
                argv[6] = NULL;
            if (run_raw(machine, "startProxy", argv, NULL) != 1)
                fail_msg("argument %zu \"%s\": exit %d", i + 1, bad[i][j],
                         machine->result.exit_code);
            assert_true(machine->result.errors[0] != '\0');
        }
    assert_string_equal(all_of(machine), before);
}

static void test_bad_arguments_of_the_others_change_nothing(void **state)
{
    struct agent_machine *machine = agent_get(state);
    const char *const *const bad[] = {bad_addresses, bad_services, bad_ports};
    const struct named_server *server = agent_server(machine);
    const char *before;

    agent_join(machine, server);
    agent_await(machine, "in-service");
    before = all_of(machine);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; bad[i][j]; j++) {
            const char *argv[] = {server->address, "shop.web", "8080", NULL};

            argv[i] = bad[i][j];
            assert_int_equal(run_raw(machine, "stopProxy", argv, NULL), 1);
        }
    for (size_t j = 0; bad_services[j]; j++) {
        const char *argv[] = {"--drain", bad_services[j], "5", NULL};

        assert_int_equal(run_raw(machine, "configureProxy", argv, NULL), 1);
    }
    for (size_t j = 0; bad_services[j]; j++)
        assert_int_equal(
            run_raw(machine, "listProxy", (const char *const[]){bad_services[j], NULL}, NULL), 1);
    assert_string_equal(all_of(machine), before);
}

static void test_wrong_count_shows_the_usage(void **state)
{
    struct agent_machine *machine = agent_get(state);
    const char *words = "";

    for (int count = 0; count < 12; count++) {
        if (count != 6 && count != 9) {
            assert_int_equal(agent_run(machine, "startProxy", words), 1);
            assert_non_null(strstr(machine->result.errors, "usage: startProxy SERVICE"));
        }
        if (count < 1 || count > 3) {
            assert_int_equal(agent_run(machine, "stopProxy", words), 1);
            assert_non_null(strstr(machine->result.errors, "usage: stopProxy REMOTE_ADDRESS"));
        }
        words = tt_printf(&machine->arena, "%s 1", words);
    }
    assert_string_equal(agent_list(machine), "");
}

static void test_bad_settings_change_nothing(void **state)
{
    static const char *const bad[] = {
        "algorithm random\n",
        "algorithm\n",
        "algorithm round-robin source\n",
        "health http relative 1000 1000 3\n",
        "health http /a\"b 1000 1000 3\n",
        "health http /x 0 1000 3\n",
        "health http /x 1000 1000\n",
        "health icmp - 1000 1000 3\n",
        "listener 0 http - - - -\n",
        "listener 8080 udp - - - -\n",
        "listener 8080 http 65536 - - -\n",
        "listener 8080 http - - -\n",
        "listener 8080 http - - - - -\n",
        "listener 8080 https - cert.pem /key.pem -\n",
        "listener 8080 http - - - -\nlistener 8080 tcp - - - -\n",
        "user root\n",
        "listener 8080 http - - - -\n\nglobal\n",
        "algorithm source\nlistener $(id) http - - - -\n",
    };
    struct agent_machine *machine = agent_get(state);
    const char *before = all_of(machine);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (agent_configure(machine, bad[i]) != 1)
            fail_msg("%s: exit %d", bad[i], machine->result.exit_code);
        assert_string_equal(all_of(machine), before);
    }
}

static const char *settings_with(struct agent_machine *machine, const char *line)
{
    return tt_printf(&machine->arena, "health tcp - 200 1000 1\nlistener %d http - - - -\n%s\n",
                     machine->port, line);
}

static void test_listeners_come_and_go(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *two = agent_server(machine);
    int tcp = agent_free_port(machine), target = agent_free_port(machine);

    agent_join(machine, one);
    agent_ok(machine,
             agent_configure(machine,
                             settings_with(machine, tt_printf(&machine->arena,
                                                              "listener %d tcp - - - -", tcp))));
    assert_string_equal(agent_get_page(machine, tcp, "x", "/"), "w0");
    assert_string_equal(agent_get_page(machine, machine->port, "x", "/"), "w0");
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_string_equal(machine->result.output,
                        tt_printf(&machine->arena, "%d\thttp\t-\t%d\n%d\ttcp\t-\t%d\n",
                                  machine->port, machine->port, tcp, tcp));
    /* A port of the servers beside that with which they joined. */
    agent_ok(machine,
             agent_configure(machine, settings_with(machine, tt_printf(&machine->arena,
                                                                       "listener %d http %d - - -",
                                                                       target, two->port))));
    named_server_stop(two);
    named_server_start(two, "w1", one->address, two->port);
    assert_string_equal(agent_get_page(machine, tcp, "x", "/"), "");
    agent_await(machine, "in-service");
    assert_string_equal(agent_get_page(machine, target, "x", "/"), "w1");
    assert_string_equal(
        agent_list(machine),
        tt_printf(&machine->arena, "shop.web\t%s\t%d\tin-service\n", one->address, one->port));
}

static void test_busy_port_is_told_and_made_up_for(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine), *blocker = agent_server(machine);
    int port;

    named_server_stop(blocker);
    named_server_start(blocker, "w1", machine->address, 0);
    port = blocker->port;
    agent_join(machine, one);
    assert_int_equal(
        agent_configure(
            machine,
            settings_with(machine, tt_printf(&machine->arena, "listener %d tcp - - - -", port))),
        RELOAD_FAILED);
    assert_non_null(strstr(machine->result.errors, "Address already in use"));
    assert_string_equal(agent_get_page(machine, machine->port, "x", "/"), "w0");
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_null(strstr(machine->result.output, tt_printf(&machine->arena, "%d\ttcp", port)));
    named_server_stop(blocker);
    agent_join(machine, one); /* the next call makes up for it */
    assert_string_equal(agent_get_page(machine, port, "x", "/"), "w0");
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_non_null(
        strstr(machine->result.output, tt_printf(&machine->arena, "%d\ttcp\t-\t%d\n", port, port)));
    named_server_start(blocker, "w1", agent_address(machine, 11), 0); /* for the teardown */
}

/* What a client sees of the certificate on PORT. */
static const char *subject_on(struct agent_machine *machine, int port)
{
    const char *argv[] = {"openssl", "s_client", "-connect",
                          tt_printf(&machine->arena, "%s:%d", machine->address, port), NULL};

    assert_int_equal(tt_shell_run(&(struct tt_shell_request){.argv = argv, .timeout = 20000},
                                  &machine->arena, &machine->result, &machine->err),
                     0);
    return machine->result.output;
}

static const char *certificate_on(struct agent_machine *machine, int port)
{
    const char *begin = strstr(subject_on(machine, port), "-----BEGIN CERTIFICATE");

    assert_non_null(begin);
    return tt_strndup(&machine->arena, begin, (size_t)(strstr(begin, "-----END") - begin));
}

static void test_certificates_are_the_listeners_or_the_services(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);
    int own = agent_free_port(machine), shared = agent_free_port(machine);
    const char *start, *listeners, *before;

    if (!agent_certificate(machine, "a.example") || !agent_certificate(machine, "b.example"))
        skip();
    listeners =
        settings_with(machine, tt_printf(&machine->arena,
                                         "listener %d https - /a.example.crt /a.example.key -\n"
                                         "listener %d https - - - -",
                                         own, shared));
    agent_ok(machine, agent_configure(machine, listeners));
    assert_non_null(strstr(subject_on(machine, own), "a.example"));
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_non_null(
        strstr(machine->result.output, tt_printf(&machine->arena, "%d\thttps\t-\t-\n", shared)));
    start = tt_printf(&machine->arena,
                      "shop.web shop.example NONE %s %s %d /b.example.crt /b.example.key NONE",
                      machine->address, one->address, one->port);
    agent_ok(machine, agent_run(machine, "startProxy", start));
    assert_non_null(strstr(subject_on(machine, own), "a.example"));
    assert_non_null(strstr(subject_on(machine, shared), "b.example"));
    /* One that is renewed in place is taken up by the next call. */
    before = certificate_on(machine, shared);
    assert_true(agent_certificate(machine, "b.example"));
    agent_ok(machine, agent_run(machine, "startProxy", start));
    assert_non_null(strstr(subject_on(machine, shared), "b.example"));
    assert_string_not_equal(certificate_on(machine, shared), before);
}

static void test_bad_certificate_is_not_kept(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);
    int port = agent_free_port(machine);
    const char *before;

    agent_join(machine, one);
    agent_await(machine, "in-service");
    before = all_of(machine);
    assert_int_equal(
        agent_configure(machine, settings_with(machine, tt_printf(&machine->arena,
                                                                  "listener %d https - /no "
                                                                  "/no -",
                                                                  port))),
        LIST_FAILED);
    assert_non_null(strstr(machine->result.errors, "cannot read the certificate /no"));
    put(machine, "bad.pem", "this is no certificate\n");
    assert_int_equal(
        agent_configure(machine, settings_with(machine, tt_printf(&machine->arena,
                                                                  "listener %d https - /bad.pem "
                                                                  "/bad.pem -",
                                                                  port))),
        BACKEND_FAILED);
    assert_string_equal(all_of(machine), before);
    agent_join(machine, one); /* nothing of it stands in the way */
    assert_string_equal(agent_get_page(machine, machine->port, "x", "/"), "w0");
}

static void test_hooks_and_overrides(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);

    put(machine, "enstratus/bin/startProxy-pre",
        "#!/bin/sh\necho \"pre $1 $5\" >>$TRIMTAB_ROOT/told\n");
    put(machine, "enstratus/bin/startProxy-post",
        "#!/bin/sh\necho \"post $1 $5\" >>$TRIMTAB_ROOT/told\n");
    agent_join(machine, one);
    assert_string_equal(agent_file(machine, "told"),
                        tt_printf(&machine->arena, "pre shop.web %s\npost shop.web %s\n",
                                  one->address, one->address));
    put(machine, "enstratus/bin/stopProxy-pre", "#!/bin/sh\nexit 3\n");
    assert_int_equal(agent_run(machine, "stopProxy", one->address), BACKEND_FAILED);
    assert_non_null(strstr(agent_list(machine), one->address));
    put(machine, "enstratus/custom/bin/stopProxy",
        "#!/bin/sh\necho \"own $*\" >>$TRIMTAB_ROOT/told\nexit 20\n");
    assert_int_equal(agent_run(machine, "stopProxy", "anything at all"), LIST_FAILED);
    assert_non_null(strstr(agent_file(machine, "told"), "own anything at all\n"));
}

/* Every script has hooks; they neither read what it is told nor add to what it answers. */
static void test_hooks_of_every_script(void **state)
{
    static const char *const names[] = {"configureProxy", "joinProxy", "listProxy"};
    static const char *const moments[] = {"pre", "post"};
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);

    agent_join(machine, one);
    const char *pool = agent_list(machine);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 2; k++) {
            put(machine, tt_printf(&machine->arena, "enstratus/bin/%s-%s", names[i], moments[k]),
                tt_printf(&machine->arena,
                          "#!/bin/sh\ncat >/dev/null\necho noise\n"
                          "echo \"%s %s $*\" >>$TRIMTAB_ROOT/told\n",
                          names[i], moments[k]));
        }
    }
    assert_string_equal(agent_list(machine), pool);
    assert_int_equal(agent_run(machine, "configureProxy", "--drain shop.web 7"), 0);
    assert_string_equal(agent_file(machine, "told"), "listProxy pre \nlistProxy post \n"
                                                     "configureProxy pre --drain shop.web 7\n"
                                                     "configureProxy post --drain shop.web 7\n");

    /* A startProxy that is hooked is called for each line, the last one without its end as well. */
    struct named_server *two = agent_server(machine);
    put(machine, "enstratus/bin/startProxy-pre", "#!/bin/sh\ncat >/dev/null\n");
    assert_int_equal(
        agent_tell(machine, "joinProxy",
                   tt_printf(&machine->arena,
                             "shop.web NONE NONE 127.0.0.1 %s %d\n"
                             "shop.web NONE NONE 127.0.0.1 %s %d",
                             one->address, (int)one->port, two->address, (int)two->port)),
        0);
    assert_non_null(strstr(agent_file(machine, "told"), "joinProxy pre \njoinProxy post \n"));
    assert_non_null(strstr(agent_list(machine), two->address));
}

static void test_other_software_is_refused_clearly(void **state)
{
    struct agent_machine *machine = agent_get(state);

    put(machine, "usr/local/zeus/zxtm", "");
    assert_int_equal(agent_run(machine, "stopProxy", "10.0.0.1"), BACKEND_FAILED);
    assert_non_null(strstr(machine->result.errors, "zeus"));
}

static void test_folder_that_cannot_be_written_is_named(void **state)
{
    struct agent_machine *machine = agent_get(state);
    const char *members = tt_printf(&machine->arena, "%s/enstratus/var/members", machine->root);

    /* Even root cannot write a file where a folder is. */
    assert_int_equal(unlink(members), 0);
    assert_int_equal(mkdir(tt_printf(&machine->arena, "%s.new", members), 0700), 0);
    assert_int_equal(agent_run(machine, "stopProxy", "10.0.0.1"), LIST_FAILED);
    assert_non_null(strstr(machine->result.errors, "members"));
}

static void test_low_port_moves_up(void **state)
{
    struct agent_machine *machine = agent_get(state);
    struct named_server *one = agent_server(machine);
    char *least;

    assert_int_equal(tt_file_read(&machine->arena, "/proc/sys/net/ipv4/ip_unprivileged_port_start",
                                  64, &least, NULL, &machine->err),
                     0);
    if (getuid() == 0 || strtol(least, NULL, 10) <= 80) {
        print_message("this user may bind port 80\n");
        skip();
    }
    agent_join(machine, one);
    agent_ok(machine, agent_configure(machine, "listener 80 http - - - -\n"));
    agent_ok(machine, agent_run(machine, "listProxy", "--listeners"));
    assert_string_equal(machine->result.output, "80\thttp\t-\t10080\n");
    assert_string_equal(agent_get_page(machine, 10080, "x", "/"), "w0");
    assert_int_equal(
        agent_configure(machine, "listener 80 http - - - -\nlistener 10080 tcp - - - -\n"), 1);
}

#define WITH(test, shell)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(test, agent_begin, agent_end, (char[]){shell})
#define TEST(test) WITH(test, "dash")

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bad_arguments_change_nothing),
        WITH(test_bad_arguments_change_nothing, "bash"),
        TEST(test_bad_arguments_of_the_others_change_nothing),
        TEST(test_wrong_count_shows_the_usage),
        TEST(test_bad_settings_change_nothing),
        WITH(test_bad_settings_change_nothing, "bash"),
        TEST(test_listeners_come_and_go),
        TEST(test_busy_port_is_told_and_made_up_for),
        TEST(test_certificates_are_the_listeners_or_the_services),
        TEST(test_bad_certificate_is_not_kept),
        TEST(test_hooks_and_overrides),
        TEST(test_hooks_of_every_script),
        TEST(test_other_software_is_refused_clearly),
        TEST(test_folder_that_cannot_be_written_is_named),
        TEST(test_low_port_moves_up),
    };

    return cmocka_run_group_tests_name("agent bounds", tests, NULL, NULL);
}
