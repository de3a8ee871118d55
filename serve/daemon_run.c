/*
 * A run of the daemon: a thread that starts this program on one deployment at the newest commit,
 * reads what it says, and tells the queue how it ended.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_parts.h"

#define RUNS_LOOKED_AT 200
#define EXIT_HELD      3
#define UNREAD_WAIT    INT64_C(1000) /* until one asks again whether a commit was read */

/* --- its command line --------------------------------------------------------------------------
 */

static void add(struct tt_job *job, struct tt_strings *list, const char *word)
{
    tt_strings_add(&job->arena, list, word);
}

/* As "push shop/web": what history shows as its trigger. */
static const char *trigger_text(const struct tt_job *job)
{
    if (job->triggers & TT_TRIGGER_PUSH)
        return "push";
    if (job->triggers & TT_TRIGGER_ASKED)
        return "asked";
    return job->triggers & TT_TRIGGER_RECOVERY ? "recovery" : "check";
}

const char *tt_job_folder(const struct tt_daemon *daemon, struct tt_arena *arena, const char *key)
{
    return tt_printf(arena, "%s/serve/plans/%s", daemon->state_folder, key);
}

/* The store knows the rest. */
static void add_approval(struct tt_job *job, struct tt_strings *list)
{
    add(job, list, tt_printf(&job->arena, "%lld", (long long)job->approves));
    add(job, list, tt_printf(&job->arena, "--by=%s", job->approver));
}

static void add_targets(struct tt_job *job, struct tt_strings *list)
{
    const char *end;

    for (const char *at = job->target; at; at = *end ? end + 1 : NULL) {
        end = strchrnul(at, ' ');
        add(job, list, tt_printf(&job->arena, "--target=%.*s", (int)(end - at), at));
    }
    if (!job->target)
        add(job, list, tt_printf(&job->arena, "--target=Deployment/%s", job->name));
}

static void add_question(struct tt_job *job, struct tt_strings *list)
{
    struct tt_arena *arena = &job->arena;

    add(job, list, tt_printf(arena, "-C=%s", job->folder));
    if (job->path)
        add(job, list, tt_printf(arena, "--path=%s", job->path));
    add(job, list, tt_printf(arena, "--rev=%s", job->revision));
    add_targets(job, list);
}

static const char *const *arguments(struct tt_job *job)
{
    struct tt_strings list = {0};
    struct tt_arena *arena = &job->arena;

    add(job, &list, "trimtab");
    add(job, &list, job->command);
    if (job->approves)
        add_approval(job, &list);
    else
        add_question(job, &list);
    add(job, &list, "--json");
    add(job, &list, "--auto-approve");
    add(job, &list, tt_printf(arena, "--parallelism=%d", job->parallelism));
    if (strcmp(job->command, "plan") == 0)
        add(job, &list, "--detailed-exitcode");
    add(job, &list, tt_printf(arena, "--state=%s", job->daemon->state_folder));
    add(job, &list, tt_printf(arena, "--save=%s", tt_job_folder(job->daemon, arena, job->key)));
    *TT_VEC_ADD(arena, &list) = NULL;
    return list.items;
}

/* --- its end -----------------------------------------------------------------------------------
 */

/* The run in the store that the child made; 0: it changed nothing. */
static int64_t find_run(struct tt_job *job)
{
    tt_run_records runs = {0};
    struct tt_error err = {0};

    if (tt_store_read_runs(job->daemon->store, &job->arena, RUNS_LOOKED_AT, &runs, &err) < 0)
        return 0;
    TT_EACH (run, &runs)
        if (run->pid == job->runner.last)
            return run->id;
    return 0;
}

/* What stands in the way of a plan is told as part of it, and not as an error of the program. */
static const char *explain(struct tt_job *job, int code, const struct tt_buf *errors)
{
    const char *said = tt_runner_last_line(&job->arena, errors);

    if (code > 128)
        return tt_printf(&job->arena, "the run was ended by signal %d", code - 128);
    if (code == 0 && job->unseen) /* the rest was done */
        return job->unseen;
    if (job->failed)
        return tt_printf(&job->arena, "%d of %d steps failed: %s", job->failed, job->planned,
                         job->step_error);
    if (!job->problem && !*said)
        tt_policy_look_for_problems(job);
    if (job->problems > 1)
        return tt_printf(&job->arena, "%s (and %d more)", job->problem, job->problems - 1);
    if (job->problem)
        return job->problem;
    return *said ? said
                 : tt_printf(&job->arena, "the run ended with code %d and said nothing", code);
}

