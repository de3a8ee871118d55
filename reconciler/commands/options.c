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

enum reach {
    COMMON, /* every command has it */
    LISTED, /* a command that lists it */
    IDLE,   /* as LISTED; elsewhere it is accepted and has no effect */
};

struct option {
    const char *name;  /* without dashes; a single letter takes one dash */
    const char *value; /* how help names its value; NULL: a flag */
    const char *help;
    enum kind kind;
    size_t offset;
    enum reach reach;
};

#define AT(field) offsetof(struct tt_options, field)

static const struct option table[] = {
    {"C", "REPO", "the repository, bare or not (default: the current folder)", TEXT, AT(repository),
     COMMON},
    {"path", "DIR", "the folder of the specs inside the repository", TEXT, AT(path), COMMON},
    {"rev", "REV", "the revision to read (default: HEAD)", TEXT, AT(revision), COMMON},
    {"worktree", NULL, "read the work tree instead of a revision", FLAG, AT(worktree), COMMON},
    {"state", "DIR", "where history, locks and the local cloud are kept", TEXT, AT(state), COMMON},
    {"json", NULL, "write JSON", FLAG, AT(json), COMMON},
    {"no-color", NULL, "no colours (also: NO_COLOR in the environment)", FLAG, AT(no_color),
     COMMON},
    {"q", NULL, "say less", FLAG, AT(quiet), COMMON},
    {"v", NULL, "say more", FLAG, AT(verbose), COMMON},
    {"help", NULL, "show this help", FLAG, AT(help), COMMON},
    {"world", "FILE", "read a world snapshot instead of asking any cloud", TEXT, AT(world), LISTED},
    {"target", "KIND/NAME", "only this and what it needs; may be repeated", LIST, AT(targets),
     LISTED},
    {"out", "FILE", "write the result to FILE", TEXT, AT(out), LISTED},
    {"detailed-exitcode", NULL, "exit with 2 when there are changes", FLAG, AT(detailed_exitcode),
     LISTED},
    {"prune", NULL, "delete deployments that left Git", FLAG, AT(prune), LISTED},
    {"allow-destroy", "N", "let N deletions pass the guard", NUMBER, AT(allow_destroy), LISTED},
    {"allow-vanished", NULL, "go on although many servers vanished", FLAG, AT(allow_vanished),
     LISTED},
    {"auto-approve", NULL, "do not ask", FLAG, AT(auto_approve), IDLE},
    {"parallelism", "N", "calls at once (default: 10)", NUMBER, AT(parallelism), IDLE},
    {"without-store", NULL,
     "go on when the store cannot be used: no history, no lock against others", FLAG,
     AT(without_store), LISTED},
    {"n", "N", "how many (default: 20)", NUMBER, AT(number), LISTED},
    {"keep", "N", "keep the last N runs from now on (at first: 1000)", NUMBER, AT(keep), LISTED},
    {"plans", NULL, "list the recorded plans that nobody carried out", FLAG, AT(plans), LISTED},
    {"save", "DIR", "keep the plan and a picture of what it is about in DIR", TEXT, AT(save),
     LISTED},
    {"config", "FILE", "the daemon's configuration", TEXT, AT(config), LISTED},
    {"check", NULL, "only check the configuration", FLAG, AT(check), LISTED},
    {"fetch", "NAME", "only fetch the repository NAME, and print its newest commit", TEXT,
     AT(fetch), LISTED},
    {"as", "Service/NAME", "what the machine becomes", TEXT, AT(as), LISTED},
    {"by", "NAME", "who approves (default: the user)", TEXT, AT(by), LISTED},
    {"policy", "POLICY", "what a push does: plan or apply (default: plan)", TEXT, AT(policy),
     LISTED},
    {"gate", NULL, "refuse pushes whose specs are wrong or whose plan is held", FLAG, AT(gate),
     LISTED},
    {"signers", "FILE", "take only commits that are signed: by one of these SSH keys", TEXT,
     AT(signers), LISTED},
    {"revoked", "FILE", "SSH keys that may not sign any more", TEXT, AT(revoked), LISTED},
    {"keyring", "FILE", "take only commits that are signed: by one of these GPG keys", TEXT,
     AT(keyring), LISTED},
    {"force", NULL, "take the place of a hook that is there", FLAG, AT(force), LISTED},
    {"format", "FORMAT", "dot, mermaid or svg (default: dot)", TEXT, AT(format), LISTED},
    {"steps", NULL, "draw the steps of the plan", FLAG, AT(steps), LISTED},
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

/* As it is written: "--json", "-q". */
static const char *shown(struct tt_arena *arena, const struct option *option)
{
    return tt_printf(arena, "%s%s", option->name[1] ? "--" : "-", option->name);
}

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
    return option->reach == COMMON || is_listed(command->options, option->name);
}

