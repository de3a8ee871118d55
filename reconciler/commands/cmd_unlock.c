/*
 * unlock: shows who holds a deployment's lock and breaks it.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/commands/commands.h"

static bool is_confirmed(const struct tt_session *session)
{
    char answer[16] = "";

    if (session->options.auto_approve)
        return true;
    if (!isatty(STDIN_FILENO)) {
        fputs("trimtab: nobody is here to confirm: give --auto-approve\n", stderr);
        return false;
    }
    fputs("Break it? A run that still goes on would lose its lock. Only 'yes' is accepted: ",
          stdout);
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0;
}

int tt_cmd_unlock(struct tt_session *session)
{
    const char *deployment = session->options.arguments.items[0];
    struct tt_lock_holder holder;
    struct tt_error err = {0};
    int found;

    if (tt_store_open(session->state_folder, &session->store, &err) < 0) {
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
    if (!is_confirmed(session))
        return 1;
    if (tt_store_break_lock(session->store, deployment, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    printf("The lock is broken.\n");
    return 0;
}
