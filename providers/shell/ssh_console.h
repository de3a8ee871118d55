/*
 * Consoles: what a machine wrote there about its own host keys when it booted for the first time.
 */
#ifndef TT_PROVIDERS_SSH_CONSOLE_H
#define TT_PROVIDERS_SSH_CONSOLE_H

#include "base/arena.h"

/* The public keys of the first block "BEGIN SSH HOST KEY KEYS" of TEXT, as cloud-init writes it; a
 * line each, "ssh-ed25519 AAAA...". NULL: there is none that is whole. What stands behind that
 * block does not count: whoever writes later may be anybody. */
const char *tt_ssh_console_keys(struct tt_arena *arena, const char *text);

#endif
