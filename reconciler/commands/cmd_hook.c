/*
 * hook: installs what makes Git call `trimtab hook run` on a push, and removes it.
 */
#include <errno.h>
#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/hook.h"

#define MARK       "# Made by trimtab hook install; trimtab hook uninstall removes it."
#define MAX_SCRIPT ((size_t)1 << 20)
#define KEPT       ".before-trimtab"

static const char *const hook_names[] = {"pre-receive", "post-receive"};

/* The folder that Git calls hooks from. */
static int hooks_folder(struct tt_arena *arena, const char *repository, const char **ret_folder,
                        struct tt_error *err)
{
    git_buf configured = {0};
    git_repository *found = NULL;
    git_config *config = NULL;
    int code;

    git_libgit2_init(); /* never shut down: see specs/source.c */
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    code = git_repository_open(&found, repository);
    if (code < 0)
        return tt_fail(err, TT_ERR_NOT_FOUND, "%s is no Git repository: name one that is pushed to",
                       repository);
    if (git_repository_config_snapshot(&config, found) == 0 &&
        git_config_get_path(&configured, config, "core.hooksPath") == 0)
        *ret_folder = *configured.ptr == '/'
                          ? tt_strdup(arena, configured.ptr)
                          : tt_printf(arena, "%s%s", git_repository_path(found), configured.ptr);
    else
        *ret_folder = tt_printf(arena, "%shooks", git_repository_commondir(found));
    git_buf_dispose(&configured);
    git_config_free(config);
    git_repository_free(found);
    return 0;
}

/* WORD as the shell reads it back. */
static const char *quoted(struct tt_arena *arena, const char *word)
{
    TT_BUF_AUTO text = {0};

    tt_buf_add(&text, "'");
    for (; *word; word++)
        if (*word == '\'')
            tt_buf_add(&text, "'\\''");
        else
            tt_buf_addf(&text, "%c", *word);
    tt_buf_add(&text, "'");
    return tt_strdup(arena, tt_buf_text(&text));
}

/* The option NAME with FILE, which is there, in full; nothing when it is NULL. */
static int add_file(struct tt_arena *arena, struct tt_buf *text, const char *name, const char *file,
                    struct tt_error *err)
{
    char *whole;

    if (!file)
        return 0;
    whole = realpath(file, NULL);
    if (!whole)
        return tt_fail_errno(err, TT_ERR_NOT_FOUND, "cannot find %s", file);
    tt_buf_addf(text, " %s", quoted(arena, tt_printf(arena, "--%s=%s", name, whole)));
    free(whole);
    return 0;
}

static const char *script(struct tt_session *session, bool gate, struct tt_error *err)
{
    struct tt_arena *arena = &session->arena;
    const struct tt_options *options = &session->options;
    char *program = realpath("/proc/self/exe", NULL);
    TT_BUF_AUTO text = {0};

    if (!program) {
        tt_fail_errno(err, TT_ERR_INTERNAL, "cannot find this program");
        return NULL;
    }
    tt_buf_addf(&text, "#!/bin/sh\n%s\nexec %s hook run", MARK, quoted(arena, program));
    free(program);
    if (gate)
        tt_buf_add(&text, " --gate");
    else
        tt_buf_addf(&text, " --policy=%s", options->policy ? options->policy : "plan");
    tt_buf_addf(&text, " %s", quoted(arena, tt_printf(arena, "--state=%s", session->state_folder)));
    if (options->path)
        tt_buf_addf(&text, " %s", quoted(arena, tt_printf(arena, "--path=%s", options->path)));
    if (add_file(arena, &text, "signers", options->signers, err) < 0 ||
        add_file(arena, &text, "revoked", options->revoked, err) < 0 ||
        add_file(arena, &text, "keyring", options->keyring, err) < 0)
        return NULL;
    tt_buf_add(&text, "\n");
    return tt_strdup(arena, tt_buf_text(&text));
}

/* The text of the hook FILE; NULL: there is none. */
static int read_hook(struct tt_arena *arena, const char *file, char **ret_text,
                     struct tt_error *err)
{
    struct stat st;

