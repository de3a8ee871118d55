/*
 * unlock: shows who holds a deployment's lock and breaks it.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "reconciler/commands/ask.h"
#include "reconciler/commands/commands.h"

int tt_cmd_unlock(struct tt_session *session)
{
    const char *deployment = session->options.arguments.items[0];
    struct tt_lock_holder holder;
    struct tt_error err = {0};
    int found;

    if (access(tt_printf(&session->arena, "%s/store.db", session->state_folder), F_OK) < 0) {
        printf("Deployment %s is not locked.\n", deployment);
        return 0;
    }
    if (tt_session_open_store(session, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    found = tt_store_read_lock(session->store, &session->arena, deployment, &holder, &err);
    if (found < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (!found) {
        printf("Deployment %s is not locked.\n", deployment);
        return 0;
    }
    printf("Deployment %s is locked by %s@%s (%s, process %" PRId64 ") since %s, until %s.\n",
           deployment, holder.user, holder.host, holder.command, holder.pid,
           tt_time_format(&session->arena, holder.since),
           tt_time_format(&session->arena, holder.expires));
    if (!tt_ask(session, NULL, "Break it? A run that still goes on would stop."))
        return 1;
    if (tt_store_break_lock(session->store, deployment, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    printf("The lock is broken.\n");
    return 0;
}
