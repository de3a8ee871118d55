/*
 * Commands: their table, and from the command line to one of them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "reconciler/commands/commands.h"

#define PLAN_OPTIONS "world target prune allow-destroy allow-vanished"

static const struct tt_command commands[] = {
    {"validate", "", "Check the specs; no cloud is asked.", "world", 0, 0, tt_cmd_validate},
    {"schema", "", "Print the JSON Schema of the specs, for editors.", "", 0, 0, tt_cmd_schema},
    {"plan", "", "Show what apply would do.", PLAN_OPTIONS " out save detailed-exitcode", 0, 0,
     tt_cmd_plan},
    {"apply", "[PLANFILE]", "Bring the clouds to what Git asks for, or carry out a saved plan.",
     "target prune allow-destroy allow-vanished auto-approve parallelism save without-store", 0, 1,
     tt_cmd_apply},
    {"drift", "", "Show where the clouds differ from Git; exits with 2 when they do.",
     PLAN_OPTIONS " save", 0, 0, tt_cmd_drift},
    {"diff", "REV1 [REV2]", "Show what a push from one revision to another changes.", PLAN_OPTIONS,
     1, 2, tt_cmd_diff},
    {"status", "", "Show deployments, services, servers and balancers as they are.", "world", 0, 0,
     tt_cmd_status},
    {"observe", "", "Write a snapshot of what the clouds have.", "world out", 0, 0, tt_cmd_observe},
    {"explain", "SUBJECT",
     "Tell why a server is where it is: a service, slot, balancer, server id or step.",
     PLAN_OPTIONS, 1, 1, tt_cmd_explain},
    {"graph", "", "Draw the fleet, or with --steps the plan.", PLAN_OPTIONS " out format steps", 0,
     0, tt_cmd_graph},
    {"offers", "", "List which balancers accounts and regions offer.", "world", 0, 0,
     tt_cmd_offers},
    {"adopt", "SERVER", "Make an existing machine a server of a service: --as Service/NAME.",
     "as auto-approve without-store", 1, 1, tt_cmd_adopt},
    {"history", "", "List the runs: when, who, which commit, with what result.", "n keep plans", 0,
     0, tt_cmd_history},
    {"show", "RUN", "Show one run: its steps, their times and errors.", "", 1, 1, tt_cmd_show},
    {"approve", "RUN", "Carry out the plan of a run that a guard held, exactly as it was.",
     "by auto-approve parallelism save", 1, 1, tt_cmd_approve},
    {"replay", "RUN", "Plan again from what a run, or a plan such as p3, was made from.", "out", 1,
     1, tt_cmd_replay},
    {"serve", "", "Follow Git repositories and keep the world as they say.", "config check fetch",
     0, 0, tt_cmd_serve},
    {"hook", "install|uninstall|run [REPO]",
     "Plan or apply what is pushed to a repository, in sight of who pushes it.",
     "policy gate signers revoked keyring force", 1, 2, tt_cmd_hook},
    {"unlock", "DEPLOYMENT", "Show the lock of a deployment and break it.", "auto-approve", 1, 1,
     tt_cmd_unlock},
    {"agent", "ROOT", "Put the scripts of balancer machines into a template's root folder.", "", 1,
     1, tt_cmd_agent},
    {"completion", "SHELL", "Print completions for bash, zsh or fish.", "", 1, 1,
     tt_cmd_completion},
    {"version", "", "Print the version.", "", 0, 0, tt_cmd_version},
    {NULL, NULL, NULL, NULL, 0, 0, NULL},
};

static void print_help(FILE *out)
{
    fputs("usage: trimtab COMMAND [OPTIONS]\n\n"
          "trimtab keeps fleets of application servers and their load balancers as Git says.\n\n",
          out);
    for (const struct tt_command *command = commands; command->name; command++)
        fprintf(out, "  %-12s %s\n", command->name, command->help);
    fputs("\nexit codes: 0 done or nothing to do, 1 error, 2 differences (drift, plan\n"
          "--detailed-exitcode), 3 held by a guard; trimtab COMMAND --help shows the options\n",
          out);
}

static const struct tt_command *find(const char *name)
{
    for (const struct tt_command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int complain_unknown(const char *name)
{
    const char *names[sizeof(commands) / sizeof(commands[0])];
    const char *nearest;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        names[i] = commands[i].name;
    nearest = tt_nearest(name, names);
    if (*name == '-')
        fprintf(stderr, "trimtab: there is no option %s before the command: see trimtab --help\n",
                name);
    else
        fprintf(stderr, "trimtab: there is no command %s%s%s: see trimtab --help\n", name,
                nearest ? ", did you mean " : "", nearest ? nearest : "");
    return 1;
}

/* --state, $TRIMTAB_STATE_DIR, $XDG_STATE_HOME/trimtab, ~/.local/state/trimtab; made absolute. */
static const char *find_state_folder(struct tt_session *session)
{
    struct tt_arena *arena = &session->arena;
    const char *folder = session->options.state;
    const char *home = getenv("HOME");
    const char *xdg = getenv("XDG_STATE_HOME");

    if (!folder)
        folder = getenv("TRIMTAB_STATE_DIR");
    if (!folder || !*folder)
        folder = xdg && *xdg == '/'
                     ? tt_printf(arena, "%s/trimtab", xdg)
                     : tt_printf(arena, "%s/.local/state/trimtab", home && *home ? home : "/tmp");
    if (*folder != '/') {
        char *here = getcwd(NULL, 0);

        folder = tt_printf(arena, "%s/%s", here ? here : "", folder);
        free(here);
    }
    return folder;
}

