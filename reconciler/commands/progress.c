/*
 * Progress: three ways to tell the same events.
 */
#include "reconciler/commands/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/commands/events.h"
#include "reconciler/plan_text.h"

#define TICK_MS 200

static double seconds_of(const struct tt_step_progress *state, tt_time until)
{
    return state->began ? (double)(until - state->began) / 1000 : 0;
}

/* Ends TEXT where the terminal's line of WIDTH ends, between two characters of UTF-8. */
static void cut(char *text, int width)
{
    int columns = 0;

    for (; *text; text++)
        if (((unsigned char)*text & 0xc0) != 0x80 && ++columns > width) {
            *text = '\0';
            return;
        }
}

static void print_colored(const struct tt_progress *progress, const char *colour, const char *text)
{
    if (progress->color && progress->style == TT_PROGRESS_LIVE)
        printf("\033[%sm%s\033[0m", colour, text);
    else
        fputs(text, stdout);
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
        printf("s%d %s: ", step + 1, text);
        print_colored(progress, "32", "done");
        printf(" after %.1f s%s%s\n", seconds_of(state, state->ended),
               state->note && *state->note ? ", " : "", state->note ? state->note : "");
        break;
    case TT_STEP_STATE_FAILED:
        printf("s%d %s: ", step + 1, text);
        print_colored(progress, "31", "failed");
        printf(" after %.1f s: %s\n", seconds_of(state, state->ended), state->error.message);
        break;
    case TT_STEP_STATE_SKIPPED:
        printf("s%d %s: ", step + 1, text);
        print_colored(progress, "33", "not tried");
        printf("%s%s\n", *state->error.message ? ": " : "", state->error.message);
        break;
    case TT_STEP_STATE_WAITING:
    case TT_STEP_STATE_HELD:
        break;
    }
    fflush(stdout);
    tt_arena_release(&arena);
}

static struct winsize terminal_size(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20 || size.ws_row < 4)
        return (struct winsize){.ws_col = 80, .ws_row = 24};
    return size;
}

static void erase(struct tt_progress *progress)
{
    for (; progress->drawn > 0; progress->drawn--)
        fputs("\033[1A\033[2K", stdout);
    fflush(stdout);
}

/* The running steps, as many as half of the screen shows. */
static void draw(struct tt_progress *progress)
{
    struct winsize size = terminal_size();
    int most = size.ws_row / 2, more = 0;
    struct tt_arena arena;

    if (progress->finished)
        return;
    tt_arena_init(&arena);
    for (size_t i = 0; i < progress->plan->steps.count; i++) {
        const struct tt_step_progress *state = &progress->steps[i];
        char *line;

        if (state->state != TT_STEP_STATE_RUNNING)
            continue;
        if (progress->drawn == most) {
            more++;
            continue;
        }
        line = tt_printf(&arena, "  s%zu %s: %.0f s%s%s", i + 1,
                         tt_step_text(&arena, &progress->plan->steps.items[i]),
                         seconds_of(state, tt_monotonic()), state->note && *state->note ? ", " : "",
                         state->note ? state->note : "");
        cut(line, size.ws_col - 1);
        printf("%s\n", line);
        progress->drawn++;
    }
    if (more) {
        printf("  and %d more\n", more);
        progress->drawn++;
    }
    fflush(stdout);
    tt_arena_release(&arena);
}

static void *tick(void *self)
{
    struct tt_progress *progress = self;

    for (;;) {
        nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
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
        tt_event_step(progress->plan, step, progress->steps[step].state, state);
    } else if (progress->style != TT_PROGRESS_NONE) {
        erase(progress);
        tell_line(progress, step, state);
    }
    progress->steps[step] = *state;
    if (progress->style == TT_PROGRESS_LIVE)
        draw(progress);
    pthread_mutex_unlock(&progress->mutex);
}

void tt_progress_say(void *self, const char *text)
{
    struct tt_progress *progress = self;

    pthread_mutex_lock(&progress->mutex);
    erase(progress);
    fprintf(stderr, "trimtab: %s\n", text);
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
