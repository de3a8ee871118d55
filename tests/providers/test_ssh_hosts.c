/*
 * Who a machine is and who we are: host keys known, unknown, changed, revoked and published,
 * refused users, machines that do not answer, the settings of an Account. Covers
 * providers/shell/ssh_hosts.c, ssh_connect.c and ssh_settings.c.
 */
#include <netinet/in.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "support/sshd.h"

struct hosts_test {
    struct sshd sshd;
    struct tt_arena arena;
    struct tt_error err;
    struct tt_run_result result;
    bool possible;
};

static int begin(void **state)
{
    struct hosts_test *test = calloc(1, sizeof(*test));

    assert_non_null(test);
    *state = test;
    test->possible = sshd_start(&test->sshd, NULL);
    return 0;
}

static int end(void **state)
{
    struct hosts_test *test = *state;

    sshd_stop(&test->sshd);
    tt_arena_release(&test->arena);
    free(test);
    return 0;
}

static struct hosts_test *ready(void **state)
{
    struct hosts_test *test = *state;

    if (!test->possible)
        skip();
    return test;
}

static int run(struct hosts_test *test, const struct tt_ssh_settings *settings,
               const struct tt_ssh_target *target)
{
    const char *argv[] = {"/bin/echo", "reached", NULL};
    struct tt_ssh *ssh = tt_ssh_new(settings);
    int result;

    test->err = (struct tt_error){0};
    result = tt_ssh_run(ssh, target, &(struct tt_run_request){.argv = argv, .timeout = 60000},
                        &test->arena, &test->result, &test->err);
    tt_ssh_free(ssh);
    return result;
}

static int reach(struct hosts_test *test)
{
    struct tt_ssh_settings settings = sshd_settings(&test->sshd);
    struct tt_ssh_target target = sshd_target(&test->sshd);

    return run(test, &settings, &target);
}

static void expect_refused(struct hosts_test *test, const char *code, const char *words)
{
    assert_int_equal(test->err.class, TT_ERR_DENIED);
    assert_string_equal(test->err.code, code);
    if (!strstr(test->err.message, words))
        fail_msg("\"%s\" is not in: %s", words, test->err.message);
}

static void know(struct hosts_test *test, const char *text)
{
    assert_int_equal(tt_file_write(test->sshd.known_hosts, text, strlen(text), 0600, NULL), 0);
}

static void test_a_known_host(void **state)
{
    struct hosts_test *test = ready(state);

    if (reach(test) < 0)
        fail_msg("%s", test->err.message);
    assert_string_equal(test->result.output, "reached\n");
}

static void test_a_hashed_name(void **state)
{
    struct hosts_test *test = ready(state);
    const char *argv[] = {"ssh-keygen", "-q", "-H", "-f", test->sshd.known_hosts, NULL};

    sshd_run(&test->sshd, argv);
    assert_non_null(strstr(sshd_read(&test->sshd, test->sshd.known_hosts), "|1|"));
    if (reach(test) < 0)
        fail_msg("%s", test->err.message);
}

static void test_an_unknown_host_key(void **state)
{
    struct hosts_test *test = ready(state);

    know(test, "[127.0.0.1]:1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
               "AAAAAAAAAAAA\n");
    assert_int_equal(reach(test), -1);
    expect_refused(test, "host-key-unknown", "has no line for it");
    expect_refused(test, "host-key-unknown", "ssh-ed25519 SHA256:");
    unlink(test->sshd.known_hosts);
    assert_int_equal(reach(test), -1);
    expect_refused(test, "host-key-unknown", "does not exist");
    assert_int_equal(sshd_logged(&test->sshd, "Accepted"), 0);
}

static void test_a_changed_host_key(void **state)
{
    struct hosts_test *test = ready(state);

    sshd_change_host_key(&test->sshd);
    assert_int_equal(reach(test), -1);
    expect_refused(test, "host-key-changed",
                   tt_printf(&test->arena, "%s line 3", test->sshd.known_hosts));
    expect_refused(test, "host-key-changed", "replace that line");
    assert_int_equal(sshd_logged(&test->sshd, "Accepted"), 0);
}

