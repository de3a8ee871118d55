/*
 * Covers specs/source*.c through tt_specs_load: real repositories, made with the git program:
 * revisions, bare repositories, --path, linked worktrees, owners; and folders that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "specs/source.h"
#include "support/repo.h"

#define DEPLOYMENT(name) "apiVersion: trimtab/v1\nkind: Deployment\nmetadata: {name: " name "}\n"
#define FLEET            "apiVersion: trimtab/v1\nkind: Fleet\nmetadata: {name: acme}\n"

struct fixture {
    struct tt_arena arena;
    char *top; /* the temporary folder */
    char *
        repo; /* TOP/repo: three commits of deployments one, two, three; the tag v2 on the second */
};

static char *below(struct fixture *f, const char *name)
{
    return tt_printf(&f->arena, "%s/%s", f->top, name);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_arena_init(&f->arena);
    f->top = tt_test_folder(&f->arena);
    f->repo = below(f, "repo");
    tt_test_write(f->repo, "one.yaml", DEPLOYMENT("one"));
    tt_test_git(f->repo, "init", "-q", "-b", "main", ".");
    tt_test_commit(f->repo, "one", 1);
    tt_test_write(f->repo, "two.yml", DEPLOYMENT("two"));
    tt_test_commit(f->repo, "two", 2);
    tt_test_git(f->repo, "tag", "-a", "v2", "-m", "v2");
    tt_test_write(f->repo, "sub/three.yaml", DEPLOYMENT("three"));
    tt_test_commit(f->repo, "three", 3);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tt_test_remove(f->top);
    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

/* The deployments that a request finds, "one two". */
static const char *found(struct fixture *f, struct tt_specs_request request)
{
    const struct tt_desired *desired = tt_test_load(&f->arena, &request);
    TT_BUF_AUTO names = {0};

    TT_EACH (deployment, &desired->deployments)
        tt_buf_addf(&names, "%s%s", names.length ? " " : "", (*deployment)->name);
    return tt_strdup(&f->arena, tt_buf_text(&names));
}

/* A request that cannot be read at all; the message. */
static const char *refused(struct fixture *f, struct tt_specs_request request,
                           enum tt_error_class class)
{
    struct tt_desired *desired = NULL;
    struct tt_findings findings;
    struct tt_error err = {0};

    assert_int_equal(tt_specs_load(&f->arena, &request, &desired, &findings, &err), -1);
    assert_null(desired);
    assert_int_equal(err.class, class);
    return tt_strdup(&f->arena, err.message);
}

#define FOUND(...)          found(f, (struct tt_specs_request){.repository = __VA_ARGS__})
#define REFUSED(class, ...) refused(f, (struct tt_specs_request){.repository = __VA_ARGS__}, class)

static void test_revisions(void **state)
{
    struct fixture *f = *state;
    struct tt_specs_request request = {.repository = f->repo};

    assert_string_equal(FOUND(f->repo), "one three two");
    assert_string_equal(FOUND(f->repo, .revision = "HEAD~1"), "one two");
    assert_string_equal(FOUND(f->repo, .revision = "v2"), "one two");
    assert_string_equal(FOUND(f->repo, .revision = "v2~1"), "one");
    assert_string_equal(FOUND(f->repo, .revision = "main"), "one three two");
    assert_int_equal(strlen(tt_test_load(&f->arena, &request)->revision), 40);
    request.revision = tt_strndup(&f->arena, tt_test_load(&f->arena, &request)->revision, 10);
    assert_string_equal(found(f, request), "one three two");
}

static void test_the_work_tree_is_never_read(void **state)
{
    struct fixture *f = *state;

    tt_test_write(f->repo, "one.yaml", "broken: [");
    tt_test_write(f->repo, "staged.yaml", DEPLOYMENT("staged"));
    tt_test_git(f->repo, "add", "staged.yaml");
    tt_test_write(f->repo, "new.yaml", DEPLOYMENT("new"));
    assert_string_equal(FOUND(f->repo), "one three two");
}

static void test_worktree_reads_the_files_on_disk(void **state)
{
    struct fixture *f = *state;
    struct tt_specs_request request = {.repository = f->repo, .worktree = true};

    tt_test_write(f->repo, "new.yaml", DEPLOYMENT("new"));
    tt_test_write(f->repo, ".git/hidden.yaml", DEPLOYMENT("hidden"));
    assert_string_equal(found(f, request), "new one three two");
    assert_string_equal(tt_test_load(&f->arena, &request)->revision, "worktree");
}

static void test_path_and_folder_inside(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(FOUND(f->repo, .path = "sub"), "three");
    assert_string_equal(FOUND(f->repo, .path = "./sub/"), "three");
    assert_string_equal(FOUND(tt_printf(&f->arena, "%s/sub", f->repo)), "one three two");
    assert_string_equal(FOUND(tt_printf(&f->arena, "%s/sub", f->repo), .path = "sub"), "three");
    assert_string_equal(FOUND(f->repo, .path = "sub", .worktree = true), "three");
    assert_string_equal(FOUND(tt_printf(&f->arena, "%s/.git", f->repo)), "one three two");
    assert_non_null(strstr(REFUSED(TT_ERR_NOT_FOUND, f->repo, .path = "nope"), "nope"));
    assert_non_null(
        strstr(REFUSED(TT_ERR_NOT_FOUND, f->repo, .path = "nope", .worktree = true), "nope"));
    assert_non_null(strstr(REFUSED(TT_ERR_SPEC, f->repo, .path = "one.yaml"), "no folder"));
    assert_non_null(strstr(REFUSED(TT_ERR_SPEC, f->repo, .path = "../x"), "leads out"));
}

static void test_bare_repository(void **state)
{
    struct fixture *f = *state;
    char *bare = below(f, "bare.git");

    tt_test_git(f->top, "clone", "-q", "--bare", "repo", "bare.git");
    assert_string_equal(FOUND(bare), "one three two");
    assert_string_equal(FOUND(bare, .revision = "v2", .path = ""), "one two");
    assert_non_null(strstr(REFUSED(TT_ERR_SPEC, bare, .worktree = true), "bare"));
}

static void test_linked_worktree(void **state)
{
    struct fixture *f = *state;
    char *linked = below(f, "linked");

    tt_test_git(f->repo, "worktree", "add", "-q", "--detach", linked, "v2");
    assert_string_equal(FOUND(linked), "one two");
    assert_string_equal(FOUND(linked, .revision = "main"), "one three two");
    tt_test_write(linked, "new.yaml", DEPLOYMENT("new"));
    assert_string_equal(FOUND(linked), "one two");
    assert_string_equal(FOUND(linked, .worktree = true), "new one two");
}

static void test_owner(void **state)
{
    struct fixture *f = *state;
    struct tt_specs_request first = {.repository = f->repo, .revision = "HEAD~2"};
    struct tt_specs_request head = {.repository = f->repo};
    struct tt_specs_request disk = {.repository = f->repo, .worktree = true};
    const char *root = tt_test_load(&f->arena, &first)->revision;

    assert_string_equal(tt_test_load(&f->arena, &head)->owner, root);
    assert_string_equal(tt_test_load(&f->arena, &disk)->owner, root);
    /* a second root that is younger changes nothing */
    tt_test_git(f->repo, "checkout", "-q", "--orphan", "other");
    tt_test_commit(f->repo, "another root", 5);
    tt_test_git(f->repo, "checkout", "-q", "main");
    tt_test_git(f->repo, "merge", "-q", "--allow-unrelated-histories", "-m", "merge", "other",
                NULL);
    assert_string_equal(tt_test_load(&f->arena, &head)->owner, root);
    tt_test_write(f->repo, "fleet.yaml", FLEET);
    tt_test_commit(f->repo, "fleet", 6);
    assert_string_equal(tt_test_load(&f->arena, &head)->owner, "acme");
}

static void test_shallow_clone_has_no_owner(void **state)
{
    struct fixture *f = *state;
    char *url = tt_printf(&f->arena, "file://%s", f->repo);
    char *clone = below(f, "shallow");

    tt_test_git(f->top, "clone", "-q", "--depth", "1", url, clone);
    assert_non_null(strstr(REFUSED(TT_ERR_SPEC, clone), "shallow"));
    tt_test_write(clone, "fleet.yaml", FLEET);
    tt_test_commit(clone, "fleet", 6);
    assert_string_equal(FOUND(clone), "one three two");
}

static void test_no_repository(void **state)
{
    struct fixture *f = *state;
    char *folder = below(f, "plain");
    struct tt_specs_request request = {.repository = folder, .worktree = true};

    tt_test_write(folder, "a/one.yaml", DEPLOYMENT("one"));
    assert_non_null(strstr(REFUSED(TT_ERR_NOT_FOUND, folder), "not inside a Git repository"));
    assert_non_null(strstr(REFUSED(TT_ERR_SPEC, folder, .worktree = true), "kind Fleet"));
    tt_test_write(folder, "fleet.yaml", FLEET);
    assert_string_equal(found(f, request), "one");
    assert_string_equal(tt_test_load(&f->arena, &request)->owner, "acme");
    assert_non_null(strstr(REFUSED(TT_ERR_NOT_FOUND, below(f, "nowhere")), "nowhere"));
}

static void test_no_commit_and_no_such_revision(void **state)
{
    struct fixture *f = *state;
    char *empty = below(f, "empty");

    tt_test_write(empty, "one.yaml", DEPLOYMENT("one"));
    tt_test_git(empty, "init", "-q", ".");
    assert_non_null(strstr(REFUSED(TT_ERR_NOT_FOUND, empty), "no commit yet"));
    assert_non_null(strstr(REFUSED(TT_ERR_SPEC, empty, .worktree = true), "no commit yet"));
    assert_non_null(strstr(REFUSED(TT_ERR_NOT_FOUND, f->repo, .revision = "v9"), "v9"));
    assert_non_null(strstr(REFUSED(TT_ERR_SPEC, f->repo, .revision = "HEAD:one.yaml"), "blob"));
    assert_non_null(
        strstr(REFUSED(TT_ERR_SPEC, f->repo, .revision = "HEAD", .worktree = true), "--worktree"));
}

static void test_another_owner_of_the_folder(void **state)
{
    struct fixture *f = *state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(tt_printf(&f->arena, "%s/.git", f->repo), 4321, 4321), 0);
    assert_int_equal(chown(f->repo, 4321, 4321), 0);
    assert_string_equal(FOUND(f->repo), "one three two");
}

