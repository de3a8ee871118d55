/*
 * Progress: three ways to tell the same events.
 */
#include "reconciler/commands/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "model/json.h"
#include "reconciler/plan_text.h"

#define TICK_MS 200

static double seconds_of(const struct tt_step_progress *state, tt_time until)
{
    return state->began ? (double)(until - state->began) / 1000 : 0;
}

static void print_json_line(json_t *object)
{
    struct tt_arena arena;

    tt_arena_init(&arena);
    printf("%s\n", tt_json_compact(&arena, object));
    fflush(stdout);
    tt_arena_release(&arena);
}

void tt_progress_event(const char *type, const char *message)
{
    json_t *object = json_object();

    json_object_set_new(object, "type", json_string(type));
    if (message)
        json_object_set_new(object, "message", json_string(message));
    print_json_line(object);
}

static void tell_json(const struct tt_progress *progress, int step,
                      const struct tt_step_progress *state)
{
    static const char *const types[] = {
        [TT_STEP_STATE_WAITING] = "apply_waiting", [TT_STEP_STATE_RUNNING] = "apply_progress",
        [TT_STEP_STATE_DONE] = "apply_complete",   [TT_STEP_STATE_FAILED] = "apply_errored",
        [TT_STEP_STATE_SKIPPED] = "apply_skipped", [TT_STEP_STATE_HELD] = "apply_held",
    };
    const struct tt_step *what = &progress->plan->steps.items[step];
    bool first = progress->steps[step].state != TT_STEP_STATE_RUNNING;
    json_t *object = json_object();
    struct tt_arena arena;

    tt_arena_init(&arena);
    json_object_set_new(object, "type",
                        json_string(state->state == TT_STEP_STATE_RUNNING && first
                                        ? "apply_start"
                                        : types[state->state]));
    json_object_set_new(object, "step", json_sprintf("s%d", step + 1));
    json_object_set_new(object, "action", json_string(tt_action_words[what->action]));
    json_object_set_new(object, "subject", json_string(tt_subject_text(&arena, &what->subject)));
    if (state->note && *state->note)
        json_object_set_new(object, "note", json_string(state->note));
    if (state->ended)
        json_object_set_new(object, "seconds", json_real(seconds_of(state, state->ended)));
    if (state->state == TT_STEP_STATE_FAILED)
        json_object_set_new(object, "error", json_string(state->error.message));
    print_json_line(object);
    tt_arena_release(&arena);
}

/* A finished or begun step as a line of its own. */
static void tell_line(const struct tt_progress *progress, int step,
                      const struct tt_step_progress *state)
{
    const struct tt_step *what = &progress->plan->steps.items[step];
    struct tt_arena arena;
    const char *text;

    tt_arena_init(&arena);
    text = tt_step_text(&arena, what);
    switch (state->state) {
    case TT_STEP_STATE_RUNNING:
        if (progress->style == TT_PROGRESS_LINES &&
            progress->steps[step].state != TT_STEP_STATE_RUNNING)
            printf("s%d %s ...\n", step + 1, text);
        break;
    case TT_STEP_STATE_DONE:
        printf("s%d %s: done after %.1f s%s%s\n", step + 1, text, seconds_of(state, state->ended),
               state->note && *state->note ? ", " : "", state->note ? state->note : "");
        break;
    case TT_STEP_STATE_FAILED:
        printf("s%d %s: failed: %s\n", step + 1, text, state->error.message);
        break;
    case TT_STEP_STATE_SKIPPED:
        printf("s%d %s: not tried\n", step + 1, text);
        break;
    case TT_STEP_STATE_WAITING:
    case TT_STEP_STATE_HELD:
        break;
    }
    fflush(stdout);
    tt_arena_release(&arena);
}

static int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void erase(struct tt_progress *progress)
{
    for (; progress->drawn > 0; progress->drawn--)
        fputs("\033[1A\033[2K", stdout);
}

static void draw(struct tt_progress *progress)
{
    int width = terminal_width();
    struct tt_arena arena;

    tt_arena_init(&arena);
    for (size_t i = 0; i < progress->plan->steps.count && progress->drawn < 12; i++) {
        const struct tt_step_progress *state = &progress->steps[i];
        const char *line;

        if (state->state != TT_STEP_STATE_RUNNING)
            continue;
        line = tt_printf(&arena, "  s%zu %s: %.0f s%s%s", i + 1,
                         tt_step_text(&arena, &progress->plan->steps.items[i]),
                         seconds_of(state, tt_monotonic()), state->note && *state->note ? ", " : "",
                         state->note ? state->note : "");
        printf("%.*s\n", width - 1, line);
        progress->drawn++;
    }
    fflush(stdout);
    tt_arena_release(&arena);
}

static void *tick(void *self)
{
    struct tt_progress *progress = self;

    for (;;) {
        usleep(TICK_MS * 1000);
        pthread_mutex_lock(&progress->mutex);
        if (progress->finished) {
            pthread_mutex_unlock(&progress->mutex);
            return NULL;
        }
        erase(progress);
        draw(progress);
        pthread_mutex_unlock(&progress->mutex);
    }
}

void tt_progress_begin(struct tt_progress *progress, struct tt_arena *arena,
                       const struct tt_plan *plan, enum tt_progress_style style, bool color)
{
    *progress = (struct tt_progress){.plan = plan, .style = style, .color = color};
    progress->steps = TT_NEW_ARRAY(arena, plan->steps.count, struct tt_step_progress);
    pthread_mutex_init(&progress->mutex, NULL);
    if (style == TT_PROGRESS_LIVE)
        progress->ticking = pthread_create(&progress->ticker, NULL, tick, progress) == 0;
}

void tt_progress_step(void *self, int step, const struct tt_step_progress *state)
{
    struct tt_progress *progress = self;

    pthread_mutex_lock(&progress->mutex);
    if (progress->style == TT_PROGRESS_JSON) {
        tell_json(progress, step, state);
    } else if (progress->style != TT_PROGRESS_NONE) {
        erase(progress);
        tell_line(progress, step, state);
    }
    progress->steps[step] = *state;
    if (progress->style == TT_PROGRESS_LIVE)
        draw(progress);
    pthread_mutex_unlock(&progress->mutex);
}

void tt_progress_end(struct tt_progress *progress)
{
    pthread_mutex_lock(&progress->mutex);
    progress->finished = true;
    erase(progress);
    fflush(stdout);
    pthread_mutex_unlock(&progress->mutex);
    if (progress->ticking)
        pthread_join(progress->ticker, NULL);
    pthread_mutex_destroy(&progress->mutex);
}
