/*
 * Disk: where SQLite keeps the stores of simulated runs: files in memory, with its locks and its
 * shared index, for one thread. A history needs no system call for its store, and its disk can be
 * full at any write.
 */
#ifndef TT_TESTS_SIMULATE_DISK_H
#define TT_TESTS_SIMULATE_DISK_H

#include <stdbool.h>

/* Makes it SQLite's default; before anything else of SQLite is used. */
void disk_install(void);

/* Every file that no connection has open is gone. */
void disk_clear(void);

/* Keeps the files as they are; the disk is as it was then. No connection may be open. */
void disk_keep(void);
void disk_restore(void);

/* After so many more writes the disk is full; -1: it has room again. */
void disk_fill(int writes);
/* True when it refused a write since it was filled. */
bool disk_refused(void);

#endif
