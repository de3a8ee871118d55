/*
 * The inside of SSH: one session, by one thread at a time.
 *
 *   ssh.c          the sessions of all machines      ssh_connect.c  reaching a machine, who we are
 *   ssh_hosts.c    whose key it is                   ssh_exec.c     one command
 *   ssh_settings.c what an Account says              ssh_quote.c    command lines
 */
#ifndef TT_PROVIDERS_SSH_SESSION_H
#define TT_PROVIDERS_SSH_SESSION_H

#include <libssh/libssh.h>

#include "providers/shell/ssh.h"

/* Where to connect, nothing left to default. */
struct tt_ssh_place {
    const char *address;
    int port;
    const char *user;
    const char *key;         /* NULL: the agent's and the home folder's */
    const char *known_hosts; /* path */
    const char *host_key;    /* NULL: known_hosts says it */
    tt_time timeout;
};

/* Connects, checks the host key and proves who we are. */
int tt_ssh_connect(const struct tt_ssh_place *place, ssh_session *ret_session,
                   struct tt_error *err);

/* Adds to LIST the host-key algorithms by which PLACE's machine is known, the most wanted first,
 * then the others: so the machine shows a key that can be compared. */
int tt_ssh_host_key_algorithms(const struct tt_ssh_place *place, struct tt_buf *list,
                               struct tt_error *err);

/* Fails (DENIED) unless SESSION's host key is the one that PLACE's machine is known by. */
int tt_ssh_check_host_key(const struct tt_ssh_place *place, ssh_session session,
                          struct tt_error *err);

/* What became of a command. */
enum tt_ssh_outcome {
    TT_SSH_DONE,   /* the result is there */
    TT_SSH_UNUSED, /* the session is dead and nothing was sent: another one may be tried */
    TT_SSH_FAILED, /* the error says why */
};

/* Runs LINE. RET_REUSABLE: the session may run another one. */
enum tt_ssh_outcome tt_ssh_exec(ssh_session session, const char *line, const char *input,
                                tt_time deadline, struct tt_arena *arena,
                                struct tt_run_result *ret_result, bool *ret_reusable,
                                struct tt_error *err);

/* The home folder of whoever runs this process; NULL: it has none. */
const char *tt_ssh_home(struct tt_arena *arena);

#endif
