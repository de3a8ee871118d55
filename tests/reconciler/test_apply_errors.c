/*
 * Covers reconciler/apply*.c: retries, adoption after a timeout, machines that never come up, the
 * journal and the memory, against a cloud in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/reconciler/support/apply_fixture.h"

/* --- errors ------------------------------------------------------------------------------------
 */

static void set_fault(struct toy *toy, enum toy_call call, int nth, int times,
                      enum tt_error_class class, bool late)
{
    toy->fault.call = call;
    toy->fault.nth = nth;
    toy->fault.times = times;
    toy->fault.class = class;
    toy->fault.after = late;
}

static void what_is_busy_is_tried_again(void **state)
{
    struct fixture *f = *state;
    const enum tt_error_class classes[] = {TT_ERR_THROTTLED, TT_ERR_UNAVAILABLE, TT_ERR_TIMEOUT,
                                           TT_ERR_CONFLICT};

    plan_add_arrival(f, 0, "lb");
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        tt_time began = f->toy.now;

        f->toy.calls[TOY_ENROLL] = 0;
        set_fault(&f->toy, TOY_ENROLL, 1, 1, classes[i], false);
        run_whole_plan(f);
        assert_int_equal(f->toy.calls[TOY_ENROLL], 2);
        assert_true(f->toy.now > began + 200);
    }
}

static void tries_come_to_an_end(void **state)
{
    struct fixture *f = *state;

    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    set_fault(&f->toy, TOY_CREATE, 1, 1000, TT_ERR_THROTTLED, false);
    run_plan(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->toy.calls[TOY_CREATE], 5);
    assert_int_equal(f->outcome.steps[0].error.class, TT_ERR_THROTTLED);
}

/* It runs long before anybody can log in. */
static void a_machine_that_boots_is_told_when_it_can_be(void **state)
{
    struct fixture *f = *state;

    plan_add_edge(f, TT_BECAUSE_MISSING);
    set_fault(&f->toy, TOY_RUN, 1, 12, TT_ERR_UNAVAILABLE, false);
    run_whole_plan(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    assert_true(f->toy.calls[TOY_RUN] > 12);
}

static void but_not_longer_than_its_grace(void **state)
{
    struct fixture *f = *state;
    tt_time began = f->toy.now;

    plan_add_edge(f, TT_BECAUSE_MISSING);
    set_fault(&f->toy, TOY_RUN, 1, 1000, TT_ERR_UNAVAILABLE, false);
    run_plan(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.steps[0].error.class, TT_ERR_UNAVAILABLE);
    assert_true(f->toy.now - began >= 60000);
    assert_true(f->toy.now - began < 90000);
}

static void what_cannot_work_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    const enum tt_error_class classes[] = {TT_ERR_DENIED, TT_ERR_SPEC, TT_ERR_UNSUPPORTED,
                                           TT_ERR_NOT_FOUND, TT_ERR_INTERNAL};

    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        f->toy.calls[TOY_CREATE] = 0;
        set_fault(&f->toy, TOY_CREATE, 1, 1000, classes[i], false);
        run_plan(f);
        assert_int_equal(f->outcome.failed, 1);
        assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    }
    f->toy.calls[TOY_CREATE] = 0;
    set_fault(&f->toy, TOY_CREATE, 1, 1000, TT_ERR_CONFLICT, false);
    f->toy.fault.code = "no-capacity";
    run_plan(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
}

static void a_create_with_unknown_outcome_is_adopted(void **state)
{
    struct fixture *f = *state;

    plan_add_arrival(f, 0, "lb");
    set_fault(&f->toy, TOY_CREATE, 1, 1, TT_ERR_TIMEOUT, true);
    run_whole_plan(f);
    assert_int_equal(f->toy.machine_count, 1);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    assert_non_null(toy_member(&f->toy, f->toy.machines[0].id));
}

static void a_create_that_never_arrived_is_made_again(void **state)
{
    struct fixture *f = *state;

    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    set_fault(&f->toy, TOY_CREATE, 1, 1, TT_ERR_TIMEOUT, false);
    run_whole_plan(f);
    assert_int_equal(f->toy.machine_count, 1);
    assert_int_equal(f->toy.calls[TOY_CREATE], 2);
}

