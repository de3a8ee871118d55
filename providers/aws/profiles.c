/*
 * Profiles: the INI files that AWS's tools share. Indented lines belong to nested settings, which
 * nothing here needs.
 */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/aws/source.h"

#define LIMIT ((size_t)1024 * 1024)

/* TEXT without white space at its ends, in place. */
static char *trim(char *text)
{
    char *end;

    text += strspn(text, " \t\r");
    end = text + strlen(text);
    while (end > text && strchr(" \t\r", end[-1]))
        *--end = '\0';
    return text;
}

/* "[profile prod]" of a config file and "[prod]" of a credentials file are the same one; other
 * kinds of sections ("sso-session x") are no profiles. */
static const char *section_name(char *line, bool config)
{
    char *end = strchr(line, ']');
    char *name;

    if (!end)
        return NULL;
    *end = '\0';
    name = trim(line + 1);
    if (!config || strcmp(name, "default") == 0)
        return name;
    if (!tt_starts_with(name, "profile") || !strchr(" \t", name[7]))
        return "";
    return trim(name + 7);
}

int tt_aws_profiles_read(struct tt_arena *arena, const char *path, bool config,
                         struct tt_aws_profiles *profiles, struct tt_error *err)
{
    const char *profile = "";
    char *text, *rest = NULL;
    int number = 0;

    if (access(path, F_OK) < 0)
        return 0;
    if (tt_file_read(arena, path, LIMIT, &text, NULL, err) < 0)
        return -1;
    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
        bool indented = *line == ' ' || *line == '\t';

        number++;
        line = trim(line);
        if (!*line || *line == '#' || *line == ';' || indented)
            continue;
        if (*line == '[') {
            profile = section_name(line, config);
            if (!profile)
                return tt_fail(err, TT_ERR_SPEC, "%s:%d: a section without its bracket", path,
                               number);
            continue;
        }
        rest = strchr(line, '=');
        if (!rest)
            return tt_fail(err, TT_ERR_SPEC, "%s:%d: neither a section nor a setting", path,
                           number);
        *rest = '\0';
        *TT_VEC_ADD(arena, profiles) = (struct tt_aws_setting){profile, trim(line), trim(rest + 1)};
    }
    return 0;
}

const char *tt_aws_profiles_get(const struct tt_aws_profiles *profiles, const char *profile,
                                const char *key)
{
    TT_EACH (setting, profiles)
        if (strcmp(setting->profile, profile) == 0 && strcmp(setting->key, key) == 0)
            return setting->value;
    return NULL;
}

bool tt_aws_profiles_has(const struct tt_aws_profiles *profiles, const char *profile)
{
    TT_EACH (setting, profiles)
        if (strcmp(setting->profile, profile) == 0)
            return true;
    return false;
}
