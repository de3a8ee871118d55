/*
 * Process: who a process is, beyond its number, so that another one can tell later whether it still
 * runs.
 */
#ifndef TT_RECONCILER_PROCESS_H
#define TT_RECONCILER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct tt_process {
    const char *host;
    const char *boot;  /* this start of the kernel */
    const char *space; /* the pid namespace: numbers of another one mean nothing here */
    int64_t pid;
    const char *started; /* in the kernel's ticks since boot: tells a reused number */
};

/* This process. */
struct tt_process tt_process_self(struct tt_arena *arena);

/* The user's name, or number. */
const char *tt_process_user(struct tt_arena *arena);

/* True when PROCESS provably does not run any more: it was on this host before the last boot, or
 * its number is free, a zombie's or another process's. False when that cannot be told. */
bool tt_process_is_dead(const struct tt_process *process, const struct tt_process *self);

#endif