/* Nothing may be repeated blindly: as long as the region cannot be seen, there is one call. */
static void a_create_is_not_repeated_blindly(void **state)
{
    struct fixture *f = *state;

    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    f->web.placements.items[0].account = &f->here;
    set_fault(&f->toy, TOY_CREATE, 1, 1, TT_ERR_TIMEOUT, true);
    f->clouds.items.items[0].provider =
        tt_decorate_fault(&f->arena, &f->toy.provider, 2, TT_FAULT_BEFORE, TT_ERR_UNAVAILABLE);
    run_whole_plan(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    assert_int_equal(f->toy.machine_count, 1);
}

static size_t count_open(struct fixture *f)
{
    struct tt_strings shop = {0};
    tt_open_intents open = {0};

    tt_strings_add(&f->arena, &shop, "shop");
    assert_int_equal(tt_store_read_open(f->request.store, &f->arena, &shop, &open, &f->err), 0);
    return open.count;
}

/* A region of the world that was seen, and empty. */
static struct tt_region *see_region(struct fixture *f)
{
    struct tt_world_account *account = TT_VEC_ADD(&f->arena, &f->world->accounts);
    struct tt_region *region;

    account->name = "here";
    region = TT_VEC_ADD(&f->arena, &account->regions);
    *region = (struct tt_region){.name = "r", .observed = true};
    return region;
}

/* A run that makes web-0, and whose journal does not know that: it was cut short. */
static struct tt_region *lose_a_create(struct fixture *f)
{
    struct tt_region *region = see_region(f);

    keep_journal(f);
    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    run_whole_plan(f);
    assert_int_equal(count_open(f), 0);
    assert_int_equal(tt_store_outcome(f->request.store, 1, "unknown", false, 1, &f->err), 0);
    assert_int_equal(count_open(f), 1);
    return region;
}

/* What no answer came to may have been made, whatever the next try is told: its intent stays open,
 * so that the next run asks with the same token. */
static void an_unknown_outcome_stays_unknown(void **state)
{
    struct fixture *f = *state;
    struct tt_provider **provider = &f->clouds.items.items[0].provider;

    see_region(f);
    keep_journal(f);
    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    set_fault(&f->toy, TOY_CREATE, 1, 1, TT_ERR_TIMEOUT, false);
    /* a create, a look for what it made, and the second create */
    *provider = tt_decorate_fault(&f->arena, *provider, 3, TT_FAULT_BEFORE, TT_ERR_DENIED);
    run_plan(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.steps[0].error.class, TT_ERR_DENIED);
    assert_int_equal(count_open(f), 1);
    run_whole_plan(f);
    assert_int_equal(count_open(f), 0);
}

/* Its machine is not to be seen yet: asking again with its token makes no second one. */
static void what_a_run_lost_is_taken_up_by_the_next(void **state)
{
    struct fixture *f = *state;

    (void)lose_a_create(f);
    run_whole_plan(f);
    assert_int_equal(f->toy.machine_count, 1);
    assert_int_equal(f->toy.calls[TOY_CREATE], 2);
    assert_int_equal(count_open(f), 0);
    run_whole_plan(f);
    assert_int_equal(f->toy.machine_count, 2);
}

static void what_a_run_lost_and_is_there_is_resolved(void **state)
{
    struct fixture *f = *state;
    struct tt_region *region = lose_a_create(f);

    *TT_VEC_ADD(&f->arena, &region->servers) =
        (struct tt_server){.id = "i-0", .tags = f->toy.machines[0].tags};
    run_whole_plan(f);
    assert_int_equal(f->toy.machine_count, 2);
    assert_int_equal(count_open(f), 0);
}

/* Another request may make another machine; what nobody asks for is given up in the end. */
static void what_a_run_lost_and_nobody_wants_is_given_up(void **state)
{
    struct fixture *f = *state;

    (void)lose_a_create(f);
    f->plan.steps.items[0].zone = "elsewhere";
    run_whole_plan(f);
    assert_int_equal(f->toy.machine_count, 2);
    assert_int_equal(count_open(f), 1);
    f->toy.now += INT64_C(2) * 3600 * 1000;
    run_whole_plan(f);
    assert_int_equal(count_open(f), 0);
}

static void what_nobody_can_see_stays_open(void **state)
{
    struct fixture *f = *state;

    lose_a_create(f)->observed = false;
    f->toy.now += INT64_C(2) * 3600 * 1000;
    f->plan.steps.items[0].zone = "elsewhere";
    run_whole_plan(f);
    assert_int_equal(count_open(f), 1);
}

static void a_machine_that_fails_to_boot_fails_its_step(void **state)
{
    struct fixture *f = *state;

    plan_add_arrival(f, 0, "lb");
    f->toy.fail_boot = true;
    run_plan(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_non_null(strstr(step_error(f, 0), "failed while it was to come up"));
}

static void a_machine_that_never_runs_is_given_up(void **state)
{
    struct fixture *f = *state;
    tt_time began = f->toy.now;

    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    f->toy.never_run = true;
    run_plan(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.steps[0].error.class, TT_ERR_TIMEOUT);
    assert_non_null(strstr(step_error(f, 0), "gave up after 11m"));
    assert_non_null(strstr(step_error(f, 0), "booting"));
    assert_true(f->toy.now - began >= 11 * 60 * 1000);
    assert_true(f->toy.calls[TOY_OBSERVE] < 200);
}

/* Makes probes real: the machines are on the loopback. Returns a socket bound to web's port. */
static int probe_web(struct fixture *f, struct tt_health_check *check, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    if (listening)
        assert_int_equal(listen(fd, 1000), 0);
    *check = (struct tt_health_check){
        .interval = 1000, .timeout = 2000, .unhealthy_after = 3, .grace = 60000};
    f->web.health = check;
    f->web.port = ntohs(address.sin_port);
    f->here.provider = TT_PROVIDER_LOCAL;
    f->toy.address = "127.0.0.1";
    return fd;
}

static void a_machine_is_up_when_its_health_check_passes(void **state)
{
    struct fixture *f = *state;
    struct tt_health_check check;
    int fd = probe_web(f, &check, true);

    plan_add_arrival(f, 0, "lb");
    plan_add_arrival(f, 1, "lb");
    run_whole_plan(f);
    close(fd);
}

static void a_machine_whose_check_never_passes_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct tt_health_check check;
    int fd = probe_web(f, &check, false);

    plan_add_arrival(f, 0, "lb");
    run_plan(f);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.skipped, 1);
    assert_non_null(strstr(step_error(f, 0), "gave up after 11m"));
    assert_non_null(strstr(step_error(f, 0), "waiting for its health check"));
    close(fd);
}

