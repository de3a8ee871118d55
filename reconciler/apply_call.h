/*
 * Calls: what each action asks of a cloud or a balancer's machine, made once.
 *
 *   apply_step.c     which action is which call
 *   apply_server.c   create, start, delete, fence, tag
 *   apply_zone.c     another zone for a server whose own has no room
 *   apply_member.c   enroll, withdraw
 *   apply_join.c     members that join one machine at the same time
 *   apply_restore.c  members that an old stopProxy dropped together with another
 *   apply_setting.c  set-zones, set-listeners, set-health-check, move-address
 *
 * A call that returns WAIT was accepted; whether it took effect is seen by observing
 * (apply_wait.c).
 */
#ifndef TT_RECONCILER_APPLY_CALL_H
#define TT_RECONCILER_APPLY_CALL_H

#include "providers/proxies/proxy.h"
#include "reconciler/apply_run.h"

#define TT_CALL_NO_SERVER "the plan does not say which machine"

/* What every call needs. */
struct tt_call {
    struct tt_apply_run *run;
    int index;
    const struct tt_step *step;
    struct tt_step_run *state;
    struct tt_provider *provider;
    struct tt_arena *scratch;
};

enum tt_progress_word tt_call_create(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_start(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_delete(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_fence(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_tag(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_enroll(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_withdraw(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_zones(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_settings(const struct tt_call *call, struct tt_error *err);
enum tt_progress_word tt_call_move(const struct tt_call *call, struct tt_error *err);

/* tt_proxy_start, together with whoever joins the same machine at this moment. */
int tt_call_join(const struct tt_call *call, const struct tt_proxy *proxy,
                 const struct tt_proxy_member *member, struct tt_error *err);

/* After stopProxy for SERVICE at STOPPED: those that are wanted there besides and were dropped,
 * too, are started again. */
int tt_call_restore(const struct tt_call *call, const struct tt_proxy *proxy, const char *service,
                    const struct tt_endpoint *stopped, struct tt_error *err);

/* Gives MEMBER the TLS files of the balancer's first listener that has some. */
void tt_call_certificate(const struct tt_balancer *balancer, struct tt_proxy_member *member);

/* False: there is no other zone that the specs allow, that has not refused, and in which the
 * service stays spread evenly. Else the step goes there. */
bool tt_call_other_zone(const struct tt_call *call, const struct tt_service *service,
                        const struct tt_placement *placement);

/* For the calls. SUCCESS, or FAILED when RESULT is negative. */
enum tt_progress_word tt_call_word(int result, enum tt_progress_word success);
/* FAILED: the plan asks for what makes no sense. */
enum tt_progress_word tt_call_refuse(struct tt_error *err, const char *what);
/* True when the step's balancer is one of the cloud's own. */
bool tt_call_is_cloud(const struct tt_call *call);
struct tt_balancer_setup tt_call_setup(const struct tt_balancer *balancer);
struct tt_proxy tt_call_proxy(const struct tt_call *call, const char *machine);

#endif
