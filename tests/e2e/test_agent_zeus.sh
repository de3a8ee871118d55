#!/usr/bin/env bash
# The agent's backend for Zeus against a strict double of its REST API (zeus_double.py): whole tables,
# draining before removal, foreign nodes left alone, errors told, and no password where it shows; and
# against one of its command line (zcli_double.py).
# Covers providers/proxies/agent/zeus.lib, zcli.lib and
# reconciler/commands/cmd_agent.c. There is no Zeus to install: this proves what the public
# documentation says, not the product.
set -uo pipefail
trimtab=$(cd "$1" && pwd)/trimtab
cd "$(dirname "$0")/../.." || exit 1
root=$(mktemp -d /tmp/trimtab-zeus-XXXXXX)
double=
finish() {
    [ -z "$double" ] || kill "$double" 2>/dev/null
    rm -rf "$root"
}
trap finish EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

same() { # WHAT EXPECTED ACTUAL
    [ "$2" = "$3" ] || fail "$1: expected \"$2\", got \"$3\""
}

"$trimtab" agent "$root" >"$root/out" || fail "trimtab agent: exit $?"
grep -q "$root/enstratus/bin/superviseProxy" "$root/out" || fail "it does not say what to start"
"$trimtab" agent "$root/out" 2>"$root/err" && fail "a file became a template"
mkdir -p "$root/enstratus/etc" "$root/usr/local/zeus"
export TRIMTAB_ROOT=$root
echo 0 >"$root/connections"
: >"$root/puts"
python3 tests/e2e/zeus_double.py "$root" >"$root/port" &
double=$!
for _ in $(seq 100); do
    [ -s "$root/port" ] && break
    sleep 0.05
done
echo s3cret >"$root/password"

# settings [LINE...]: etc/zeus, whose later lines win by standing first.
settings() {
    {
        printf '%s\n' "$@" | grep .
        printf 'url http://127.0.0.1:%s\nuser admin\npassword-file %s\n' "$(cat "$root/port")" "$root/password"
    } >"$root/enstratus/etc/zeus"
}

run() { # EXPECTED-CODE SCRIPT [ARGUMENT...]
    local expected=$1 code=0

    shift
    "$shell" "$root/enstratus/bin/$1" "${@:2}" >"$root/out" 2>"$root/err" </dev/null || code=$?
    [ "$code" = "$expected" ] || fail "$shell $*: exit $code, not $expected: $(cat "$root/err")"
}

puts() {
    wc -l <"$root/puts"
}

tab=$(printf '\t')
for shell in dash bash; do
    settings
    service=shop.$shell
    run 0 startProxy "$service" NONE NONE 10.9.9.9 10.0.0.1 80
    run 0 startProxy "$service" NONE NONE 10.9.9.9 10.0.0.10 80
    before=$(puts)
    run 0 startProxy "$service" NONE NONE 10.9.9.9 10.0.0.1 80
    same "a call that changes nothing" "$before" "$(puts)"
    same "the whole table" "$service [{\"node\": \"10.0.0.1:80\", \"state\": \"active\"}, {\"node\": \"10.0.0.10:80\", \"state\": \"active\"}]" \
        "$(tail -n 1 "$root/puts")"
    run 0 listProxy "$service"
    same "the pool" "$service${tab}10.0.0.1${tab}80${tab}in-service
