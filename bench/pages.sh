#!/usr/bin/env bash
# Measures the daemon's pages at 100, 1,000 and 10,000 servers in one deployment, with as much drift as
# bench/generate.c makes (3 in 100), on a simulated cloud:
#   KB      the page as it is sent
#   ms      until it is here, best of five; /healthz beside it is what a request costs at all
#   growth  of ms, from the line above (ten times the servers)
# usage: bench/pages.sh BUILD_FOLDER [SERVERS...]
set -euo pipefail
build=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- 100 1000 10000

folder=$(mktemp -d)
daemon=
end() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap end EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@example.com
export GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@example.com
unset TRIMTAB_STATE_DIR

# start SERVERS: a daemon that has looked at the fleet once.
start() {
    rm -rf "${folder:?}"/*
    "$build/bench_generate" "$1" single "$folder"
    sed -i "s|provider: aws,|provider: sim, endpoint: \"file://$folder/world.json\",|
s|guard: {|onPush: plan, onDrift: report, guard: {|" "$folder/specs/fleet.yaml"
    git -C "$folder/specs" init -q -b main
    git -C "$folder/specs" add -A
    git -C "$folder/specs" commit -qm bench
    printf 'repositories: [{name: fleet, url: "%s"}]\nruns: {check: 1h}\nstate: %s\nweb: {port: 0}\n' \
        "file://$folder/specs" "$folder/state" >"$folder/serve.yaml"
    "$build/trimtab" serve --config "$folder/serve.yaml" 2>"$folder/log" &
    daemon=$!
    for _ in $(seq 1200); do
        grep -q ' of [0-9a-f]*: ' "$folder/log" && break
        sleep 0.1
    done
    url=$(sed -n 's|.*\(http://127.0.0.1:[0-9]*\)/.*|\1|p' "$folder/log")
}

# milliseconds PATH: best of five.
milliseconds() {
    for _ in 1 2 3 4 5; do
        curl -sS --noproxy '*' -o "$folder/page" -w '%{time_total}\n' "$url$1"
    done | sort -n | awk 'NR == 1 { printf "%.1f", $1 * 1000 }'
}

printf '%-28s %8s %8s %8s %10s %8s\n' page servers KB ms '/healthz' growth
declare -A before
for servers in "$@"; do
    start "$servers"
    for page in / /deployments/fleet/shop-0 /api/v1/deployments/fleet/shop-0; do
        least=$(milliseconds /healthz)
        took=$(milliseconds "$page")
        kilobytes=$(($(stat -c %s "$folder/page") / 1024))
        printf '%-28s %8d %8d %8s %10s %8s\n' "${page#/api/v1}" "$servers" "$kilobytes" "$took" "$least" \
            "$(awk -v a="$took" -v b="${before[$page]:-0}" 'BEGIN { print (b > 0 ? sprintf("%.1f", a / b) : "-") }')"
        before[$page]=$took
    done
    kill "$daemon"
    wait "$daemon" || true
    daemon=
done
