/*
 * Explain, of balancers: which machine clients reach, what binds it, who is behind it, what would
 * follow from a change. And of machines that are nobody of ours: what they are to us.
 */
#include <string.h>

#include "base/str.h"
#include "reconciler/explain_parts.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/members.h"
#include "reconciler/planner/settings_text.h"

#define HOUR (INT64_C(3600) * 1000)

static const char *why_the_machine_stays(const struct tt_balancer_view *balancer,
                                         const struct tt_machine *machine)
{
    if (!balancer->spec)
        return "it stays: it left Git, and nothing is pruned here";
    if (balancer->blocked)
        return "it stays: an error stands in the way, see above";
    if (machine->pending)
        return "it stays: it boots and is waited for";
    if (balancer->settling)
        return "it stays: members are not in service at the other machine yet";
    return "it stays: it is what the spec asks for";
}

static void tell_machines(struct tt_telling *t, const struct tt_balancer_view *balancer)
{
    TT_EACH (machine, &balancer->machines) {
        bool goes = machine->fate == TT_FATE_REMOVE;

        tt_buf_addf(t->out, "  machine %s: %s; %s%s%s%s\n",
                    tt_machine_text(t->arena, machine->server), tt_machine_verdict(machine),
                    goes ? "it is removed because " : why_the_machine_stays(balancer, machine),
                    goes ? tt_because_words[machine->because] : "", goes ? ": " : "",
                    goes ? machine->reason : "");
    }
    if (balancer->create)
        tt_buf_addf(t->out, "  a new machine is made because %s: %s\n",
                    tt_because_words[balancer->because], balancer->reason);
}

static int recent_recoveries(const struct tt_telling *t, const struct tt_balancer_view *balancer)
{
    int count = 0;

    TT_EACH (recovery, &t->request->memory->recoveries)
        count += tt_streq(recovery->deployment, balancer->deployment->name) &&
                 tt_streq(recovery->balancer, balancer->name) &&
                 t->request->now - recovery->at < HOUR;
    return count;
}

/* What the spec asks of it, beside what it is. */
static void tell_settings(struct tt_telling *t, const struct tt_balancer_view *balancer)
{
    const struct tt_balancer *spec = balancer->spec;
    const struct tt_health_check *check = tt_balancer_health(spec);

    tt_buf_addf(t->out, "%s, %s, in %s/%s%s\n", tt_balancer_type_words[spec->type],
                tt_scope_words[spec->scope], spec->account->name, spec->region,
                balancer->unseen ? ", which was not observed" : "");
    if (spec->scope == TT_SCOPE_DATA_CENTER)
        tt_buf_addf(t->out, "its zones bind its services: servers in %s/%s only in %s\n",
                    spec->account->name, spec->region,
                    tt_strings_join(t->arena, &spec->zones, "none"));
    if (balancer->cloud && balancer->cloud->zones)
        tt_buf_addf(t->out, "it balances to %s now\n",
                    tt_strings_join(t->arena, balancer->cloud->zones, "no zone"));
    if (spec->listeners)
        tt_buf_addf(t->out, "listeners: %s\n", tt_listeners_text(t->arena, spec->listeners));
    if (check)
        tt_buf_addf(t->out, "health check: %s\n", tt_check_text(t->arena, check));
    if (spec->address)
        tt_buf_addf(t->out, "address: %s, which moves to a new machine after its members\n",
                    spec->address);
    if (spec->type == TT_BALANCER_VM_DYNAMIC)
        tt_buf_addf(t->out, "replaced %d times within the last hour, of at most %d\n",
                    recent_recoveries(t, balancer), spec->recovery.max_per_hour);
}

static void tell_services(struct tt_telling *t, const struct tt_balancer_view *balancer)
{
    int count = 0;

    tt_buf_add(t->out, "services behind it:\n");
    TT_EACH (floor, &t->request->plan->floors)
        if (tt_streq(floor->deployment, balancer->deployment->name) &&
            tt_streq(floor->balancer, balancer->name)) {
            tt_buf_addf(t->out, "  %s: %d now, never below %d, %d at the end\n", floor->service,
                        floor->now, floor->floor, floor->end);
            count++;
        }
    TT_EACH (service, &balancer->deployment->services)
        if (balancer->unseen && balancer->spec && (*service)->spec &&
            tt_service_is_behind((*service)->spec, balancer->spec)) {
            tt_buf_addf(t->out, "  %s: what serves was not observed\n", (*service)->name);
            count++;
        }
    if (!count)
        tt_buf_add(t->out, "  none\n");
}

