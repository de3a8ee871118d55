/*
 * Covers reconciler/store*.c: what is written is there after a reopen, locks between
 * processes, and a store that is read-only, too new or on a full disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "reconciler/process.h"
#include "reconciler/store.h"
#include "support/store_fixture.h"

#define HOUR (INT64_C(3600) * 1000)

static void reopen(struct store_fixture *f)
{
    tt_store_close(f->store);
    f->store = NULL;
    store_open(f);
}

/* One number from the file, past our own code. */
static int64_t query(struct store_fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    int64_t number;

    assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static void execute(struct store_fixture *f, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void the_file_is_private(void **state)
{
    struct store_fixture *f = *state;
    struct stat st;

    store_open(f);
    assert_int_equal(stat(f->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(tt_printf(&f->arena, "%s-wal", f->file), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void runs_and_journal_survive(void **state)
{
    struct store_fixture *f = *state;
    struct tt_step step = {.action = TT_STEP_CREATE_SERVER,
                           .subject = {.deployment = "storefront", .name = "web", .slot = 3},
                           .account = "here",
                           .region = "r"};
    struct tt_run_record record = {.command = "apply",
                                   .revision = "abc",
                                   .began = 10,
                                   .ended = 50,
                                   .result = "done",
                                   .done = 1};
    int64_t intent;

    store_open(f);
    assert_int_equal(tt_store_begin_run(f->store, &record, NULL, &record.id, &f->err), 0);
    assert_int_equal(
        tt_store_intent(
            f->store,
            &(struct tt_intent){.run = record.id, .step = 4, .what = &step, .incarnation = "7f3a"},
            20, &intent, &f->err),
        0);
    reopen(f);
    assert_int_equal(query(f, "SELECT count(*) FROM journal WHERE outcome IS NULL AND step = 4 AND "
                              "subject = 'Service/storefront/web/3' AND incarnation = '7f3a' AND "
                              "action = 'create-server'"),
                     1);
    assert_int_equal(tt_store_outcome(f->store, intent, "done", true, 30, &f->err), 0);
    assert_int_equal(tt_store_end_run(f->store, &record, &f->err), 0);
    assert_int_equal(query(f, "SELECT count(*) FROM journal WHERE outcome = 'done'"), 1);
    assert_int_equal(query(f, "SELECT count(*) FROM runs WHERE result = 'done' AND began = 10 AND "
                              "ended = 50"),
                     1);
    assert_int_equal(tt_store_outcome(f->store, intent + 1, "done", true, 30, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_NOT_FOUND);
}

static void memory_is_what_was_left(void **state)
{
    struct store_fixture *f = *state;
    struct tt_recovery recent = {"storefront", "edge", 10 * HOUR};
    struct tt_recovery old = {"storefront", "edge", 9 * HOUR - 1};
    struct tt_known_server servers[] = {{"storefront", "here", "r", "i-2"},
                                        {"storefront", "here", "r", "i-1"}};
    struct tt_known_server other = {"blog", "here", "r", "i-9"};
    struct tt_memory memory = {0};

    store_open(f);
    assert_int_equal(tt_store_add_recovery(f->store, &old, &f->err), 0);
    assert_int_equal(tt_store_add_recovery(f->store, &recent, &f->err), 0);
    assert_int_equal(tt_store_set_known(f->store, "storefront", servers, 2, &f->err), 0);
    assert_int_equal(tt_store_set_known(f->store, "blog", &other, 1, &f->err), 0);
    assert_int_equal(tt_store_set_known(f->store, "storefront", servers, 1, &f->err), 0);
    reopen(f);
    assert_int_equal(tt_store_load_memory(f->store, &f->arena, 10 * HOUR, &memory, &f->err), 0);
    assert_int_equal(memory.recoveries.count, 1);
    assert_int_equal(memory.recoveries.items[0].at, 10 * HOUR);
    assert_int_equal(memory.servers.count, 2);
    assert_string_equal(memory.servers.items[0].id, "i-9");
    assert_string_equal(memory.servers.items[1].id, "i-2");
    assert_int_equal(memory.deployments.count, 2);
    assert_string_equal(memory.deployments.items[0], "blog");
}

static size_t count_lent(struct store_fixture *f)
{
    tt_lent_members lent = {0};

    assert_int_equal(tt_store_read_lent(f->store, &f->arena, &lent, &f->err), 0);
    return lent.count;
}

static void what_was_lent_is_not_forgotten_by_an_old_look(void **state)
{
    struct store_fixture *f = *state;
    struct tt_lent_member lent = {"edge", {"here", "r", "m-1", "storefront.web", "10.0.0.1", 80}};
    struct tt_step step = {.action = TT_STEP_ENROLL, .subject = {.deployment = "storefront"}};
    struct tt_intent intent = {.what = &step, .lends = &lent};
    tt_lent_members none = {0}, one = {0};
    int64_t id, token;

    store_open(f);
    *TT_VEC_ADD(&f->arena, &one) = lent;
    assert_int_equal(tt_store_intent(f->store, &intent, 100, &id, &f->err), 0);
    assert_int_equal(count_lent(f), 1);
    assert_int_equal(tt_store_set_lent(f->store, &none, &one, 100, 0, &f->err), 0);
    assert_int_equal(count_lent(f), 1); /* the look was before */
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 1000, 60000, &token, &f->err), 0);
    assert_int_equal(tt_store_break_lock(f->store, f->one.items[0], &f->err), 0);
    assert_int_equal(tt_store_set_lent(f->store, &none, &one, 101, token, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_CONFLICT);
    assert_int_equal(count_lent(f), 1);
    /* a later run looks while the first one has still to make its call */
    assert_int_equal(tt_store_resolve_intent(f->store, id, "resolved", 101, &f->err), 0);
    assert_int_equal(tt_store_set_lent(f->store, &none, &one, 101, 0, &f->err), 0);
    assert_int_equal(count_lent(f), 1);
    assert_int_equal(tt_store_outcome(f->store, id, "done", true, 102, &f->err), 0);
    assert_int_equal(tt_store_set_lent(f->store, &none, &one, 103, 0, &f->err), 0);
    assert_int_equal(count_lent(f), 0);
    assert_int_equal(tt_store_set_lent(f->store, &one, &none, 101, 0, &f->err), 0);
    reopen(f);
    assert_int_equal(count_lent(f), 1);
    assert_int_equal(tt_store_return_lent(f->store, &lent.member, &f->err), 0);
    assert_int_equal(count_lent(f), 0);
}

static void a_lock_names_its_holder(void **state)
{
    struct store_fixture *f = *state;
    struct tt_strings two = {0};
    int64_t token, again;

    store_open(f);
    tt_strings_add(&f->arena, &two, "blog");
    tt_strings_add(&f->arena, &two, "storefront");
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 1000, 60000, &token, &f->err), 0);
    assert_int_equal(tt_store_lock(f->store, &two, "apply", 2000, 60000, &again, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_CONFLICT);
    assert_non_null(strstr(f->err.message, "deployment storefront is locked by"));
    assert_non_null(strstr(f->err.message, tt_printf(&f->arena, "process %d", (int)getpid())));
    assert_non_null(strstr(f->err.message, "since 1970-01-01T00:00:01Z"));
    assert_non_null(strstr(f->err.message, "trimtab unlock storefront"));
    /* all or none */
    assert_int_equal(query(f, "SELECT count(*) FROM locks"), 1);
    assert_int_equal(tt_store_unlock(f->store, token, &f->err), 0);
    assert_int_equal(tt_store_lock(f->store, &two, "apply", 2000, 60000, &again, &f->err), 0);
    assert_true(again > token);
}

static void a_lease_runs_out_and_is_renewed(void **state)
{
    struct store_fixture *f = *state;
    int64_t token, other;

    store_open(f);
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 1000, 5000, &token, &f->err), 0);
    assert_int_equal(tt_store_renew(f->store, token, 5000, 5000, &f->err), 0);
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 7000, 5000, &other, &f->err), -1);
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 10000, 5000, &other, &f->err), 0);
    assert_int_equal(tt_store_renew(f->store, token, 10001, 5000, &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_CONFLICT);
    /* giving up a lost lock takes nothing from the new holder */
    assert_int_equal(tt_store_unlock(f->store, token, &f->err), 0);
    assert_int_equal(tt_store_renew(f->store, other, 10001, 5000, &f->err), 0);
}

