/*
 * Agent: putting the scripts into a folder.
 */
#include "providers/proxies/agent.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"

int tt_agent_install(const char *folder, struct tt_error *err)
{
    char path[PATH_MAX];

    for (const struct tt_agent_file *file = tt_agent_files; file->name; file++) {
        if (snprintf(path, sizeof(path), "%s/%s", folder, file->name) >= (int)sizeof(path))
            return tt_fail(err, TT_ERR_SPEC, "the path is too long: %s", folder);
        if (tt_file_write(path, file->data, file->size, 0755, err) < 0)
            return tt_wrap(err, "installing the agent");
    }
    return 0;
}
