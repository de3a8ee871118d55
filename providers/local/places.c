/*
 * Places: where the local cloud keeps what, and the locks on it. A lock is given up by hand, not
 * only by closing: another thread may have forked while it was held.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/str.h"
#include "providers/local/cloud.h"

/* What the longest path below the account's folder takes. */
#define LONGEST_BELOW 512

static bool is_name(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= 100;
}

static int check_names(const struct tt_account *account, struct tt_error *err)
{
    if (!is_name(account->name))
        return tt_fail(err, TT_ERR_SPEC, "\"%.100s\" cannot be the name of a local account",
                       account->name);
    TT_EACH (region, &account->regions)
        if (!is_name(*region))
            return tt_fail(err, TT_ERR_SPEC, "\"%.100s\" cannot be a region of a local account",
                           *region);
    return 0;
}

int tt_local_account_folder(const struct tt_provider_settings *settings, struct tt_arena *arena,
                            const char **ret_folder, struct tt_error *err)
{
    const struct tt_account *account = settings->account;
    const char *folder;

    if (check_names(account, err) < 0)
        return -1;
    if (!account->endpoint)
        folder = tt_printf(arena, "%s/local/%s", settings->state_folder, account->name);
    else if (tt_starts_with(account->endpoint, "file:///"))
        folder = tt_strdup(arena, account->endpoint + strlen("file://"));
    else
        return tt_fail(err, TT_ERR_SPEC,
                       "the endpoint of a local account is \"file:///FOLDER\", not \"%.200s\"",
                       account->endpoint);
    if (strlen(folder) + LONGEST_BELOW > PATH_MAX)
        return tt_fail(err, TT_ERR_SPEC, "the path is too long: %.200s...", folder);
    *ret_folder = folder;
    return 0;
}

int tt_local_region_folder(const struct tt_local *cloud, const char *region, struct tt_arena *arena,
                           const char **ret_folder, struct tt_error *err)
{
    if (!tt_strings_has(&cloud->account->regions, region))
        return tt_fail(err, TT_ERR_SPEC, "account %s has no region %s; it has %s",
                       cloud->account->name, region,
                       tt_strings_join(arena, &cloud->account->regions, "none"));
    *ret_folder = tt_printf(arena, "%s/%s", cloud->folder, region);
    return 0;
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

int tt_local_list(const char *folder, struct tt_arena *arena, struct tt_strings *ret_names,
                  struct tt_error *err)
{
    __attribute__((cleanup(close_folder))) DIR *open = opendir(folder);
    struct tt_strings names = {0};
    const struct dirent *entry;

    if (!open && errno != ENOENT)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read %s", folder);
    errno = 0;
    while (open && (entry = readdir(open)))
        if (entry->d_name[0] != '.')
            tt_strings_add(arena, &names, tt_strdup(arena, entry->d_name));
    if (open && errno)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read %s", folder);
    tt_strings_sort(&names);
    *ret_names = names;
    return 0;
}

int tt_local_lock(const char *path, int *ret_fd, struct tt_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int result;

    if (fd < 0)
        return tt_fail_errno(err, errno == ENOENT ? TT_ERR_NOT_FOUND : TT_ERR_INTERNAL,
                             "cannot open %s", path);
    do
        result = flock(fd, LOCK_EX);
    while (result < 0 && errno == EINTR);
    if (result < 0) {
        tt_fail_errno(err, TT_ERR_INTERNAL, "cannot lock %s", path);
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

void tt_local_unlock(const int *fd)
{
    if (*fd < 0)
        return;
    flock(*fd, LOCK_UN);
    close(*fd);
}

bool tt_local_is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool locked;

    if (fd < 0)
        return false;
    locked = flock(fd, LOCK_SH | LOCK_NB) < 0;
    if (!locked)
        flock(fd, LOCK_UN);
    close(fd);
    return locked;
}
