/*
 * Session: the steps that commands share.
 */
#include "reconciler/commands/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "model/world_json.h"
#include "specs/source.h"

#define MAX_SNAPSHOT (1024u * 1024 * 1024)

void tt_session_complain(const struct tt_session *session, const struct tt_error *err)
{
    const char *red = session->color && isatty(STDERR_FILENO) ? "\033[31m" : "";

    fprintf(stderr, "%strimtab: %s%s\n", red, err->message, *red ? "\033[0m" : "");
}

tt_time tt_session_now(const struct tt_session *session)
{
    if (session->options.world && session->world->taken_at != TT_TIME_UNKNOWN)
        return session->world->taken_at;
    return session->clock->now(session->clock->self);
}

static int load_snapshot(struct tt_session *session, struct tt_error *err)
{
    char *text;
    size_t size;

    if (tt_file_read(&session->arena, session->options.world, MAX_SNAPSHOT, &text, &size, err) < 0)
        return -1;
    return tt_world_from_json(&session->arena, text, size, session->options.world, &session->world,
                              err);
}

int tt_session_load(struct tt_session *session, struct tt_error *err)
{
    const struct tt_options *options = &session->options;
    struct tt_specs_request request = {
        .repository = options->repository,
        .path = options->path,
        .revision = options->revision,
        .worktree = options->worktree,
    };

    if (options->world && load_snapshot(session, err) < 0)
        return -1;
    request.world = session->world;
    if (tt_specs_load(&session->arena, &request, &session->desired, &session->findings, err) < 0)
        return -1;
    return session->desired ? 0 : 1;
}

void tt_session_print_findings(const struct tt_session *session)
{
    tt_findings_print(stderr, &session->findings, session->color && isatty(STDERR_FILENO));
}

/* NULL when there is none to name. */
static const char *find_revision(struct tt_session *session)
{
    struct tt_specs_request request = {.repository = session->options.repository,
                                       .path = session->options.path,
                                       .revision = session->options.revision,
                                       .worktree = session->options.worktree};
    TT_SOURCE_AUTO *source = NULL;

    if (tt_source_open(&session->arena, &request, &source, NULL) < 0)
        return NULL;
    return tt_source_revision(source);
}

struct tt_plan *tt_session_plan_of_findings(struct tt_session *session)
{
    struct tt_plan *plan = TT_NEW(&session->arena, struct tt_plan);

    plan->revision = find_revision(session);
    plan->world = session->world ? tt_world_hash(&session->arena, session->world) : NULL;
    TT_EACH (finding, &session->findings)
        *TT_VEC_ADD(&session->arena, &plan->problems) = (struct tt_problem){
            .severity = TT_SEVERITY_ERROR,
            .code = finding->code,
            .subject = finding->subject ? finding->subject : "",
            .message = finding->message,
            .mark = finding->mark,
        };
    return plan;
}

bool tt_session_require_specs(struct tt_session *session)
{
    struct tt_error err = {0};
    int result = tt_session_load(session, &err);

    if (result < 0)
        tt_session_complain(session, &err);
    else if (result > 0)
        tt_session_print_findings(session);
    return result == 0;
}

static void trace_call(void *self, const struct tt_trace_call *call)
{
    (void)self;
    fprintf(stderr, "%s %s %s: %lld ms%s%s\n", call->account, call->member,
            call->subject ? call->subject : "", (long long)call->duration, call->error ? ", " : "",
            call->error ? call->error->message : "");
}

void tt_session_open_clouds(struct tt_session *session, bool readonly)
{
    struct tt_clouds_request request = {
        .registry = session->registry,
        .desired = session->desired,
        .state_folder = session->state_folder,
        .base_folder = session->options.repository,
        .clock = session->clock,
        .readonly = readonly,
        .trace = session->options.verbose ? trace_call : NULL,
        .tally = session->options.verbose ? &session->tally : NULL,
    };

    if (!session->clouds_open)
        tt_tally_init(&session->tally);
    tt_clouds_open(&session->arena, &request, &session->clouds);
    session->clouds_open = true;
}

int tt_session_open_store(struct tt_session *session, struct tt_error *err)
{
    if (tt_make_folders(session->state_folder, 0700, err) < 0 ||
        tt_store_open(session->state_folder, &session->store, err) < 0)
        return -1;
    tt_store_use_clock(session->store, session->clock);
    return 0;
}

/* A damaged file is set aside; one that cannot be used otherwise stays as it is. */
static int do_without_store(struct tt_session *session, const struct tt_error *why,
                            struct tt_error *err)
{
    struct tt_error said = *why;
    tt_time now = session->clock->now(session->clock->self);
    const char *kept;
    int result;

    tt_store_close(session->store);
    session->store = NULL;
    if (tt_store_is_damage(why)) {
        result = tt_store_set_aside(session->state_folder, now, &session->arena, &kept, err);
        if (result == 0) {
            tt_wrap(&said, "going on with a new store, the damaged one is kept as %s", kept);
            result = tt_session_open_store(session, err);
        }
    } else {
        tt_wrap(&said, "going on without the store: no history is kept, no lock keeps others out "
                       "and what earlier runs remembered is not known");
        result = tt_store_open_memory(&session->store, err);
    }
    tt_session_complain(session, &said);
    return result;
}

int tt_session_open_store_for_run(struct tt_session *session, struct tt_error *err)
{
    struct tt_error why = {0};

    if (!session->options.without_store) {
        if (tt_session_open_store(session, &why) == 0)
            return 0;
        /* one that is in use is only to be waited for, and a damaged one says so by itself */
        if (why.class == TT_ERR_UNAVAILABLE || tt_store_is_damage(&why)) {
            *err = why;
            return -1;
        }
        return tt_fail(err, why.class, "%s; with --without-store the run goes on without it",
                       why.message);
    }
    if (tt_session_open_store(session, &why) < 0 || tt_store_check(session->store, &why) < 0)
        return do_without_store(session, &why, err);
    return 0;
}

