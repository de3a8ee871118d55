/*
 * Options: the command line, by one table that parsing, --help and completion share.
 */
#ifndef TT_COMMANDS_OPTIONS_H
#define TT_COMMANDS_OPTIONS_H

#include <stdio.h>

#include "base/error.h"
#include "model/words.h"

struct tt_options {
    struct tt_strings arguments; /* what is no option, after the command */
    bool help;
    const char *repository; /* -C; "." */
    const char *path;
    const char *revision;
    bool worktree;
    const char *world;
    const char *state;
    struct tt_strings targets;
    bool json;
    bool no_color;
    bool quiet;
    bool verbose;
    const char *out;
    bool detailed_exitcode;
    bool prune;
    int allow_destroy;
    bool allow_vanished;
    bool auto_approve;
    int parallelism;
    bool without_store;  /* go on when the store cannot be used */
    int number;          /* history: how many; 0: not given */
    bool plans;          /* history: recorded plans instead of runs */
    int keep;            /* history: how many the store keeps; 0: not given */
    const char *format;  /* graph: dot, mermaid or svg */
    const char *save;    /* a folder for the plan and the world it was made from */
    const char *config;  /* serve */
    const char *fetch;   /* serve: this repository only */
    bool check;          /* serve: read the configuration only */
    const char *as;      /* adopt: "Service/web" */
    const char *by;      /* approve: in whose name; NULL: the user's */
    const char *policy;  /* hook: plan or apply; NULL: not given */
    const char *signers; /* hook: SSH keys that may sign what is pushed; NULL: none */
    const char *revoked; /* hook: of these, those that may not any more */
    const char *keyring; /* hook: GPG keys that may sign */
    bool gate;           /* hook: before the push is taken */
    bool force;          /* hook: in the place of another hook */
    bool steps;          /* graph: the plan instead of the fleet */
};

struct tt_session;

struct tt_command {
    const char *name;
    const char *arguments; /* "[PLANFILE]"; "" */
    const char *help;      /* one line */
    const char *options;   /* the names of its options, space-separated, beside the common ones */
    int least, most;       /* numbers of arguments */
    int (*run)(struct tt_session *session); /* returns the exit code */
};

/* Parses ARGV (after the command) into RET_OPTIONS. Long options take one dash or two, and their
 * value as the next word or after "=". Fails (SPEC) with the option and the way out. */
int tt_options_parse(struct tt_arena *arena, const struct tt_command *command, int argc,
                     char **argv, struct tt_options *ret_options, struct tt_error *err);

/* How many words before the command are common options and their values: "-C shop plan". */
int tt_options_before_command(int argc, char **argv);

/* The help of one command. */
void tt_options_help(FILE *out, const struct tt_command *command);

/* Every option of COMMAND, "--json" and the like, ends with NULL. */
const char *const *tt_options_names(struct tt_arena *arena, const struct tt_command *command);

#endif
