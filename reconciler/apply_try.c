/*
 * One step's call, from the journal's intent to its outcome, and what the class of an error means:
 *
 * - throttled, unavailable: made again after a growing, jittered delay, a few times; a balancer's
 *   new machine is told how to balance for as long as its grace, since it may boot
 * - timeout: a create is looked for by its incarnation before anything else, and made again with
 *   the same token when it is not there; every other call is idempotent and made again
 * - conflict: looked at again once: what it wanted may be so already; else one more call
 * - all others: failed at once
 *
 * This is the only place of the program that repeats a call that changes a cloud.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/str.h"
#include "reconciler/apply_run.h"
#include "reconciler/observe_listeners.h"

#define TRIES         5
#define FIRST_DELAY   500 /* ms, doubled with every try */
#define LONGEST_DELAY 30000

/* What happened to one call so far. */
struct trial {
    struct tt_apply_run *run;
    int step;
    int tries;
    bool conflicted;
    bool unknown; /* a try had no answer: it may have had its effect, whatever later ones say */
    struct tt_arena scratch;
};

static bool is_create(const struct trial *trial)
{
    return trial->run->plan->steps.items[trial->step].action == TT_STEP_CREATE_SERVER &&
           trial->run->steps[trial->step].stage == 0;
}

/* The same within a run, another one in every other: so a repeated call finds what the first one
 * made, and a new run makes a new machine, unless it takes up what an earlier one began. */
static void name_incarnation(struct tt_apply_run *run, int index)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    struct tt_step_run *state = &run->steps[index];
    struct tt_arena scratch = {0};
    char *subject = tt_subject_text(&scratch, &step->subject);
    char *text = tt_printf(&scratch, "%s\n%s\n%s\n%s\n%s", run->request->desired->owner,
                           run->plan->world ? run->plan->world : "",
                           run->plan->revision ? run->plan->revision : "", subject, run->salt);
    char *digest = tt_sha256_hex(&scratch, text, strlen(text));

    if (!state->incarnation[0]) {
        snprintf(state->incarnation, sizeof(state->incarnation), "%s", digest);
        snprintf(state->token, sizeof(state->token), "%s", digest);
    }
    tt_arena_release(&scratch);
}

/* --- the journal ---------------------------------------------------------------------------- */

static int write_intent(struct trial *trial, int64_t *ret_intent, struct tt_error *err)
{
    const struct tt_apply_request *request = trial->run->request;
    const struct tt_step *step = &trial->run->plan->steps.items[trial->step];
    const struct tt_step_run *state = &trial->run->steps[trial->step];
    tt_time now = request->clock->now(request->clock->self);
    struct tt_recovery recovery = {
        .deployment = step->subject.deployment, .balancer = step->subject.name, .at = now};
    struct tt_intent intent = {
        .run = request->run, .step = trial->step, .what = step, .lock = request->lock};
    struct tt_lent_member lends;

    if (is_create(trial)) {
        intent.incarnation = state->incarnation;
        intent.token = state->token;
        intent.request = tt_apply_request_name(&trial->scratch, trial->run, step);
    }
    if (!request->store)
        return 0;
    if (tt_apply_lends(trial->run, trial->step, &trial->scratch, &lends))
        intent.lends = &lends;
    if (tt_store_intent(request->store, &intent, now, ret_intent, err) < 0 ||
        tt_apply_close_resumed(trial->run, trial->step, err) < 0)
        return err->class == TT_ERR_CONFLICT
                   ? tt_wrap(err, "not done")
                   : tt_wrap(err, "not done, because the journal cannot be written");
    if (step->action == TT_STEP_CREATE_SERVER && step->because == TT_BECAUSE_FAILED &&
        step->subject.kind == TT_SUBJECT_LOAD_BALANCER && state->stage == 0 &&
        tt_store_add_recovery(request->store, &recovery, err) < 0)
        return tt_wrap(err, "not done, because the replacement cannot be counted");
    return 0;
}

