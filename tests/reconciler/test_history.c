/*
 * Covers reconciler/store_runs.c, store_history.c, store_journal.c, store_applied.c and
 * store_schema.c: runs and steps as they are told later, what is kept, files of older versions, and
 * what is open in the journal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "reconciler/store.h"

struct fixture {
    struct tt_arena arena;
    char folder[64];
    struct tt_store *store;
    struct tt_plan plan;
    struct tt_run_record record;
    struct tt_error err;
};

static void open_store(struct fixture *f)
{
    if (tt_store_open(f->folder, &f->store, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->folder, sizeof(f->folder), "/tmp/tt-history-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    for (int slot = 0; slot < 3; slot++)
        *TT_VEC_ADD(&f->arena, &f->plan.steps) =
            (struct tt_step){.action = TT_STEP_CREATE_SERVER,
                             .subject = {.deployment = "shop", .name = "web", .slot = slot},
                             .account = "here",
                             .region = "r",
                             .zone = "a",
                             .reason = "test"};
    f->record = (struct tt_run_record){
        .command = "apply", .trigger = "push", .revision = "abc", .began = 1000};
    open_store(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tt_store_close(f->store);
    assert_int_equal(tt_remove_tree(f->folder, NULL), 0);
    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

static int64_t begin(struct fixture *f)
{
    if (tt_store_begin_run(f->store, &f->record, &f->plan, &f->record.id, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return f->record.id;
}

static struct tt_run_record read_run(struct fixture *f, int64_t run)
{
    struct tt_run_record record = {0};

    if (tt_store_read_run(f->store, &f->arena, run, &record, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return record;
}

static size_t count_runs(struct fixture *f)
{
    tt_run_records runs = {0};

    if (tt_store_read_runs(f->store, &f->arena, 100000, &runs, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return runs.count;
}

static int64_t write_intent(struct fixture *f, int64_t run, int step)
{
    struct tt_intent intent = {.run = run,
                               .step = step,
                               .what = &f->plan.steps.items[step],
                               .incarnation = "7f3a",
                               .token = "7f3a9",
                               .request = "x"};
    int64_t id;

    if (tt_store_intent(f->store, &intent, 1500, &id, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return id;
}

static void a_run_is_told_as_it_went(void **state)
{
    struct fixture *f = *state;
    struct tt_run_record read;

    begin(f);
    assert_string_equal(read_run(f, f->record.id).result, "running");
    f->record.ended = 4000;
    f->record.result = "failed";
    f->record.done = f->record.failed = 1;
    *TT_VEC_ADD(&f->arena, &f->record.steps) = (struct tt_step_record){
        .step = 0, .state = "done", .server = "i-1", .began = 1100, .ended = 2100};
    *TT_VEC_ADD(&f->arena, &f->record.steps) = (struct tt_step_record){.step = 1,
                                                                       .state = "failed",
                                                                       .began = 1200,
                                                                       .ended = 1300,
                                                                       .class = "denied",
                                                                       .error = "no"};
    assert_int_equal(tt_store_end_run(f->store, &f->record, &f->err), 0);
    read = read_run(f, f->record.id);
    assert_string_equal(read.result, "failed");
    assert_string_equal(read.trigger, "push");
    assert_string_equal(read.deployments, "shop");
    assert_int_equal(read.pid, getpid());
    assert_int_equal(read.began, 1000);
    assert_int_equal(read.ended, 4000);
    assert_int_equal(read.steps.count, 3);
    assert_string_equal(read.steps.items[0].subject, "Service/shop/web/0");
    assert_string_equal(read.steps.items[0].server, "i-1");
    assert_int_equal(read.steps.items[0].ended, 2100);
    assert_null(read.steps.items[0].error);
    assert_string_equal(read.steps.items[1].class, "denied");
    assert_string_equal(read.steps.items[1].error, "no");
    assert_int_equal(tt_store_read_run(f->store, &f->arena, 99, &read, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_NOT_FOUND);
}

/* A child begins a run, makes one call and dies in the middle of the other. */
static void a_run_that_was_cut_short_says_how_far_it_came(void **state)
{
    struct fixture *f = *state;
    const struct tt_step_record ended = {
        .step = 2, .state = "done", .server = "i-2", .ended = 1700};
    pid_t child;
    struct tt_run_record read;

    tt_store_close(f->store);
    f->store = NULL;
    child = fork();
    if (child == 0) {
        open_store(f);
        begin(f);
        tt_store_outcome(f->store, write_intent(f, f->record.id, 0), "done", true, 1600, NULL);
        write_intent(f, f->record.id, 1);
        tt_store_outcome(f->store, write_intent(f, f->record.id, 2), "done", true, 1600, NULL);
        tt_store_end_steps(f->store, f->record.id, &ended, 1, NULL);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    open_store(f);
    read = read_run(f, 1);
    assert_string_equal(read.result, "interrupted");
    assert_string_equal(read.steps.items[0].state, "called");
    assert_string_equal(read.steps.items[1].state, "interrupted");
    assert_string_equal(read.steps.items[2].state, "done");
    assert_string_equal(read.steps.items[2].server, "i-2");
    assert_int_equal(read.steps.items[2].began, 1500);
    assert_int_equal(read.steps.items[2].ended, 1700);
    assert_int_equal(read.done, 1);
    assert_int_equal(read.failed, 0);
}

static void only_so_many_runs_are_kept(void **state)
{
    struct fixture *f = *state;
    struct tt_run_record read;
    struct tt_strings shop = {0};
    tt_open_intents open = {0};
    int64_t first = begin(f);

    tt_strings_add(&f->arena, &shop, "shop");
    write_intent(f, first, 0);
    for (int i = 0; i < 9; i++)
        begin(f);
    assert_int_equal(count_runs(f), 10);
    assert_int_equal(tt_store_keep_runs(f->store, 3, &f->err), 0);
    assert_int_equal(count_runs(f), 3);
    begin(f);
    assert_int_equal(count_runs(f), 3);
    assert_int_equal(f->record.id, 11);
    assert_int_equal(tt_store_read_run(f->store, &f->arena, 8, &read, &f->err), -1);
    /* what is open is never dropped */
    assert_int_equal(tt_store_read_open(f->store, &f->arena, &shop, &open, &f->err), 0);
    assert_int_equal(open.count, 1);
}

static void an_intent_is_open_until_its_outcome_is_known(void **state)
{
    struct fixture *f = *state;
    struct tt_strings shop = {0}, blog = {0};
    tt_open_intents open = {0};
    int64_t run = begin(f), intent = write_intent(f, run, 0);

    tt_strings_add(&f->arena, &shop, "shop");
    tt_strings_add(&f->arena, &blog, "blog");
    tt_store_outcome(f->store, intent, "unknown: no answer", false, 1600, NULL);
    tt_store_outcome(f->store, write_intent(f, run, 1), "done", true, 1600, NULL);
    assert_int_equal(tt_store_read_open(f->store, &f->arena, &blog, &open, &f->err), 0);
    assert_int_equal(open.count, 0);
    assert_int_equal(tt_store_read_open(f->store, &f->arena, &shop, &open, &f->err), 0);
    assert_int_equal(open.count, 1);
    assert_int_equal(open.items[0].id, intent);
    assert_string_equal(open.items[0].subject, "Service/shop/web/0");
    assert_string_equal(open.items[0].token, "7f3a9");
    assert_int_equal(tt_store_outcome(f->store, intent, "adopted", true, 1700, &f->err), 0);
    assert_int_equal(tt_store_read_open(f->store, &f->arena, &shop, &open, &f->err), 0);
    assert_int_equal(open.count, 0);
}

static void the_last_applied_commit_is_known(void **state)
{
    struct fixture *f = *state;
    struct tt_strings shop = {0};
    const char *revision = "?";

    tt_strings_add(&f->arena, &shop, "shop");
    assert_int_equal(tt_store_read_applied(f->store, &f->arena, "shop", &revision, &f->err), 0);
    assert_null(revision);
    assert_int_equal(tt_store_set_applied(f->store, &shop, "abc", 1, &f->err), 0);
    assert_int_equal(tt_store_set_applied(f->store, &shop, "def", 2, &f->err), 0);
    assert_int_equal(tt_store_read_applied(f->store, &f->arena, "shop", &revision, &f->err), 0);
    assert_string_equal(revision, "def");
}

/* As the first version made it, with a run in it. */
static void an_older_file_is_brought_up_to_date(void **state)
{
    struct fixture *f = *state;
    char *file = tt_printf(&f->arena, "%s/store.db", f->folder);
    struct tt_run_record read;
    sqlite3 *db;

    tt_store_close(f->store);
    f->store = NULL;
    unlink(file);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TABLE runs(id INTEGER PRIMARY KEY AUTOINCREMENT, began INTEGER NOT "
                     "NULL, ended INTEGER NOT NULL, command TEXT NOT NULL, revision TEXT, result "
                     "TEXT NOT NULL, done INTEGER NOT NULL, failed INTEGER NOT NULL, skipped "
                     "INTEGER NOT NULL);"
                     "INSERT INTO runs VALUES(7, 1, 2, 'apply', 'abc', 'done', 3, 0, 0);"
                     "CREATE TABLE journal(id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT "
                     "NULL, step INTEGER NOT NULL, at INTEGER NOT NULL, action TEXT NOT NULL, "
                     "subject TEXT NOT NULL, account TEXT, region TEXT, server TEXT, machine TEXT, "
                     "incarnation TEXT, because TEXT, ended INTEGER, outcome TEXT);"
                     "CREATE TABLE locks(deployment TEXT PRIMARY KEY, token INTEGER NOT NULL, host "
                     "TEXT NOT NULL, boot TEXT NOT NULL, namespace TEXT NOT NULL, pid INTEGER NOT "
                     "NULL, started TEXT NOT NULL, user TEXT NOT NULL, command TEXT NOT NULL, "
                     "since INTEGER NOT NULL, expires INTEGER NOT NULL);"
                     "CREATE TABLE recoveries(deployment TEXT NOT NULL, balancer TEXT NOT NULL, at "
                     "INTEGER NOT NULL);"
                     "PRAGMA user_version = 1",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    open_store(f);
    read = read_run(f, 7);
    assert_string_equal(read.result, "done");
    assert_int_equal(read.done, 3);
    assert_null(read.user);
    assert_int_equal(begin(f), 8);
}

#define PROCESSES 8
#define RUNS      20

static int make_runs(struct fixture *f)
{
    if (tt_store_open(f->folder, &f->store, &f->err) < 0)
        return 1;
    for (int i = 0; i < RUNS; i++) {
        int64_t run = begin(f);

        for (int step = 0; step < 2; step++)
            if (tt_store_outcome(f->store, write_intent(f, run, step), "done", true, 1600,
                                 &f->err) < 0)
                return 2;
        f->record.result = "done";
        f->record.ended = 2000;
        f->record.done = 2;
        if (tt_store_end_run(f->store, &f->record, &f->err) < 0)
            return 3;
    }
    return 0;
}

static void no_process_loses_a_row(void **state)
{
    struct fixture *f = *state;
    tt_run_records runs = {0};
    pid_t children[PROCESSES];

    tt_store_close(f->store);
    f->store = NULL;
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(make_runs(f));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    open_store(f);
    assert_int_equal(tt_store_read_runs(f->store, &f->arena, 100000, &runs, &f->err), 0);
    assert_int_equal(runs.count, PROCESSES * RUNS);
    TT_EACH (run, &runs) {
        assert_string_equal(run->result, "done");
        assert_int_equal(read_run(f, run->id).steps.count, 3);
    }
}

/* A crash after the call must not make our own deletion look like a loss. */
static void what_we_delete_is_not_missed(void **state)
{
    struct fixture *f = *state;
    struct tt_step step = {.action = TT_STEP_DELETE_SERVER,
                           .subject = {.deployment = "storefront", .name = "web"},
                           .account = "here",
                           .region = "r",
                           .server = "i-1"};
    struct tt_known_server server = {"storefront", "here", "r", "i-1"};
    struct tt_memory memory = {0};
    int64_t intent;

    assert_int_equal(tt_store_set_known(f->store, "storefront", &server, 1, &f->err), 0);
    assert_int_equal(tt_store_intent(f->store,
                                     &(struct tt_intent){.run = 1, .step = 0, .what = &step}, 1,
                                     &intent, &f->err),
                     0);
    assert_int_equal(tt_store_load_memory(f->store, &f->arena, 1, &memory, &f->err), 0);
    assert_int_equal(memory.servers.count, 0);
    assert_int_equal(memory.deployments.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_told_as_it_went),         TEST(a_run_that_was_cut_short_says_how_far_it_came),
        TEST(only_so_many_runs_are_kept),       TEST(an_intent_is_open_until_its_outcome_is_known),
        TEST(the_last_applied_commit_is_known), TEST(an_older_file_is_brought_up_to_date),
        TEST(no_process_loses_a_row),           TEST(what_we_delete_is_not_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
