/*
 * Hook, run: from what Git says on standard input to the deployments that the push touches; these
 * are planned or applied by a child, whose output is what the one who pushes sees.
 */
#include <errno.h>
#include <git2.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"
#include "model/digest.h"
#include "reconciler/commands/hook.h"
#include "reconciler/verify.h"

#define MAX_LINE  4096
#define EXIT_HELD 3

extern char **environ;

struct push {
    struct tt_session *session;
    const char *branch;    /* "refs/heads/main" */
    const char *old, *new; /* commits; NULL: the branch is not pushed */
    struct tt_strings touched;
    struct tt_strings planned, applied; /* parts of TOUCHED */
};

/* --- what is pushed ----------------------------------------------------------------------------
 */

static bool is_zero(const char *id)
{
    return id[strspn(id, "0")] == '\0';
}

/* The branch that HEAD names is followed. */
static int find_branch(struct push *push, struct tt_error *err)
{
    const char *repository = push->session->options.repository;
    git_repository *found = NULL;
    git_reference *head = NULL;

    git_libgit2_init(); /* never shut down: see specs/source.c */
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    if (git_repository_open_ext(&found, repository, 0, NULL) < 0)
        return tt_fail(err, TT_ERR_NOT_FOUND,
                       "%s is no Git repository: Git calls hook run inside of one", repository);
    if (git_reference_lookup(&head, found, "HEAD") == 0 && git_reference_symbolic_target(head))
        push->branch = tt_strdup(&push->session->arena, git_reference_symbolic_target(head));
    git_reference_free(head);
    git_repository_free(found);
    return push->branch ? 0
                        : tt_fail(err, TT_ERR_SPEC,
                                  "HEAD of %s names no branch to follow: git symbolic-ref HEAD "
                                  "refs/heads/main",
                                  repository);
}

/* "OLD NEW REF" for each reference of the push; the followed one counts. */
static void read_push(struct push *push)
{
    char line[MAX_LINE], *rest, *old, *new, *ref;

    while (fgets(line, sizeof(line), stdin)) {
        old = strtok_r(line, " \n", &rest);
        new = strtok_r(NULL, " \n", &rest);
        ref = strtok_r(NULL, "\n", &rest);
        if (!old || !new || !ref || !tt_streq(ref, push->branch) || is_zero(new))
            continue;
        push->old = is_zero(old) ? NULL : tt_strdup(&push->session->arena, old);
        push->new = tt_strdup(&push->session->arena, new);
    }
}

/* --- what it touches ---------------------------------------------------------------------------
 */

static bool is_touched(struct push *push, const struct tt_desired *before,
                       struct tt_deployment *deployment)
{
    struct tt_arena *arena = &push->session->arena;
    const struct tt_deployment *old =
        before ? tt_desired_deployment(before, deployment->name) : NULL;

    return !old || strcmp(tt_deployment_digest(arena, before, (struct tt_deployment *)old),
                          tt_deployment_digest(arena, push->session->desired, deployment)) != 0;
}

/* Where the commit before cannot be read, all are touched. */
static void find_touched(struct push *push)
{
    struct tt_session *session = push->session;
    struct tt_desired *before = NULL;
    struct tt_error ignored = {0};

    if (push->old && tt_session_load_other(session, push->old, &before, &ignored) < 0)
        before = NULL;
    TT_EACH (deployment, &session->desired->deployments)
        if (is_touched(push, before, *deployment))
            tt_strings_add(&session->arena, &push->touched, (*deployment)->name);
    for (size_t i = 0; before && i < before->deployments.count; i++)
        if (!tt_desired_deployment(session->desired, before->deployments.items[i]->name))
            printf("Deployment %s left Git: it stays as it is until apply --prune deletes it.\n",
                   before->deployments.items[i]->name);
}

/* Why NAME is only planned although it is to be applied; NULL: nothing is in the way. */
static const char *held_back(const struct tt_policy *policy, tt_time now)
{
    if (policy->suspend)
        return "it is suspended";
    return tt_window_open(policy, now) ? NULL : "no change window is open";
}

static void sort_by_policy(struct push *push)
{
    struct tt_session *session = push->session;
    tt_time now = session->clock->now(session->clock->self);
    bool apply = tt_streq(session->options.policy, "apply");

    TT_EACH (name, &push->touched) {
        const struct tt_policy *policy = &tt_desired_deployment(session->desired, *name)->policy;
        bool wanted = policy->on_push_given ? policy->on_push == TT_ON_PUSH_APPLY : apply;
        const char *why = wanted ? held_back(policy, now) : NULL;

        if (session->options.gate || !wanted || why)
            tt_strings_add(&session->arena, &push->planned, *name);
        else
            tt_strings_add(&session->arena, &push->applied, *name);
        if (why && !session->options.gate)
            printf("Deployment %s is not applied now: %s.\n", *name, why);
    }
}