static int write_outcome(struct trial *trial, int64_t intent, enum tt_progress_word word,
                         const struct tt_error *result, struct tt_error *err)
{
    const struct tt_apply_request *request = trial->run->request;
    bool unknown = word == TT_GO_FAILED && trial->unknown;
    bool unseen = word != TT_GO_FAILED && is_create(trial);
    const char *text = "done";

    if (!request->store)
        return 0;
    if (word == TT_GO_FAILED)
        text =
            tt_printf(&trial->scratch, "%s: %s", unknown ? "unknown" : "failed", result->message);
    if (unseen)
        trial->run->steps[trial->step].intent = intent;
    return tt_store_outcome(request->store, intent, text, !unknown && !unseen,
                            request->clock->now(request->clock->self), err);
}

/* --- errors --------------------------------------------------------------------------------- */

/* Half of the delay is fixed, half by chance (of the run's salt), so that the steps of a throttled
 * run do not come back all at once. */
static void back_off(struct trial *trial, const char *note)
{
    const struct tt_clock *clock = trial->run->request->clock;
    tt_time delay = FIRST_DELAY << (trial->tries - 1);
    char *text =
        tt_printf(&trial->scratch, "%s %d %d", trial->run->salt, trial->step, trial->tries);
    char *digest = tt_sha256_hex(&trial->scratch, text, strlen(text));
    tt_time chance;

    if (delay > LONGEST_DELAY)
        delay = LONGEST_DELAY;
    digest[8] = '\0';
    chance = (tt_time)strtoul(digest, NULL, 16);
    tt_apply_note(trial->run, trial->step, note);
    clock->sleep(clock->self, delay / 2 + chance % (delay / 2 + 1));
}

/* Looks for the machine that a create with unknown outcome may have made: 1 found and adopted, 0
 * not there, -1 could not look. */
static int adopt(struct trial *trial)
{
    struct tt_apply_run *run = trial->run;
    const struct tt_step *step = &run->plan->steps.items[trial->step];
    struct tt_step_run *state = &run->steps[trial->step];
    struct tt_observe_request request = {.region = step->region,
                                         .owner = run->request->desired->owner};
    struct tt_region region = {0};
    struct tt_error ignored = {0};

    if (tt_provider_observe(tt_clouds_find(run->request->clouds, step->account), &request,
                            &trial->scratch, &region, &ignored) < 0)
        return -1;
    TT_EACH (server, &region.servers)
        if (tt_streq(server->tags.owner, request.owner) && server->state != TT_SERVER_GONE &&
            tt_streq(server->tags.incarnation, state->incarnation)) {
            tt_apply_set(run, &state->made.server, server->id);
            return 1;
        }
    return 0;
}

/* After a conflict: true when what the call wanted is so already. */
static bool is_so_already(struct trial *trial)
{
    const char *note = "";
    struct tt_error ignored = {0};
    struct tt_world *world;

    if (is_create(trial))
        return adopt(trial) == 1;
    world = tt_apply_observe(trial->run, &trial->scratch, &trial->step, 1);
    switch (trial->run->plan->steps.items[trial->step].action) {
    case TT_STEP_DELETE_SERVER:
    case TT_STEP_ENROLL:
    case TT_STEP_WITHDRAW:
    case TT_STEP_MOVE_ADDRESS:
        return tt_apply_check(trial->run, trial->step, world, &note, &ignored) == TT_GO_DONE;
    default:
        return false;
    }
}

enum verdict { AGAIN, FAILED, ACHIEVED };

static enum verdict judge_timeout(struct trial *trial)
{
    int found;

    if (!is_create(trial)) {
        back_off(trial, "trying again: no answer in time");
        return AGAIN;
    }
    /* nothing is repeated before the region was seen */
    while ((found = adopt(trial)) < 0 && trial->tries < TRIES) {
        back_off(trial, "no answer in time; looking for what it made");
        trial->tries++;
    }
    if (found == 0)
        back_off(trial, "no answer in time; trying again with the same token");
    return found == 1 ? ACHIEVED : found == 0 ? AGAIN : FAILED;
}