static const char *result_word(const struct tt_job *job, int code, bool failed)
{
    if (failed)
        return "failed";
    if (code == EXIT_HELD)
        return "held";
    return !job->planned ? "nothing to do" : code == 2 ? "changes" : "done";
}

static void tell_end(struct tt_job *job, int64_t run, const char *result, const char *message,
                     int failures)
{
    struct tt_daemon *daemon = job->daemon;
    json_t *object = tt_daemon_event_object(job->repository, job->name);

    json_object_set_new(object, "run", json_integer(run));
    json_object_set_new(object, "trigger", json_string(trigger_text(job)));
    json_object_set_new(object, "revision", json_string(job->revision));
    json_object_set_new(object, "result", json_string(result));
    json_object_set_new(object, "message", tt_json_from_string(message));
    json_object_set_new(object, "planned", json_integer(job->planned));
    json_object_set_new(object, "done", json_integer(job->done));
    json_object_set_new(object, "failed", json_integer(job->failed));
    json_object_set_new(object, "held", json_integer(job->held));
    json_object_set_new(object, "inARow", json_integer(failures));
    if (strcmp(result, "held") == 0 && run)
        tt_events_add(&daemon->events, tt_daemon_now(daemon), "held", json_copy(object));
    tt_events_add(&daemon->events, tt_daemon_now(daemon), "run-ended", object);
    tt_log(&daemon->log, strcmp(result, "failed") == 0 ? TT_LOG_ERROR : TT_LOG_INFO,
           job->repository, job->name, "%s of %.12s: %s%s%s", job->command, job->revision, result,
           message ? ": " : "", message ? message : "");
}

/* With the mutex held. */
static void count(struct tt_job *job, int code, bool failed)
{
    struct tt_daemon_counts *counts = &job->daemon->counts;

    counts->runs_done += !failed && code != EXIT_HELD;
    counts->runs_failed += failed;
    counts->runs_held += !failed && code == EXIT_HELD;
    tt_durations_add(failed              ? &counts->took_failed
                     : code == EXIT_HELD ? &counts->took_held
                                         : &counts->took_done,
                     job->took);
    counts->recoveries += (uint64_t)job->recoveries;
    if (!failed && !(job->triggers & TT_TRIGGER_PUSH)) {
        counts->checks++;
        counts->drifts += job->planned > 0;
    }
}

static void tell_drift(struct tt_job *job)
{
    json_t *object = tt_daemon_event_object(job->repository, job->name);

    json_object_set_new(object, "steps", json_integer(job->planned));
    tt_events_add(&job->daemon->events, tt_daemon_now(job->daemon), "drift", object);
}

static void end(struct tt_job *job, int code, const struct tt_buf *errors)
{
    struct tt_daemon *daemon = job->daemon;
    bool failed = (code != 0 && code != 2 && code != EXIT_HELD) || job->unseen, stopped;
    const char *message = failed ? explain(job, code, errors) : NULL;
    struct tt_deployment_state *state;
    struct tt_queue_state queue = {0};
    bool again = false;
    int drift = -1;
    int64_t run = find_run(job);

    if (!failed)
        tt_policy_look(job);
    if (!failed && code == EXIT_HELD)
        message = tt_printf(&job->arena, "%d %s held by a guard", job->held,
                            job->held == 1 ? "step is" : "steps are");
    if (!failed && tt_policy_served(job, code))
        tt_known_served(daemon, job->repository, job->name, job->mark);
    pthread_mutex_lock(&daemon->mutex);
    stopped = daemon->stopping;
    tt_queue_read(daemon->queue, job->key, tt_daemon_now(daemon), &queue);
    state = tt_daemon_find(daemon, job->key);
    if (state) {
        state->last_run = run ? run : state->last_run;
        state->held = code == EXIT_HELD;
        state->held_run = !state->held ? 0 : run ? run : state->held_run;
        if (run && state->held)
            tt_daemon_set(&state->held_mark, job->mark);
        drift = state->drift;
        again = !failed && tt_policy_follow(state, job, code, tt_daemon_now(daemon));
        if (!failed && !again)
            tt_daemon_set(&state->asked, NULL);
        if (!failed)
            state->drift = tt_policy_applies(job) ? job->held : job->planned;
        tt_daemon_set(&state->message, message);
    }
    if (!(failed && stopped))
        count(job, code, failed);
    pthread_mutex_unlock(&daemon->mutex);

    if (!failed && !(job->triggers & TT_TRIGGER_PUSH) && job->planned && job->planned != drift)
        tell_drift(job);
    tell_end(job, run, failed && stopped ? "stopped" : result_word(job, code, failed), message,
             queue.failures + failed);
    pthread_mutex_lock(&daemon->mutex);
    if (again)
        tt_queue_go_on(daemon->queue, job->key,
                       job->triggers & TT_TRIGGER_RECOVERY ? TT_TRIGGER_RECOVERY : TT_TRIGGER_CHECK,
                       tt_daemon_now(daemon));
    else
        tt_queue_done(daemon->queue, job->key, failed, tt_daemon_now(daemon));
    tt_watch_again(daemon, job->key);
    pthread_mutex_unlock(&daemon->mutex);
}