/* --- the children ------------------------------------------------------------------------------
 */

static void add(struct push *push, struct tt_strings *list, const char *word)
{
    tt_strings_add(&push->session->arena, list, word);
}

static char **arguments(struct push *push, const char *command, const struct tt_strings *names)
{
    const struct tt_options *options = &push->session->options;
    struct tt_arena *arena = &push->session->arena;
    struct tt_strings list = {0};

    add(push, &list, "trimtab");
    add(push, &list, command);
    add(push, &list, "--no-color");
    if (strcmp(command, "apply") == 0)
        add(push, &list, "--auto-approve");
    add(push, &list, tt_printf(arena, "-C=%s", options->repository));
    add(push, &list, tt_printf(arena, "--rev=%s", push->new));
    add(push, &list, tt_printf(arena, "--state=%s", push->session->state_folder));
    if (options->path)
        add(push, &list, tt_printf(arena, "--path=%s", options->path));
    TT_EACH (name, names)
        add(push, &list, tt_printf(arena, "--target=Deployment/%s", *name));
    *TT_VEC_ADD(arena, &list) = NULL;
    return (char **)list.items;
}

/* Runs this program with COMMAND on the deployments NAMES; its exit code. */
static int run_child(struct push *push, const char *command, const struct tt_strings *names)
{
    char **argv = arguments(push, command, names);
    struct tt_error err = {0};
    int code;
    pid_t pid;

    fflush(stdout);
    code = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ);
    if (code != 0) {
        errno = code;
        tt_fail_errno(&err, TT_ERR_INTERNAL, "cannot start trimtab %s", command);
        tt_session_complain(push->session, &err);
        return 1;
    }
    code = tt_child_reap(pid);
    return code < 0 || code > 128 ? 1 : code; /* what a signal ended has failed */
}

/* The files are named where the hook was installed: no push can change which. */
static bool is_signed(struct push *push)
{
    const struct tt_options *options = &push->session->options;
    struct tt_verify_keys keys = {
        .ssh = options->signers, .revoked = options->revoked, .gpg = options->keyring};
    const char *signer = NULL;
    struct tt_error err = {0};

    if (!tt_verify_is_set(&keys))
        return true;
    if (tt_verify_commit(&push->session->arena, options->repository, push->new, &keys, &signer,
                         &err) < 0) {
        tt_wrap(&err, options->gate ? "the push is refused" : "nothing is done with the push");
        tt_session_complain(push->session, &err);
        return false;
    }
    if (options->gate || !options->quiet)
        printf("Commit %.12s is signed by %s.\n", push->new, signer);
    return true;
}

static int gate(struct push *push)
{
    int code = run_child(push, "plan", &push->planned);

    if (code == EXIT_HELD)
        fprintf(stderr,
                "trimtab: the push is refused: a guard holds its plan. Push less at once, or let "
                "someone who may open the guard in the spec\n");
    else if (code != 0)
        fprintf(stderr, "trimtab: the push is refused: it cannot be planned\n");
    return code;
}

static int carry_out(struct push *push)
{
    int code = 0, other = 0;

    if (push->planned.count)
        code = run_child(push, "plan", &push->planned);
    if (push->applied.count)
        other = run_child(push, "apply", &push->applied);
    if (other == 1)
        fprintf(stderr,
                "trimtab: the commit is pushed, and not all of it is applied: once the cause is "
                "gone, run trimtab apply --rev %.12s in this repository, or push another commit\n",
                push->new);
    return other ? other : code;
}

int tt_hook_run(struct tt_session *session)
{
    struct push push = {.session = session};
    struct tt_error err = {0};

    if (find_branch(&push, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    read_push(&push);
    if (!push.new)
        return 0;
    if (!is_signed(&push))
        return 1;
    session->options.revision = push.new;
    if (!tt_session_require_specs(session)) {
        if (session->options.gate)
            fprintf(stderr, "trimtab: the push is refused: its specs are wrong\n");
        return 1;
    }
    find_touched(&push);
    if (!push.touched.count) {
        printf("Nothing to do: the push touches no deployment.\n");
        return 0;
    }
    setenv("TRIMTAB_TRIGGER", tt_printf(&session->arena, "push to %s", push.branch), 1);
    sort_by_policy(&push);
    return session->options.gate ? gate(&push) : carry_out(&push);
}
