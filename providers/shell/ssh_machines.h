/*
 * Machines of a cloud, which are known by id: where each is reached, and commands on it by SSH.
 *
 * Every observation tells where machines are; a command goes to the public address, or where that
 * cannot be reached, to the private one. Safe from several threads.
 */
#ifndef TT_PROVIDERS_SSH_MACHINES_H
#define TT_PROVIDERS_SSH_MACHINES_H

#include "model/world.h"
#include "providers/provider.h"

struct tt_ssh_machines;

/* With the `ssh` mapping of an Account, as tt_ssh_settings_of reads it; connects to nothing yet.
 * Errors: SPEC. */
int tt_ssh_machines_open(const struct tt_provider_settings *settings, struct tt_arena *arena,
                         struct tt_ssh_machines **ret_machines, struct tt_error *err);

/* Ends all sessions; no call may be under way. NULL is nothing. */
void tt_ssh_machines_close(struct tt_ssh_machines *machines);

/* Remembers the addresses of SERVER, where it has any, the host key that it published, and when it
 * was made. */
void tt_ssh_machines_learn(struct tt_ssh_machines *machines, const struct tt_server *server);

/* How a cloud is asked about one of its machines. */
struct tt_ssh_cloud {
    /* Where it is, and which key it published. Errors: NOT_FOUND. */
    int (*find)(void *self, const char *region, const char *machine, struct tt_arena *arena,
                struct tt_server *ret_server, struct tt_error *err);
    /* OPTIONAL. What it wrote to its console; a text of NULL: there is none. Errors of any class:
     * reading changes nothing, so that also a TIMEOUT may be repeated. */
    int (*console)(void *self, const char *region, const char *machine, struct tt_arena *arena,
                   const char **ret_text, struct tt_error *err);
    void *self;
};

/* As run of struct tt_provider_ops. The cloud is asked for a machine that nobody has told of yet,
 * and for the console of one whose host key neither it nor known_hosts tells. UNAVAILABLE also for
 * a machine without any address, and for a new one whose console does not say its key yet;
 * THROTTLED also when the cloud does not tell the console just now. */
int tt_ssh_machines_run(struct tt_ssh_machines *machines, const struct tt_run_request *request,
                        const struct tt_ssh_cloud *cloud, struct tt_arena *arena,
                        struct tt_run_result *ret_result, struct tt_error *err);

#endif