static void test_a_key_of_another_type_is_a_changed_key(void **state)
{
    struct hosts_test *test = ready(state);
    const char *other = sshd_file(&test->sshd, "other");
    const char *argv[] = {"ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", other, NULL};

    sshd_run(&test->sshd, argv);
    know(test, tt_printf(&test->arena, "[127.0.0.1]:%d %s", test->sshd.port,
                         sshd_read(&test->sshd, tt_printf(&test->arena, "%s.pub", other))));
    assert_int_equal(reach(test), -1);
    expect_refused(test, "host-key-changed", "ecdsa-sha2-nistp256 SHA256:");
}

/* A second line with the right key is enough, unless one revokes it. */
static void test_several_lines(void **state)
{
    struct hosts_test *test = ready(state);
    const char *right = sshd_read(&test->sshd, test->sshd.known_hosts);
    const char *key = sshd_read(&test->sshd, sshd_file(&test->sshd, "host_key.pub"));

    know(test, tt_printf(&test->arena,
                         "[127.0.0.1]:%d ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAA"
                         "AAAAAAAAAAAAAAAAAAAAAA\nnonsense\n@cert-authority * ssh-rsa x\n%s",
                         test->sshd.port, right));
    if (reach(test) < 0)
        fail_msg("%s", test->err.message);
    know(test, tt_printf(&test->arena, "%s\n@revoked * %s", right, key));
    assert_int_equal(reach(test), -1);
    expect_refused(test, "host-key-revoked", "revoked");
}

static void test_a_published_host_key(void **state)
{
    struct hosts_test *test = ready(state);
    struct tt_ssh_settings settings = sshd_settings(&test->sshd);
    struct tt_ssh_target target = sshd_target(&test->sshd);

    settings.known_hosts = "/nowhere";
    target.host_key = sshd_read(&test->sshd, sshd_file(&test->sshd, "host_key.pub"));
    assert_int_equal(run(test, &settings, &target), 0);
    target.host_key = sshd_read(&test->sshd, sshd_file(&test->sshd, "user_key.pub"));
    assert_int_equal(run(test, &settings, &target), -1);
    expect_refused(test, "host-key-changed", "its cloud published");
    target.host_key = "ssh-ed25519 nonsense";
    assert_int_equal(run(test, &settings, &target), -1);
    assert_int_equal(test->err.class, TT_ERR_SPEC);
}

static void test_a_refused_user(void **state)
{
    struct hosts_test *test = ready(state);
    struct tt_ssh_settings settings = sshd_settings(&test->sshd);
    struct tt_ssh_target target = sshd_target(&test->sshd);

    settings.key = sshd_file(&test->sshd, "host_key"); /* any other key */
    assert_int_equal(run(test, &settings, &target), -1);
    expect_refused(test, "auth-refused", "authorized_keys");
    settings.key = test->sshd.known_hosts;
    assert_int_equal(run(test, &settings, &target), -1);
    assert_int_equal(test->err.class, TT_ERR_SPEC);
}

