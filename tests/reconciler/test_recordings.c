/*
 * Covers reconciler/recording.c, reconciler/recordings.c and model/memory_json.c: what is kept of a
 * plan, what is not, and for how long.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "model/plan_json.h"
#include "reconciler/recordings.h"

#define USER_DATA "#!/bin/sh\nPASSWORD=swordfish\n"
#define KEPT      100

struct fixture {
    struct tt_arena arena;
    char folder[64];
    struct tt_recording recording;
    struct tt_plan *plan;
};

/* One account, one service of two servers, of which one runs; the other has vanished. */
static void build_inputs(struct fixture *f)
{
    struct tt_arena *arena = &f->arena;
    struct tt_desired *desired = TT_NEW(arena, struct tt_desired);
    struct tt_account *account = TT_NEW(arena, struct tt_account);
    struct tt_deployment *deployment = TT_NEW(arena, struct tt_deployment);
    struct tt_service *service = TT_NEW(arena, struct tt_service);
    struct tt_world *world = TT_NEW(arena, struct tt_world);
    struct tt_world_account *seen = TT_VEC_ADD(arena, &world->accounts);
    struct tt_region *region = TT_VEC_ADD(arena, &seen->regions);

    *account = (struct tt_account){.name = "dc", .provider = TT_PROVIDER_SIM, .folder = ""};
    tt_strings_add(arena, &account->regions, "r");
    *service = (struct tt_service){
        .name = "web", .deployment = deployment, .port = 80, .max_surge = {.value = 1}};
    *TT_VEC_ADD(arena, &service->placements) = (struct tt_placement){
        .account = account,
        .region = "r",
        .count = 2,
        .server = {.template = "t", .user_data = USER_DATA},
    };
    *deployment = (struct tt_deployment){.name = "shop",
                                         .running = true,
                                         .prune = true,
                                         .guard = {50, 50},
                                         .policy = tt_policy_default()};
    *TT_VEC_ADD(arena, &deployment->services) = service;
    *desired = (struct tt_desired){.owner = "acme", .revision = "c0ffee", .guard = {50, 50}};
    *TT_VEC_ADD(arena, &desired->accounts) = account;
    *TT_VEC_ADD(arena, &desired->deployments) = deployment;

    *seen = (struct tt_world_account){.name = "dc", .provider = "file", .regions = seen->regions};
    *region = (struct tt_region){.name = "r", .observed = true};
    *TT_VEC_ADD(arena, &region->zones) = (struct tt_zone){.name = "a"};
    *TT_VEC_ADD(arena, &region->servers) = (struct tt_server){.id = "i-1",
                                                              .zone = "a",
                                                              .state = TT_SERVER_RUNNING,
                                                              .health = TT_HEALTH_PASSING,
                                                              .template = "t",
                                                              .created_at = 1700000000123,
                                                              .tags = {.owner = "acme",
                                                                       .deployment = "shop",
                                                                       .service = "web",
                                                                       .slot = 0,
                                                                       .incarnation = "1",
                                                                       .spec = "0123456789abcdef"}};
    world->taken_at = TT_TIME_UNKNOWN;
    tt_world_sort(world);
    f->recording = (struct tt_recording){.desired = desired,
                                         .world = world,
                                         .now = 1700000500456,
                                         .at = 1700000500789,
                                         .command = "plan"};
    *TT_VEC_ADD(arena, &f->recording.memory.servers) =
        (struct tt_known_server){.deployment = "shop", .account = "dc", .region = "r", .id = "i-7"};
    tt_strings_add(arena, &f->recording.memory.deployments, "shop");
    tt_strings_add(arena, &f->recording.options.targets, "Service/web");
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/tt-recordings-XXXXXX"};
    tt_arena_init(&f->arena);
    assert_non_null(mkdtemp(f->folder));
    build_inputs(f);
    assert_int_equal(tt_recording_plan(&f->arena, &f->recording, &f->plan, NULL), 0);
    assert_int_not_equal(f->plan->steps.count, 0);
}

