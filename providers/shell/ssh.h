/*
 * SSH: runs commands on machines, by connections that stay open until the end.
 *
 * One struct tt_ssh serves a whole account: it keeps the sessions of each machine and hands each to
 * one thread at a time, so that a second command costs milliseconds. Host keys are checked
 * strictly: a machine whose key is not known, or is another one, is told nothing.
 */
#ifndef TT_PROVIDERS_SSH_H
#define TT_PROVIDERS_SSH_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "model/desired.h"
#include "providers/provider.h"

#define TT_SSH_PORT         22
#define TT_SSH_MOST_AT_ONCE 16             /* sessions of one machine */
#define TT_SSH_MAX_OUTPUT   (1024u * 1024) /* of each of the two outputs */

/* How machines are reached; borrowed until tt_ssh_free. */
struct tt_ssh_settings {
    const char *user;        /* NULL: who runs this process */
    int port;                /* 0: TT_SSH_PORT */
    const char *key;         /* a private key's file; NULL: the keys of the agent and of ~/.ssh */
    const char *known_hosts; /* a file as OpenSSH's; NULL: ~/.ssh/known_hosts */
    bool sudo;               /* commands are run by `sudo -n` */
    tt_time connect_timeout; /* 0: ten seconds */
};

/* One machine. */
struct tt_ssh_target {
    const char *address;  /* or a host name */
    int port;             /* 0: the settings' */
    const char *host_key; /* "ssh-ed25519 AAAA...", where the cloud published it (a tag, the
                           * console), or several, a line each; NULL: it stands in known_hosts */
};

/* The `ssh` mapping of an Account, with its paths made absolute: "~/" is the home folder, a
 * relative one is beside the YAML file in BASE_FOLDER. SPEC, NOT_FOUND: a file that it names cannot
 * be read.
 */
int tt_ssh_settings_of(const struct tt_account *account, const char *base_folder,
                       struct tt_arena *arena, struct tt_ssh_settings *ret_settings,
                       struct tt_error *err);

struct tt_ssh;

/* Connects to nothing yet. */
struct tt_ssh *tt_ssh_new(const struct tt_ssh_settings *settings);

/* Ends all sessions; no call may be under way. NULL is nothing. */
void tt_ssh_free(struct tt_ssh *ssh);

/* Runs REQUEST's command on TARGET (its region and machine do not matter) and waits for its end.
 * Safe from several threads. What the command writes beyond TT_SSH_MAX_OUTPUT is read and dropped.
 *
 * Errors: NOT_FOUND (the machine has no such command), UNAVAILABLE (it could not be reached:
 * nothing was run), DENIED with the code "host-key-unknown", "host-key-changed", "host-key-revoked"
 * or "auth-refused", TIMEOUT (the time is over or the connection was lost while it ran: the outcome
 * is unknown), SPEC (the command is too long, or a file of the settings cannot be read). */
int tt_ssh_run(struct tt_ssh *ssh, const struct tt_ssh_target *target,
               const struct tt_run_request *request, struct tt_arena *arena,
               struct tt_run_result *ret_result, struct tt_error *err);

/* Connects, unless a connection is open; runs nothing. Errors: as tt_ssh_run. */
int tt_ssh_reach(struct tt_ssh *ssh, const struct tt_ssh_target *target, struct tt_error *err);

/* Adds ARGV as a command line for a POSIX shell: each argument in single quotes, so that it stays
 * one argument with whatever bytes it has. */
void tt_ssh_quote(struct tt_buf *line, const char *const *argv);

#endif
