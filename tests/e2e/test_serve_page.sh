#!/usr/bin/env bash
# The daemon as it is watched: the page, the API, its numbers, webhooks over HTTP, and who may do
# what. test_serve_api.sh has the API as programs read it, test_serve_hostile.sh people who mean no good.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"

page=$place/page

# get PATH [CURL OPTION...]: sets code to the status, and fills $page.
get() {
    local path=$1

    shift
    code=$(curl -sS --noproxy '*' --path-as-is -m 20 -o "$page" -D "$place/head" -w '%{http_code}' \
        "$@" "http://127.0.0.1:$port$path" 2>"$err")
    cp "$page" "$out" 2>/dev/null || : >"$out"
}

answers() {
    [ "$code" = "$1" ]
}

shows() {
    grep -qE -- "$1" "$page"
}

viewer=(-H 'Authorization: Bearer viewer-token')
operator=(-H 'Authorization: Bearer operator-token')

is_phase() {
    get /api/v1/deployments "${viewer[@]}"
    [ "$(query 'd["deployments"][0]["phase"]' <"$page" 2>/dev/null)" = "$1" ]
}

# has_run NUMBER: it is done, and nothing is under way.
has_run() {
    get /api/v1/runs "${viewer[@]}"
    [ "$(query '[r["result"] for r in d["runs"] if r["run"] == '"$1"']' <"$page" 2>/dev/null)" = "['done']" ] &&
        is_phase idle
}

commit_example
git init -q --bare -b main "$bare"
git -C "$repo" push -q "$bare" main
write_serve_config 1h 2s
sed 's/role: operator/role: owner/; s/sha256: [0-9a-f]*}/sha256: short}/' "$config" >"$place/bad.yaml"
tt serve --check --config "$place/bad.yaml"
check "a wrong token is told" says 'sha256 is 64 hexadecimal digits'
check "and a wrong role" says 'owner'
serve

# Whoever has no token learns nothing but that it lives.
get /healthz
check "it is alive" answers 200
get /
check "without a token there is no page" answers 401
check "and a browser is told to ask" grep -qi '^www-authenticate: basic' "$place/head"
get / -u anybody:wrong
check "a wrong token is none" answers 401
get /api/v1/deployments -H 'Authorization: Bearer wrong'
check "for the API, too" answers 401
check "strict headers" grep -qi "^content-security-policy: default-src 'none'" "$place/head"

check "what was pushed is applied" eventually 30 has_run 1
get /readyz
check "then it is ready" answers 200
get / -u anybody:viewer-token
check "a viewer sees the page" answers 200
check "with the deployment" shows 'href="/deployments/fleet/quickstart">quickstart<'
check "and how it fares" shows 'class="word idle">idle<'
pictured() {
    get /deployments/fleet/quickstart "${viewer[@]}"
    shows 'zone b <small>here/local</small></h4><p>1 passing</p>'
}
check "its picture has the servers by zone" eventually 20 pictured
check "and the floors" shows '<th scope="row">web</th><td>edge</td><td class="number">3'
get /runs "${viewer[@]}"
check "history has the run" shows 'href="/runs/1">run 1<'
get /runs/1 "${viewer[@]}"
check "with its steps" shows 'create web-0 in zone a'
get /api/v1/runs/1 "${viewer[@]}"
check "as JSON, too" [ "$(query 'd["result"], len(d["steps"])' <"$page")" = "('done', 7)" ]
get /metrics "${viewer[@]}"
check "runs are counted" shows '^trimtab_runs_total\{result="done"\} [1-9]'

# Who may act.
get /api/v1/deployments/fleet/quickstart/check -X POST "${viewer[@]}"
check "a viewer may not ask for a check" answers 403
get /deployments/fleet/quickstart/check -X POST -u anybody:operator-token
check "nor may a page elsewhere, in the name of a browser that knows the token" answers 403
get /deployments/fleet/quickstart/check --data 'token=operator-token'
check "an operator may, by the form" answers 303
get /api/v1/deployments/fleet/quickstart/check -X POST "${operator[@]}"
check "and by the API" answers 202
get /api/v1/deployments/fleet/none/check -X POST "${operator[@]}"
check "what does not exist is said to be so" answers 404
get /api/v1/runs/1/approve -X POST "${operator[@]}"
check "what is not held cannot be approved" [ "$code" = 404 -o "$code" = 409 ]
eventually 10 is_phase idle

# Live: events of a run that a signed delivery starts.
curl -sSN --noproxy '*' -m 60 "${viewer[@]}" "http://127.0.0.1:$port/api/v1/events" >"$place/events" 2>/dev/null &
listener=$!
edit 's/count: 3/count: 4/'
git -C "$repo" push -q "$bare" main
body='{"ref": "refs/heads/main"}'
sign() {
    printf 'sha256=%s' "$(printf %s "$body" | openssl dgst -sha256 -hmac "$1" | sed 's/.* //')"
}
get /hooks/fleet --data "$body" -H 'X-GitHub-Event: push' -H "X-Hub-Signature-256: $(sign wrong)" \
    -H 'X-GitHub-Delivery: 1' -H 'Content-Type: application/json'
check "a delivery with a wrong signature is refused" [ "$code" = 401 -o "$code" = 403 ]
get /hooks/nobody --data "$body"
check "one for nobody, too" [ "$code" = 404 -o "$code" = 401 -o "$code" = 403 ]
get /hooks/fleet --data "$body" -H 'X-GitHub-Event: push' -H "X-Hub-Signature-256: $(sign hook-secret)" \
    -H 'X-GitHub-Delivery: 2' -H 'Content-Type: application/json'
check "a signed delivery is taken" [ "$code" -ge 200 -a "$code" -lt 300 ]
check "and applied at once" eventually 30 has_run 2
check "those who watch are told" eventually 10 grep -q '^event: run-ended' "$place/events"
kill "$listener" 2>/dev/null
wait "$listener" 2>/dev/null

get '/deployments/%3Cscript%3Ealert(1)%3C%2Fscript%3E/x' "${viewer[@]}"
check "a name that is markup is nothing" answers 404
check "and shown as text at most" [ -z "$(grep -o '<script>alert' "$page")" ]
get / -X DELETE "${viewer[@]}"
check "a method that is not known here" answers 405

check "no secret is in what it said" [ -z "$(grep -E 'hook-secret|operator-token|viewer-token' "$log")" ]
end_serve
stop_everything
finish