static int run(const struct tt_registry *registry, const struct tt_command *command, int argc,
               char **argv)
{
    struct tt_session session = {
        .commands = commands, .registry = registry, .clock = tt_clock_real()};
    const char *no_color = getenv("NO_COLOR");
    struct tt_error err = {0};
    int code = 1;

    tt_arena_init(&session.arena);
    if (tt_options_parse(&session.arena, command, argc, argv, &session.options, &err) < 0) {
        tt_session_complain(&session, &err);
    } else if (session.options.help) {
        tt_options_help(stdout, command);
        code = 0;
    } else {
        session.color = !session.options.no_color && !(no_color && *no_color);
        session.state_folder = find_state_folder(&session);
        code = command->run(&session);
    }
    tt_session_release(&session);
    return code;
}

/* ARGV without the command at INDEX: options may stand before it, too. */
static char **without(struct tt_arena *arena, int argc, char **argv, int index)
{
    char **rest = TT_NEW_ARRAY(arena, (size_t)argc, char *);
    int count = 0;

    for (int i = 1; i < argc; i++)
        if (i != index)
            rest[count++] = argv[i];
    return rest;
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-help") == 0 ||
           strcmp(word, "-h") == 0;
}

static int help(int argc, char **argv, int index)
{
    const struct tt_command *command = NULL;

    if (index + 1 < argc && strcmp(argv[index], "help") == 0) {
        command = find(argv[index + 1]);
        if (!command)
            return complain_unknown(argv[index + 1]);
        tt_options_help(stdout, command);
        return 0;
    }
    print_help(stdout);
    return 0;
}

int tt_commands_main(const struct tt_registry *registry, int argc, char **argv)
{
    int index = argc > 0 ? 1 + tt_options_before_command(argc, argv) : argc;
    const struct tt_command *command;
    struct tt_arena arena;
    const char *name;
    int code;

    if (index >= argc) {
        print_help(stderr);
        return 1;
    }
    name = argv[index];
    if (is_help(name))
        return help(argc, argv, index);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-version") == 0)
        name = "version";
    command = find(name);
    if (!command)
        return complain_unknown(name);
    tt_arena_init(&arena);
    code = run(registry, command, argc - 2, without(&arena, argc, argv, index));
    tt_arena_release(&arena);
    return code;
}
