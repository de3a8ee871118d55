/*
 * Run: a command on a machine is a program below its root folder, run on this host with the
 * machine's root and address in its environment.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "providers/local/cloud.h"
#include "providers/shell/shell.h"

/* A path on the machine never leads out of it. */
static bool is_inside(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")); at += 2)
        if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return false;
    return *path == '/';
}

int tt_local_run_on(const struct tt_local_machine *machine, const struct tt_run_request *request,
                    struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    struct tt_shell_request shell = {
        .folder = machine->root,
        .environment = tt_local_environment(machine, arena),
        .input = request->input,
        .timeout = request->timeout,
    };
    const char *path = tt_printf(arena, "%s%s", machine->root, request->argv[0]);
    struct stat st;
    size_t count = 0;
    const char **argv;

    if (!is_inside(request->argv[0]) || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return tt_fail(err, TT_ERR_NOT_FOUND, "%s (%s) has no %s", machine->server.id,
                       machine->server.name, request->argv[0]);
    if (!tt_local_is_alive(machine))
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s (%s) does not run", machine->server.id,
                       machine->server.name);
    while (request->argv[count])
        count++;
    argv = TT_NEW_ARRAY(arena, count + 1, const char *);
    memcpy(argv, request->argv, count * sizeof(*argv));
    argv[0] = path;
    shell.argv = argv;
    if (tt_shell_run(&shell, arena, ret_result, err) < 0)
        return tt_wrap(err, "%s", machine->server.id);
    return 0;
}

int tt_local_run(struct tt_provider *provider, const struct tt_run_request *request,
                 struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    const struct tt_local *cloud = (const struct tt_local *)provider;
    struct tt_local_machine machine;

    if (tt_local_find(cloud, request->region, request->machine, arena, &machine, err) < 0)
        return -1;
    return tt_local_run_on(&machine, request, arena, ret_result, err);
}
