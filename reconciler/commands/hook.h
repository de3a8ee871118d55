/*
 * Hook: the files that make Git call this program, and what it does then.
 */
#ifndef TT_COMMANDS_HOOK_H
#define TT_COMMANDS_HOOK_H

#include "reconciler/commands/session.h"

/* Puts the hooks into REPOSITORY, or takes them away. Another's hook is left alone (CONFLICT)
 * unless --force is given; then it is kept beside ours. */
int tt_hook_install(struct tt_session *session, const char *repository, struct tt_error *err);
int tt_hook_uninstall(struct tt_session *session, const char *repository, struct tt_error *err);

/* In a hook: what is pushed stands on standard input. The exit code; with --gate any other than 0
 * refuses the push. */
int tt_hook_run(struct tt_session *session);

#endif