$service${tab}10.0.0.10${tab}80${tab}in-service" "$(cat "$root/out")"

    # A node that somebody else added, with a weight of its own, is sent back as it was.
    curl -s -u admin:s3cret -H 'Content-Type: application/json' -X PUT -d '{"properties":{"basic":{"nodes_table":[
        {"node":"10.0.0.1:80","state":"active"},{"node":"10.0.0.10:80","state":"active"},
        {"node":"own:81","weight":7,"priority":2,"state":"disabled"}]},"load_balancing":{"algorithm":"round_robin"}}}' \
        "http://127.0.0.1:$(cat "$root/port")/api/tm/8.3/config/active/pools/$service" >"$root/out"

    # It drains while there are connections, and only then goes.
    echo 3 >"$root/connections"
    "$shell" "$root/enstratus/bin/stopProxy" 10.0.0.1 "$service" 80 2>"$root/err" &
    leaving=$!
    for _ in $(seq 100); do
        tail -n 1 "$root/puts" | grep -q '"10.0.0.1:80", "state": "draining"' && break
        sleep 0.05
    done
    run 0 listProxy "$service"
    grep -q "10.0.0.1${tab}80${tab}draining" "$root/out" || fail "it does not drain: $(cat "$root/out")"
    kill -0 "$leaving" || fail "stopProxy did not wait for the connections"
    echo 0 >"$root/connections"
    wait "$leaving" || fail "stopProxy: exit $?: $(cat "$root/err")"
    tail -n 1 "$root/puts" | grep -q '10.0.0.1:80' && fail "it did not leave"
    tail -n 1 "$root/puts" | grep -q '"weight": 7, "priority": 2' || fail "a foreign node was changed"
    tail -n 1 "$root/puts" | grep -q '10.0.0.10:80' || fail "10.0.0.10 left with 10.0.0.1"

    # The errors.
    echo wrong >"$root/password"
    run 21 startProxy "$service" NONE NONE 10.9.9.9 10.0.0.2 80
    grep -q 'password' "$root/err" || fail "a wrong password is not told: $(cat "$root/err")"
    grep -q 'wrong' "$root/err" && fail "the password is shown"
    echo s3cret >"$root/password"
    settings 'version 3.0'
    run 21 startProxy "$service" NONE NONE 10.9.9.9 10.0.0.2 80
    settings 'url http://192.0.2.1:9070'
    run 21 startProxy "$service" NONE NONE 10.9.9.9 10.0.0.2 80
    grep -q 'https is needed' "$root/err" || fail "plain HTTP to another host: $(cat "$root/err")"
    settings 'url http://127.0.0.1:1'
    run 21 startProxy "$service" NONE NONE 10.9.9.9 10.0.0.2 80
    settings
    run 1 startProxy 'a"b' NONE NONE 10.9.9.9 10.0.0.2 80
    run 0 stopProxy 10.0.0.2

    # One that is too old for the API, by its command line; it tells no connections, so a drain lasts.
    old=old.$shell
    : >"$root/zcli.json.log"
    printf '#!/bin/sh\nexec python3 %s %s "$@"\n' "$PWD/tests/e2e/zcli_double.py" "$root/zcli.json" >"$root/zcli"
    chmod +x "$root/zcli"
    settings "zcli $root/zcli"
    run 0 startProxy "$old" NONE NONE 10.9.9.9 10.0.0.1 80
    run 0 startProxy "$old" NONE NONE 10.9.9.9 10.0.0.10 80
    before=$(wc -l <"$root/zcli.json.log")
    run 0 startProxy "$old" NONE NONE 10.9.9.9 10.0.0.1 80
    same "zcli: a call that changes nothing" "$before" "$(wc -l <"$root/zcli.json.log")"
    run 0 configureProxy --drain "$old" 4 # long enough for a slow host to look meanwhile
    "$shell" "$root/enstratus/bin/stopProxy" 10.0.0.1 "$old" 80 2>"$root/err" &
    leaving=$!
    for _ in $(seq 100); do
        grep -q 'Pool.addDrainingNodes' "$root/zcli.json.log" && break
        sleep 0.05
    done
    run 0 listProxy "$old"
    same "zcli: the pool" "$old${tab}10.0.0.1${tab}80${tab}draining
$old${tab}10.0.0.10${tab}80${tab}in-service" "$(cat "$root/out")"
    wait "$leaving" || fail "zcli: stopProxy: exit $?: $(cat "$root/err")"
    run 0 listProxy "$old"
    same "zcli: the pool without it" "$old${tab}10.0.0.10${tab}80${tab}in-service" "$(cat "$root/out")"
    echo deaf >"$root/zcli.json.fate"
    run 21 startProxy "$old" NONE NONE 10.9.9.9 10.0.0.3 80
    grep -q 'did not change 10.0.0.3:80' "$root/err" || fail "zcli that does nothing: $(cat "$root/err")"
    rm "$root/zcli.json.fate"
    settings "zcli $root/none"
    run 21 startProxy "$old" NONE NONE 10.9.9.9 10.0.0.3 80
    grep -q 'cannot be run' "$root/err" || fail "no zcli: $(cat "$root/err")"
    settings "zcli $root/zcli"
    run 0 stopProxy 10.0.0.10
    run 0 stopProxy 10.0.0.3
    settings
done
printf 'passed\n'
