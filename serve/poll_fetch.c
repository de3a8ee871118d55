/*
 * Fetching through libgit2 over https, ssh and file, with credentials that are read when they are
 * asked for and tried once.
 */
#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/poll.h"
#include "specs/branch.h"
#include "specs/source_git.h"

#define ACCEPTED "refs/trimtab/accepted"

struct fetch {
    struct tt_arena *arena;
    const struct tt_repository_config *repository;
    unsigned silence;
    struct tt_error *err;
    int tries; /* of credentials */
};

TT_DEFINE_AUTO(git_repository, git_repository_free)
TT_DEFINE_AUTO(git_remote, git_remote_free)
TT_DEFINE_AUTO(git_reference, git_reference_free)

static int refuse(const struct fetch *fetch, const char *why)
{
    tt_fail(fetch->err, TT_ERR_DENIED, "%s", why);
    return GIT_EAUTH;
}

/* A key file, or what the agent has. */
static int give_key(git_credential **out, const struct fetch *fetch, const char *user)
{
    const char *passphrase = NULL;

    if (!fetch->repository->ssh_key)
        return git_credential_ssh_key_from_agent(out, user);
    if (access(fetch->repository->ssh_key, R_OK) < 0) {
        tt_fail_errno(fetch->err, TT_ERR_DENIED, "cannot read the key %s",
                      fetch->repository->ssh_key);
        return GIT_EAUTH;
    }
    if (tt_secret_is_set(&fetch->repository->password)) {
        passphrase = tt_secret_read(fetch->arena, &fetch->repository->password, fetch->err);
        if (!passphrase)
            return GIT_EAUTH;
    }
    return git_credential_ssh_key_new(out, user, NULL, fetch->repository->ssh_key, passphrase);
}

/* Asked again after a refusal: that the same would help is not to be hoped. */
static int give_credentials(git_credential **out, const char *url, const char *user_of_url,
                            unsigned allowed, void *self)
{
    struct fetch *fetch = self;
    const struct tt_repository_config *repository = fetch->repository;
    const char *user = repository->username ? repository->username : user_of_url;
    const char *password;

    (void)url;
    if (allowed & GIT_CREDENTIAL_USERNAME)
        return git_credential_username_new(out, user ? user : "git");
    if (fetch->tries++)
        return refuse(fetch, "the remote refuses the credentials: check those under login");
    if (allowed & GIT_CREDENTIAL_SSH_KEY)
        return give_key(out, fetch, user ? user : "git");
    if (!(allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT))
        return refuse(fetch, "the remote wants credentials of a kind that is not known here");
    if (!tt_secret_is_set(&repository->password))
        return refuse(fetch, "the remote wants credentials: name them under login");
    password = tt_secret_read(fetch->arena, &repository->password, fetch->err);
    if (!password)
        return GIT_EAUTH;
    return git_credential_userpass_plaintext_new(out, user ? user : "trimtab", password);
}

static int on_progress(const git_indexer_progress *progress, void *self)
{
    const struct fetch *fetch = self;

    (void)progress;
    alarm(fetch->silence);
    return 0;
}

static int on_message(const char *text, int length, void *self)
{
    const struct fetch *fetch = self;

    (void)text;
    (void)length;
    alarm(fetch->silence);
    return 0;
}

/* Of a server that is not known to be the right one. */
static const char *way_out(const struct tt_repository_config *repository)
{
    return tt_starts_with(repository->url, "ssh://")
               ? ": its key is not the one in ~/.ssh/known_hosts, or none is there (ssh-keyscan "
                 "shows it)"
               : ": name those who sign for it under login, authorities";
}

static int fail(struct fetch *fetch, int code, const char *what, struct tt_error *err)
{
    const git_error *last = git_error_last();
    enum tt_error_class class = code == GIT_EAUTH ? TT_ERR_DENIED : TT_ERR_UNAVAILABLE;

    if (fetch->err->class != TT_ERR_NONE)
        return tt_fail(err, fetch->err->class, "%s %s: %s", what, fetch->repository->url,
                       fetch->err->message);
    return tt_fail(err, class, "%s %s: %s%s", what, fetch->repository->url,
                   last && last->message ? last->message : "failed",
                   code == GIT_ECERTIFICATE ? way_out(fetch->repository) : "");
}

static int open_clone(struct fetch *fetch, const char *folder, git_repository **ret_clone,
                      struct tt_error *err)
{
    int code;