static void end(struct fixture *f)
{
    assert_int_equal(tt_remove_tree(f->folder, NULL), 0);
    tt_arena_release(&f->arena);
}

static const char *add(struct fixture *f, int64_t run)
{
    const char *name = NULL;
    struct tt_error err = {0};

    if (tt_recordings_add(&f->arena, f->folder, run, &f->recording, f->plan, &name, &err) < 0)
        fail_msg("%s", err.message);
    return name;
}

static char *read_file(struct fixture *f, const char *name, const char *file)
{
    char *text = NULL;

    assert_int_equal(
        tt_file_read(&f->arena, tt_printf(&f->arena, "%s/recordings/%s/%s", f->folder, name, file),
                     1 << 20, &text, NULL, NULL),
        0);
    return text;
}

static bool is_kept(struct fixture *f, const char *name)
{
    return tt_recordings_find(&f->arena, f->folder, name) != NULL;
}

/* --- what is kept ---------------------------------------------------------------------------- */

static void the_same_plan_comes_out(void **state)
{
    struct tt_recording again;
    struct tt_plan *plan = NULL;
    struct fixture f;

    (void)state;
    begin(&f);
    assert_string_equal(add(&f, 17), "17");
    assert_int_equal(
        tt_recording_read(&f.arena, tt_recordings_find(&f.arena, f.folder, "17"), &again, NULL), 0);
    assert_int_equal(again.now, f.recording.now);
    assert_int_equal(again.at, f.recording.at);
    assert_int_equal(again.world->accounts.items[0].regions.items[0].servers.items[0].created_at,
                     1700000000123);
    assert_string_equal(again.options.targets.items[0], "Service/web");
    assert_string_equal(again.memory.servers.items[0].id, "i-7");
    assert_int_equal(tt_recording_plan(&f.arena, &again, &plan, NULL), 0);
    assert_string_equal(tt_plan_to_json(&f.arena, plan), tt_plan_to_json(&f.arena, f.plan));
    assert_string_equal(again.plan, tt_plan_to_json(&f.arena, f.plan));
    end(&f);
}

static void user_data_is_not_kept(void **state)
{
    static const char *const files[] = {"desired.json", "world.json", "expected/plan.json",
                                        "expected/plan.txt"};
    struct fixture f;

    (void)state;
    begin(&f);
    add(&f, 1);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_null(strstr(read_file(&f, "1", files[i]), "swordfish"));
    assert_non_null(strstr(read_file(&f, "1", "desired.json"), "userDataHash"));
    assert_non_null(strstr(read_file(&f, "1", "expected/plan.json"), "userData"));
    end(&f);
}

static void only_the_owner_may_read_it(void **state)
{
    static const char *const parts[] = {
        "", "/1", "/1/about.txt", "/1/world.json", "/1/expected", "/1/desired.json"};
    struct fixture f;
    mode_t mask = umask(0);

    (void)state;
    begin(&f);
    add(&f, 1);
    umask(mask);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct stat st;

        assert_int_equal(stat(tt_printf(&f.arena, "%s/recordings%s", f.folder, parts[i]), &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
    }
    end(&f);
}

static void a_planner_that_failed_is_recorded_too(void **state)
{
    struct tt_recording again;
    struct fixture f;

    (void)state;
    begin(&f);
    f.plan = NULL;
    add(&f, 0);
    assert_int_equal(
        tt_recording_read(&f.arena, tt_recordings_find(&f.arena, f.folder, "p1"), &again, NULL), 0);
    assert_null(again.plan);
    assert_string_equal(again.command, "plan");
    end(&f);
}

static void another_format_is_refused(void **state)
{
    struct tt_recording again;
    struct tt_error err = {0};
    const char *file, *text;
    struct fixture f;

    (void)state;
    begin(&f);
    add(&f, 1);
    file = tt_printf(&f.arena, "%s/recordings/1/recording.json", f.folder);
    text = "{\"format\": \"trimtab.recording/v9\", \"program\": \"7.1\"}";
    assert_int_equal(tt_file_write(file, text, strlen(text), 0600, NULL), 0);
    assert_int_equal(
        tt_recording_read(&f.arena, tt_recordings_find(&f.arena, f.folder, "1"), &again, &err), -1);
    assert_int_equal(err.class, TT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "recorded by trimtab 7.1 as trimtab.recording/v9"));
    end(&f);
}

