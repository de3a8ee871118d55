/*
 * completion, version: what needs no specs.
 */
#include <string.h>

#include "reconciler/commands/commands.h"

static void print_words(const char *const *words)
{
    for (; *words; words++)
        printf("%s%s", *words, words[1] ? " " : "");
}

static void print_commands(const struct tt_session *session)
{
    for (const struct tt_command *command = session->commands; command->name; command++)
        printf("%s%s", command->name, command[1].name ? " " : "");
}

static void complete_bash(struct tt_session *session)
{
    printf("_trimtab() {\n    local words\n    case ${COMP_WORDS[1]} in\n");
    for (const struct tt_command *command = session->commands; command->name; command++) {
        printf("    %s) words='", command->name);
        print_words(tt_options_names(&session->arena, command));
        printf("' ;;\n");
    }
    printf("    *) words= ;;\n    esac\n    [ \"$COMP_CWORD\" -gt 1 ] || words='");
    print_commands(session);
    printf("'\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
           "\"${COMP_WORDS[COMP_CWORD]}\")\n}\ncomplete -o default -F _trimtab trimtab\n");
}

static void complete_zsh(struct tt_session *session)
{
    printf("#compdef trimtab\n_trimtab() {\n    if (( CURRENT == 2 )); then\n        compadd -- ");
    print_commands(session);
    printf("\n        return\n    fi\n    case ${words[2]} in\n");
    for (const struct tt_command *command = session->commands; command->name; command++) {
        printf("    %s) compadd -- ", command->name);
        print_words(tt_options_names(&session->arena, command));
        printf(" ;;\n");
    }
    printf("    esac\n    _files\n}\ncompdef _trimtab trimtab\n");
}

static void complete_fish(struct tt_session *session)
{
    for (const struct tt_command *command = session->commands; command->name; command++) {
        printf("complete -c trimtab -n __fish_use_subcommand -a %s -d \"%s\"\n", command->name,
               command->help);
        printf("complete -c trimtab -n '__fish_seen_subcommand_from %s' -a '", command->name);
        print_words(tt_options_names(&session->arena, command));
        printf("'\n");
    }
}

int tt_cmd_completion(struct tt_session *session)
{
    const char *shell = session->options.arguments.items[0];
    struct tt_error err = {0};

    if (strcmp(shell, "bash") == 0) {
        complete_bash(session);
    } else if (strcmp(shell, "zsh") == 0) {
        complete_zsh(session);
    } else if (strcmp(shell, "fish") == 0) {
        complete_fish(session);
    } else {
        tt_fail(&err, TT_ERR_SPEC, "completions exist for bash, zsh and fish, not for %s", shell);
        tt_session_complain(session, &err);
        return 1;
    }
    return 0;
}

int tt_cmd_version(struct tt_session *session)
{
    if (session->options.json)
        printf("{\"version\": \"%s\"}\n", TT_VERSION);
    else
        printf("trimtab %s\n", TT_VERSION);
    return 0;
}
