#!/usr/bin/env bash
# Lives the life of examples/quickstart on this host, for real: plan, apply, requests, a killed
# balancer, drift, repair, scaling, stopping. Stops with an error at the first surprise.
# usage: demo.sh TRIMTAB
set -euo pipefail
trimtab=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)

place=$(mktemp -d)
repo=$place/fleet
export TRIMTAB_STATE_DIR=$place/state NO_COLOR=1
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@example.com
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@example.com
started=$SECONDS

# What our machines are made of: processes that carry our folder in their environment, as our own
# children do, but live in sessions of their own.
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

clean_up() {
    local pid

    for pid in $(processes); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step() {
    printf '\n\033[1m### %s\033[0m\n' "$*"
}

surprise() {
    printf '\nThe demo met a surprise: %s\n' "$*" >&2
    exit 1
}

# run EXIT_CODE ARGUMENT...: shows the command, runs it in the repository, insists on how it ends.
run() {
    local expected=$1 code=0

    shift
    printf '\n$ trimtab %s\n' "$*"
    (cd "$repo" && exec "$trimtab" "$@") || code=$?
    [ "$code" -eq "$expected" ] || surprise "trimtab $1 ended with $code, not $expected"
}

commit() {
    printf '\n$ git commit -am "%s"\n' "$1"
    git -C "$repo" add -A
    git -C "$repo" commit -q -m "$1"
    git -C "$repo" --no-pager show --format= --unified=0 | grep -E '^[+-] ' | head -n 4 || true
}

# request COUNT SERVERS: sends requests through the balancer, each over a connection of its own.
request() {
    local url answers i

    url=$(cd "$repo" && "$trimtab" status | grep -oE 'http://[0-9.:]+' | head -n 1)
    [ -n "$url" ] || surprise "status shows no address of the balancer"
    # shellcheck disable=SC2016
    printf '\n$ for i in $(seq %d); do curl -s %s/; done | sort | uniq -c\n' "$1" "$url"
    # new members start slowly: for two seconds they get fewer requests than the others
    for _ in $(seq 10); do
        answers=$(for i in $(seq "$1"); do
            curl -sS --fail --max-time 5 "$url/?$i" || exit 1
        done) || surprise "a request through the balancer failed"
        answers=$(sort <<<"$answers" | uniq -c)
        [ "$(wc -l <<<"$answers")" -ne "$2" ] || break
        sleep 0.5
    done
    printf '%s\n' "$answers"
    [ "$(wc -l <<<"$answers")" -eq "$2" ] || surprise "these are not $2 servers"
}

step "A Git repository says what should be"
mkdir "$repo"
git -C "$repo" init -q -b main
cp "$here/fleet.yaml" "$here/server.py" "$repo/"
commit "Three web servers behind a balancer"
run 0 validate

step "The plan shows what is missing, and apply makes it"
run 0 plan
run 0 apply --auto-approve
run 0 status
run 0 plan --detailed-exitcode

step "Requests through the balancer reach all three servers"
request 12 3

step "The balancer's machine dies"
machine=$(cd "$repo" && "$trimtab" status --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["deployments"][0]["balancers"][0]["machine"])')
folder=$TRIMTAB_STATE_DIR/local/here/local/machines/$machine
pid=$(cut -d' ' -f1 "$folder/pid")
printf '\n$ kill -KILL %s    # what keeps the machine %s\n' "$pid" "$machine"
kill -KILL "$pid"
run 2 drift
run 0 apply --auto-approve
run 0 drift
request 12 3

step "A commit asks for five servers"
sed -i 's/count: 3/count: 5/' "$repo/fleet.yaml"
commit "Five web servers"
run 0 plan
run 0 apply --auto-approve
request 20 5

step "A commit stops everything"
sed -i 's/state: running/state: stopped/' "$repo/fleet.yaml"
commit "Stop"
run 0 apply --auto-approve
run 0 plan --detailed-exitcode
left=$(processes | wc -l)
folders=$(find "$TRIMTAB_STATE_DIR/local" -mindepth 4 -maxdepth 4 -path '*/machines/*' | wc -l)
printf '\n%d processes and %d machine folders are left\n' "$left" "$folders"
[ "$left$folders" = 00 ] || surprise "something was left behind"

printf '\nThe demo is done, in %d s: all that it printed came from real runs.\n' \
    "$((SECONDS - started))"
