/*
 * Record: what the session planned from is kept, so that `replay` can plan from it again.
 */
#ifndef TT_COMMANDS_RECORD_H
#define TT_COMMANDS_RECORD_H

#include <jansson.h>

#include "reconciler/commands/session.h"
#include "reconciler/recording.h"

/* Keeps what the last tt_session_plan was made from and what it gave, as COMMAND's and as that of
 * RUN; 0: it is no run. Not being able to is told, and no reason to stop. */
void tt_record(struct tt_session *session, const char *command, int64_t run);

/* The recorded plans that are no runs, as a table or as the array of `history --json`; -1: ERR. */
int tt_record_list(struct tt_session *session, struct tt_error *err);
int tt_record_list_json(struct tt_session *session, json_t **ret_array, struct tt_error *err);

/* The recording that NAME means ("17", "p3", or the path of a folder), read; its folder in
 * *RET_FOLDER. NOT_FOUND: there is none; the message says which there are. */
int tt_record_read(struct tt_session *session, const char *name, struct tt_recording *ret_recording,
                   const char **ret_folder, struct tt_error *err);

#endif
