/*
 * Options: the table and the parser.
 */
#include "reconciler/commands/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum kind { FLAG, TEXT, NUMBER, LIST };

struct option {
    const char *name;  /* without dashes; a single letter takes one dash */
    const char *value; /* how help names its value; NULL: a flag */
    const char *help;
    enum kind kind;
    size_t offset;
    bool common; /* every command has it */
};

#define AT(field) offsetof(struct tt_options, field)

static const struct option table[] = {
    {"C", "REPO", "the repository, bare or not (default: the current folder)", TEXT, AT(repository),
     true},
    {"path", "DIR", "the folder of the specs inside the repository", TEXT, AT(path), true},
    {"rev", "REV", "the revision to read (default: HEAD)", TEXT, AT(revision), true},
    {"worktree", NULL, "read the work tree instead of a revision", FLAG, AT(worktree), true},
    {"state", "DIR", "where history, locks and the local cloud are kept", TEXT, AT(state), true},
    {"json", NULL, "write JSON", FLAG, AT(json), true},
    {"no-color", NULL, "no colours (also: NO_COLOR in the environment)", FLAG, AT(no_color), true},
    {"q", NULL, "say less", FLAG, AT(quiet), true},
    {"v", NULL, "say more", FLAG, AT(verbose), true},
    {"help", NULL, "show this help", FLAG, AT(help), true},
    {"world", "FILE", "read a world snapshot instead of asking any cloud", TEXT, AT(world), false},
    {"target", "KIND/NAME", "only this and what it needs; may be repeated", LIST, AT(targets),
     false},
    {"out", "FILE", "write the result to FILE", TEXT, AT(out), false},
    {"detailed-exitcode", NULL, "exit with 2 when there are changes", FLAG, AT(detailed_exitcode),
     false},
    {"prune", NULL, "delete deployments that left Git", FLAG, AT(prune), false},
    {"allow-destroy", "N", "let N deletions pass the guard", NUMBER, AT(allow_destroy), false},
    {"allow-vanished", NULL, "go on although many servers vanished", FLAG, AT(allow_vanished),
     false},
    {"auto-approve", NULL, "do not ask", FLAG, AT(auto_approve), false},
    {"parallelism", "N", "calls at once (default: 10)", NUMBER, AT(parallelism), false},
    {"format", "FORMAT", "dot, mermaid or svg (default: dot)", TEXT, AT(format), false},
    {"steps", NULL, "draw the steps of the plan", FLAG, AT(steps), false},
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

/* True when NAME is a word of the space-separated LIST. */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static bool takes(const struct tt_command *command, const struct option *option)
{
    return option->common || is_listed(command->options, option->name);
}

static const struct option *find(const struct tt_command *command, const char *name, size_t length)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0 &&
            takes(command, &table[i]))
            return &table[i];
    return NULL;
}

const char *const *tt_options_names(struct tt_arena *arena, const struct tt_command *command)
{
    const char **names = TT_NEW_ARRAY(arena, OPTIONS + 1, const char *);
    size_t count = 0;

    for (size_t i = 0; i < OPTIONS; i++)
        if (takes(command, &table[i]))
            names[count++] = tt_printf(arena, "%s%s", table[i].name[1] ? "--" : "-", table[i].name);
    return names;
}

static int set(struct tt_arena *arena, const struct option *option, const char *value,
               struct tt_options *options, struct tt_error *err)
{
    void *field = (char *)options + option->offset;
    char *end;
    long number;

    switch (option->kind) {
    case FLAG:
        *(bool *)field = true;
        return 0;
    case TEXT:
        *(const char **)field = value;
        return 0;
    case LIST:
        tt_strings_add(arena, field, value);
        return 0;
    case NUMBER:
        errno = 0;
        number = strtol(value, &end, 10);
        if (errno || *end || end == value || number < 1 || number > 1000000)
            return tt_fail(err, TT_ERR_SPEC, "--%s takes a number from 1 to 1000000, not %s",
                           option->name, value);
        *(int *)field = (int)number;
        return 0;
    }
    return 0;
}

static int fail_unknown(struct tt_arena *arena, const struct tt_command *command,
                        const char *argument, struct tt_error *err)
{
    const char *nearest = tt_nearest(argument, tt_options_names(arena, command));

    if (nearest)
        return tt_fail(err, TT_ERR_SPEC, "%s has no option %s: did you mean %s?", command->name,
                       argument, nearest);
    return tt_fail(err, TT_ERR_SPEC, "%s has no option %s: see trimtab %s --help", command->name,
                   argument, command->name);
}

int tt_options_parse(struct tt_arena *arena, const struct tt_command *command, int argc,
                     char **argv, struct tt_options *ret_options, struct tt_error *err)
{
    struct tt_options options = {.repository = ".", .parallelism = 10, .format = "dot"};
    bool only_arguments = false;

    for (int i = 0; i < argc; i++) {
        const char *name = argv[i];
        const struct option *option;
        const char *value = NULL;
        size_t length;

        if (only_arguments || name[0] != '-' || !name[1]) {
            tt_strings_add(arena, &options.arguments, name);
            continue;
        }
        if (strcmp(name, "--") == 0) {
            only_arguments = true;
            continue;
        }
        name += name[1] == '-' ? 2 : 1;
        length = strcspn(name, "=");
        option = strcmp(name, "h") == 0 ? find(command, "help", 4) : find(command, name, length);
        if (!option)
            return fail_unknown(arena, command, argv[i], err);
        if (name[length] == '=')
            value = name + length + 1;
        if (option->kind == FLAG && value)
            return tt_fail(err, TT_ERR_SPEC, "--%s takes no value", option->name);
        if (option->kind != FLAG && !value) {
            if (i + 1 == argc)
                return tt_fail(err, TT_ERR_SPEC, "%s needs a value: %s %s", argv[i], argv[i],
                               option->value);
            value = argv[++i];
        }
        if (set(arena, option, value, &options, err) < 0)
            return -1;
    }
    if (!options.help && ((int)options.arguments.count < command->least ||
                          (int)options.arguments.count > command->most))
        return tt_fail(err, TT_ERR_SPEC, "usage: trimtab %s [OPTIONS]%s%s", command->name,
                       *command->arguments ? " " : "", command->arguments);
    *ret_options = options;
    return 0;
}

void tt_options_help(FILE *out, const struct tt_command *command)
{
    fprintf(out, "usage: trimtab %s [OPTIONS]%s%s\n\n%s\n\noptions:\n", command->name,
            *command->arguments ? " " : "", command->arguments, command->help);
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &table[i];
        char left[64];

        if (!takes(command, option))
            continue;
        snprintf(left, sizeof(left), "%s%s%s%s", option->name[1] ? "--" : "-", option->name,
                 option->value ? " " : "", option->value ? option->value : "");
        fprintf(out, "  %-24s %s\n", left, option->help);
    }
}
