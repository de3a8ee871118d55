#!/usr/bin/env bash
# Members change under load, behind HAProxy and behind mod_jk: 3 servers become 6, a listener comes
# with a reload (of HAProxy), all servers are replaced by a new version, 2 are left; every request of wrk, with kept connections and with one for
# each, must be answered. The counts are printed, with p50 and p99 at rest and during the change.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

if ! command -v wrk >/dev/null; then
    skip "wrk is not installed"
    exit 77
fi

# load NAME OPTION...: requests until load_ends; what wrk found goes to $place/wrk.NAME.
load() {
    local name=$1

    shift
    wrk --latency -t 1 -c 4 -d 600 "$@" "$url/" >"$place/wrk.$name" &
    loads+=($!)
}

load_ends() {
    kill -INT "${loads[@]}"
    wait "${loads[@]}"
    loads=()
}

share_of() { # PERCENT NAME
    sed -n "s/^ *$1% *//p" "$place/wrk.$2"
}

# none_failed NAME: wrk tells errors of sockets and answers other than 200 only when there are some.
none_failed() {
    printf '%s, %s: %s, p50 %s p99 %s, at rest %s %s, failed: %s\n' "$software" "$1" \
        "$(sed -n 's/^ *\([0-9]* requests\) in.*/\1/p' "$place/wrk.$1")" \
        "$(share_of 50 "$1")" "$(share_of 99 "$1")" "$(share_of 50 rest)" "$(share_of 99 rest)" \
        "$(grep -E 'Socket errors|Non-2xx' "$place/wrk.$1" | xargs)"
    grep -qE '^ *[1-9][0-9]* requests in' "$place/wrk.$1" &&
        ! grep -qE 'Socket errors|Non-2xx' "$place/wrk.$1"
}

change() { # WHAT SED_SCRIPT
    edit "$2"
    tt apply --auto-approve
    check "$software: $1" exits 0
}

loads=()
for software in haproxy mod_jk; do
    rm -rf "$repo"
    commit_example
    if [ "$software" = mod_jk ]; then
        cp "$here/tests/providers/support/ajp_server.py" "$repo/server.py"
        edit 's/software: haproxy/software: mod_jk/; s/health: {http: .*}, interval/health: {tcp: {}, interval/'
    fi
    edit "s/quickstart/$(printf '%s' "$software" | tr _ -)/; s/state: running/&\n  guard: {maxDestroy: 90%}/"
    tt apply --auto-approve
    check "$software: apply makes everything" exits 0
    url=$(status "[\"http://%s:8080\" % d['address'] for x in d['deployments'] for d in x['balancers'] if x['name'] == '$(printf '%s' "$software" | tr _ -)'][0]")
    check "$software: requests are answered" curl -sf -o "$place/body" "$url/"
    wrk --latency -t 1 -c 4 -d 3 "$url/" >"$place/wrk.rest"
    load kept
    load new -H 'Connection: close'
    change "three become six" 's/count: 3/count: 6/'
    if [ "$software" = haproxy ]; then # Apache's graceful restart may close a connection as it is used
        change "another port is listened on" 's/{port: 8080, protocol: http}/&, {port: 8081, protocol: http}/'
        check "$software: the new port serves" curl -sf -o "$place/body" "${url%0}1/"
    fi
    printf '\n# another version\n' >>"$repo/server.py"
    change "all are replaced" 's/drain: 5s/drain: 6s/'
    change "two are left" 's/count: 6/count: 2/'
    load_ends
    check "$software: no request on a kept connection failed" none_failed kept
    check "$software: no request on a new connection failed" none_failed new
    check "$software: nothing else is left to do" is_settled
    edit 's/state: running/state: stopped/'
    tt apply --auto-approve
    check "$software: it stops" exits 0
done
finish