/* --- for how long ---------------------------------------------------------------------------- */

static void the_last_hundred_of_each_kind_are_kept(void **state)
{
    struct tt_strings plans = {0};
    struct fixture f;

    (void)state;
    begin(&f);
    for (int i = 1; i <= KEPT + 3; i++) {
        assert_string_equal(add(&f, 0), tt_printf(&f.arena, "p%d", i));
        if (i <= 3)
            add(&f, i);
    }
    assert_false(is_kept(&f, "p3"));
    assert_true(is_kept(&f, "p4"));
    assert_true(is_kept(&f, "1"));
    assert_int_equal(tt_recordings_plans(&f.arena, f.folder, &plans, NULL), 0);
    assert_int_equal(plans.count, KEPT);
    assert_string_equal(plans.items[0], tt_printf(&f.arena, "p%d", KEPT + 3));
    end(&f);
}

static void what_is_too_much_goes(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    add(&f, 1);
    add(&f, 2);
    assert_int_equal(
        truncate(tt_printf(&f.arena, "%s/recordings/1/world.json", f.folder), (off_t)300 << 20), 0);
    add(&f, 3);
    assert_false(is_kept(&f, "1"));
    assert_true(is_kept(&f, "2"));
    end(&f);
}

static void a_run_of_a_lost_store_gives_way(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    add(&f, 900);
    add(&f, 1);
    f.recording.command = "apply";
    add(&f, 1);
    assert_non_null(strstr(read_file(&f, "1", "recording.json"), "apply"));
    end(&f);
}

static void what_a_dead_process_left_goes(void **state)
{
    const struct timespec long_ago[] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    const char *left, *fresh;
    struct fixture f;

    (void)state;
    begin(&f);
    left = tt_printf(&f.arena, "%s/recordings/unfinished-aaaaaa", f.folder);
    fresh = tt_printf(&f.arena, "%s/recordings/unfinished-bbbbbb", f.folder);
    assert_int_equal(tt_make_folders(left, 0700, NULL), 0);
    assert_int_equal(tt_make_folders(fresh, 0700, NULL), 0);
    assert_int_equal(utimensat(AT_FDCWD, left, long_ago, 0), 0);
    add(&f, 0);
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(access(fresh, F_OK), 0);
    end(&f);
}

static void names_are_told_from_folders(void **state)
{
    static const char *const wrong[] = {"",    "p",  "0",   "p0", "17x",
                                        "x17", "-1", "p-1", "01", "9999999999999999999"};

    (void)state;
    assert_true(tt_recordings_is_name("17"));
    assert_true(tt_recordings_is_name("p3"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(tt_recordings_is_name(wrong[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_plan_comes_out),
        cmocka_unit_test(user_data_is_not_kept),
        cmocka_unit_test(only_the_owner_may_read_it),
        cmocka_unit_test(a_planner_that_failed_is_recorded_too),
        cmocka_unit_test(another_format_is_refused),
        cmocka_unit_test(the_last_hundred_of_each_kind_are_kept),
        cmocka_unit_test(what_is_too_much_goes),
        cmocka_unit_test(a_run_of_a_lost_store_gives_way),
        cmocka_unit_test(what_a_dead_process_left_goes),
        cmocka_unit_test(names_are_told_from_folders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
