/*
 * agent: puts the scripts of balancer machines into a template's root folder.
 */
#include "base/file.h"
#include "base/str.h"
#include "providers/proxies/agent.h"
#include "reconciler/commands/commands.h"

int tt_cmd_agent(struct tt_session *session)
{
    const char *root = session->options.arguments.items[0];
    const char *bin = tt_printf(&session->arena, "%s/enstratus/bin", root);
    struct tt_error err = {0};

    if (tt_make_folders(bin, 0755, &err) < 0 || tt_agent_install(bin, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    printf("The agent is in %s; let the machine start %s/superviseProxy.\n", bin, bin);
    return 0;
}