    if (git_libgit2_init() < 0)
        abort();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    if (tt_make_folders(folder, 0700, err) < 0)
        return -1;
    code = git_repository_open_bare(ret_clone, folder);
    if (code < 0)
        code = git_repository_init(ret_clone, folder, 1);
    return code < 0 ? fail(fetch, code, "cannot make a clone of", err) : 0;
}

/* libgit2 has one set of authorities for the whole process. */
static int trust(const struct tt_repository_config *repository)
{
    return repository->authorities
               ? git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, repository->authorities, NULL)
               : 0;
}

/* The address is taken as it is written. To look for url.*.insteadOf in Git's configuration,
 * libgit2 1.5 matches each entry with a regular expression, and loses 20 KiB with each that does
 * not. */
static int make_remote(git_repository *clone, const char *url, git_remote **ret_remote)
{
    git_remote_create_options options;

    git_remote_create_options_init(&options, GIT_REMOTE_CREATE_OPTIONS_VERSION);
    options.repository = clone;
    options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    return git_remote_create_with_opts(ret_remote, url, &options);
}

/* Where the branch stands in the clone. */
static int newest(struct tt_arena *arena, git_repository *clone,
                  const struct tt_repository_config *repository, const char **ret_revision,
                  struct tt_error *err)
{
    const char *reference = tt_printf(arena, "refs/heads/%s", repository->branch);
    char text[GIT_OID_HEXSZ + 1];
    git_oid id;

    if (git_reference_name_to_id(&id, clone, reference) < 0)
        return tt_fail(err, TT_ERR_NOT_FOUND, "%s has no branch %s", repository->url,
                       repository->branch);
    git_oid_tostr(text, sizeof(text), &id);
    *ret_revision = tt_strdup(arena, text);
    return 0;
}

int tt_poll_fetch(struct tt_arena *arena, const struct tt_repository_config *repository,
                  const char *folder, unsigned silence, const char **ret_revision,
                  struct tt_error *err)
{
    struct tt_error inner = {0};
    struct fetch fetch = {arena, repository, silence, &inner, 0};
    char *reference = tt_printf(arena, "refs/heads/%s", repository->branch);
    char *specification = tt_printf(arena, "+%s:%s", reference, reference);
    git_strarray specifications = {&specification, 1};
    git_fetch_options options;
    TT_AUTO(git_repository) *clone = NULL;
    TT_AUTO(git_remote) *remote = NULL;
    int code;

    if (open_clone(&fetch, folder, &clone, err) < 0)
        return -1;
    git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
    options.callbacks.credentials = give_credentials;
    options.callbacks.transfer_progress = on_progress;
    options.callbacks.sideband_progress = on_message;
    options.callbacks.payload = &fetch;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.prune = GIT_FETCH_PRUNE;
    code = trust(repository);
    if (code == 0)
        code = make_remote(clone, repository->url, &remote);
    alarm(silence);
    if (code == 0)
        code = git_remote_fetch(remote, &specifications, &options, NULL);
    alarm(0);
    if (code < 0)
        return fail(&fetch, code, "cannot fetch", err);
    return newest(arena, clone, repository, ret_revision, err);
}

int tt_poll_known(struct tt_arena *arena, const struct tt_repository_config *repository,
                  const char *folder, const char **ret_revision, struct tt_error *err)
{
    TT_AUTO(git_repository) *clone = NULL;

    if (git_libgit2_init() < 0)
        abort();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    if (git_repository_open_bare(&clone, folder) < 0)
        return tt_fail(err, TT_ERR_NOT_FOUND, "%s was never fetched", repository->url);
    return newest(arena, clone, repository, ret_revision, err);
}

int tt_poll_accept(const char *folder, const char *revision, struct tt_error *err)
{
    TT_AUTO(git_repository) *clone = NULL;
    TT_AUTO(git_reference) *reference = NULL;
    git_oid id;
    int code;

    if (tt_git_open(folder, &clone, err) < 0)
        return -1;
    code = git_oid_fromstr(&id, revision);
    if (code == 0)
        code = git_reference_create(&reference, clone, ACCEPTED, &id, 1, NULL);
    return code < 0 ? tt_git_fail(err, code, TT_ERR_INTERNAL, "cannot keep " ACCEPTED) : 0;
}

const char *tt_poll_accepted(struct tt_arena *arena, const char *folder)
{
    return tt_branch_tip(arena, folder, ACCEPTED);
}