static void a_lock_can_be_broken(void **state)
{
    struct store_fixture *f = *state;
    struct tt_lock_holder holder;
    int64_t token;

    store_open(f);
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 1000, HOUR, &token, &f->err), 0);
    assert_int_equal(tt_store_read_lock(f->store, &f->arena, "storefront", &holder, &f->err), 1);
    assert_int_equal(holder.pid, getpid());
    assert_int_equal(holder.token, token);
    assert_int_equal(holder.expires, 1000 + HOUR);
    assert_int_equal(tt_store_read_lock(f->store, &f->arena, "blog", &holder, &f->err), 0);
    assert_int_equal(tt_store_break_lock(f->store, "storefront", &f->err), 0);
    assert_int_equal(tt_store_break_lock(f->store, "storefront", &f->err), -1);
    assert_int_equal(f->err.class, TT_ERR_NOT_FOUND);
    assert_int_equal(tt_store_renew(f->store, token, 1000, HOUR, &f->err), -1);
}

/* A child takes the lock and dies without giving it up; WAIT: before it is reaped it is a zombie.
 */
static pid_t crash_holder(struct store_fixture *f)
{
    pid_t child = fork();

    if (child == 0) {
        struct tt_store *store;
        int64_t token;

        if (tt_store_open(f->folder, &store, NULL) < 0 ||
            tt_store_lock(store, &f->one, "apply", 1000, HOUR, &token, NULL) < 0)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    return child;
}

static void the_lock_of_a_dead_process_is_free(void **state)
{
    struct store_fixture *f = *state;
    pid_t child = crash_holder(f);
    siginfo_t info;
    int64_t token;

    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_code, CLD_KILLED);
    store_open(f);
    /* a zombie is dead */
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 2000, HOUR, &token, &f->err), 0);
    assert_int_equal(tt_store_unlock(f->store, token, &f->err), 0);
    waitpid(child, NULL, 0);

    child = crash_holder(f);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(query(f, "SELECT count(*) FROM locks"), 1);
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 2000, HOUR, &token, &f->err), 0);
}

