#!/usr/bin/env bash
# The daemon watches its balancers between checks, which are an hour apart here: one that is killed
# or hangs is replaced without a hand; a replacement that fails is tried again; most of an account's
# failing at once is held; what is suspended is left alone; and a daemon that is stopped in the
# middle of a run leaves the rest to the next one.
# shellcheck disable=SC2317 # what check and eventually call
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"
# shellcheck source=tests/e2e/balancers_lib.sh
. "$(dirname "$0")/balancers_lib.sh"

token=operator-token

write_config() { # BACKOFF
    printf '#!/bin/sh\ncat >>%s/told\necho >>%s/told\n' "$place" "$place" >"$place/tell"
    chmod +x "$place/tell"
    cat >"$config" <<END
repositories: [{name: fleet, url: "file://$bare", poll: 500ms}]
runs: {check: 1h, backoff: $1, longestBackoff: 1h}
web: {port: 0, tokens: [{name: ann, role: operator, sha256: $(digest "$token")}]}
notifications: [{type: command, command: [$place/tell]}]
END
}

push() {
    commit "$1"
    git -C "$repo" push -q "$bare" main
}

get() {
    curl -sf --max-time 5 -H "Authorization: Bearer $token" "http://127.0.0.1:$port$1" "${@:2}"
}

# An expression over the daemon's only deployment.
deployment() {
    get /api/v1/deployments | query "(lambda d: $1)(d['deployments'][0])"
}

is_idle() {
    [ "$(deployment 'd["phase"]')" = idle ]
}

in_phase() {
    [ "$(deployment 'd["phase"]')" = "$1" ]
}

metric() {
    get /metrics | awk -v name="$1" '$1 == name { print $2 }'
}

has_metric() {
    [ "$(metric "$1")" = "$2" ]
}

has_probed() { # [MORE_THAN]
    [ "$(metric 'trimtab_probes_total{result="passed"}')" -gt "${1:-0}" ]
}

told() {
    grep -qE -- "$1" "$place/told"
}

count_logged() {
    grep -cE -- "$1" "$log"
}

logged_times() { # PATTERN COUNT
    [ "$(count_logged "$1")" -ge "$2" ]
}

# applied RESULT: the newest commit, by the daemon.
applied() {
    logged "apply of $(git -C "$repo" rev-parse --short=12 HEAD): $1"
}

# Another machine than before answers, and nothing is left to do.
is_replaced() { # MACHINE
    [ "$(balancers | wc -l)" -eq 1 ] && [ "$(balancers)" != "$1" ] && is_idle
}

commit_example
sed -i 's/^  algorithm: .*/&\n  health: {tcp: {}, interval: 1s, timeout: 1s, unhealthyAfter: 2, grace: 1s}/
        s/maxPerHour: 3/maxPerHour: 100/' "$repo/fleet.yaml"
git init -q --bare -b main "$bare"
push "often"
write_config 1s
: >"$place/told"
serve
check "what was pushed is applied" eventually 60 logged 'apply of [0-9a-f]+: done'
check "and probed" eventually 20 has_probed

# A machine that dies.
first=$(balancers)
signal KILL "$first"
check "the watch sees it" eventually 20 logged 'LoadBalancer/quickstart/edge does not answer at'
check "the machine is replaced" eventually 60 is_replaced "$first"
check "all serve again" answers_from 9 3
check "it is counted" has_metric trimtab_recoveries_total 1
check "and told" eventually 10 told 'LoadBalancer/quickstart/edge failed and was replaced.*"trimtab.recovery"'
check "no machine is failing any more" has_metric trimtab_balancers_failing 0
get /runs >"$out"
check "the page says why the run was made" grep -q 'serve: recovery' "$out"
get /deployments/fleet/quickstart >"$out"
check "and shows the new machine" grep -q "$(balancers)" "$out"
tt show 2
check "so does history" says 'serve: recovery'

