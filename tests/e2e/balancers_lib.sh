# shellcheck shell=bash disable=SC2154
# What the tests of failing balancers share, beside lib.sh: the machines that balance, and how to
# make them fail.

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

# hang MACHINE: what balances there does nothing any more, and is still there.
hang() {
    local pid

    for pid in $(processes_of "$1"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != haproxy ] || kill -STOP "$pid"
    done
}

has_balancers() {
    [ "$(balancers | wc -l)" -eq "$1" ]
}

# add_balancer NAME: one that is like the first, with the same service behind.
add_balancer() {
    printf -- '---\napiVersion: trimtab/v1\n' >"$place/added"
    awk '/^kind: LoadBalancer/ && !known { known = on = 1 } /^---/ { on = 0 } on' \
        "$repo/fleet.yaml" | sed "s/{name: edge}/{name: $1}/" >>"$place/added"
    cat "$place/added" >>"$repo/fleet.yaml"
    sed -i "s/balancers: \[edge/&, $1/" "$repo/fleet.yaml"
}
