/*
 * View: who is who. Joins what is desired with what was observed, by the marks of ownership: every
 * deployment with its services and their machines, its balancers and theirs. What left Git but
 * still runs is here, too (without a spec).
 *
 * The later stages work on this view: balance.h and place.h decide a fate for each machine, diff.h
 * makes arrivals and departures of them, order.h steps. A stage fills its own fields and leaves
 * those of earlier stages alone.
 */
#ifndef TT_PLANNER_VIEW_H
#define TT_PLANNER_VIEW_H

#include "model/desired.h"
#include "model/memory.h"
#include "model/plan.h"
#include "model/world.h"
#include "reconciler/planner.h"

/* What the plan does with a machine. */
enum tt_fate {
    TT_FATE_KEEP,
    TT_FATE_START,   /* it is stopped: start it and keep it */
    TT_FATE_REPLACE, /* a new machine takes its slot, then it goes */
    TT_FATE_REMOVE,
};

/* An owned machine that exists (not gone). */
struct tt_machine {
    const struct tt_server *server;
    const struct tt_world_account *account;
    const struct tt_region *region;
    int slot;      /* -1: no mark */
    int placement; /* of a service's server: index into its spec's placements; -1: in none */
    bool healthy;  /* it runs and does not fail */
    bool failed;   /* by its provider, its health, or because it never came up */
    bool pending;  /* it boots, within its time */
    bool frozen;   /* behind a balancer that is unseen or blocked: neither replaced nor deleted */
    bool barred;   /* an error names it: no step for it */
    /* place.h, balance.h */
    enum tt_fate fate;
    enum tt_because because;         /* of START, REPLACE and REMOVE */
    const struct tt_strings *fields; /* what is outdated; NULL: nothing */
    const char *reason;              /* why, for the step */
    bool tag;                        /* it stays without a slot mark, and gets TAG_SLOT's */
    int tag_slot;
};

/* A machine that a service needs. */
struct tt_create {
    int slot;
    int placement;
    const char *zone;
    enum tt_because because;
    struct tt_machine *replaces; /* NULL: the slot is empty */
    const char *reason;
};

struct tt_deployment_view;

struct tt_service_view {
    const struct tt_service *spec; /* NULL: it left Git */
    const char *name;
    struct tt_deployment_view *deployment;
    TT_VEC(struct tt_machine) machines; /* by slot, account, region, id */
    bool blocked;                       /* an error names it */
    int wanted;                         /* the servers wanted in observed regions */
    int surge, unavailable;             /* the update's numbers */
    TT_VEC(struct tt_create) creates;   /* place.h */
};

struct tt_balancer_view {
    const struct tt_balancer *spec; /* NULL: it left Git */
    const char *name;
    struct tt_deployment_view *deployment;
    const struct tt_world_account *account; /* NULL with unseen */
    const struct tt_region *region;         /* NULL with unseen */
    bool unseen;                            /* its region was not observed */
    bool blocked;                           /* an error names it: no step for it or through it */
    bool closed; /* its machine cannot be told anything now: no step through it */
    const struct tt_cloud_balancer *cloud;
    TT_VEC(struct tt_machine) machines; /* vm-dynamic: its own; by id */
    const struct tt_server *fixed;      /* vm-static: the machine */
    /* balance.h */
    const struct tt_server
        *target; /* the machine that is to serve; NULL: made by this plan, or cloud */
    const struct tt_server *serving; /* the machine that serves now; NULL: none, or cloud */
    bool create;
    enum tt_because because; /* of create */
    const struct tt_strings *fields;
    const char *reason;
    bool move_address;
    bool replaced; /* members serve through `serving` until the switch, then through the target */
    bool settling; /* the target's pool is not in service yet: the switch waits */
    bool held;     /* its recovery limit is reached */
    bool gone;     /* a machine of it was seen gone */
    bool set_listeners, set_health;
    /* balance_zones.h */
    const struct tt_strings *zones;  /* a cloud balancer's in the end; NULL: as they are */
    bool zones_first, zones_last;    /* its set-zones, before and after its members' moves */
    struct tt_balancer_steps *steps; /* order.h */
};

/* A machine that a vm-static LoadBalancer of this deployment made a balancer, and that none names
 * any more (lent.h). */
struct tt_lent_view {
    struct tt_balancer_view balancer;              /* without a spec; closed: no step for it now */
    TT_VEC(const struct tt_told_member *) members; /* what it was told and may still have */
    enum tt_because because;
    const char *reason;
};

struct tt_deployment_view {
    const struct tt_deployment *spec; /* NULL: it left Git */
    const char *name;
    bool running;                                /* wanted; false too when it left Git */
    bool prune;                                  /* what left Git is removed */
    TT_VEC(struct tt_service_view *) services;   /* by name */
    TT_VEC(struct tt_balancer_view *) balancers; /* by name */
    TT_VEC(struct tt_lent_view *) lent;          /* by account, region, machine */
    int owned;                                   /* machines that exist */
    int gone; /* owned machines that were seen gone, or that memory knows and the world lacks */
};

struct tt_view {
    struct tt_arena *arena;
    const struct tt_desired *desired;
    const struct tt_world *world;
    const struct tt_memory *memory;
    const struct tt_plan_options *options;
    tt_time now;
    TT_VEC(struct tt_deployment_view *) deployments; /* by name */
    TT_VEC(struct tt_problem) problems;              /* in the order found */
};

/* Makes the view and reports what cannot be seen. */
struct tt_view *tt_view_new(struct tt_arena *arena, const struct tt_desired *desired,
                            const struct tt_world *world, const struct tt_memory *memory,
                            tt_time now, const struct tt_plan_options *options);

/* The region when it was observed, else NULL. */
const struct tt_region *tt_view_region(const struct tt_view *view, const char *account,
                                       const char *region);

/* Adds a problem; SUBJECT lives in the arena or longer. */
void tt_view_problem(struct tt_view *view, enum tt_severity severity, const char *code,
                     const char *subject, const struct tt_mark *mark, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* "Service/storefront/web", "LoadBalancer/storefront/edge". */
char *tt_service_subject(const struct tt_view *view, const struct tt_service_view *service);
char *tt_balancer_subject(const struct tt_view *view, const struct tt_balancer_view *balancer);

/* The view of a spec's balancer in its deployment. */
struct tt_balancer_view *tt_view_balancer(const struct tt_deployment_view *deployment,
                                          const char *name);
struct tt_service_view *tt_view_service(const struct tt_deployment_view *deployment,
                                        const char *name);

/* True when SERVICE is behind BALANCER by its spec and the balancer covers ACCOUNT and REGION. */
bool tt_view_is_behind(const struct tt_service_view *service,
                       const struct tt_balancer_view *balancer, const char *account,
                       const char *region);

/* What differs between SERVER and SPEC, as field names in the order template, size, firewalls,
 * userData, key, network; NULL: nothing. RET_REASON gets "template a → b, size c → d". */
const struct tt_strings *tt_outdated_fields(struct tt_arena *arena, const struct tt_server *server,
                                            const struct tt_server_spec *spec,
                                            const char **ret_reason);

/* Reports that SERVER boots and until when it is waited for. CHECK: of its service; NULL: none. */
void tt_view_pending(struct tt_view *view, const char *subject, const struct tt_mark *mark,
                     const struct tt_server *server, const struct tt_health_check *check);

/* "a, b, c"; "none" */
char *tt_region_zones_text(struct tt_arena *arena, const struct tt_region *region);

/* "web-3 (i-0abc)": how reasons name a machine. */
char *tt_machine_text(struct tt_arena *arena, const struct tt_server *server);

#endif