# What the balancer itself does hangs; its port still takes connections, and its machine runs.
second=$(balancers)
hang "$second"
check "one that hangs is seen" eventually 30 logged_times 'edge does not answer at' 2
check "and replaced" eventually 60 is_replaced "$second"
check "both are counted" has_metric trimtab_recoveries_total 2

# Replacements that die at once are tried again, less and less often.
third=$(balancers)
kill_new "$third" &
killer=$!
signal KILL "$third"
check "a replacement that dies is a failed run" eventually 60 logged_times 'apply of [0-9a-f]+: failed' 2
check "which is told" eventually 10 told '"trimtab.run.failed"'
check "the next one waits" eventually 20 in_phase backing-off
kill "$killer"
wait "$killer" 2>/dev/null
check "the next one is not prevented" eventually 60 is_replaced "$third"
check "it answers" answers_from 9 3

# Suspended: nobody does anything until a commit lets it go on.
sed -i 's/^  state: running/  state: running\n  suspend: true/' "$repo/fleet.yaml"
push "suspended"
check "it is suspended" eventually 20 in_phase suspended
fourth=$(balancers)
signal KILL "$fourth"
sleep 4
check "a suspended balancer is left alone" [ "$(balancers)" = "$fourth" ]
sed -i '/suspend: true/d' "$repo/fleet.yaml"
push "goes on"
check "until it may go on" eventually 60 is_replaced "$fourth"

# Changes wait for their window, which is another day's, and drift is only reported; recovery not,
# of however many.
add_balancer left
push "two balancers"
check "two balancers serve" eventually 60 has_balancers 2
check "and nothing is left to do" eventually 20 is_idle
day=$(LC_ALL=C date -u -d '+3 days' +%a)
sed -i "s/^  state: running/  state: running\n  onDrift: report\n  changeWindows: [{days: [${day,,}], from: \"00:00\", to: \"00:01\"}]/
        s/count: 3/count: 4/" "$repo/fleet.yaml"
push "careful"
check "a change waits for its window" eventually 20 logged 'plan of [0-9a-f]+: changes'
counted=$(metric trimtab_recoveries_total)
for machine in $(balancers); do
    signal KILL "$machine"
done
check "a recovery of two does not" eventually 60 has_metric trimtab_recoveries_total $((counted + 2))
check "they are whole" eventually 20 is_idle
check "the change goes on waiting" [ "$(slots)" = "0 1 2" ]
sed -i '/^  onDrift: report/d; /^  changeWindows:/d; s/count: 4/count: 3/' "$repo/fleet.yaml"
push "always"
check "without it the daemon has nothing to do" eventually 30 applied 'nothing to do'
check "nor has anybody" is_settled

# A balancer whose replacement cannot be made keeps no other from being replaced, again and again.
write_config 1h
kill -HUP "$daemon"
sed -i '0,/server: {template: haproxy}/s//server: {template: nowhere}/' "$repo/fleet.yaml"
push "a slip"
check "what cannot be made is a failed run" eventually 30 applied failed
check "which is not tried again at once" eventually 20 in_phase backing-off
tt status --json
left=$(query '[b["machine"] for b in d["deployments"][0]["balancers"] if b["name"] == "left"][0]' <"$out")
counted=$(metric trimtab_recoveries_total)
signal KILL "$left"
check "another balancer is replaced all the same" eventually 60 has_metric trimtab_recoveries_total $((counted + 1))
check "and what failed waits on" eventually 20 in_phase backing-off
probed=$(metric 'trimtab_probes_total{result="passed"}')
check "both answer" eventually 30 has_probed $((probed + 8))
tt status --json
left=$(query '[b["machine"] for b in d["deployments"][0]["balancers"] if b["name"] == "left"][0]' <"$out")
signal KILL "$left"
check "its next failure waits for nobody either" eventually 60 has_metric trimtab_recoveries_total $((counted + 2))
check "and what failed waits on" eventually 20 in_phase backing-off
write_config 1s
kill -HUP "$daemon"
sed -i 's/template: nowhere/template: haproxy/' "$repo/fleet.yaml"
push "mended"
check "until somebody mends it" eventually 30 is_settled
check "then nothing is left to do" eventually 20 is_idle

