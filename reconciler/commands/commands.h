/*
 * Commands: one function each; they return the exit code.
 */
#ifndef TT_COMMANDS_COMMANDS_H
#define TT_COMMANDS_COMMANDS_H

#include "reconciler/commands/session.h"

int tt_cmd_validate(struct tt_session *session);
int tt_cmd_schema(struct tt_session *session);
int tt_cmd_plan(struct tt_session *session);
int tt_cmd_apply(struct tt_session *session);
int tt_cmd_drift(struct tt_session *session);
int tt_cmd_status(struct tt_session *session);
int tt_cmd_observe(struct tt_session *session);
int tt_cmd_explain(struct tt_session *session);
int tt_cmd_graph(struct tt_session *session);
int tt_cmd_offers(struct tt_session *session);
int tt_cmd_diff(struct tt_session *session);
int tt_cmd_history(struct tt_session *session);
int tt_cmd_show(struct tt_session *session);
int tt_cmd_approve(struct tt_session *session);
int tt_cmd_replay(struct tt_session *session);
int tt_cmd_serve(struct tt_session *session);
int tt_cmd_hook(struct tt_session *session);
int tt_cmd_unlock(struct tt_session *session);
int tt_cmd_adopt(struct tt_session *session);
int tt_cmd_agent(struct tt_session *session);
int tt_cmd_completion(struct tt_session *session);
int tt_cmd_version(struct tt_session *session);

/* Finds the command in the table and runs it with the rest of ARGV; the program's exit code. */
int tt_commands_main(const struct tt_registry *registry, int argc, char **argv);

#endif