/* User data comes from the same revision, relative to its YAML file; links are not followed. */
static void test_user_data(void **state)
{
    struct fixture *f = *state;
    struct tt_specs_request request = {.repository = f->repo};
    struct tt_desired *desired = NULL;
    struct tt_findings findings = {0};
    struct tt_error err = {0};
    const struct tt_service *service;

    tt_test_write(f->repo, "sub/deep/web.yaml",
                  "apiVersion: trimtab/v1\nkind: Account\nmetadata: {name: a}\n"
                  "spec: {provider: sim, regions: [r]}\n"
                  "---\n"
                  "apiVersion: trimtab/v1\nkind: Service\nmetadata: {name: web}\n"
                  "spec:\n  deployment: one\n  server: {userData: {file: ../web.sh}}\n"
                  "  placements: [{account: a, region: r}]\n");
    tt_test_write(f->repo, "sub/web.sh", "committed\n");
    tt_test_commit(f->repo, "user data", 7);
    tt_test_write(f->repo, "sub/web.sh", "edited\n");
    service = tt_test_load(&f->arena, &request)->deployments.items[0]->services.items[0];
    assert_string_equal(service->placements.items[0].server.user_data, "committed\n");
    request.worktree = true;
    service = tt_test_load(&f->arena, &request)->deployments.items[0]->services.items[0];
    assert_string_equal(service->placements.items[0].server.user_data, "edited\n");

    unlink(tt_printf(&f->arena, "%s/sub/web.sh", f->repo));
    assert_int_equal(symlink("/etc/hostname", tt_printf(&f->arena, "%s/sub/web.sh", f->repo)), 0);
    tt_test_commit(f->repo, "link", 8);
    for (int worktree = 0; worktree < 2; worktree++) {
        request.worktree = worktree;
        assert_int_equal(tt_specs_load(&f->arena, &request, &desired, &findings, &err), 0);
        assert_null(desired);
        assert_int_equal(findings.count, 1);
        assert_string_equal(findings.items[0].code, "out-of-range");
        assert_non_null(strstr(findings.items[0].message, "link"));
    }
}

