/*
 * Metrics in Prometheus's text form.
 */
#include "serve/web/request.h"

static void add(struct tt_buf *out, const char *name, const char *type, const char *help,
                const char *labels, uint64_t value)
{
    if (help)
        tt_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    tt_buf_addf(out, "%s%s %llu\n", name, labels, (unsigned long long)value);
}

static void add_phases(struct tt_web_request *request, struct tt_buf *out)
{
    struct tt_daemon_deployments list = {0};
    uint64_t phases[TT_PHASES] = {0}, drifted = 0;

    tt_daemon_list(request->daemon, request->arena, &list);
    for (size_t i = 0; i < list.count; i++) {
        phases[list.items[i].phase]++;
        drifted += list.items[i].drift > 0;
    }
    for (int i = 0; i < TT_PHASES; i++)
        add(out, "trimtab_deployments", "gauge",
            i == 0 ? "Deployments that are followed, by phase." : NULL,
            tt_printf(request->arena, "{phase=\"%s\"}", tt_phase_name((enum tt_phase)i)),
            phases[i]);
    add(out, "trimtab_deployments_drifted", "gauge",
        "Deployments in which the last check found something to do.", "", drifted);
}

/* A histogram's buckets hold what the ones before hold, too. */
static void add_durations(struct tt_buf *out, const char *result,
                          const struct tt_durations *durations)
{
    const char *name = "trimtab_run_duration_seconds";
    unsigned long long so_far = 0;

    for (int i = 0; i < TT_DURATION_BOUNDS; i++) {
        so_far += durations->within[i];
        tt_buf_addf(out, "%s_bucket{result=\"%s\",le=\"%lld\"} %llu\n", name, result,
                    (long long)(tt_duration_bounds[i] / 1000), so_far);
    }
    so_far += durations->within[TT_DURATION_BOUNDS];
    tt_buf_addf(out, "%s_bucket{result=\"%s\",le=\"+Inf\"} %llu\n", name, result, so_far);
    tt_buf_addf(out, "%s_sum{result=\"%s\"} %lld.%03lld\n", name, result,
                (long long)(durations->sum / 1000), (long long)(durations->sum % 1000));
    tt_buf_addf(out, "%s_count{result=\"%s\"} %llu\n", name, result, so_far);
}

void tt_web_metrics(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    struct tt_daemon_counts counts = {0};

    tt_daemon_counts(request->daemon, &counts);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    add_phases(request, out);
    add(out, "trimtab_runs_total", "counter", "Runs that ended, by result.", "{result=\"done\"}",
        counts.runs_done);
    add(out, "trimtab_runs_total", "counter", NULL, "{result=\"failed\"}", counts.runs_failed);
    add(out, "trimtab_runs_total", "counter", NULL, "{result=\"held\"}", counts.runs_held);
    tt_buf_add(out, "# HELP trimtab_run_duration_seconds How long runs took, by result.\n"
                    "# TYPE trimtab_run_duration_seconds histogram\n");
    add_durations(out, "done", &counts.took_done);
    add_durations(out, "failed", &counts.took_failed);
    add_durations(out, "held", &counts.took_held);
    add(out, "trimtab_recoveries_total", "counter", "Balancer machines that were replaced.", "",
        counts.recoveries);
    add(out, "trimtab_balancers_failing", "gauge",
        "Balancer machines that do not answer any more and are to be replaced.", "",
        counts.failing);
    add(out, "trimtab_probes_total", "counter", "Probes of balancers' listeners, by result.",
        "{result=\"passed\"}", counts.probes - counts.probes_failed);
    add(out, "trimtab_probes_total", "counter", NULL, "{result=\"failed\"}", counts.probes_failed);
    add(out, "trimtab_checks_total", "counter", "Comparisons with the world.", "", counts.checks);
    add(out, "trimtab_drifts_total", "counter", "Checks that found something to do.", "",
        counts.drifts);
    add(out, "trimtab_deliveries_total", "counter", "Webhook deliveries, by what became of them.",
        "{result=\"taken\"}", counts.deliveries);
    add(out, "trimtab_deliveries_total", "counter", NULL, "{result=\"refused\"}",
        counts.deliveries_refused);
    add(out, "trimtab_notifications_total", "counter", "Notifications, by what became of them.",
        "{result=\"sent\"}", counts.notifications);
    add(out, "trimtab_notifications_total", "counter", NULL, "{result=\"failed\"}",
        counts.notifications_failed);
    add(out, "trimtab_queued", "gauge", "Deployments that wait for their run.", "", counts.queued);
    add(out, "trimtab_running", "gauge", "Runs under way.", "", counts.running);
}
