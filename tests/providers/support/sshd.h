/*
 * A real sshd on a free port of 127.0.0.1, with keys, configuration and known_hosts of its own, run
 * by whoever runs the test and ended with it.
 */
#ifndef TT_TESTS_SSHD_H
#define TT_TESTS_SSHD_H

#include <sys/types.h>

#include "providers/shell/ssh.h"

struct sshd {
    struct tt_arena arena;
    char *place; /* a folder that goes with it */
    int port;
    pid_t pid;
    const char *key; /* files: the user's private key, the known host keys, what sshd says */
    const char *known_hosts;
    const char *log;
    const char *configuration; /* beside what is always there; lines */
};

/* CONFIGURATION: more lines, or NULL. False: there can be none here (no sshd, or this user has no
 * shell); the reason was printed, and the test is to be skipped. */
bool sshd_start(struct sshd *sshd, const char *configuration);
void sshd_stop(struct sshd *sshd);

/* The listener ends, its sessions too; another one takes its place at the same port. */
void sshd_restart(struct sshd *sshd);

/* As after a reinstallation: sshd_restart with another host key; known_hosts stays as it was. */
void sshd_change_host_key(struct sshd *sshd);

/* To reach it; FILE below its place, or its text. */
struct tt_ssh_settings sshd_settings(const struct sshd *sshd);
struct tt_ssh_target sshd_target(const struct sshd *sshd);
const char *sshd_file(struct sshd *sshd, const char *name);
char *sshd_read(struct sshd *sshd, const char *path);

/* A program on this side; fails the test when it fails. */
void sshd_run(struct sshd *sshd, const char *const *argv);

/* How often TEXT is in its log. */
int sshd_logged(struct sshd *sshd, const char *text);

#endif
