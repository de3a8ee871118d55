#!/usr/bin/env bash
# From a push to the page, on real machines behind a real HAProxy: by the hook of a bare repository,
# whose plan and progress the pusher sees; by a delivery as Gitea sends it; by one of GitHub's; by
# polling. Then the balancer's machine is killed: it is replaced without a hand, which the page shows,
# /metrics counts and people are told.
# shellcheck disable=SC2317 # what check and eventually call
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

bare=$place/fleet.git
config=$place/serve.yaml
log=$place/log
page=$place/page
told=$place/told
sunk=$place/sunk # told over HTTP
body='{"ref": "refs/heads/main", "commits": []}'

# write_config POLL CHECK [WEBHOOK]
write_config() {
    cat >"$config" <<END
repositories:
  - name: fleet
    url: $bare
    poll: $1
    ${3:-}
runs: {check: $2}
notifications:
  - {type: command, command: [/bin/sh, -c, 'cat >>"\$0"; echo >>"\$0"', '$told'], events: [recovery, failed]}
  - {type: http, url: "http://127.0.0.1:$sink/", secret: {env: SECRET}, events: [recovery]}
web: {port: 0}
END
}

push() {
    code=0
    (cd "$repo" && exec timeout -k 5 120 git push "$bare" main) >"$out" 2>"$err" </dev/null || code=$?
}

get() {
    curl -sS --noproxy '*' -m 20 "http://127.0.0.1:$port$1" >"$page" 2>/dev/null
}

# serves COUNT: so many servers on the page, each well.
serves() {
    get /deployments/fleet/quickstart
    [ "$(grep -oE '[0-9]+ passing</p>' "$page" | awk '{ all += $1 } END { print all + 0 }')" -eq "$1" ] ||
        return 1
    get /api/v1/deployments
    [ "$(query '[d["deployments"][0][k] for k in ("phase", "drift")]' <"$page" 2>/dev/null)" = "['idle', 0]" ]
}

# deliver HEADER VALUE...: a signed delivery, whose status is in $code.
deliver() {
    local -a headers=()

    while [ $# -gt 0 ]; do
        headers+=(-H "$1: $2")
        shift 2
    done
    code=$(curl -sS --noproxy '*' -m 20 -o "$out" -w '%{http_code}' --data "$body" \
        -H 'Content-Type: application/json' "${headers[@]}" "http://127.0.0.1:$port/hooks/fleet" 2>"$err")
}

signature() {
    printf %s "$body" | openssl dgst -sha256 -hmac "$HOOK_SECRET" | sed 's/.* //'
}

# reload: the configuration as it is now; the page keeps its port.
reload() {
    kill -HUP "$daemon"
    eventually 10 ready
}

ready() {
    get /readyz
    grep -q ready "$page"
}

counted() {
    get /metrics
    grep -qE "$1" "$page"
}

knows_sink() {
    sink=$(sed -n 's/^port //p' "$sunk")
    [ -n "$sink" ]
}

export HOOK_SECRET='the secret of hooks' SECRET='the secret of events'
: >"$sunk"
python3 "$here/tests/e2e/sink.py" "$place/down" >"$sunk" &
target=$!
check "a target of notifications listens" eventually 10 knows_sink
commit_example
sed -i 's/count: 3/count: 2/' "$repo/fleet.yaml"
commit two
git init -q --bare -b main "$bare"
tt hook install "$bare" --policy apply
write_config 1h 1h 'webhook: {form: gitea, secret: {env: HOOK_SECRET}}'
"$trimtab" serve --config "$config" 2>"$log" </dev/null &
daemon=$!
check "it says where the page is" eventually 10 grep -q 'the page is at http://127.0.0.1:' "$log"
port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$log" | head -n 1)

push
check "the pusher sees the plan" says '^remote: .*create web-0 in zone a'
check "and how it went" says '^remote: Apply: [0-9]+ done, 0 failed'
check "two servers answer" answers_from 8 2
get /runs/1
check "the page shows the run" grep -q 'push to refs/heads/main' "$page"
tt hook uninstall "$bare"

edit 's/count: 2/count: 3/'
push
deliver X-Gitea-Event push X-Gitea-Delivery 1 X-Gitea-Signature "$(signature)"
check "a delivery of Gitea's is taken" [ "$code" = 202 ]
check "and the page shows what it brought" eventually 60 serves 3
check "three servers answer" answers_from 9 3
deliver X-Gitea-Event push X-Gitea-Delivery 1 X-Gitea-Signature "$(signature)"
check "once" [ "$code" = 200 ]

write_config 1h 1h 'webhook: {form: github, secret: {env: HOOK_SECRET}}'
reload
deliver X-Gitea-Event push X-Gitea-Delivery 2 X-Gitea-Signature "$(signature)"
check "after a reload Gitea's are refused" [ "$code" = 401 ]
edit 's/count: 3/count: 4/'
push
deliver X-GitHub-Event push X-GitHub-Delivery 3 X-Hub-Signature-256 "sha256=$(signature)"
check "and one of GitHub's is taken" [ "$code" = 202 ]
check "and the page shows what it brought" eventually 60 serves 4

write_config 500ms 1s
reload
edit 's/count: 4/count: 5/'
push
check "what is polled the page shows, too" eventually 60 serves 5

before=$(status 'd["deployments"][0]["balancers"][0]["machine"]')
for pid in $(processes); do
    if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qE -- "$before|haproxy"; then
        kill -KILL "$pid" 2>/dev/null
    fi
done
check "a killed balancer is counted as recovered" eventually 60 counted '^trimtab_recoveries_total 1'
check "people are told" eventually 10 grep -q '"type":"trimtab.recovery"' "$told"
check "programs, too, and signed" eventually 10 grep -q '^/ good .*"type":"trimtab.recovery"' "$sunk"
check "all serve again" eventually 30 answers_from 15 5
get /runs/5
check "the page shows it" grep -qE 'replace|create edge|because it failed|failed' "$page"
check "it is another machine" [ "$(status 'd["deployments"][0]["balancers"][0]["machine"]')" != "$before" ]
check "no secret is told" [ -z "$(grep -E "$HOOK_SECRET|$SECRET" "$log" "$told" "$sunk")" ]

kill -TERM "$daemon"
wait "$daemon"
kill "$target"
wait "$target" 2>/dev/null
stop_everything
[ "$failures" -eq 0 ] || sed 's/^/  log: /' "$log" | tail -n 60
finish
