/*
 * adopt: an existing machine becomes a server of a service, by its tags alone. Shown as a plan,
 * with what would differ, and with what trimtab would do to it next.
 */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "reconciler/commands/ask.h"
#include "reconciler/commands/carry_out.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/lease.h"
#include "reconciler/plan_text.h"
#include "reconciler/planner/view.h"

/* Who becomes what. */
struct adoption {
    struct tt_session *session;
    const struct tt_service *service;
    const struct tt_placement *placement;
    struct tt_server *server; /* in the session's world */
    int slot;
    struct tt_signals signals;
    struct tt_lease lease;
};

/* "Service/web", "Service/shop/web" */
static int find_service(struct adoption *adoption, struct tt_error *err)
{
    const char *as = adoption->session->options.as;
    const char *name = as && tt_starts_with(as, "Service/") ? as + strlen("Service/") : NULL;

    if (!name)
        return tt_fail(err, TT_ERR_SPEC, "say what it becomes: --as Service/[DEPLOYMENT/]NAME");
    TT_EACH (deployment, &adoption->session->desired->deployments)
        TT_EACH (item, &(*deployment)->services) {
            const struct tt_service *service = *item;

            if (!tt_streq(service->name, name) &&
                !tt_streq(tt_printf(&adoption->session->arena, "%s/%s", (*deployment)->name,
                                    service->name),
                          name))
                continue;
            if (adoption->service)
                return tt_fail(err, TT_ERR_SPEC, "several deployments have a %s: name one of them",
                               as);
            adoption->service = service;
        }
    return adoption->service ? 0 : tt_fail(err, TT_ERR_SPEC, "Git has no %s", as);
}

static const struct tt_placement *find_placement(const struct tt_service *service,
                                                 const char *account, const char *region)
{
    TT_EACH (placement, &service->placements)
        if (tt_streq(placement->account->name, account) && tt_streq(placement->region, region))
            return placement;
    return NULL;
}

static int take_server(struct adoption *adoption, const struct tt_world_account *account,
                       const struct tt_region *region, struct tt_server *server,
                       struct tt_error *err)
{
    if (adoption->server)
        return tt_fail(err, TT_ERR_SPEC,
                       "several machines are named %s: give the id of one of them", server->name);
    adoption->server = server;
    adoption->placement = find_placement(adoption->service, account->name, region->name);
    if (!adoption->placement) {
        tt_fail(err, TT_ERR_SPEC, "%s is in %s/%s, where %s has no placement", server->id,
                account->name, region->name, adoption->service->name);
        return -1;
    }
    if (server->tags.owner)
        return tt_fail(err, TT_ERR_CONFLICT, "%s carries the mark of %s already", server->id,
                       server->tags.owner);
    return 0;
}

/* By id, else by name. */
static int find_server(struct adoption *adoption, struct tt_error *err)
{
    const char *wanted = adoption->session->options.arguments.items[0];

    for (int by_name = 0; by_name < 2 && !adoption->server; by_name++)
        TT_EACH (account, &adoption->session->world->accounts)
            TT_EACH (region, &account->regions)
                TT_EACH (server, &region->servers)
                    if (tt_streq(by_name ? server->name : server->id, wanted) &&
                        server->state != TT_SERVER_GONE &&
                        take_server(adoption, account, region, server, err) < 0)
                        return -1;
    if (adoption->server)
        return 0;
    tt_fail(err, TT_ERR_NOT_FOUND,
            "no machine has the id or the name %s: trimtab observe shows those that there are",
            wanted);
    return -1;
}

/* The lowest number that no server of the service has; a full placement takes nobody in, since one
 * too many would be deleted. */
static int find_slot(struct adoption *adoption, struct tt_error *err)
{
    const struct tt_service *service = adoption->service;
    const struct tt_desired *desired = adoption->session->desired;
    struct tt_strings taken = {0};
    int here = 0;

    TT_EACH (account, &adoption->session->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                if (server->state == TT_SERVER_GONE ||
                    !tt_streq(server->tags.owner, desired->owner) ||
                    !tt_streq(server->tags.deployment, service->deployment->name) ||
                    !tt_streq(server->tags.service, service->name))
                    continue;
                tt_strings_add(&adoption->session->arena, &taken,
                               tt_printf(&adoption->session->arena, "%d", server->tags.slot));
                here += find_placement(service, account->name, region->name) == adoption->placement;
            }
    if (here >= adoption->placement->count)
        return tt_fail(err, TT_ERR_CONFLICT,
                       "%s has %d of %d servers in %s/%s: raise its count first, or one would be "
                       "deleted",
                       service->name, here, adoption->placement->count,
                       adoption->placement->account->name, adoption->placement->region);
    while (tt_strings_has(&taken, tt_printf(&adoption->session->arena, "%d", adoption->slot)))
        adoption->slot++;
    return 0;
}

