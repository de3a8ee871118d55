#!/usr/bin/env bash
# Balancers that fail, from the command line: one that hangs still takes connections and is found by
# HTTP; a replacement that fails is no reason not to try again, until the limit; when most of an
# account's balancers fail at once, nothing is replaced before a person says so.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

# Ids of the machines that balance, those that are dead included.
balancers() {
    find "$state/local" -path '*/machines/*/enstratus/bin' -prune -printf '%h\n' 2>/dev/null |
        sed 's|.*/machines/\([^/]*\)/.*|\1|' | sort -u
}

# A machine is a supervisor and all that it started.
processes_of() { # MACHINE
    { grep -lsF "TRIMTAB_MACHINE=$1" /proc/[0-9]*/environ || true; } | cut -d/ -f3
    find "$state/local" -path "*/machines/$1/pid" -exec cut -d ' ' -f 1 {} +
}

signal() { # SIGNAL MACHINE
    processes_of "$2" | xargs -r kill "-$1" 2>/dev/null
}

# Kills each balancer that is not MACHINE as soon as it is there.
kill_new() { # MACHINE
    local machine

    while sleep 0.02; do
        for machine in $(balancers); do
            [ "$machine" = "$1" ] || signal KILL "$machine"
        done
    done
}

answers() {
    curl -sf --max-time 5 -o "$place/body" "$(balancer_url)/"
}

commit_example
# who is older than its grace does not boot any more
edit 's/^  algorithm: .*/&\n  health: {tcp: {}, interval: 1s, timeout: 1s, unhealthyAfter: 2, grace: 1s}/'
tt apply --auto-approve
check "everything is made" exits 0
first=$(balancers)

# What the balancer itself does hangs; its port still takes connections, and its machine runs.
for pid in $(processes_of "$first"); do
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != haproxy ] || kill -STOP "$pid"
done
tt drift
check "a balancer that hangs has failed" exits 2
check "and drift says so" says 'LoadBalancer/quickstart/edge: edge: its machine .* failed'

# The first replacement dies at once. Its failure is told, and the next run makes another.
kill_new "$first" &
killer=$!
tt apply --auto-approve
kill "$killer"
wait "$killer" 2>/dev/null
check "a replacement that dies is a failed run" exits 1
tt apply --auto-approve
check "the next run replaces it" exits 0
check "and it answers" answers
check "what failed is gone" [ "$(balancers | wc -l)" -eq 1 ]
check "nothing is left to do" is_settled

# Two replacements are counted by now. One more is allowed in this hour, then the balancer is held.
signal KILL "$(balancers)"
tt apply --auto-approve
check "the third replacement is made" exits 0
last=$(balancers)
signal KILL "$last"
tt apply --auto-approve
check "the fourth is held" exits 3
check "and why" says 'recovery-limit'
check "the machine is left as it is" [ "$(balancers)" = "$last" ]

# Three balancers, of which two fail at once.
edit 's/maxPerHour: 3/maxPerHour: 100/'
for name in left right; do
    printf -- '---\napiVersion: trimtab/v1\n' >"$place/$name"
    sed -n '/^kind: LoadBalancer/,$p' "$repo/fleet.yaml" | sed "s/{name: edge}/{name: $name}/" >>"$place/$name"
done
cat "$place/left" "$place/right" >>"$repo/fleet.yaml"
sed -i 's/balancers: \[edge\]/balancers: [edge, left, right]/' "$repo/fleet.yaml"
commit "three balancers"
tt apply --auto-approve
check "three balancers serve" exits 0
two=$(balancers | head -n 2)
for machine in $two; do
    signal KILL "$machine"
done
before=$(balancers)
tt apply --auto-approve
check "a mass failure is held" exits 3
check "and reported as our own blindness" says 'guard-held.*2 of 3 balancers of here fail at the same time'
check "nothing was replaced" [ "$(balancers)" = "$before" ]
tt apply --auto-approve --allow-vanished
check "allowed, they are replaced" exits 0
check "nothing is left to do then" is_settled
edit 's/state: running/state: stopped/'
tt apply --auto-approve
check "it stops" exits 0
finish
