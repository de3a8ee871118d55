/*
 * unlock: shows who holds a deployment's lock and breaks it.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/ask.h"
#include "reconciler/commands/commands.h"

/* HOLDER NULL: nobody. */
static void tell(const struct tt_session *session, struct tt_arena *arena, const char *deployment,
                 const struct tt_lock_holder *holder, bool broken)
{
    json_t *root, *lock;

    if (!session->options.json) {
        if (!holder)
            printf("Deployment %s is not locked.\n", deployment);
        else if (broken)
            printf("The lock is broken.\n");
        else
            printf("Deployment %s is locked by %s@%s (%s, process %" PRId64
                   ") since %s, until %s.\n",
                   deployment, holder->user, holder->host, holder->command, holder->pid,
                   tt_time_format(arena, holder->since), tt_time_format(arena, holder->expires));
        return;
    }
    root = json_object();
    lock = holder ? json_object() : json_null();
    if (holder) {
        json_object_set_new(lock, "user", json_string(holder->user));
        json_object_set_new(lock, "host", json_string(holder->host));
        json_object_set_new(lock, "command", json_string(holder->command));
        json_object_set_new(lock, "process", json_integer(holder->pid));
        json_object_set_new(lock, "token", json_integer(holder->token));
        json_object_set_new(lock, "since", json_string(tt_time_format(arena, holder->since)));
        json_object_set_new(lock, "expires", json_string(tt_time_format(arena, holder->expires)));
    }
    json_object_set_new(root, "format", json_string("trimtab.lock/v1"));
    json_object_set_new(root, "deployment", json_string(deployment));
    json_object_set_new(root, "lock", lock);
    json_object_set_new(root, "broken", json_boolean(broken));
    fputs(tt_json_text(arena, root), stdout);
}

/* 1: RET_HOLDER has it; 0: nobody. */
static int read_holder(struct tt_session *session, const char *deployment,
                       struct tt_lock_holder *ret_holder, struct tt_error *err)
{
    if (access(tt_printf(&session->arena, "%s/store.db", session->state_folder), F_OK) < 0)
        return 0;
    if (tt_session_open_store(session, err) < 0)
        return -1;
    return tt_store_read_lock(session->store, &session->arena, deployment, ret_holder, err);
}

/* With --json there is one object: what the lock was, and whether it is broken now. */
int tt_cmd_unlock(struct tt_session *session)
{
    const char *deployment = session->options.arguments.items[0];
    struct tt_arena *arena = &session->arena;
    struct tt_lock_holder holder;
    struct tt_error err = {0};
    int found = read_holder(session, deployment, &holder, &err);

    if (found == 0) {
        tell(session, arena, deployment, NULL, false);
        return 0;
    }
    if (found > 0) {
        if (!session->options.json)
            tell(session, arena, deployment, &holder, false);
        if (!tt_ask(session, NULL, "Break it? A run that still goes on would stop.")) {
            if (session->options.json)
                tell(session, arena, deployment, &holder, false);
            return 1;
        }
    }
    if (found < 0 || tt_store_break_lock(session->store, deployment, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    tell(session, arena, deployment, &holder, true);
    return 0;
}