static void a_machine_that_cannot_be_fenced_is_left_to_its_deletion(void **state)
{
    struct fixture *f = *state;
    struct tt_step *step = plan_add_step(f, TT_STEP_FENCE, -1);

    step->server = "i-1";
    run_whole_plan(f);
    assert_non_null(strstr(f->outcome.steps[0].note, "cannot fence"));
}

/* --- the journal and the memory ------------------------------------------------------------------
 */

static void what_exists_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .service = "web"};
    struct tt_world_account *account = TT_VEC_ADD(&f->arena, &f->world->accounts);
    struct tt_region *region = TT_VEC_ADD(&f->arena, &account->regions);
    struct tt_memory memory = {0};

    account->name = "here";
    region->name = "r";
    region->observed = true;
    *TT_VEC_ADD(&f->arena, &region->servers) =
        (struct tt_server){.id = "i-keep", .tags = tags, .state = TT_SERVER_RUNNING};
    *TT_VEC_ADD(&f->arena, &region->servers) =
        (struct tt_server){.id = "i-old", .tags = tags, .state = TT_SERVER_RUNNING};
    keep_journal(f);
    assert_int_equal(tt_store_set_known(f->request.store, "shop",
                                        (struct tt_known_server[]){{"shop", "here", "r", "i-gone"},
                                                                   {"shop", "there", "r", "i-x"}},
                                        2, &f->err),
                     0);
    plan_add_step(f, TT_STEP_CREATE_SERVER, 0);
    plan_add_step(f, TT_STEP_DELETE_SERVER, 1)->server = "i-old";
    run_whole_plan(f);
    assert_int_equal(tt_store_load_memory(f->request.store, &f->arena, 1, &memory, &f->err), 0);
    assert_int_equal(memory.servers.count, 3);
    assert_string_equal(memory.servers.items[0].id, "i-0");
    assert_string_equal(memory.servers.items[1].id, "i-keep");
    /* its region was not seen */
    assert_string_equal(memory.servers.items[2].id, "i-x");
}

