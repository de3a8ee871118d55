/*
 * Temporary folders and Git repositories, made with the git program.
 */
#include "repo.h"

#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

char *tt_test_folder(struct tt_arena *arena)
{
    const char *base = getenv("TMPDIR");
    char *path = tt_printf(arena, "%s/tt-specs-XXXXXX", base ? base : "/tmp");

    assert_non_null(mkdtemp(path));
    return path;
}

void tt_test_remove(const char *folder)
{
    struct tt_error err = {0};

    if (tt_remove_tree(folder, &err) < 0)
        fail_msg("%s", err.message);
}

void tt_test_write_bytes(const char *folder, const char *path, const void *data, size_t size)
{
    char full[PATH_MAX];
    char *slash;
    struct tt_error err = {0};

    snprintf(full, sizeof(full), "%s/%s", folder, path);
    slash = strrchr(full, '/');
    *slash = '\0';
    if (tt_make_folders(full, 0755, &err) < 0)
        fail_msg("%s", err.message);
    *slash = '/';
    if (tt_file_write(full, data, size, 0644, &err) < 0)
        fail_msg("%s", err.message);
}

void tt_test_write(const char *folder, const char *path, const char *text)
{
    tt_test_write_bytes(folder, path, text, strlen(text));
}

void tt_test_copy(const char *from, const char *to)
{
    char *start = strdup(from);
    char *const starts[] = {start, NULL};
    FTS *walk = fts_open(starts, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    assert_non_null(walk);
    while ((entry = fts_read(walk))) {
        struct tt_arena arena;
        struct tt_error err = {0};
        char *text;
        size_t size;

        if (entry->fts_info != FTS_F)
            continue;
        tt_arena_init(&arena);
        if (tt_file_read(&arena, entry->fts_path, SIZE_MAX, &text, &size, &err) < 0)
            fail_msg("%s", err.message);
        tt_test_write_bytes(to, entry->fts_path + strlen(from) + 1, text, size);
        tt_arena_release(&arena);
    }
    fts_close(walk);
    free(start);
}

static void run_child(const char *folder, char **argv)
{
    static const char *const inherited[] = {"GIT_DIR",        "GIT_WORK_TREE",
                                            "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
                                            "GIT_COMMON_DIR", "GIT_PREFIX"};
    int null = open("/dev/null", O_WRONLY);

    for (size_t i = 0; i < sizeof(inherited) / sizeof(*inherited); i++)
        unsetenv(inherited[i]);
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_SYSTEM", "/dev/null", 1);
    setenv("GIT_AUTHOR_NAME", "A", 1);
    setenv("GIT_AUTHOR_EMAIL", "a@example.com", 1);
    setenv("GIT_COMMITTER_NAME", "A", 1);
    setenv("GIT_COMMITTER_EMAIL", "a@example.com", 1);
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || chdir(folder) < 0)
        _exit(126);
    execvp("git", argv);
    _exit(127);
}

void tt_test_git_run(const char *folder, const char *const *argv)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        run_child(folder, (char **)(uintptr_t)argv);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("git %s failed in %s", argv[1], folder);
}

void tt_test_commit(const char *folder, const char *message, int hour)
{
    char when[64];

    snprintf(when, sizeof(when), "2026-01-01T%02d:00:00Z", hour);
    setenv("GIT_AUTHOR_DATE", when, 1);
    setenv("GIT_COMMITTER_DATE", when, 1);
    tt_test_git(folder, "add", "-A");
    tt_test_git(folder, "commit", "-q", "--allow-empty", "-m", message);
}

char *tt_test_print(struct tt_arena *arena, const struct tt_findings *findings)
{
    char *text = NULL, *copy;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    tt_findings_print(out, findings, false);
    fclose(out);
    copy = tt_strdup(arena, text);
    free(text);
    return copy;
}

struct tt_desired *tt_test_load(struct tt_arena *arena, const struct tt_specs_request *request)
{
    struct tt_desired *desired = NULL;
    struct tt_findings findings = {0};
    struct tt_error err = {0};

    if (tt_specs_load(arena, request, &desired, &findings, &err) < 0)
        fail_msg("%s", err.message);
    if (!desired)
        fail_msg("%s", tt_test_print(arena, &findings));
    return desired;
}
