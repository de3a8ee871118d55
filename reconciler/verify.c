/*
 * Verify: a commit's signature and what it is over come from libgit2; ssh-keygen and gpgv judge
 * them, which alone know their file formats and algorithms. Git itself is not asked: it would go by
 * the repository's configuration, and look at replaced objects.
 */
#include "reconciler/verify.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/shell/shell.h"
#include "specs/source_git.h"

#define LARGEST_COMMIT    ((size_t)60 << 10)
#define LARGEST_SIGNATURE ((size_t)60 << 10)
#define MOST_WORDS        20
#define PATIENCE          20000 /* ms */

/* One verification. */
struct verify {
    struct tt_arena *arena;
    const struct tt_verify_keys *keys;
    const char *revision;
    const char *signature, *content;
    const char *folder, *signature_file, *content_file;
    struct tt_strings said; /* by the tool that ran last, on standard output */
    const char *signer;
};

/* --- tools -------------------------------------------------------------------------------------
 */

/* Runs a tool with the words ARGV, the content its input. Its exit code, or -1. */
static int run(struct verify *verify, const char *const *argv, struct tt_error *err)
{
    struct tt_arena *arena = verify->arena;
    struct tt_shell_request request = {.argv = argv, .input = verify->content, .timeout = PATIENCE};
    struct tt_run_result result = {0};
    char *rest, *line;

    tt_strings_add(arena, &request.environment, "LC_ALL=C");
    tt_strings_add(arena, &request.environment, tt_printf(arena, "HOME=%s", verify->folder));
    if (tt_shell_run(&request, arena, &result, err) < 0)
        return tt_wrap(err, "cannot verify commit %.12s", verify->revision);
    memset(&verify->said, 0, sizeof(verify->said));
    line = strtok_r(tt_strdup(arena, result.output), "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest))
        tt_strings_add(arena, &verify->said, line);
    return result.exit_code;
}

static int refuse(const struct verify *verify, struct tt_error *err, const char *why)
{
    return tt_fail(err, TT_ERR_DENIED, "commit %.12s %s", verify->revision, why);
}

/* --- SSH ---------------------------------------------------------------------------------------
 */

/* "SHA256:..." of the key that signed. It is none of ours, but says whose key to look for. */
static int explain_unknown(struct verify *verify, struct tt_error *err)
{
    const char *const words[] = {"ssh-keygen", "-Y", "check-novalidate",     "-n",
                                 "git",        "-s", verify->signature_file, NULL};
    int code = run(verify, words, err);
    const char *key = NULL;

    if (code < 0)
        return -1;
    TT_EACH (line, &verify->said)
        key = strstr(*line, "SHA256:") ? strstr(*line, "SHA256:") : key;
    if (code != 0 || !key)
        return refuse(verify, err,
                      "is not what was signed: its signature does not fit its content");
    return refuse(verify, err,
                  tt_printf(verify->arena,
                            "is signed by the SSH key %.60s, which %s does not allow, or not now",
                            key, verify->keys->ssh));
}

static int verify_as(struct verify *verify, const char *principal, struct tt_error *err)
{
    const char *words[MOST_WORDS] = {"ssh-keygen",
                                     "-Y",
                                     "verify",
                                     "-n",
                                     "git",
                                     "-f",
                                     verify->keys->ssh,
                                     "-I",
                                     principal,
                                     "-s",
                                     verify->signature_file};

    if (verify->keys->revoked) {
        words[11] = "-r";
        words[12] = verify->keys->revoked;
    }
    return run(verify, words, err);
}

/* True when the key is allowed but for being revoked. */
static bool is_revoked(struct verify *verify, const char *principal)
{
    const struct tt_verify_keys *keys = verify->keys;
    struct tt_verify_keys others = {.ssh = keys->ssh};
    struct tt_error ignored = {0};
    int code;

    if (!keys->revoked)
        return false;
    verify->keys = &others;
    code = verify_as(verify, principal, &ignored);
    verify->keys = keys;
    return code == 0;
}

static int verify_ssh(struct verify *verify, struct tt_error *err)
{
    const char *const words[] = {"ssh-keygen",      "-Y", "find-principals",      "-f",
                                 verify->keys->ssh, "-s", verify->signature_file, NULL};
    int code = run(verify, words, err);
    struct tt_strings principals = verify->said;

    if (code < 0)
        return -1;
    if (code != 0 || !principals.count)
        return explain_unknown(verify, err);
    TT_EACH (principal, &principals) {
        code = verify_as(verify, *principal, err);
        if (code == 0)
            verify->signer = *principal;
        if (code <= 0)
            return code;
    }
    TT_EACH (principal, &principals)
        if (is_revoked(verify, *principal))
            return refuse(verify, err,
                          tt_printf(verify->arena, "is signed by a key of %.100s that is revoked",
                                    *principal));
    return explain_unknown(verify, err);
}

/* --- GPG ---------------------------------------------------------------------------------------
 */

/* The rest of a line of gpgv's status that begins with WORD; NULL: there is none. */
static const char *status(const struct verify *verify, const char *word)
{
    const char *start = tt_printf(verify->arena, "[GNUPG:] %s", word);
    const char *found = NULL;

    TT_EACH (line, &verify->said)
        if (tt_starts_with(*line, start) && strchr(" ", (*line)[strlen(start)]))
            found = *line + strlen(start);
    return found;
}

static int verify_gpg(struct verify *verify, struct tt_error *err)
{
    static const struct {
        const char *word, *why;
    } reasons[] = {
        {"BADSIG", "is not what was signed: its signature does not fit its content"},
        {"REVKEYSIG", "is signed by a GPG key that is revoked"},
        {"EXPKEYSIG", "is signed by a GPG key that has expired"},
        {"EXPSIG", "has a GPG signature that has expired"},
    };
    const char *const words[] = {
        "gpgv",      "--homedir",       verify->folder,         "--status-fd",        "1",
        "--keyring", verify->keys->gpg, verify->signature_file, verify->content_file, NULL};
    int code = run(verify, words, err), signatures = 0;
    const char *good, *name;

    if (code < 0)
        return -1;
    TT_EACH (line, &verify->said)
        signatures += tt_starts_with(*line, "[GNUPG:] NEWSIG");
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (status(verify, reasons[i].word))
            return refuse(verify, err, reasons[i].why);
    good = status(verify, "GOODSIG");
    if (code != 0 || !good || !status(verify, "VALIDSIG") || signatures != 1) {
        const char *key = status(verify, "ERRSIG");

        return refuse(verify, err,
                      tt_printf(verify->arena, "is signed by the GPG key%.17s, which is not in %s",
                                key ? key : "", verify->keys->gpg));
    }
    name = strchr(good + 1, ' '); /* after the key's id */
    verify->signer = name ? name + 1 : good + 1;
    return 0;
}

/* --- the commit --------------------------------------------------------------------------------
 */

static int write_part(const struct verify *verify, const char *name, const char *text,
                      const char **ret_file, struct tt_error *err)
{
    *ret_file = tt_printf(verify->arena, "%s/%s", verify->folder, name);
    return tt_file_write(*ret_file, text, strlen(text), 0600, err);
}

static int judge(struct verify *verify, struct tt_error *err)
{
    const struct tt_verify_keys *keys = verify->keys;
    bool ssh = tt_starts_with(verify->signature, "-----BEGIN SSH SIGNATURE-----");
    bool gpg = tt_starts_with(verify->signature, "-----BEGIN PGP ");
    const char *file = ssh ? keys->ssh : keys->gpg;

    if (!ssh && !gpg)
        return refuse(verify, err, "has a signature that is neither of SSH nor of GPG");
    if (!file)
        return refuse(verify, err,
                      ssh ? "has an SSH signature, and only GPG keys are allowed"
                          : "has a GPG signature, and only SSH keys are allowed");
    if (access(file, R_OK) < 0)
        return tt_fail_errno(err, TT_ERR_NOT_FOUND, "cannot read the keys that may sign, %s", file);
    if (ssh && keys->revoked && access(keys->revoked, R_OK) < 0)
        return tt_fail_errno(err, TT_ERR_NOT_FOUND, "cannot read the keys that are revoked, %s",
                             keys->revoked);
    if (write_part(verify, "signature", verify->signature, &verify->signature_file, err) < 0 ||
        write_part(verify, "content", verify->content, &verify->content_file, err) < 0)
        return -1;
    return ssh ? verify_ssh(verify, err) : verify_gpg(verify, err);
}

static int judge_in_folder(struct verify *verify, struct tt_error *err)
{
    char *folder = tt_strdup(verify->arena, "/tmp/trimtab-verify-XXXXXX");
    int result;

    if (!mkdtemp(folder))
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot make a folder in /tmp");
    verify->folder = folder;
    result = judge(verify, err);
    tt_remove_tree(folder, NULL);
    return result;
}

/* Signature and content in the arena. */
static int read_commit(struct verify *verify, git_repository *repository, struct tt_error *err)
{
    git_buf signature = GIT_BUF_INIT, content = GIT_BUF_INIT;
    const git_error *last;
    git_oid id;
    int code = git_oid_fromstr(&id, verify->revision);

    if (code == 0)
        code = git_commit_extract_signature(&signature, &content, repository, &id, NULL);
    last = git_error_last();
    if (code == GIT_ENOTFOUND && last && last->klass == GIT_ERROR_OBJECT) {
        code = refuse(verify, err, "is not signed: git commit --amend -S signs it");
    } else if (code < 0) {
        code = tt_git_fail(err, code, TT_ERR_NOT_FOUND,
                           tt_printf(verify->arena, "cannot read commit %.12s", verify->revision));
    } else if (signature.size > LARGEST_SIGNATURE || content.size > LARGEST_COMMIT ||
               !signature.ptr || !content.ptr || memchr(content.ptr, '\0', content.size)) {
        code = refuse(verify, err, "is too large to be verified");
    } else {
        verify->signature = tt_strndup(verify->arena, signature.ptr, signature.size);
        verify->content = tt_strndup(verify->arena, content.ptr, content.size);
    }
    git_buf_dispose(&signature);
    git_buf_dispose(&content);
    return code < 0 ? -1 : 0;
}

int tt_verify_commit(struct tt_arena *arena, const char *repository, const char *revision,
                     const struct tt_verify_keys *keys, const char **ret_signer,
                     struct tt_error *err)
{
    struct verify verify = {
        .arena = arena, .keys = keys, .revision = revision, .signature = "", .content = ""};
    git_repository *opened = NULL;
    int result;

    if (tt_git_open(repository, &opened, err) < 0)
        return -1;
    result = read_commit(&verify, opened, err);
    git_repository_free(opened);
    if (result < 0 || judge_in_folder(&verify, err) < 0)
        return -1;
    *ret_signer = verify.signer;
    return 0;
}
