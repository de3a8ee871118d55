/*
 * Recordings: writing one folder and reading it, file by file.
 */
#include "reconciler/recording.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "model/desired_json.h"
#include "model/json.h"
#include "model/memory_json.h"
#include "model/plan_json.h"
#include "model/world_json.h"
#include "reconciler/plan_text.h"

#define FORMAT    "trimtab.recording/v1"
#define LARGEST   (1024u * 1024 * 1024)
#define MOST      1000000 /* --allow-destroy */
#define FILE_MODE 0600

/* --- writing --------------------------------------------------------------------------------- */

static int write_file(struct tt_arena *arena, const char *folder, const char *name,
                      const char *text, struct tt_error *err)
{
    return tt_file_make(tt_printf(arena, "%s/%s", folder, name), text, strlen(text), FILE_MODE,
                        err);
}

static const char *options_text(struct tt_arena *arena, const struct tt_recording *recording)
{
    const struct tt_plan_options *options = &recording->options;
    json_t *root = json_object();

    json_object_set_new(root, "now", json_string(tt_time_format_exact(arena, recording->now)));
    json_object_set_new(root, "prune", json_boolean(options->prune));
    json_object_set_new(root, "allowDestroy", json_integer(options->allow_destroy));
    json_object_set_new(root, "allowVanished", json_boolean(options->allow_vanished));
    json_object_set_new(root, "targets", tt_json_from_strings(&options->targets));
    return tt_json_text(arena, root);
}

static const char *recording_text(struct tt_arena *arena, const struct tt_recording *recording)
{
    json_t *root = json_object();

    json_object_set_new(root, "format", json_string(FORMAT));
    json_object_set_new(root, "program", json_string(TT_VERSION));
    json_object_set_new(root, "command", json_string(recording->command));
    json_object_set_new(root, "at", json_string(tt_time_format_exact(arena, recording->at)));
    return tt_json_text(arena, root);
}

static const char *about_text(struct tt_arena *arena, const struct tt_recording *recording,
                              const struct tt_plan *plan)
{
    size_t steps = plan ? plan->steps.count : 0;
    const char *what = plan ? tt_printf(arena, "%zu %s", steps, steps == 1 ? "step" : "steps")
                            : "no plan: the planner failed";

    return tt_printf(arena, "Recorded from trimtab %s of %s at %s: %s.\n", recording->command,
                     recording->desired->revision, tt_time_format(arena, recording->at), what);
}

static int write_plan(struct tt_arena *arena, const char *folder,
                      const struct tt_recording *recording, const struct tt_plan *plan,
                      struct tt_error *err)
{
    TT_BUF_AUTO text = {0};

    tt_plan_text(&text, plan, recording->desired, false);
    if (tt_make_folders(tt_printf(arena, "%s/expected", folder), 0700, err) < 0 ||
        write_file(arena, folder, "expected/plan.txt", tt_buf_text(&text), err) < 0)
        return -1;
    return write_file(arena, folder, "expected/plan.json", tt_plan_to_json(arena, plan), err);
}

static int write_inputs(struct tt_arena *arena, const char *folder,
                        const struct tt_recording *recording, struct tt_error *err)
{
    if (write_file(arena, folder, "desired.json", tt_desired_to_record(arena, recording->desired),
                   err) < 0 ||
        write_file(arena, folder, "world.json", tt_world_to_json(arena, recording->world), err) <
            0 ||
        write_file(arena, folder, "memory.json", tt_memory_to_json(arena, &recording->memory),
                   err) < 0 ||
        write_file(arena, folder, "options.json", options_text(arena, recording), err) < 0)
        return -1;
    return write_file(arena, folder, "recording.json", recording_text(arena, recording), err);
}

