/*
 * sshd: made, started, waited for and ended.
 */
#include "sshd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/shell/shell.h"

#define PROGRAM  "/usr/sbin/sshd"
#define PATIENCE 5000 /* ms */

extern char **environ;

static bool is_possible(void)
{
    const struct passwd *user = getpwuid(geteuid());

    if (access(PROGRAM, X_OK) < 0)
        print_message("skip: there is no " PROGRAM "\n");
    else if (!user || strstr(user->pw_shell, "nologin") || strstr(user->pw_shell, "/false"))
        print_message("skip: this user has no shell to log in with\n");
    else
        return true;
    return false;
}

void sshd_run(struct sshd *sshd, const char *const *argv)
{
    struct tt_run_result result = {0};
    struct tt_error err = {0};

    if (tt_shell_run(&(struct tt_shell_request){.argv = argv, .timeout = 20000}, &sshd->arena,
                     &result, &err) < 0)
        fail_msg("%s", err.message);
    if (result.exit_code)
        fail_msg("%s: %s", argv[0], result.errors);
}

static void make_key(struct sshd *sshd, const char *path)
{
    const char *argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL};

    unlink(path);
    sshd_run(sshd, argv);
}

static void write_text(const char *path, const char *text)
{
    struct tt_error err = {0};

    if (tt_file_write(path, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.message);
}

char *sshd_read(struct sshd *sshd, const char *path)
{
    struct tt_error err = {0};
    char *text = NULL;

    if (tt_file_read(&sshd->arena, path, 1 << 24, &text, NULL, &err) < 0)
        fail_msg("%s", err.message);
    return text;
}

const char *sshd_file(struct sshd *sshd, const char *name)
{
    return tt_printf(&sshd->arena, "%s/%s", sshd->place, name);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static bool answers(const struct sshd *sshd)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)sshd->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return connected;
}

static void configure(struct sshd *sshd)
{
    write_text(sshd_file(sshd, "sshd_config"),
               tt_printf(&sshd->arena,
                         "Port %d\nListenAddress 127.0.0.1\nHostKey %s/host_key\nPidFile none\n"
                         "AuthorizedKeysFile %s/user_key.pub\nUsePAM no\nStrictModes no\n"
                         "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                         "PermitRootLogin prohibit-password\n%s",
                         sshd->port, sshd->place, sshd->place,
                         sshd->configuration ? sshd->configuration : ""));
}

/* False: it ended, because somebody took the port. */
static bool launch(struct sshd *sshd)
{
    const char *const argv[] = {PROGRAM, "-D",      "-f", sshd_file(sshd, "sshd_config"),
                                "-E",    sshd->log, NULL};
    int status;

    configure(sshd);
    assert_int_equal(posix_spawn(&sshd->pid, PROGRAM, NULL, NULL, (char *const *)argv, environ), 0);
    for (int waited = 0; waited < PATIENCE; waited += 10) {
        if (waitpid(sshd->pid, &status, WNOHANG) == sshd->pid)
            return false;
        if (answers(sshd))
            return true;
        usleep(10000);
    }
    fail_msg("sshd does not answer: %s", sshd_read(sshd, sshd->log));
    return false;
}

bool sshd_start(struct sshd *sshd, const char *configuration)
{
    char place[] = "/tmp/trimtab-sshd.XXXXXX";

    *sshd = (struct sshd){.configuration = configuration};
    if (!is_possible())
        return false;
    if (geteuid() == 0)
        mkdir("/run/sshd", 0755); /* root's sshd wants it; without systemd nobody makes it */
    assert_non_null(mkdtemp(place));
    sshd->place = tt_strdup(&sshd->arena, place);
    sshd->key = sshd_file(sshd, "user_key");
    sshd->known_hosts = sshd_file(sshd, "known_hosts");
    sshd->log = sshd_file(sshd, "log");
    make_key(sshd, sshd->key);
    make_key(sshd, sshd_file(sshd, "host_key"));
    for (int tries = 0;; tries++) {
        sshd->port = free_port();
        if (launch(sshd))
            break;
        if (tries == 5)
            fail_msg("sshd does not start: %s", sshd_read(sshd, sshd->log));
    }
    write_text(sshd->known_hosts,
               tt_printf(&sshd->arena, "# a comment\n\n[127.0.0.1]:%d %s", sshd->port,
                         sshd_read(sshd, sshd_file(sshd, "host_key.pub"))));
    return true;
}

/* Its sessions are its children. */
static void end_sessions(const struct sshd *sshd)
{
    char path[64], text[4096];
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", sshd->pid, sshd->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    got = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    for (char *rest = text, *word; (word = strsep(&rest, " "));)
        if (*word)
            kill((pid_t)strtol(word, NULL, 10), SIGKILL);
}

static void end_listener(struct sshd *sshd)
{
    if (!sshd->pid)
        return;
    end_sessions(sshd);
    kill(sshd->pid, SIGKILL);
    while (waitpid(sshd->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    sshd->pid = 0;
}

void sshd_restart(struct sshd *sshd)
{
    end_listener(sshd);
    for (int tries = 0; !launch(sshd); tries++)
        if (tries == 20)
            fail_msg("sshd does not start again: %s", sshd_read(sshd, sshd->log));
        else
            usleep(50000);
}

void sshd_change_host_key(struct sshd *sshd)
{
    make_key(sshd, sshd_file(sshd, "host_key"));
    sshd_restart(sshd);
}

void sshd_stop(struct sshd *sshd)
{
    if (sshd->place) {
        end_listener(sshd);
        tt_remove_tree(sshd->place, NULL);
    }
    tt_arena_release(&sshd->arena);
}

struct tt_ssh_settings sshd_settings(const struct sshd *sshd)
{
    return (struct tt_ssh_settings){.port = sshd->port,
                                    .key = sshd->key,
                                    .known_hosts = sshd->known_hosts,
                                    .connect_timeout = 60000};
}

struct tt_ssh_target sshd_target(const struct sshd *sshd)
{
    (void)sshd;
    return (struct tt_ssh_target){.address = "127.0.0.1"};
}

int sshd_logged(struct sshd *sshd, const char *text)
{
    const char *at = sshd_read(sshd, sshd->log);
    int count = 0;

    while ((at = strstr(at, text))) {
        count++;
        at++;
    }
    return count;
}
