/*
 * observe: a snapshot of the world.
 */
#include "model/world_json.h"
#include "reconciler/commands/commands.h"

int tt_cmd_observe(struct tt_session *session)
{
    int unreachable = 0;

    if (!tt_session_require_specs(session))
        return 1;
    if (!session->options.world) {
        tt_session_open_clouds(session, true);
        tt_session_observe(session, &(struct tt_observe_options){.everything = true});
    }
    TT_EACH (account, &session->world->accounts)
        TT_EACH (region, &account->regions)
            if (!region->observed) {
                fprintf(stderr, "trimtab: %s/%s was not observed: %s\n", account->name,
                        region->name, region->error ? region->error : "no reason given");
                unreachable++;
            }
    if (!tt_session_write(session, tt_world_to_json(&session->arena, session->world)))
        return 1;
    return unreachable ? 1 : 0;
}
