/*
 * Runner: a run is a child process of this same program, whose lines are read as it says them. So
 * a run that crashes takes nobody along, and one that is asked to stop finishes its steps.
 */
#ifndef TT_SERVE_RUNNER_H
#define TT_SERVE_RUNNER_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* One child; zero-initialised with tt_runner_init. */
struct tt_runner {
    pthread_mutex_t mutex;
    pid_t pid;  /* 0: none runs */
    pid_t last; /* the one that ran last */
    bool stopping;
};

void tt_runner_init(struct tt_runner *runner);
void tt_runner_release(struct tt_runner *runner);

struct tt_runner_request {
    const char *program;            /* a path */
    const char *const *argv;        /* ends with NULL */
    const char *const *environment; /* ends with NULL */
    const void *input;              /* for its standard input; NULL: nothing */
    size_t input_size;              /* at most 1 MiB */
    int seconds;                    /* it is asked to stop after so many; 0: never */
    /* Each line of its standard output, without the newline; NULL: they are dropped. */
    void (*line)(void *self, const char *line, size_t length);
    void *self;
};

/* Runs the child to its end. RET_CODE is its exit code, or 128 and the signal that ended it;
 * RET_ERRORS the end of what it said on standard error. Fails when it cannot be started. */
int tt_runner_run(struct tt_runner *runner, const struct tt_runner_request *request, int *ret_code,
                  struct tt_buf *ret_errors, struct tt_error *err);

/* The environment for a child: ours, without what speaks to this process alone, with ENTRY
 * ("NAME=value"; NULL: none) in the place of one of that name. */
const char *const *tt_runner_environment(struct tt_arena *arena, const char *entry);

/* The last line of ERRORS, without "trimtab: "; "" when nothing was said. */
const char *tt_runner_last_line(struct tt_arena *arena, const struct tt_buf *errors);

/* From any thread: asks the child that runs, and each one after it, to stop. */
void tt_runner_stop(struct tt_runner *runner);

#endif