int tt_recording_write(const char *folder, const struct tt_recording *recording,
                       const struct tt_plan *plan, struct tt_error *err)
{
    struct tt_arena arena;
    int result;

    tt_arena_init(&arena);
    result =
        tt_make_folders(folder, 0700, err) < 0 ||
        write_file(&arena, folder, "about.txt", about_text(&arena, recording, plan), err) < 0 ||
        write_inputs(&arena, folder, recording, err) < 0 ||
        (plan && write_plan(&arena, folder, recording, plan, err) < 0);
    tt_arena_release(&arena);
    return result ? -1 : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* The text of FOLDER/NAME; *RET_TEXT NULL: there is no such file, which REQUIRED forbids. */
static int read_text(struct tt_arena *arena, const char *folder, const char *name, bool required,
                     char **ret_text, size_t *ret_size, struct tt_error *err)
{
    struct tt_error error = {0};

    *ret_text = NULL;
    if (tt_file_read(arena, tt_printf(arena, "%s/%s", folder, name), LARGEST, ret_text, ret_size,
                     &error) == 0 ||
        (error.class == TT_ERR_NOT_FOUND && !required))
        return 0;
    if (err)
        *err = error;
    return -1;
}

/* As read_text, parsed; *RET_ROOT NULL: there is no such file. */
static int read_json(struct tt_arena *arena, const char *folder, const char *name,
                     json_t **ret_root, struct tt_error *err)
{
    char *text;
    size_t size;

    *ret_root = NULL;
    if (read_text(arena, folder, name, false, &text, &size, err) < 0)
        return -1;
    return text ? tt_json_parse(text, size, tt_printf(arena, "%s/%s", folder, name), ret_root, err)
                : 0;
}

static int read_options(struct tt_arena *arena, const struct tt_json *document,
                        struct tt_recording *recording, struct tt_error *err)
{
    struct tt_plan_options *options = &recording->options;
    const struct tt_strings *targets = NULL;

    if (tt_json_object(document, err) < 0 ||
        tt_json_time(document, "now", &recording->now, err) < 0 ||
        tt_json_bool(document, "prune", &options->prune, err) < 0 ||
        tt_json_int(document, "allowDestroy", 0, MOST, &options->allow_destroy, err) < 0 ||
        tt_json_bool(document, "allowVanished", &options->allow_vanished, err) < 0 ||
        tt_json_strings(arena, document, "targets", &targets, err) < 0)
        return -1;
    if (targets)
        options->targets = *targets;
    return 0;
}

static int read_options_file(struct tt_arena *arena, const char *folder,
                             struct tt_recording *recording, struct tt_error *err)
{
    json_auto_t *root = NULL;

    if (read_json(arena, folder, "options.json", &root, err) < 0)
        return -1;
    if (root && read_options(arena, &(struct tt_json){.value = root}, recording, err) < 0)
        return tt_wrap(err, "%s/options.json", folder);
    return 0;
}

static int read_about(struct tt_arena *arena, const struct tt_json *document, const char *folder,
                      struct tt_recording *recording, struct tt_error *err)
{
    const char *format = NULL;

    if (tt_json_object(document, err) < 0 ||
        tt_json_required_string(arena, document, "format", &format, err) < 0 ||
        tt_json_required_string(arena, document, "program", &recording->program, err) < 0)
        return tt_wrap(err, "%s/recording.json", folder);
    if (strcmp(format, FORMAT) != 0)
        return tt_fail(err, TT_ERR_UNSUPPORTED,
                       "%s was recorded by trimtab %s as %s, and this trimtab %s reads " FORMAT
                       ": use the one that recorded it",
                       folder, recording->program, format, TT_VERSION);
    if (tt_json_required_string(arena, document, "command", &recording->command, err) < 0 ||
        tt_json_time(document, "at", &recording->at, err) < 0)
        return tt_wrap(err, "%s/recording.json", folder);
    return 0;
}

static int read_about_file(struct tt_arena *arena, const char *folder,
                           struct tt_recording *recording, struct tt_error *err)
{
    json_auto_t *root = NULL;

    if (read_json(arena, folder, "recording.json", &root, err) < 0)
        return -1;
    return root ? read_about(arena, &(struct tt_json){.value = root}, folder, recording, err) : 0;
}

static int read_inputs(struct tt_arena *arena, const char *folder, struct tt_recording *recording,
                       struct tt_error *err)
{
    struct tt_desired *desired = NULL;
    struct tt_world *world = NULL;
    size_t size;
    char *text;

    if (read_text(arena, folder, "world.json", true, &text, &size, err) < 0 ||
        tt_world_from_json(arena, text, size, tt_printf(arena, "%s/world.json", folder), &world,
                           err) < 0 ||
        read_text(arena, folder, "memory.json", false, &text, &size, err) < 0 ||
        (text && tt_memory_from_json(arena, text, size, tt_printf(arena, "%s/memory.json", folder),
                                     &recording->memory, err) < 0) ||
        read_text(arena, folder, "desired.json", false, &text, &size, err) < 0 ||
        (text &&
         tt_desired_from_json(arena, text, size, tt_printf(arena, "%s/desired.json", folder),
                              &desired, err) < 0))
        return -1;
    recording->desired = desired;
    recording->world = world;
    recording->now = world->taken_at == TT_TIME_UNKNOWN ? 0 : world->taken_at;
    return 0;
}

static int read_plan(struct tt_arena *arena, const char *folder, struct tt_recording *recording,
                     struct tt_error *err)
{
    size_t size;
    char *text;

    if (read_text(arena, folder, "expected/plan.json", false, &text, &size, err) < 0)
        return -1;
    recording->plan = text;
    return 0;
}

int tt_recording_read(struct tt_arena *arena, const char *folder,
                      struct tt_recording *ret_recording, struct tt_error *err)
{
    struct tt_recording recording = {0};

    if (read_about_file(arena, folder, &recording, err) < 0 ||
        read_inputs(arena, folder, &recording, err) < 0 ||
        read_options_file(arena, folder, &recording, err) < 0 ||
        read_plan(arena, folder, &recording, err) < 0)
        return -1;
    *ret_recording = recording;
    return 0;
}

int tt_recording_read_about(struct tt_arena *arena, const char *folder,
                            struct tt_recording *ret_recording, struct tt_error *err)
{
    struct tt_recording recording = {0};

    if (read_about_file(arena, folder, &recording, err) < 0 ||
        read_plan(arena, folder, &recording, err) < 0)
        return -1;
    if (!recording.command)
        return tt_fail(err, TT_ERR_NOT_FOUND, "%s was not recorded", folder);
    *ret_recording = recording;
    return 0;
}

int tt_recording_plan(struct tt_arena *arena, const struct tt_recording *recording,
                      struct tt_plan **ret_plan, struct tt_error *err)
{
    return tt_planner_plan(arena, recording->desired, recording->world, &recording->memory,
                           recording->now, &recording->options, ret_plan, err);
}