static enum verdict judge(struct trial *trial, const struct tt_error *err)
{
    switch (err->class) {
    case TT_ERR_THROTTLED:
        back_off(trial, "trying again: asked too often");
        return AGAIN;
    case TT_ERR_UNAVAILABLE:
        back_off(trial, "trying again: unavailable");
        return AGAIN;
    case TT_ERR_TIMEOUT:
        return judge_timeout(trial);
    case TT_ERR_CONFLICT:
        if (trial->conflicted || strcmp(err->code, "no-capacity") == 0)
            return FAILED;
        trial->conflicted = true;
        if (is_so_already(trial))
            return ACHIEVED;
        back_off(trial, "trying again: it was busy");
        return AGAIN;
    default:
        return FAILED;
    }
}

/* False, with ERR: somebody else may be at work since the last try. */
static bool holds_lock(struct trial *trial, struct tt_error *err)
{
    const struct tt_apply_request *request = trial->run->request;
    struct tt_error lost = {0};

    if (!request->store || tt_store_check_lock(request->store, request->lock, &lost) == 0)
        return true;
    tt_wrap(err, "not tried again, as %s", lost.message);
    return false;
}

/* A balancer's new machine runs long before anybody can log in to tell it how to balance. */
static bool boots(const struct trial *trial, tt_time began, const struct tt_error *err)
{
    const struct tt_apply_request *request = trial->run->request;
    const struct tt_step *step = &trial->run->plan->steps.items[trial->step];

    return trial->run->steps[trial->step].stage > 0 &&
           (err->class == TT_ERR_UNAVAILABLE || err->class == TT_ERR_THROTTLED) &&
           !(request->stop && atomic_load(request->stop)) &&
           tt_clock_steady(request->clock) - began <
               tt_observe_balancer_grace(tt_apply_balancer(trial->run, step));
}

static enum tt_progress_word call_patiently(struct trial *trial, struct tt_error *err)
{
    tt_time began = tt_clock_steady(trial->run->request->clock);

    for (trial->tries = 1;; trial->tries++) {
        enum tt_progress_word word = tt_apply_call(trial->run, trial->step, &trial->scratch, err);

        if (word != TT_GO_FAILED)
            return word;
        trial->unknown = trial->unknown || err->class == TT_ERR_TIMEOUT;
        if (trial->tries >= TRIES && boots(trial, began, err))
            trial->tries = TRIES - 1;
        if (trial->tries >= TRIES && err->class != TT_ERR_TIMEOUT)
            return word;
        switch (judge(trial, err)) {
        case ACHIEVED:
            return TT_GO_WAIT;
        case FAILED:
            return TT_GO_FAILED;
        case AGAIN:
            break;
        }
        if (trial->tries >= TRIES || !holds_lock(trial, err))
            return TT_GO_FAILED;
        tt_apply_note(trial->run, trial->step, "");
    }
}

/* The step itself may stand; but nothing new is started without a journal, or without the lock. */
static void close_run(struct tt_apply_run *run, const char *why)
{
    pthread_mutex_lock(&run->lock);
    if (!run->closed)
        run->closed = tt_printf(run->arena, "left out: %s", why);
    pthread_mutex_unlock(&run->lock);
}

enum tt_progress_word tt_apply_try(struct tt_apply_run *run, int step, struct tt_error *err)
{
    struct trial trial = {.run = run, .step = step};
    enum tt_progress_word word = TT_GO_FAILED;
    struct tt_error own = {0}, journal = {0};
    int64_t intent = 0;

    if (is_create(&trial))
        name_incarnation(run, step);
    if (write_intent(&trial, &intent, err) < 0) {
        close_run(run, err->class == TT_ERR_CONFLICT ? "the lock was lost"
                                                     : "the journal cannot be written");
    } else {
        word = call_patiently(&trial, &own);
        if (word == TT_GO_FAILED)
            *err = own;
        if (write_outcome(&trial, intent, word, &own, &journal) < 0) {
            tt_wrap(&journal, "the journal cannot be written");
            close_run(run, journal.message);
        }
    }
    tt_arena_release(&trial.scratch);
    return word;
}