/* The marks of findings name the path in the repository, whatever --path is. */
static void test_marks_name_the_path(void **state)
{
    struct fixture *f = *state;
    struct tt_specs_request request = {.repository = f->repo, .path = "sub"};
    struct tt_desired *desired = NULL;
    struct tt_findings findings = {0};
    struct tt_error err = {0};

    tt_test_write(f->repo, "sub/three.yaml", DEPLOYMENT("three") "spec: {stat: running}\n");
    tt_test_commit(f->repo, "bad", 7);
    assert_int_equal(tt_specs_load(&f->arena, &request, &desired, &findings, &err), 0);
    assert_string_equal(tt_test_print(&f->arena, &findings),
                        "sub/three.yaml:4:8: error[unknown-key]: Deployment spec has no key stat: "
                        "did you mean state?\n"
                        "  spec: {stat: running}\n"
                        "         ^\n");
    assert_string_equal(findings.items[0].subject, "Deployment/three");
}

static void test_join(void **state)
{
    struct fixture *f = *state;
    struct tt_arena *arena = &f->arena;

    assert_string_equal(tt_source_join(arena, "", "a.sh"), "a.sh");
    assert_string_equal(tt_source_join(arena, "a/b", "../c.sh"), "a/c.sh");
    assert_string_equal(tt_source_join(arena, "a", "../c.sh"), "c.sh");
    assert_string_equal(tt_source_join(arena, "a//b/", "./c/../d"), "a/b/d");
    assert_string_equal(tt_source_join(arena, "", "."), "");
    assert_string_equal(tt_source_join(arena, "a", "..."), "a/...");
    assert_null(tt_source_join(arena, "a", "../../c.sh"));
    assert_null(tt_source_join(arena, "", ".."));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_revisions),
        TEST(test_the_work_tree_is_never_read),
        TEST(test_worktree_reads_the_files_on_disk),
        TEST(test_path_and_folder_inside),
        TEST(test_bare_repository),
        TEST(test_linked_worktree),
        TEST(test_owner),
        TEST(test_shallow_clone_has_no_owner),
        TEST(test_no_repository),
        TEST(test_no_commit_and_no_such_revision),
        TEST(test_another_owner_of_the_folder),
        TEST(test_user_data),
        TEST(test_marks_name_the_path),
        TEST(test_join),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
