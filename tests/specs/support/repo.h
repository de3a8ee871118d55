/*
 * Temporary folders and Git repositories for the tests of specs/.
 */
#ifndef TT_TESTS_SPECS_REPO_H
#define TT_TESTS_SPECS_REPO_H

#include "base/arena.h"
#include "specs/specs.h"

/* A new empty folder under the system's temporary one. */
char *tt_test_folder(struct tt_arena *arena);
void tt_test_remove(const char *folder);

/* Writes FOLDER/PATH with the folders that lead to it. */
void tt_test_write(const char *folder, const char *path, const char *text);
void tt_test_write_bytes(const char *folder, const char *path, const void *data, size_t size);

/* Copies all files of FROM to TO. */
void tt_test_copy(const char *from, const char *to);

/* Runs git in FOLDER, without the configuration of this host. Fails the test when git does. */
#define tt_test_git(folder, ...)                                                                   \
    tt_test_git_run(folder, (const char *const[]){"git", __VA_ARGS__, NULL})
void tt_test_git_run(const char *folder, const char *const *argv);

/* git add and git commit. The hour is of one day, so that ids are the same in every run. */
void tt_test_commit(const char *folder, const char *message, int hour);

/* What tt_findings_print writes, without colour. */
char *tt_test_print(struct tt_arena *arena, const struct tt_findings *findings);

/* Loads and expects no finding and no error; prints them otherwise. */
struct tt_desired *tt_test_load(struct tt_arena *arena, const struct tt_specs_request *request);

#endif