static void tell_what_if(struct tt_telling *t, const struct tt_balancer *spec)
{
    tt_buf_add(t->out, "what would follow from a change:\n");
    if (spec->type == TT_BALANCER_CLOUD)
        tt_buf_add(t->out, "  zones: they are set in the cloud, and servers outside are moved\n"
                           "  listeners, health: they are set in the cloud, no server is touched\n"
                           "  name: members join the other balancer, which must exist\n");
    else if (spec->type == TT_BALANCER_VM_DYNAMIC)
        tt_buf_add(t->out, "  server: a new machine is made and filled, then the old one goes\n"
                           "  address: it moves to the machine that is there\n"
                           "  listeners: they are set on the machine, no server is touched\n"
                           "  recovery: nothing now; it counts at the next failure\n");
    else
        tt_buf_add(t->out, "  machine: members join the other machine, which must run\n"
                           "  listeners: they are set on the machine, no server is touched\n");
}

void tt_explain_balancer(struct tt_telling *t, const struct tt_balancer_view *balancer)
{
    const char *subject =
        tt_printf(t->arena, "LoadBalancer/%s/%s", balancer->deployment->name, balancer->name);

    tt_buf_addf(t->out, "%s%s\n", subject, balancer->spec ? "" : " (it left Git)");
    tt_tell_problems(t, subject, -1);
    if (balancer->spec)
        tell_settings(t, balancer);
    if (balancer->serving)
        tt_buf_addf(t->out, "clients reach %s now%s%s\n",
                    tt_machine_text(t->arena, balancer->serving),
                    balancer->serving->state == TT_SERVER_RUNNING ? "" : ", which is ",
                    balancer->serving->state == TT_SERVER_RUNNING
                        ? ""
                        : tt_server_state_words[balancer->serving->state]);
    tell_machines(t, balancer);
    tell_services(t, balancer);
    tt_tell_steps(t, TT_SUBJECT_LOAD_BALANCER, balancer->deployment->name, balancer->name, -1,
                  balancer->blocked || balancer->unseen || balancer->closed || balancer->held,
                  !balancer->spec);
    if (balancer->spec)
        tell_what_if(t, balancer->spec);
}

/* --- machines that are nobody of ours -------------------------------------------------------- */

/* The vm-static balancers that a machine is. */
static void tell_balancers_of(struct tt_telling *t, const struct tt_server *server)
{
    TT_EACH (deployment, &t->view->deployments)
        TT_EACH (balancer, &(*deployment)->balancers) {
            struct tt_roster roster = {.cloud = (*balancer)->cloud};

            if ((*balancer)->fixed == server)
                tt_buf_addf(t->out,
                            "  it is the machine of LoadBalancer/%s/%s: it is told about "
                            "members, never made, deleted or replaced\n",
                            (*deployment)->name, (*balancer)->name);
            if (roster.cloud && tt_roster_find(&roster, server, NULL, NULL, 0) >= 0)
                tt_buf_addf(t->out, "  it is a member of LoadBalancer/%s/%s, where it stays\n",
                            (*deployment)->name, (*balancer)->name);
        }
}

bool tt_explain_foreign(struct tt_telling *t, const char *id)
{
    TT_EACH (account, &t->request->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                if (strcmp(server->id, id) != 0 && !tt_streq(server->name, id))
                    continue;
                tt_buf_addf(t->out, "%s in %s/%s\n", tt_machine_text(t->arena, server),
                            account->name, region->name);
                tt_buf_addf(t->out,
                            "  it is left alone: it does not carry the marks of %s "
                            "(trimtab adopt %s --as Service/NAME would give it some)\n",
                            t->request->desired->owner, server->id);
                tell_balancers_of(t, server);
                return true;
            }
    return false;
}
