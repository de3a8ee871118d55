# shellcheck shell=bash
# Load on a balancer while something changes, and what became of it: requests of wrk on kept
# connections and on one for each, and of slow clients. Sourced after lib.sh; "url" is asked, and
# "software" told.
# shellcheck disable=SC2154 # place, here, url, software are the caller's

here_wrk() {
    if ! command -v wrk >/dev/null; then
        skip "wrk is not installed"
        exit 77
    fi
}

# rest_begins: what the same costs while nothing changes.
rest_begins() {
    wrk --latency -t 1 -c 4 -d "$1" "$url/" >"$place/wrk.rest"
}

# load NAME OPTION...: requests until load_ends; what wrk found goes to $place/wrk.NAME.
load() {
    local name=$1

    shift
    wrk --latency -t 1 -c 4 -d 3600 "$@" "$url/" >"$place/wrk.$name" &
    loads+=($!)
}

load_slowly() {
    local place_of=${url#http://}

    "$here/tests/e2e/slow_clients.py" "${place_of%:*}" "${place_of#*:}" 20 0.4 >"$place/slow" &
    loads+=($!)
}

loads=()
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

none_failed_slowly() {
    local requests failed

    read -r requests failed <"$place/slow"
    printf '%s, slow clients: %s requests, failed: %s\n' "$software" "$requests" "$failed"
    sed 1d "$place/slow"
    [ "$requests" -gt 0 ] && [ "$failed" -eq 0 ]
}

change() { # WHAT SED_SCRIPT
    edit "$2"
    tt apply --auto-approve
    check "$software: $1" exits 0
}
