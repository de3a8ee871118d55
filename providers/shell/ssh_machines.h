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

/* Remembers the addresses of SERVER, where it has any, and the host key that it published. */
void tt_ssh_machines_learn(struct tt_ssh_machines *machines, const struct tt_server *server);

/* Asks the cloud for one machine. Errors: NOT_FOUND. */
typedef int (*tt_ssh_find)(void *self, const char *region, const char *machine,
                           struct tt_arena *arena, struct tt_server *ret_server,
                           struct tt_error *err);

/* As run of struct tt_provider_ops. FIND is called for a machine that nobody has told of yet.
 * UNAVAILABLE also for a machine without any address. */
int tt_ssh_machines_run(struct tt_ssh_machines *machines, const struct tt_run_request *request,
                        tt_ssh_find find, void *self, struct tt_arena *arena,
                        struct tt_run_result *ret_result, struct tt_error *err);

#endif