static void a_held_deployment_keeps_its_memory(void **state)
{
    struct fixture *f = *state;
    struct tt_memory memory = {0};

    keep_journal(f);
    assert_int_equal(tt_store_set_known(f->request.store, "shop",
                                        &(struct tt_known_server){"shop", "here", "r", "i-gone"}, 1,
                                        &f->err),
                     0);
    plan_add_step(f, TT_STEP_CREATE_SERVER, 0)->held = true;
    run_plan(f);
    assert_int_equal(tt_store_load_memory(f->request.store, &f->arena, 1, &memory, &f->err), 0);
    assert_int_equal(memory.servers.count, 1);
    assert_string_equal(memory.servers.items[0].id, "i-gone");
}

static void replacements_of_balancers_are_counted(void **state)
{
    struct fixture *f = *state;
    struct tt_memory memory = {0};

    keep_journal(f);
    plan_add_edge(f, TT_BECAUSE_FAILED);
    run_whole_plan(f);
    assert_int_equal(
        tt_store_load_memory(f->request.store, &f->arena, f->toy.now, &memory, &f->err), 0);
    assert_int_equal(memory.recoveries.count, 1);
    assert_string_equal(memory.recoveries.items[0].balancer, "edge");
}

/* From now on the store takes no such change of its journal. */
static void refuse_in_journal(struct fixture *f, const char *change)
{
    sqlite3 *db;

    tt_store_close(f->request.store);
    f->request.store = NULL;
    assert_int_equal(sqlite3_open(tt_printf(&f->arena, "%s/store.db", f->folder), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  tt_printf(&f->arena,
                                            "CREATE TRIGGER full BEFORE %s ON journal "
                                            "BEGIN SELECT RAISE(ABORT, 'no room for it'); END",
                                            change),
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    if (tt_store_open(f->folder, &f->request.store, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

static void nothing_is_done_without_a_journal(void **state)
{
    struct fixture *f = *state;

    keep_journal(f);
    refuse_in_journal(f, "INSERT");
    for (int slot = 0; slot < 3; slot++)
        plan_add_step(f, TT_STEP_CREATE_SERVER, slot);
    f->request.parallelism = 1;
    run_plan(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 0);
    assert_int_equal(f->outcome.failed, 1);
    assert_int_equal(f->outcome.skipped, 2);
    assert_non_null(strstr(step_error(f, 0), "the journal cannot be written"));
    assert_non_null(strstr(step_error(f, 2), "the journal cannot be written"));
}

/* What was done is done; but what is left is no success, and its reason is told. */
static void an_outcome_that_cannot_be_written_ends_the_run(void **state)
{
    struct fixture *f = *state;

    keep_journal(f);
    refuse_in_journal(f, "UPDATE");
    for (int slot = 0; slot < 3; slot++)
        plan_add_step(f, TT_STEP_CREATE_SERVER, slot);
    f->request.parallelism = 1;
    run_plan(f);
    assert_int_equal(f->toy.calls[TOY_CREATE], 1);
    assert_int_equal(f->outcome.done, 1);
    assert_int_equal(f->outcome.skipped, 2);
    assert_true(f->outcome.stopped);
    assert_non_null(strstr(step_error(f, 1), "the journal cannot be written"));
    assert_non_null(strstr(step_error(f, 1), "no room for it"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, apply_setup, apply_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_busy_is_tried_again),
        TEST(tries_come_to_an_end),
        TEST(a_machine_that_boots_is_told_when_it_can_be),
        TEST(but_not_longer_than_its_grace),
        TEST(what_cannot_work_is_not_repeated),
        TEST(a_create_with_unknown_outcome_is_adopted),
        TEST(a_create_that_never_arrived_is_made_again),
        TEST(a_create_is_not_repeated_blindly),
        TEST(an_unknown_outcome_stays_unknown),
        TEST(what_a_run_lost_is_taken_up_by_the_next),
        TEST(what_a_run_lost_and_is_there_is_resolved),
        TEST(what_a_run_lost_and_nobody_wants_is_given_up),
        TEST(what_nobody_can_see_stays_open),
        TEST(a_machine_that_fails_to_boot_fails_its_step),
        TEST(a_machine_that_never_runs_is_given_up),
        TEST(a_machine_is_up_when_its_health_check_passes),
        TEST(a_machine_whose_check_never_passes_is_given_up),
        TEST(a_machine_that_cannot_be_fenced_is_left_to_its_deletion),
        TEST(what_exists_is_remembered),
        TEST(a_held_deployment_keeps_its_memory),
        TEST(replacements_of_balancers_are_counted),
        TEST(nothing_is_done_without_a_journal),
        TEST(an_outcome_that_cannot_be_written_ends_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