static void a_reused_number_is_not_the_holder(void **state)
{
    struct store_fixture *f = *state;
    int64_t token;

    store_open(f);
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 1000, HOUR, &token, &f->err), 0);
    execute(f, "UPDATE locks SET started = '1'");
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 2000, HOUR, &token, &f->err), 0);
    execute(f, "UPDATE locks SET boot = 'another'");
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 2000, HOUR, &token, &f->err), 0);
    /* on another host, or in another pid namespace, only the lease counts */
    execute(f, "UPDATE locks SET host = 'elsewhere', started = '1'");
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 2000, HOUR, &token, &f->err), -1);
    execute(f, "UPDATE locks SET host = 'elsewhere', expires = 1500");
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 2000, HOUR, &token, &f->err), 0);
    execute(f, "UPDATE locks SET namespace = 'pid:[1]', started = '1'");
    assert_int_equal(tt_store_lock(f->store, &f->one, "apply", 2000, HOUR, &token, &f->err), -1);
}

#define PROCESSES 6
#define ROUNDS    25

/* Takes the lock, adds one to a number beside it without any other care, gives it up. */
static int count_up(struct store_fixture *f)
{
    char *path = tt_printf(&f->arena, "%s/number", f->folder);
    struct tt_store *store;

    if (tt_store_open(f->folder, &store, &f->err) < 0)
        return 1;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t token, intent;
        struct tt_step step = {.subject = {.deployment = "storefront", .name = "web"}};
        char *text;

        while (tt_store_lock(store, &f->one, "apply", 1000, HOUR, &token, &f->err) < 0) {
            if (f->err.class != TT_ERR_CONFLICT)
                return 2;
            usleep(1000);
        }
        if (tt_store_intent(store, &(struct tt_intent){.run = 1, .step = i, .what = &step}, 1,
                            &intent, &f->err) < 0 ||
            tt_file_read(&f->arena, path, 100, &text, NULL, NULL) < 0)
            return 3;
        text = tt_printf(&f->arena, "%d", atoi(text) + 1);
        if (tt_file_write(path, text, strlen(text), 0600, NULL) < 0 ||
            tt_store_unlock(store, token, &f->err) < 0)
            return 4;
    }
    tt_store_close(store);
    return 0;
}