/* The option that ARGUMENT ("--rev=HEAD", "-rev") names, whichever command has it; NULL: none. */
static const struct option *find(const char *argument)
{
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    size_t length = strcspn(name, "=");

    if (strcmp(argument, "-h") == 0)
        name = "help", length = 4;
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}

int tt_options_before_command(int argc, char **argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-') {
        const struct option *option = find(argv[i]);

        if (!option || option->reach != COMMON || option->offset == AT(help))
            break;
        i += option->kind == FLAG || strchr(argv[i], '=') ? 1 : 2;
    }
    return (i < argc ? i : argc) - 1;
}

const char *const *tt_options_names(struct tt_arena *arena, const struct tt_command *command)
{
    const char **names = TT_NEW_ARRAY(arena, OPTIONS + 1, const char *);
    size_t count = 0;

    for (size_t i = 0; i < OPTIONS; i++)
        if (takes(command, &table[i]))
            names[count++] = shown(arena, &table[i]);
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
        if (!value)
            value = "nothing";
        errno = 0;
        number = strtol(value, &end, 10);
        if (errno || *end || end == value || number < 1 || number > 1000000)
            return tt_fail(err, TT_ERR_SPEC, "%s takes a number from 1 to 1000000, not %s",
                           shown(arena, option), value);
        *(int *)field = (int)number;
        return 0;
    }
    return 0;
}

static int fail_unknown(struct tt_arena *arena, const struct tt_command *command,
                        const char *argument, struct tt_error *err)
{
    const struct option *other = find(argument);
    const char *name = tt_strndup(arena, argument, strcspn(argument, "="));
    const char *nearest;

    if (other && other->offset == AT(world) && is_listed(command->options, "parallelism"))
        return tt_fail(err, TT_ERR_SPEC,
                       "%s does not take --world: it needs the clouds themselves; "
                       "trimtab plan --world shows what would be done",
                       command->name);
    if (name[1] != '-' && name[2])
        name = tt_printf(arena, "-%s", name);
    nearest = tt_nearest(name, tt_options_names(arena, command));
    if (nearest)
        return tt_fail(err, TT_ERR_SPEC, "%s has no option %s: did you mean %s?", command->name,
                       name, nearest);
    return tt_fail(err, TT_ERR_SPEC, "%s has no option %s: see trimtab %s --help", command->name,
                   name, command->name);
}

/* The value of OPTION at ARGV[*AT]: after "=", or the next word, which *AT then moves to. */
static int read_value(struct tt_arena *arena, const struct option *option, int argc, char **argv,
                      int *at, const char **ret_value, struct tt_error *err)
{
    const char *equals = strchr(argv[*at], '=');
    const char *value = equals ? equals + 1 : NULL;

    if (option->kind == FLAG && value)
        return tt_fail(err, TT_ERR_SPEC, "%s takes no value: leave out =%s", shown(arena, option),
                       value);
    if (option->kind == FLAG)
        return 0;
    if (!value && *at + 1 < argc && (argv[*at + 1][0] != '-' || !argv[*at + 1][1]))
        value = argv[++*at];
    if (!value || !*value)
        return tt_fail(err, TT_ERR_SPEC, "%s needs a value: %s %s", shown(arena, option),
                       shown(arena, option), option->value);
    *ret_value = value;
    return 0;
}

static int check_arguments(const struct tt_command *command, const struct tt_options *options,
                           struct tt_error *err)
{
    int count = (int)options->arguments.count;
    const char *space = *command->arguments ? " " : "";
    const char *extra = options->arguments.items && count > command->most
                            ? options->arguments.items[command->most]
                            : "";

    if (options->help || (count >= command->least && count <= command->most))
        return 0;
    if (count < command->least)
        return tt_fail(err, TT_ERR_SPEC, "%s needs %s: trimtab %s [OPTIONS]%s%s", command->name,
                       command->arguments, command->name, space, command->arguments);
    return tt_fail(err, TT_ERR_SPEC, "%s does not take the argument %s: trimtab %s [OPTIONS]%s%s",
                   command->name, extra, command->name, space, command->arguments);
}

int tt_options_parse(struct tt_arena *arena, const struct tt_command *command, int argc,
                     char **argv, struct tt_options *ret_options, struct tt_error *err)
{
    struct tt_options options = {.repository = ".", .parallelism = 10, .format = "dot"};
    bool only_arguments = false;

    for (int i = 0; i < argc; i++) {
        const struct option *option;
        const char *value = NULL;

        if (only_arguments || argv[i][0] != '-' || !argv[i][1]) {
            tt_strings_add(arena, &options.arguments, argv[i]);
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            only_arguments = true;
            continue;
        }
        option = find(argv[i]);
        if (!option || !(takes(command, option) || option->reach == IDLE))
            return fail_unknown(arena, command, argv[i], err);
        if (read_value(arena, option, argc, argv, &i, &value, err) < 0 ||
            set(arena, option, value, &options, err) < 0)
            return -1;
    }
    if (check_arguments(command, &options, err) < 0)
        return -1;
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
