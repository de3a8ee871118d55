/*
 * Session: one run of the program, as it goes the way of the data: specs, world, plan.
 */
#ifndef TT_COMMANDS_SESSION_H
#define TT_COMMANDS_SESSION_H

#include "providers/tally.h"
#include "reconciler/apply.h"
#include "reconciler/clouds.h"
#include "reconciler/commands/options.h"
#include "reconciler/observe.h"
#include "reconciler/planner.h"
#include "reconciler/store.h"
#include "specs/specs.h"

struct tt_session {
    struct tt_arena arena;
    struct tt_options options;
    const struct tt_command *commands; /* the table; ends with a NULL name */
    const struct tt_registry *registry;
    const struct tt_clock *clock;
    const char *state_folder; /* absolute */
    bool color;

    struct tt_desired *desired;  /* NULL until loaded */
    struct tt_findings findings; /* what is wrong with the specs */
    struct tt_world *world;
    struct tt_arena look; /* where an observed world lives: the next one takes its place */
    struct tt_memory memory;
    struct tt_plan *plan;
    struct tt_plan *planned; /* what planning gave; a saved plan may have taken its place in plan */
    tt_time planned_at;      /* what "now" was for it */
    struct tt_clouds clouds;
    bool clouds_open;
    struct tt_tally tally;  /* with -v, once clouds are open: requests to APIs */
    struct tt_store *store; /* NULL: not open */
    int64_t approves;       /* the held run whose plan is carried out; 0: none */
    const char *about;      /* the deployment that --save is about; NULL: those of the targets */
    const char *approver;   /* in whose name */
    int64_t lock;           /* the token of the locks that are held; 0: none */
};

/* Opens the store, which is made when there is none. */
int tt_session_open_store(struct tt_session *session, struct tt_error *err);
/* ... for a run that changes something: with --without-store a store that cannot be used is done
 * without, which is said. */
int tt_session_open_store_for_run(struct tt_session *session, struct tt_error *err);

/* What "now" is for the plan: takenAt with --world, else the clock. */
tt_time tt_session_now(const struct tt_session *session);

/* Reads --world, when it is given, and the specs. Returns 0; 1 when the specs are wrong (findings
 * are filled, desired is NULL); -1 when they could not be read. */
int tt_session_load(struct tt_session *session, struct tt_error *err);

/* Prints what is wrong with the specs on standard error. */
void tt_session_print_findings(const struct tt_session *session);

/* Wrong specs as a plan: its problems, and nothing planned. */
struct tt_plan *tt_session_plan_of_findings(struct tt_session *session);

/* As tt_session_load, but prints whatever is wrong; false: exit with 1. */
bool tt_session_require_specs(struct tt_session *session);

/* The specs of another REVISION of the same repository, checked; they live in the session. */
int tt_session_load_other(struct tt_session *session, const char *revision,
                          struct tt_desired **ret_desired, struct tt_error *err);

/* What those specs would make of the session's world and memory. */
int tt_session_plan_other(struct tt_session *session, const struct tt_desired *desired,
                          struct tt_plan **ret_plan, struct tt_error *err);

/* Opens the accounts and looks at the world, unless --world gave one. */
void tt_session_open_clouds(struct tt_session *session, bool readonly);
/* The world before is gone with all that was made from it. */
void tt_session_observe(struct tt_session *session, const struct tt_observe_options *options);

/* Loads the memory of the store when there is a store and no --world. */
void tt_session_remember(struct tt_session *session);
/* The same before anything is changed: limits and guards need the memory, and only --without-store
 * lets a run go on without it. */
int tt_session_remember_for_run(struct tt_session *session, struct tt_error *err);

/* What the command line asks of the planner. */
struct tt_plan_options tt_session_plan_options(const struct tt_session *session);

/* Plans from desired, world and memory. */
int tt_session_plan(struct tt_session *session, struct tt_error *err);

/* All of it, read only: specs, world, memory, plan. False: exit with 1. */
bool tt_session_prepare(struct tt_session *session);

void tt_session_release(struct tt_session *session);

/* "trimtab: MESSAGE" on standard error. */
void tt_session_complain(const struct tt_session *session, const struct tt_error *err);

/* Writes TEXT to --out, or to standard output; false after complaining. */
bool tt_session_write(struct tt_session *session, const char *text);

#endif