    *ret_text = NULL;
    if (lstat(file, &st) < 0)
        return errno == ENOENT ? 0 : tt_fail_errno(err, TT_ERR_DENIED, "cannot read %s", file);
    if (!S_ISREG(st.st_mode)) {
        *ret_text = tt_strdup(arena, "");
        return 0;
    }
    return tt_file_read(arena, file, MAX_SCRIPT, ret_text, NULL, err);
}

static int install(struct tt_session *session, const char *folder, const char *name,
                   struct tt_error *err)
{
    const char *file = tt_printf(&session->arena, "%s/%s", folder, name);
    const char *text = script(session, strcmp(name, "pre-receive") == 0, err);
    char *there = NULL;

    if (!text || read_hook(&session->arena, file, &there, err) < 0)
        return -1;
    if (tt_streq(there, text)) {
        printf("%s is installed already.\n", file);
        return 0;
    }
    if (there && !strstr(there, MARK)) {
        const char *kept = tt_printf(&session->arena, "%s" KEPT, file);
        const char *line = strstr(text, "\nexec ") + 1;
        const char *call = tt_strndup(&session->arena, line, strcspn(line, "\n"));

        if (!session->options.force)
            return tt_fail(
                err, TT_ERR_CONFLICT,
                "%s is there already and not ours: replace it with --force, which keeps it "
                "as %s, or let it end with: %s",
                file, kept, call);
        if (rename(file, kept) < 0)
            return tt_fail_errno(err, TT_ERR_DENIED, "cannot rename %s", file);
        printf("What was there is kept as %s.\n", kept);
    }
    if (tt_make_folders(folder, 0755, err) < 0 ||
        tt_file_write(file, text, strlen(text), 0755, err) < 0)
        return -1;
    printf("%s is installed.\n", file);
    return 0;
}

/* True when it was there; another's hook is left alone. */
static int uninstall(struct tt_session *session, const char *folder, const char *name,
                     bool *ret_found, struct tt_error *err)
{
    const char *file = tt_printf(&session->arena, "%s/%s", folder, name);
    char *there = NULL;

    if (read_hook(&session->arena, file, &there, err) < 0)
        return -1;
    if (!there || !strstr(there, MARK))
        return 0;
    if (unlink(file) < 0)
        return tt_fail_errno(err, TT_ERR_DENIED, "cannot remove %s", file);
    *ret_found = true;
    printf("%s is removed.\n", file);
    return 0;
}

int tt_hook_install(struct tt_session *session, const char *repository, struct tt_error *err)
{
    const char *folder = "";

    if (hooks_folder(&session->arena, repository, &folder, err) < 0 ||
        install(session, folder, "post-receive", err) < 0)
        return -1;
    return session->options.gate ? install(session, folder, "pre-receive", err) : 0;
}

int tt_hook_uninstall(struct tt_session *session, const char *repository, struct tt_error *err)
{
    const char *folder = "";
    bool found = false;

    if (hooks_folder(&session->arena, repository, &folder, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(hook_names) / sizeof(hook_names[0]); i++)
        if (uninstall(session, folder, hook_names[i], &found, err) < 0)
            return -1;
    if (!found)
        printf("There is no hook of ours in %s.\n", folder);
    return 0;
}

int tt_cmd_hook(struct tt_session *session)
{
    const struct tt_options *options = &session->options;
    const char *verb = options->arguments.items[0];
    const char *repository =
        options->arguments.count > 1 ? options->arguments.items[1] : options->repository;
    struct tt_error err = {0};
    int result;

    if (options->policy && tt_word_find(tt_on_push_words, options->policy) < 0)
        result = tt_fail(&err, TT_ERR_SPEC, "--policy is plan or apply, not %s", options->policy);
    else if (options->revoked && !options->signers)
        result = tt_fail(&err, TT_ERR_SPEC,
                         "--revoked takes keys out of those of --signers: name these, too");
    else if (strcmp(verb, "install") == 0)
        result = tt_hook_install(session, repository, &err);
    else if (strcmp(verb, "uninstall") == 0)
        result = tt_hook_uninstall(session, repository, &err);
    else if (strcmp(verb, "run") == 0)
        return tt_hook_run(session);
    else
        result = tt_fail(&err, TT_ERR_SPEC, "hook has install, uninstall and run, not %s", verb);
    if (result < 0)
        tt_session_complain(session, &err);
    return result < 0 ? 1 : 0;
}