# Three balancers, of which two fail at once.
kill_two() {
    before=$(balancers)
    for machine in $(head -n 2 <<<"$before"); do
        signal KILL "$machine"
    done
}

add_balancer right
push "three balancers"
check "three balancers serve" eventually 90 has_balancers 3
check "and nothing is left to do" eventually 20 is_idle
kill_two
check "a mass failure is held" eventually 60 in_phase held
check "which is told" eventually 10 told '"trimtab.plan.held"'
check "they are still known to fail" eventually 10 has_metric trimtab_balancers_failing 2
tt plan
check "the plan says why" says '2 of 3 balancers of here fail at the same time'
sleep 4
check "nothing was made" [ "$(balancers)" = "$before" ]
check "and it is told once" [ "$(grep -c '"trimtab.plan.held"' "$place/told")" -eq 1 ]
tt approve "$(deployment 'd["heldRun"]')" --auto-approve
check "approved, they are replaced" exits 0
check "the daemon sees that" eventually 30 is_idle

# The same once more, approved through the daemon, which then watches the new machines.
kill_two
check "a mass failure is held again" eventually 60 in_phase held
check "and counted" eventually 10 has_metric trimtab_balancers_failing 2
sed -i 's/^  state: running/  state: running\n  suspend: true/' "$repo/fleet.yaml"
push "not now"
check "suspended, they are none that are to be replaced" eventually 20 has_metric trimtab_balancers_failing 0
sed -i '/suspend: true/d' "$repo/fleet.yaml"
push "now"
check "what may go on is held" eventually 30 applied held
check "and waits" eventually 20 in_phase held
check "and is counted" eventually 10 has_metric trimtab_balancers_failing 2
counted=$(metric trimtab_recoveries_total)
get "/api/v1/runs/$(deployment 'd["heldRun"]')/approve" -X POST >"$out"
check "approved through the daemon, they are replaced" eventually 60 has_metric trimtab_recoveries_total $((counted + 2))
check "no machine is failing any more" eventually 10 has_metric trimtab_balancers_failing 0
check "and nothing is left to do" eventually 20 is_idle
for machine in $(comm -13 <(echo "$before") <(balancers) | head -n 1); do
    signal KILL "$machine"
done
check "a new machine is watched" eventually 60 has_metric trimtab_recoveries_total $((counted + 3))
check "and replaced" eventually 20 is_idle

# Stopped in the middle of a rolling update.
sed -i 's/^import sys$/import sys\nimport time\n\ntime.sleep(1.5)/' "$repo/server.py"
done_before=$(count_logged 'apply of [0-9a-f]+: done')
push "slow servers"
check "a rolling update begins" eventually 30 in_phase running
sleep 1
end_serve
check "it did not end" [ "$(count_logged 'apply of [0-9a-f]+: done')" -eq "$done_before" ]
tt history
check "the run was stopped" says 'stopped'
tt plan --detailed-exitcode
check "and there is something left" exits 2
serve
check "the next daemon does it" eventually 90 logged 'apply of [0-9a-f]+: done'
check "nothing is left to do" is_settled
check "and all serve" answers_from 9 3

# A list of what to watch that is damaged.
end_serve
echo '{' >"$state/serve/plans/fleet/quickstart/watch.json"
serve
check "a damaged list is told" eventually 20 logged 'not watched until its next run: .*watch.json'
get /api/v1/deployments/fleet/quickstart/check -X POST >"$out"
check "the next run writes it anew" eventually 60 has_probed

# A machine that dies while no daemon looks.
end_serve
signal KILL "$(balancers | head -n 1)"
serve
check "what died before it began is replaced" eventually 60 has_metric trimtab_recoveries_total 1
check "and nothing is left to do" eventually 20 is_settled
end_serve
stop_everything
finish