/* A host that is too busy to look a key up has refused nobody. */
static void test_a_slow_login(void **state)
{
    struct hosts_test *test = ready(state);
    struct tt_ssh_settings settings;
    struct tt_ssh_target target;
    const struct passwd *user = getpwuid(geteuid());

    assert_non_null(user);
    sshd_stop(&test->sshd);
    test->possible = sshd_start(&test->sshd, tt_printf(&test->arena,
                                                       "AuthorizedKeysCommand /bin/sleep 30\n"
                                                       "AuthorizedKeysCommandUser %s\n",
                                                       user->pw_name));
    settings = sshd_settings(&test->sshd);
    target = sshd_target(&test->sshd);
    settings.key = sshd_file(&test->sshd, "host_key"); /* in no file that is read before */
    settings.connect_timeout = 2000;
    assert_int_equal(run(test, &settings, &target), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
}

static void test_nobody_listens(void **state)
{
    struct hosts_test *test = ready(state);
    struct tt_ssh_settings settings = sshd_settings(&test->sshd);
    struct tt_ssh_target target = sshd_target(&test->sshd);

    target.port = 1;
    assert_int_equal(run(test, &settings, &target), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
    if (!strstr(test->err.message, "Connection refused"))
        fail_msg("%s", test->err.message);
}

/* Somebody accepts and says nothing. */
static void test_no_answer(void **state)
{
    struct hosts_test *test = ready(state);
    struct tt_ssh_settings settings = sshd_settings(&test->sshd);
    struct tt_ssh_target target = sshd_target(&test->sshd);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tt_time began = tt_monotonic();

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    target.port = ntohs(address.sin_port);
    settings.connect_timeout = 700;
    assert_int_equal(run(test, &settings, &target), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
    assert_true(tt_monotonic() - began < 9000);
    close(fd);
}

/* A sudo that can be seen. */
static void test_sudo(void **state)
{
    static const char sudo[] = "#!/bin/sh\necho \"sudo $1 $2\"\nshift 2\nexec \"$@\"\n";
    struct hosts_test *test = ready(state);
    struct tt_ssh_settings settings = sshd_settings(&test->sshd);
    struct tt_ssh_target target = sshd_target(&test->sshd);
    const char *path = sshd_file(&test->sshd, "sudo");

    assert_int_equal(tt_file_write(path, sudo, strlen(sudo), 0755, NULL), 0);
    assert_int_equal(chmod(path, 0755), 0);
    test->sshd.configuration =
        tt_printf(&test->arena, "SetEnv PATH=%s:/usr/bin:/bin\n", test->sshd.place);
    sshd_restart(&test->sshd);
    settings.sudo = true;
    assert_int_equal(run(test, &settings, &target), 0);
    assert_string_equal(test->result.output, "sudo -n --\nreached\n");
}

static void test_the_settings_of_an_account(void **state)
{
    struct hosts_test *test = *state;
    struct tt_account account = {.name = "dc", .folder = "specs"};
    struct tt_ssh_settings settings = {0};
    char base[] = "/tmp/trimtab-ssh.XXXXXX";

    assert_non_null(mkdtemp(base));
    assert_int_equal(tt_ssh_settings_of(&account, base, &test->arena, &settings, &test->err), 0);
    assert_null(settings.key);
    account.ssh.known_hosts = "hosts";
    assert_int_equal(tt_ssh_settings_of(&account, base, &test->arena, &settings, &test->err), -1);
    assert_int_equal(test->err.class, TT_ERR_SPEC);
    assert_int_equal(tt_make_folders(tt_printf(&test->arena, "%s/specs", base), 0700, NULL), 0);
    assert_int_equal(
        tt_file_write(tt_printf(&test->arena, "%s/specs/hosts", base), "", 0, 0600, NULL), 0);
    assert_int_equal(tt_ssh_settings_of(&account, base, &test->arena, &settings, &test->err), 0);
    assert_string_equal(settings.known_hosts, tt_printf(&test->arena, "%s/specs/hosts", base));
    tt_remove_tree(base, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_known_host, begin, end),
        cmocka_unit_test_setup_teardown(test_a_hashed_name, begin, end),
        cmocka_unit_test_setup_teardown(test_an_unknown_host_key, begin, end),
        cmocka_unit_test_setup_teardown(test_a_changed_host_key, begin, end),
        cmocka_unit_test_setup_teardown(test_a_key_of_another_type_is_a_changed_key, begin, end),
        cmocka_unit_test_setup_teardown(test_several_lines, begin, end),
        cmocka_unit_test_setup_teardown(test_a_published_host_key, begin, end),
        cmocka_unit_test_setup_teardown(test_a_refused_user, begin, end),
        cmocka_unit_test_setup_teardown(test_a_slow_login, begin, end),
        cmocka_unit_test_setup_teardown(test_nobody_listens, begin, end),
        cmocka_unit_test_setup_teardown(test_no_answer, begin, end),
        cmocka_unit_test_setup_teardown(test_sudo, begin, end),
        cmocka_unit_test_setup_teardown(test_the_settings_of_an_account, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