/* The file does not exist before: they make it all at once, too. */
static void many_processes_share_it(void **state)
{
    struct store_fixture *f = *state;
    char *path = tt_printf(&f->arena, "%s/number", f->folder);
    pid_t children[PROCESSES];
    char *text;

    assert_int_equal(tt_file_write(path, "0", 1, 0600, NULL), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(count_up(f));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(tt_file_read(&f->arena, path, 100, &text, NULL, NULL), 0);
    assert_int_equal(atoi(text), PROCESSES * ROUNDS);
    assert_int_equal(query(f, "SELECT count(*) FROM journal"), PROCESSES * ROUNDS);
    assert_int_equal(query(f, "SELECT last FROM tokens"), PROCESSES * ROUNDS);
}

static void a_newer_file_is_left_alone(void **state)
{
    struct store_fixture *f = *state;

    store_open(f);
    tt_store_close(f->store);
    f->store = NULL;
    execute(f, "PRAGMA user_version = 9");
    assert_int_equal(tt_store_open(f->folder, &f->store, &f->err), -1);
    assert_non_null(strstr(f->err.message, "format 9"));
    assert_int_equal(query(f, "PRAGMA user_version"), 9);
}

static void a_folder_that_cannot_be_written_is_named(void **state)
{
    struct store_fixture *f = *state;

    if (geteuid() == 0) {
        /* root may write everywhere: a file where a folder should be */
        char *path = tt_printf(&f->arena, "%s/file/state", f->folder);

        assert_int_equal(
            tt_file_write(tt_printf(&f->arena, "%s/file", f->folder), "", 0, 0600, NULL), 0);
        assert_int_equal(tt_store_open(path, &f->store, &f->err), -1);
    } else {
        assert_int_equal(chmod(f->folder, 0500), 0);
        assert_int_equal(tt_store_open(f->folder, &f->store, &f->err), -1);
    }
    assert_non_null(strstr(f->err.message, f->folder));
}

/* A file size limit stands for a full disk: both fail the write that needs more room. */
static void a_full_disk_is_called_that(void **state)
{
    struct store_fixture *f = *state;
    struct tt_step step = {.subject = {.deployment = "storefront", .name = "web"}};
    struct rlimit limit, old;
    int64_t intent;
    int written = 0;

    store_open(f);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 256 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    step.server = tt_printf(&f->arena, "%*s", 40000, "x");
    while (written < 1000 &&
           tt_store_intent(f->store, &(struct tt_intent){.run = 1, .step = written, .what = &step},
                           1, &intent, &f->err) == 0)
        written++;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(written > 0 && written < 1000);
    assert_int_equal(f->err.class, TT_ERR_INTERNAL);
    assert_non_null(strstr(f->err.message, "the disk is full"));
    assert_non_null(strstr(f->err.message, f->file));
    /* with room again it goes on, and nothing that was written is lost */
    assert_int_equal(tt_store_intent(f->store,
                                     &(struct tt_intent){.run = 1, .step = 0, .what = &step}, 1,
                                     &intent, &f->err),
                     0);
    assert_int_equal(query(f, "SELECT count(*) FROM journal"), written + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_private),
        TEST(runs_and_journal_survive),
        TEST(memory_is_what_was_left),
        TEST(what_was_lent_is_not_forgotten_by_an_old_look),
        TEST(a_lock_names_its_holder),
        TEST(a_lease_runs_out_and_is_renewed),
        TEST(a_lock_can_be_broken),
        TEST(the_lock_of_a_dead_process_is_free),
        TEST(a_reused_number_is_not_the_holder),
        TEST(many_processes_share_it),
        TEST(a_newer_file_is_left_alone),
        TEST(a_folder_that_cannot_be_written_is_named),
        TEST(a_full_disk_is_called_that),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