/* --- its thread --------------------------------------------------------------------------------
 */

static void leave(struct tt_job *job)
{
    struct tt_daemon *daemon = job->daemon;

    pthread_mutex_lock(&daemon->mutex);
    for (struct tt_job **at = &daemon->jobs; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            break;
        }
    tt_runner_release(&job->runner);
    tt_arena_release(&job->arena);
    free(job);
    pthread_cond_broadcast(&daemon->wake);
    pthread_cond_broadcast(&daemon->idle);
    pthread_mutex_unlock(&daemon->mutex);
}

static void *work(void *self)
{
    struct tt_job *job = self;
    struct tt_daemon *daemon = job->daemon;
    struct tt_runner_request request = {
        .program = daemon->program,
        .argv = arguments(job),
        .environment = tt_runner_environment(
            &job->arena, tt_printf(&job->arena, "TRIMTAB_TRIGGER=serve: %s", trigger_text(job))),
        .seconds = (int)(job->time_limit / 1000),
        .line = tt_job_line,
        .self = job};
    json_t *object = tt_daemon_event_object(job->repository, job->name);
    TT_BUF_AUTO errors = {0};
    struct tt_error err = {0};
    tt_time began;
    int code = 1;

    json_object_set_new(object, "revision", json_string(job->revision));
    json_object_set_new(object, "trigger", json_string(trigger_text(job)));
    tt_events_add(&daemon->events, tt_daemon_now(daemon), "run-began", object);
    began = tt_monotonic();
    if (tt_runner_run(&job->runner, &request, &code, &errors, &err) < 0)
        tt_buf_add(&errors, err.message);
    job->took = tt_monotonic() - began;
    end(job, code, &errors);
    leave(job);
    return NULL;
}

static struct tt_job *make(struct tt_daemon *daemon, struct tt_deployment_state *state,
                           const struct tt_follower *follower, unsigned triggers)
{
    struct tt_job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    tt_arena_init(&job->arena);
    tt_runner_init(&job->runner);
    job->daemon = daemon;
    job->key = tt_strdup(&job->arena, state->key);
    job->repository = tt_strdup(&job->arena, state->repository);
    job->name = tt_strdup(&job->arena, state->name);
    job->accounts = tt_strdup(&job->arena, state->accounts);
    job->mark = tt_strdup(&job->arena, state->mark);
    job->revision = tt_strdup(&job->arena, follower->revision);
    job->folder = tt_strdup(&job->arena, follower->folder);
    job->path = tt_strdup(&job->arena, follower->config->path);
    job->triggers = triggers;
    tt_policy_choose(state, job, tt_daemon_now(daemon));
    job->parallelism = daemon->config->parallelism;
    job->time_limit = daemon->config->time_limit;
    return job;
}

void tt_job_start(struct tt_daemon *daemon, const char *key, unsigned triggers)
{
    struct tt_deployment_state *state = tt_daemon_find(daemon, key);
    const struct tt_follower *follower = state ? tt_follow_find(daemon, state->repository) : NULL;
    struct tt_job *job;
    pthread_t thread;

    if (!follower || !follower->revision) { /* between two configurations */
        tt_queue_put_off(daemon->queue, key, tt_daemon_now(daemon) + UNREAD_WAIT);
        return;
    }
    job = make(daemon, state, follower, triggers);
    job->next = daemon->jobs;
    daemon->jobs = job;
    if (pthread_create(&thread, NULL, work, job) == 0) {
        pthread_detach(thread);
        return;
    }
    daemon->jobs = job->next;
    tt_runner_release(&job->runner);
    tt_arena_release(&job->arena);
    free(job);
    tt_log(&daemon->log, TT_LOG_ERROR, NULL, NULL, "this host gives no more threads");
    tt_queue_done(daemon->queue, key, true, tt_daemon_now(daemon));
}
