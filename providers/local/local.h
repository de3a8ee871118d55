/*
 * Local: the cloud that is embedded in trimtab. A machine is a supervised group of processes on
 * this host with a loopback address and a root folder of its own; a zone is a loopback subnet; a
 * balancer's machine runs a real HAProxy. Needs no privileges and nothing installed beside it.
 *
 *     <state>/local/<account>/<region>/machines/<id>/   meta.json, lock, pid, log, root/
 *     <state>/local/<account>/<region>/addresses/<IP>   elastic addresses; holds a machine's id
 *
 * An account's endpoint "file:///folder" stands for <state>/local/<account>.
 */
#ifndef TT_PROVIDERS_LOCAL_H
#define TT_PROVIDERS_LOCAL_H

#include "providers/provider.h"

const struct tt_provider_ops *tt_local_ops(void);

/* What a person does at the power switch: the machine is `stopped` until start_server. PROVIDER is
 * an open one of tt_local_ops, undecorated. Errors: NOT_FOUND. */
int tt_local_stop(struct tt_provider *provider, const char *region, const char *id,
                  struct tt_error *err);

#endif
