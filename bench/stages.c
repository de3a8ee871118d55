/*
 * The pure stages alone: specs and world are read once, then the plan is made from the structs in
 * memory. Prints milliseconds (the best of three), kilobytes that planning took at its peak beyond
 * what was read, the number of steps, and the milliseconds that reading took. All of the processor.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "bench/stopwatch.h"
#include "model/world_json.h"
#include "reconciler/planner.h"
#include "specs/specs.h"

#define LIMIT  ((size_t)1 << 30)
#define ROUNDS 3

static int load(struct tt_arena *arena, const char *folder, struct tt_desired **ret_desired,
                struct tt_world **ret_world, struct tt_error *err)
{
    const char *path = tt_printf(arena, "%s/world.json", folder);
    struct tt_specs_request request = {.repository = tt_printf(arena, "%s/specs", folder),
                                       .worktree = true};
    struct tt_findings findings = {0};
    size_t size;
    char *text;

    if (tt_file_read(arena, path, LIMIT, &text, &size, err) < 0 ||
        tt_world_from_json(arena, text, size, path, ret_world, err) < 0 ||
        tt_specs_load(arena, &request, ret_desired, &findings, err) < 0)
        return -1;
    if (!*ret_desired) {
        tt_findings_print(stderr, &findings, false);
        return tt_fail(err, TT_ERR_SPEC, "the specs are wrong");
    }
    return 0;
}

/* A number of /proc/self/status in kilobytes; 0: there is none. */
static long status_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long value = 0;

    while (file && !value && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

/* From here on VmHWM is the peak of what follows; what reading freed is given back before. */
static long begin_peak(void)
{
    FILE *file;

    malloc_trim(0);
    file = fopen("/proc/self/clear_refs", "w");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
    return status_of("VmRSS:");
}

static int run(struct tt_arena *arena, const char *folder, struct tt_error *err)
{
    struct tt_desired *desired = NULL;
    struct tt_world *world;
    const struct tt_memory memory = {0};
    struct tt_plan *plan;
    double best = 0, reading = tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID);
    size_t steps = 0;
    long before;

    if (load(arena, folder, &desired, &world, err) < 0)
        return -1;
    reading = tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID) - reading;
    const struct tt_plan_options options = {.world_hash = tt_world_hash(arena, world)};
    before = begin_peak();
    for (int i = 0; i < ROUNDS; i++) {
        struct tt_arena scratch;
        double start = tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID);
        int status;

        tt_arena_init(&scratch);
        status = tt_planner_plan(&scratch, desired, world, &memory, world->taken_at, &options,
                                 &plan, err);
        if (i == 0 || tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID) - start < best)
            best = tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID) - start;
        steps = status < 0 ? 0 : plan->steps.count;
        tt_arena_release(&scratch);
        if (status < 0)
            return -1;
    }
    printf("%.1f %ld %zu %.1f\n", best, status_of("VmHWM:") - before, steps, reading);
    return 0;
}

int main(int argc, char **argv)
{
    struct tt_error err = {0};
    struct tt_arena arena;
    int status;

    if (argc != 2) {
        fprintf(stderr, "usage: bench_stages FOLDER\n");
        return 1;
    }
    tt_arena_init(&arena);
    status = run(&arena, argv[1], &err);
    if (status < 0)
        fprintf(stderr, "bench_stages: %s\n", err.message);
    tt_arena_release(&arena);
    return status < 0;
}