/* Opens the store where there is one; 1: there is none. */
static int open_store(struct tt_session *session, struct tt_error *err)
{
    const char *file = tt_printf(&session->look, "%s/store.db", session->state_folder);

    if (session->store)
        return 0;
    if (session->options.world || access(file, F_OK) < 0)
        return 1;
    return tt_session_open_store(session, err);
}

/* What earlier runs saw fail goes on being counted. A store that fails is told of when it is read
 * (tt_session_remember); what is lost by it is time, no more. */
void tt_session_observe(struct tt_session *session, const struct tt_observe_options *options)
{
    struct tt_observe_options own = *options;
    tt_failing_ports before = {0}, after = {0};
    tt_lent_members lent = {0};
    tt_time now = session->clock->now(session->clock->self);
    bool stored = open_store(session, NULL) == 0;
    struct tt_arena look;

    tt_arena_init(&look);
    if (stored && tt_store_load_failing(session->store, &look, now, &before, NULL) == 0)
        own.remembered = &before;
    if (stored && tt_store_read_lent(session->store, &look, &lent, NULL) == 0)
        own.lent = &lent;
    own.ret_failing = &after;
    session->world = tt_observe(&look, &session->clouds, session->desired, session->clock, &own);
    if (stored)
        tt_store_set_failing(session->store, &after, session->clock->now(session->clock->self),
                             NULL);
    tt_arena_release(&session->look);
    tt_arena_adopt(&session->look, &look);
}

static int load_memory(struct tt_session *session, struct tt_error *err)
{
    int opened = open_store(session, err);

    if (opened != 0)
        return opened < 0 ? -1 : 0;
    return tt_store_load_memory(session->store, &session->arena,
                                session->clock->now(session->clock->self), &session->memory, err);
}

static void remember_nothing(const struct tt_session *session, struct tt_error *why)
{
    tt_wrap(why, "going on without the memory of earlier runs");
    tt_session_complain(session, why);
}

void tt_session_remember(struct tt_session *session)
{
    struct tt_error err = {0};

    if (load_memory(session, &err) < 0)
        remember_nothing(session, &err);
}

int tt_session_remember_for_run(struct tt_session *session, struct tt_error *err)
{
    struct tt_error why = {0};

    if (load_memory(session, &why) == 0)
        return 0;
    if (!session->options.without_store) {
        *err = why;
        return tt_wrap(err, "nothing was begun, because what earlier runs left cannot be read");
    }
    remember_nothing(session, &why);
    return 0;
}

int tt_session_load_other(struct tt_session *session, const char *revision,
                          struct tt_desired **ret_desired, struct tt_error *err)
{
    struct tt_specs_request request = {
        .repository = session->options.repository,
        .path = session->options.path,
        .revision = revision,
        .world = session->world,
    };
    struct tt_findings findings = {0};

    if (tt_specs_load(&session->arena, &request, ret_desired, &findings, err) < 0)
        return -1;
    if (!*ret_desired)
        return tt_fail(err, TT_ERR_SPEC,
                       "the specs of %s are wrong: trimtab validate --rev %s says where", revision,
                       revision);
    return 0;
}

struct tt_plan_options tt_session_plan_options(const struct tt_session *session)
{
    return (struct tt_plan_options){
        .prune = session->options.prune,
        .allow_destroy = session->options.allow_destroy,
        .allow_vanished = session->options.allow_vanished,
        .targets = session->options.targets,
    };
}

int tt_session_plan_other(struct tt_session *session, const struct tt_desired *desired,
                          struct tt_plan **ret_plan, struct tt_error *err)
{
    struct tt_plan_options options = tt_session_plan_options(session);

    session->planned_at = tt_session_now(session);
    return tt_planner_plan(&session->arena, desired, session->world, &session->memory,
                           session->planned_at, &options, ret_plan, err);
}

int tt_session_plan(struct tt_session *session, struct tt_error *err)
{
    int result = tt_session_plan_other(session, session->desired, &session->plan, err);

    session->planned = result == 0 ? session->plan : NULL;
    return result;
}

bool tt_session_prepare(struct tt_session *session)
{
    struct tt_error err = {0};

    if (!tt_session_require_specs(session))
        return false;
    if (!session->options.world) {
        tt_session_open_clouds(session, true);
        tt_session_observe(session, &(struct tt_observe_options){0});
        tt_session_remember(session);
    }
    if (tt_session_plan(session, &err) == 0)
        return true;
    tt_session_complain(session, &err);
    return false;
}

bool tt_session_write(struct tt_session *session, const char *text)
{
    struct tt_error err = {0};

    if (session->options.out) {
        if (tt_file_write(session->options.out, text, strlen(text), 0600, &err) == 0)
            return true;
    } else if (fputs(text, stdout) >= 0 && fflush(stdout) == 0) {
        return true;
    } else {
        tt_fail_errno(&err, TT_ERR_INTERNAL, "cannot write the result");
    }
    tt_session_complain(session, &err);
    return false;
}

static void print_tally(const struct tt_tally *tally)
{
    TT_EACH (line, &tally->lines)
        fprintf(stderr, "%s: %d %s %s\n", line->account, line->count,
                line->count == 1 ? "request" : "requests", line->api);
}

void tt_session_release(struct tt_session *session)
{
    if (session->clouds_open) {
        tt_clouds_close(&session->clouds);
        print_tally(&session->tally);
        tt_tally_release(&session->tally);
    }
    if (session->store)
        tt_store_close(session->store);
    tt_arena_release(&session->look);
    tt_arena_release(&session->arena);
}
