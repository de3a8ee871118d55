/*
 * Children: whether a process that we started has ended, and how. Between its end and tt_child_reap
 * its number belongs to nobody else.
 */
#ifndef TT_BASE_CHILD_H
#define TT_BASE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* True when our child PID has ended; it is still to be reaped. What is no child of ours, too, is
 * nothing to wait for. */
bool tt_child_has_ended(pid_t pid);

/* Waits for the end of our child PID. Its exit code; 128 and the number of the signal that ended
 * it, as a shell says it. -1, with errno: PID is no child of ours, or was reaped before. */
int tt_child_reap(pid_t pid);

#endif
