# shellcheck shell=bash
# What the end-to-end tests share: a repository and a state folder of their own, the program, checks
# that print what users would see when they fail, and an end that leaves nothing behind.
#
#   . lib.sh BUILD_FOLDER
#   commit_example; tt apply --auto-approve; expect_exit 0; check "all serve" [ ... ]; finish

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
trimtab=$(cd "$1" && pwd)/trimtab
place=$(mktemp -d)
repo=$place/repo
state=$place/state
out=$place/out # of the last tt
err=$place/err
code=0
failures=0
export TRIMTAB_STATE_DIR=$state NO_COLOR=1
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com

# processes: the pids of what this test's machines are made of. They carry our folder in their
# environment, as our own children do, but live in sessions of their own.
processes() {
    local own session pid

    own=$(session_of $$)
    { grep -lsF "=$place/" /proc/[0-9]*/environ || true; } | cut -d/ -f3 | while read -r pid; do
        session=$(session_of "$pid")
        [ -z "$session" ] || [ "$session" = "$own" ] || printf '%s\n' "$pid"
    done
}

# Nothing for one that is dead, zombies included.
session_of() {
    sed -n 's/.*) [^ZX] [0-9]* [0-9]* \([0-9]*\) .*/\1/p' "/proc/$1/stat" 2>/dev/null || true
}

# machines: the folders of this test's machines.
machines() {
    find "$state" -mindepth 5 -maxdepth 5 -path '*/local/*/machines/*' 2>/dev/null || true
}

clean_up() {
    local pid

    for pid in $(jobs -p) $(processes); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    if mountpoint -q "$state" 2>/dev/null; then
        umount -l "$state"
    fi
    rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# check WHAT COMMAND...: one assertion.
check() {
    local what=$1

    shift
    if "$@"; then
        printf 'ok - %s\n' "$what"
        return
    fi
    printf 'not ok - %s\n  failed: %s\n' "$what" "$*"
    failures=$((failures + 1))
    printf '  last command ended with %s\n' "$code"
    sed 's/^/  out: /' "$out" 2>/dev/null | tail -n 40
    sed 's/^/  err: /' "$err" 2>/dev/null | tail -n 20
}

# skip WHY: the name comes first, since it is what dev.d/may-skip.txt knows.
skip() {
    printf 'skip - %s: %s\n' "$(basename "$0" .sh)" "$1"
}

# finish: leaves with what was found.
finish() {
    [ "$failures" -eq 0 ] || exit 1
    exit 0
}

# tt ARGUMENT...: runs the program in the repository; sets code, and fills $out and $err.
tt() {
    code=0
    (cd "$repo" && exec timeout -k 5 240 "$trimtab" "$@") >"$out" 2>"$err" </dev/null || code=$?
}

exits() {
    [ "$code" -eq "$1" ]
}

says() {
    grep -qE -- "$1" "$out" "$err"
}

# says_json EXPRESSION VALUE: of what the last tt wrote.
says_json() {
    [ "$(query "$1" <"$out")" = "$2" ]
}

# commit_example: the quickstart as a new repository.
commit_example() {
    mkdir -p "$repo" "$state"
    git -C "$repo" init -q -b main
    cp "$here/examples/quickstart/fleet.yaml" "$here/examples/quickstart/server.py" "$repo/"
    commit first
}

# commit_sim COUNT [POLICY]: a service of so many servers in a simulated cloud.
commit_sim() {
    mkdir -p "$repo" "$state"
    [ -d "$repo/.git" ] || git -C "$repo" init -q -b main
    cat >"$repo/fleet.yaml" <<END
apiVersion: trimtab/v1
kind: Account
metadata: {name: cloud}
spec: {provider: sim, regions: [r]}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: shop}
spec: {guard: {maxDestroy: 30%}${2:+, $2}}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: shop
  server: {template: t}
  port: 80
  placements: [{account: cloud, region: r, count: $1}]
END
    commit "$*"
}

commit() {
    git -C "$repo" add -A
    git -C "$repo" commit -q -m "$1"
}

# edit SED_SCRIPT: changes the specs and commits.
edit() {
    sed -i "$1" "$repo/fleet.yaml"
    commit "$1"
}

# query EXPRESSION <JSON: a Python expression over the document d.
query() {
    python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

# status EXPRESSION: over `trimtab status --json`, as JSON lists print in Python.
status() {
    (cd "$repo" && "$trimtab" status --json) 2>/dev/null | query "$1"
}

balancer_url() {
    status '"http://%s:8080" % d["deployments"][0]["balancers"][0]["address"]'
}

# answering COUNT: how many different servers answer so many requests through the balancer; every
# one must be answered.
answering() {
    local url i

    url=$(balancer_url)
    for i in $(seq "$1"); do
        curl -sS --fail --max-time 5 "$url/?$i" || echo "no answer"
    done 2>&1 | sort -u | awk '/no answer|curl:/ { bad = 1 } END { print bad ? "failed" : NR }'
}

# A server that has just joined gets little at first.
answers_from() {
    local answered

    for _ in 1 2 3 4 5; do
        answered=$(answering "$1")
        [ "$answered" != "$2" ] || return 0
        [ "$answered" != failed ] || return 1
        sleep 0.5
    done
    return 1
}

# eventually SECONDS COMMAND...: until it is true. SECONDS are those of a machine with little else to
# do; one that is busy with other tests gets four times as many.
eventually() {
    local until=$((SECONDS + 4 * $1))

    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.2
    done
}

# the plan has nothing to do
is_settled() {
    tt plan --detailed-exitcode
    exits 0
}

# slots: the slots that have a server, "0 1 2".
slots() {
    status '" ".join(str(s["slot"]) for s in d["deployments"][0]["services"][0]["servers"])'
}

has_slots() {
    [ "$(slots)" = "$1" ]
}

# only_slots SLOTS: these servers, the balancer's machine, and no other.
only_slots() {
    local -a wanted

    read -r -a wanted <<<"$1"
    has_slots "$1" && [ "$(machines | wc -l)" -eq $((${#wanted[@]} + 1)) ]
}

# serving: how many members the balancer has in service.
serving() {
    status 'd["deployments"][0]["services"][0]["serving"]["edge"]'
}

# stop_everything: by a commit; afterwards nothing may be left.
stop_everything() {
    edit 's/state: running/state: stopped/'
    tt apply --auto-approve
    check "state: stopped is applied" exits 0
    check "no process is left" no_processes
    check "no machine folder is left" no_machines
}

no_processes() {
    [ -z "$(processes)" ] || {
        local pid

        for pid in $(processes); do
            tr '\0' ' ' <"/proc/$pid/cmdline" && echo "($pid)"
        done
        return 1
    }
}

no_machines() {
    [ -z "$(machines)" ] || {
        machines
        return 1
    }
}
