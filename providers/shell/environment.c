/*
 * Environment: what a program is given of ours, and where it is found.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "providers/shell/shell.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *path_list(void)
{
    const char *path = getenv("PATH");

    return path && *path ? path : DEFAULT_PATH;
}

static bool is_set_in(const struct tt_strings *list, const char *name)
{
    size_t length = strlen(name);

    if (list)
        TT_EACH (entry, list)
            if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
                return true;
    return false;
}

char **tt_shell_environment(struct tt_arena *arena, const struct tt_strings *extra)
{
    static const char *const kept[] = {"PATH", "HOME", "USER", "LANG", "TMPDIR"};
    const size_t kept_count = sizeof(kept) / sizeof(kept[0]);
    size_t count = 0, extra_count = extra ? extra->count : 0;
    char **environment = TT_NEW_ARRAY(arena, kept_count + extra_count + 1, char *);

    for (size_t i = 0; i < extra_count; i++)
        environment[count++] = tt_strdup(arena, extra->items[i]);
    for (size_t i = 0; i < kept_count; i++) {
        const char *value = i == 0 ? path_list() : getenv(kept[i]);

        if (value && !is_set_in(extra, kept[i]))
            environment[count++] = tt_printf(arena, "%s=%s", kept[i], value);
    }
    return environment;
}

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

const char *tt_shell_find(struct tt_arena *arena, const char *name)
{
    if (!*name)
        return NULL;
    if (strchr(name, '/'))
        return is_program(name) ? tt_strdup(arena, name) : NULL;
    for (const char *folder = path_list();; folder++) {
        size_t length = strcspn(folder, ":");
        char *path =
            tt_printf(arena, "%.*s/%s", length ? (int)length : 1, length ? folder : ".", name);

        if (is_program(path))
            return path;
        folder += length;
        if (!*folder)
            return NULL;
    }
}
