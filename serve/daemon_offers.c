/*
 * Offers: what the accounts of a repository offer, asked by a child of this program when somebody
 * wants to know, and kept for a minute. Of those who want to know at once one asks.
 */
#include <stdlib.h>
#include <string.h>

#include "serve/daemon_parts.h"

#define KEPT_MS INT64_C(60000)
#define LIMIT   120 /* seconds */
#define LARGEST ((size_t)64 << 20)

extern char **environ;

/* With the mutex held. */
static struct tt_offers *find(struct tt_daemon *daemon, const char *repository)
{
    struct tt_offers *offers;

    for (offers = daemon->offers; offers; offers = offers->next)
        if (strcmp(offers->repository, repository) == 0)
            return offers;
    offers = calloc(1, sizeof(*offers));
    if (!offers)
        abort();
    tt_daemon_set(&offers->repository, repository);
    tt_runner_init(&offers->runner);
    offers->next = daemon->offers;
    daemon->offers = offers;
    return offers;
}

/* One line of the child's, as it was. */
static void take_line(void *self, const char *line, size_t length)
{
    struct tt_buf *text = self;

    if (text->length + length > LARGEST)
        return;
    tt_buf_addn(text, line, length);
    tt_buf_add(text, "\n");
}

/* What is asked: a copy, since the follower may go meanwhile. */
struct question {
    const char *revision, *folder, *path;
};

static int ask(struct tt_daemon *daemon, struct tt_offers *offers, struct tt_arena *arena,
               const struct question *question, struct tt_buf *text, struct tt_error *err)
{
    struct tt_strings argv = {0};
    struct tt_runner_request request = {.program = daemon->program,
                                        .environment = (const char *const *)environ,
                                        .seconds = LIMIT,
                                        .line = take_line,
                                        .self = text};
    TT_BUF_AUTO errors = {0};
    int code = 1;

    tt_strings_add(arena, &argv, "trimtab");
    tt_strings_add(arena, &argv, "offers");
    tt_strings_add(arena, &argv, "--json");
    tt_strings_add(arena, &argv, tt_printf(arena, "-C=%s", question->folder));
    if (question->path)
        tt_strings_add(arena, &argv, tt_printf(arena, "--path=%s", question->path));
    tt_strings_add(arena, &argv, tt_printf(arena, "--rev=%s", question->revision));
    tt_strings_add(arena, &argv, tt_printf(arena, "--state=%s", daemon->state_folder));
    *TT_VEC_ADD(arena, &argv) = NULL;
    request.argv = argv.items;
    if (tt_runner_run(&offers->runner, &request, &code, &errors, err) < 0)
        return -1;
    if (code != 0)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "the clouds could not be asked: %.500s",
                       tt_buf_text(&errors));
    return 0;
}

/* With the mutex held: what there is to ask. */
static int read_question(struct tt_daemon *daemon, struct tt_arena *arena, const char *repository,
                         struct question *ret_question, struct tt_error *err)
{
    const struct tt_follower *follower = tt_follow_find(daemon, repository);

    if (daemon->stopping)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "the daemon ends");
    if (!follower || !follower->revision)
        return tt_fail(err, TT_ERR_NOT_FOUND, "the repository %.64s is not followed%s", repository,
                       follower ? " yet" : "");
    *ret_question = (struct question){.revision = tt_strdup(arena, follower->revision),
                                      .folder = tt_strdup(arena, follower->folder),
                                      .path = tt_strdup(arena, follower->config->path)};
    return 0;
}

static bool is_fresh(const struct tt_daemon *daemon, const struct tt_offers *offers,
                     const char *revision)
{
    return offers->text && tt_streq(offers->revision, revision) &&
           tt_daemon_now(daemon) - offers->at < KEPT_MS;
}

int tt_daemon_offers(struct tt_daemon *daemon, struct tt_arena *arena, const char *repository,
                     const char **ret_offers, tt_time *ret_at, struct tt_error *err)
{
    struct tt_offers *offers = NULL;
    struct question question = {0};
    int result;

    pthread_mutex_lock(&daemon->mutex);
    result = read_question(daemon, arena, repository, &question, err);
    if (result == 0) {
        offers = find(daemon, repository);
        while (offers->asking)
            pthread_cond_wait(&daemon->told, &daemon->mutex);
    }
    if (result == 0 && !is_fresh(daemon, offers, question.revision)) {
        TT_BUF_AUTO text = {0};

        offers->asking = true;
        pthread_mutex_unlock(&daemon->mutex);
        result = ask(daemon, offers, arena, &question, &text, err);
        pthread_mutex_lock(&daemon->mutex);
        offers->asking = false;
        if (result == 0) {
            tt_daemon_set(&offers->text, tt_buf_text(&text));
            tt_daemon_set(&offers->revision, question.revision);
            offers->at = tt_daemon_now(daemon);
        }
        pthread_cond_broadcast(&daemon->told);
    }
    if (result == 0) {
        *ret_offers = tt_strdup(arena, offers->text);
        *ret_at = offers->at;
    }
    pthread_mutex_unlock(&daemon->mutex);
    return result;
}

void tt_offers_stop(struct tt_daemon *daemon)
{
    for (struct tt_offers *offers = daemon->offers; offers; offers = offers->next)
        tt_runner_stop(&offers->runner);
}

void tt_offers_free(struct tt_daemon *daemon)
{
    while (daemon->offers) {
        struct tt_offers *offers = daemon->offers;

        daemon->offers = offers->next;
        tt_runner_release(&offers->runner);
        free(offers->repository);
        free(offers->revision);
        free(offers->text);
        free(offers);
    }
}
