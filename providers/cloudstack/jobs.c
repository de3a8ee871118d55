/*
 * Jobs: a thread that waits puts its job on the list. The first that finds nobody asking becomes
 * the one who asks: it goes round the whole list, pauses (a fifth of a second, then longer, at most
 * five), and hands the office on when its own job has ended.
 */
#include "providers/cloudstack/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/cloudstack/errors.h"

#define FIRST_PAUSE   200
#define LONGEST_PAUSE 5000
#define MAX_SILENCE   10 /* questions in a row without an answer */

struct job {
    const char *id;
    json_t *result;
    struct tt_error error;
    int silent;
    bool ended, failed;
    bool asked; /* a question about it is under way, without the lock: it must stay on the list */
    struct job *next;
};

struct tt_cloudstack_jobs {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job *waiting;
    bool asking;   /* somebody goes round */
    tt_time pause; /* before the next round */
};

struct tt_cloudstack_jobs *tt_cloudstack_jobs_new(void)
{
    struct tt_cloudstack_jobs *jobs = calloc(1, sizeof(*jobs));

    if (!jobs)
        abort();
    pthread_mutex_init(&jobs->mutex, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    return jobs;
}

void tt_cloudstack_jobs_free(struct tt_cloudstack_jobs *jobs)
{
    if (!jobs)
        return;
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->mutex);
    free(jobs);
}

/* What one question said; filled without the lock. */
struct answer {
    json_t *result;
    struct tt_error error;
    bool ended, failed, silent;
};

static void read_answer(const json_t *body, struct answer *answer)
{
    json_t *result = json_object_get(body, "jobresult");
    int status = tt_reply_number(body, "jobstatus", 0), code;

    if (status == 0)
        return;
    answer->ended = true;
    if (status == 1) {
        answer->result = result ? json_incref(result) : json_object();
        return;
    }
    /* the result's own code says more: the job's is 530 whatever went wrong */
    code = tt_reply_number(result, "errorcode", tt_reply_number(body, "jobresultcode", 530));
    answer->failed = true;
    tt_cloudstack_fail(&answer->error, TT_CLOUDSTACK_JOB, code, result);
}

static void ask(struct tt_cloudstack *cloud, const char *id, struct answer *answer)
{
    struct tt_arena scratch = {0};
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *body = NULL;

    tt_arena_init(&scratch);
    tt_cloudstack_add(&scratch, &parameters, "jobid", id);
    if (tt_cloudstack_call(cloud, "queryAsyncJobResult", false, &parameters, &body,
                           &answer->error) < 0)
        answer->silent = true;
    else
        read_answer(body, answer);
    tt_arena_release(&scratch);
}

static void note(struct job *job, struct answer *answer)
{
    job->silent = answer->silent ? job->silent + 1 : 0;
    if (job->silent >= MAX_SILENCE) {
        job->ended = job->failed = true;
        job->error = answer->error;
        job->error.class = TT_ERR_TIMEOUT;
        tt_wrap(&job->error, "the end of job %s is unknown", job->id);
    } else if (answer->ended) {
        job->ended = true;
        job->failed = answer->failed;
        job->error = answer->error;
        job->result = answer->result;
    }
}

/* Asks once for each job on the list; called and left with the lock. */
static void go_round(struct tt_cloudstack *cloud, struct tt_cloudstack_jobs *jobs)
{
    bool any = false;

    for (struct job *job = jobs->waiting; job; job = job->next) {
        struct answer answer = {0};

        if (job->ended)
            continue;
        job->asked = true;
        pthread_mutex_unlock(&jobs->mutex);
        ask(cloud, job->id, &answer);
        pthread_mutex_lock(&jobs->mutex);
        job->asked = false;
        note(job, &answer);
        any = any || job->ended;
        pthread_cond_broadcast(&jobs->changed);
    }
    jobs->pause = any ? FIRST_PAUSE : jobs->pause * 3 / 2;
    if (jobs->pause > LONGEST_PAUSE)
        jobs->pause = LONGEST_PAUSE;
}

static void take_off(struct tt_cloudstack_jobs *jobs, struct job *job)
{
    struct job **place = &jobs->waiting;

    while (*place != job)
        place = &(*place)->next;
    *place = job->next;
}

/* With the lock: goes round until JOB has ended or patience has. */
static void ask_for_all(struct tt_cloudstack *cloud, struct tt_cloudstack_jobs *jobs,
                        const struct job *job, tt_time deadline)
{
    jobs->asking = true;
    while (!job->ended && tt_monotonic() < deadline) {
        tt_time pause = jobs->pause;

        pthread_mutex_unlock(&jobs->mutex);
        cloud->clock->sleep(cloud->clock->self, pause);
        pthread_mutex_lock(&jobs->mutex);
        go_round(cloud, jobs);
    }
    jobs->asking = false;
}

int tt_cloudstack_await(struct tt_cloudstack *cloud, const char *id, tt_time patience,
                        json_t **ret_result, struct tt_error *err)
{
    struct tt_cloudstack_jobs *jobs = cloud->jobs;
    tt_time deadline = tt_monotonic() + patience;
    struct job job = {.id = id};

    pthread_mutex_lock(&jobs->mutex);
    job.next = jobs->waiting;
    jobs->waiting = &job;
    jobs->pause = FIRST_PAUSE;
    while (!job.ended && tt_monotonic() < deadline) {
        if (jobs->asking)
            pthread_cond_wait(&jobs->changed, &jobs->mutex);
        else
            ask_for_all(cloud, jobs, &job, deadline);
    }
    while (job.asked)
        pthread_cond_wait(&jobs->changed, &jobs->mutex);
    take_off(jobs, &job);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mutex);

    if (job.ended && !job.failed) {
        if (ret_result)
            *ret_result = job.result;
        else
            json_decref(job.result);
        return 0;
    }
    if (!job.ended)
        return tt_fail(err, TT_ERR_TIMEOUT, "job %s has not ended within %lld s", id,
                       (long long)patience / 1000);
    if (err)
        *err = job.error;
    return -1;
}
