/*
 * Settings: the `ssh` mapping of an Account, made ready for use: its paths absolute, its files
 * there.
 */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "providers/shell/ssh_session.h"

static const char *absolute(const struct tt_account *account, const char *base_folder,
                            const char *path, struct tt_arena *arena)
{
    const char *home = tt_ssh_home(arena), *folder = account->folder ? account->folder : "";

    if (!path || path[0] == '/')
        return path;
    if (tt_starts_with(path, "~/"))
        return tt_printf(arena, "%s%s", home ? home : "", path + 1);
    return tt_printf(arena, "%s/%s%s%s", base_folder ? base_folder : ".", folder,
                     *folder ? "/" : "", path);
}

static int check(const struct tt_account *account, const char *what, const char *path,
                 struct tt_error *err)
{
    if (!path || access(path, R_OK) == 0)
        return 0;
    return tt_fail_errno(err, TT_ERR_SPEC, "account %s: ssh.%s: cannot read %s", account->name,
                         what, path);
}

int tt_ssh_settings_of(const struct tt_account *account, const char *base_folder,
                       struct tt_arena *arena, struct tt_ssh_settings *ret_settings,
                       struct tt_error *err)
{
    const struct tt_ssh_access *ssh = &account->ssh;
    struct tt_ssh_settings settings = {
        .user = ssh->user,
        .port = ssh->port,
        .key = absolute(account, base_folder, ssh->key, arena),
        .known_hosts = absolute(account, base_folder, ssh->known_hosts, arena),
        .sudo = ssh->sudo,
    };

    if (check(account, "key", settings.key, err) < 0 ||
        check(account, "knownHosts", settings.known_hosts, err) < 0)
        return -1;
    *ret_settings = settings;
    return 0;
}