/* One step: the tags. */
static struct tt_plan *plan_tags(const struct adoption *adoption)
{
    struct tt_arena *arena = &adoption->session->arena;
    struct tt_plan *plan = TT_NEW(arena, struct tt_plan);
    struct tt_step *step = TT_VEC_ADD(arena, &plan->steps);
    const char *differs = NULL;
    const struct tt_strings *fields =
        tt_outdated_fields(arena, adoption->server, &adoption->placement->server, &differs);

    *step = (struct tt_step){
        .action = TT_STEP_TAG,
        .subject = {TT_SUBJECT_SERVICE, adoption->service->deployment->name,
                    adoption->service->name, adoption->slot},
        .account = adoption->placement->account->name,
        .region = adoption->placement->region,
        .zone = adoption->server->zone,
        .server = adoption->server->id,
        .because = TT_BECAUSE_DRIFT,
        .reason =
            tt_printf(arena, "%s (%s) is adopted%s%s", adoption->server->id,
                      adoption->server->name ? adoption->server->name : "nameless",
                      differs ? "; from its spec differ " : " as it is", differs ? differs : ""),
    };
    if (fields)
        step->fields = *fields;
    plan->revision = adoption->session->desired->revision;
    return plan;
}

/* What would be planned if the machine had its tags already. */
static int show_next(struct adoption *adoption, struct tt_error *err)
{
    struct tt_session *session = adoption->session;
    struct tt_tags before = adoption->server->tags;
    TT_BUF_AUTO text = {0};
    int result;

    adoption->server->tags = (struct tt_tags){
        .owner = session->desired->owner,
        .deployment = adoption->service->deployment->name,
        .service = adoption->service->name,
        .slot = adoption->slot,
    };
    result = tt_session_plan(session, err);
    adoption->server->tags = before;
    if (result < 0)
        return -1;
    tt_plan_text(&text, session->plan, session->desired, session->color && isatty(STDOUT_FILENO));
    printf("Afterwards trimtab plan would say:\n\n%s\n", tt_buf_text(&text));
    return 0;
}

static int show(struct adoption *adoption, struct tt_error *err)
{
    struct tt_session *session = adoption->session;
    TT_BUF_AUTO text = {0};

    if (!session->options.quiet && show_next(adoption, err) < 0)
        return -1;
    session->plan = plan_tags(adoption);
    tt_plan_text(&text, session->plan, session->desired, session->color && isatty(STDOUT_FILENO));
    if (!session->options.quiet || !session->options.auto_approve)
        fputs(tt_buf_text(&text), stdout);
    fflush(stdout);
    return 0;
}

/* Under the lock, so that nobody fills the slot meanwhile. Returns the exit code, or -1. */
static int adopt(struct adoption *adoption, struct tt_error *err)
{
    struct tt_session *session = adoption->session;

    tt_session_observe(session, &(struct tt_observe_options){.everything = true});
    adoption->server = NULL; /* none of this world yet */
    adoption->placement = NULL;
    adoption->slot = 0;
    if (tt_session_remember_for_run(session, err) < 0 || find_server(adoption, err) < 0 ||
        find_slot(adoption, err) < 0 || show(adoption, err) < 0)
        return -1;
    if (!tt_ask(session, &adoption->signals, "Adopt it?"))
        return 1;
    return tt_carry_out(session, &(struct tt_strings){0}, &adoption->signals);
}

static int adopt_locked(struct adoption *adoption, struct tt_error *err)
{
    struct tt_session *session = adoption->session;
    struct tt_strings deployments = {0};
    int code;

    if (tt_session_open_store_for_run(session, err) < 0)
        return -1;
    tt_session_open_clouds(session, false);
    tt_strings_add(&session->arena, &deployments, adoption->service->deployment->name);
    if (tt_lease_begin(&adoption->lease, session->store, session->clock, &deployments, "adopt",
                       &adoption->signals, err) < 0)
        return -1;
    session->lock = adoption->lease.token;
    code = adopt(adoption, err);
    tt_lease_end(&adoption->lease);
    return code;
}

int tt_cmd_adopt(struct tt_session *session)
{
    struct adoption adoption = {.session = session};
    struct tt_error err = {0};
    int code = -1;

    if (!tt_session_require_specs(session))
        return 1;
    if (find_service(&adoption, &err) == 0) {
        if (tt_signals_begin(&adoption.signals) < 0)
            return 1;
        code = adopt_locked(&adoption, &err);
        tt_signals_end(&adoption.signals);
    }
    if (code >= 0)
        return code;
    tt_session_complain(session, &err);
    return 1;
}
