#!/usr/bin/env bash
# The daemon's API and its numbers, as programs read them: the description is true, Prometheus takes
# the metrics.
# shellcheck disable=SC2317 # what check and eventually call
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"

get() {
    curl -sS --noproxy '*' -m 20 -H 'Authorization: Bearer viewer-token' "http://127.0.0.1:$port$1"
}

# named PATH HOST STATUS: without a token, by this name.
named() {
    [ "$(curl -sS --noproxy '*' -m 20 -o "$out" -w '%{http_code}' -H "Host: $2" "http://127.0.0.1:$port$1")" = "$3" ]
}

moved() {
    port=$(sed -n 's|.*http://\[::ffff:127.0.0.1\]:\([0-9]*\)/.*|\1|p' "$log")
    [ -n "$port" ]
}

# asks_meanwhile: who is in the middle of asking while the tokens go is answered.
asks_meanwhile() {
    local answered=1

    cp "$place/with-tokens" "$config"
    kill -HUP "$daemon"
    eventually 10 named /api/v1/runs localhost 401 || return 1
    sed -i '/tokens:/,$d' "$config"
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /healthz HTTP/1.1\r\n' >&5
    kill -HUP "$daemon"
    if eventually 10 named /api/v1/runs "localhost:$port" 200; then
        (printf 'Host: localhost\r\nConnection: close\r\n\r\n' >&5) # it may be closed
        grep -q '^HTTP/1.1 200' <&5 && answered=0
    fi
    exec 5>&-
    return "$answered"
}

# Such a request has five seconds, which this host may need for itself.
asks_meanwhile_once() {
    asks_meanwhile || asks_meanwhile || asks_meanwhile
}

commit_sim_fleet 4
write_serve_config 500ms 1s
serve
check "the first commit is applied" eventually 30 logged 'apply of [0-9a-f]+: done'
edit 's/count: 4/count: 1/'
git -C "$repo" push -q "$bare" main
check "the second is held" eventually 30 logged 'apply of [0-9a-f]+: held'

get /metrics >"$out"
check "runs are counted" says '^trimtab_runs_total\{result="held"\} 1'
check "how long they took is, too" says '^trimtab_run_duration_seconds_count\{result="held"\} 1$'
check "within some time" says '^trimtab_run_duration_seconds_bucket\{result="held",le="\+Inf"\} 1$'
check "in seconds" says '^trimtab_run_duration_seconds_sum\{result="held"\} [0-9]+\.[0-9]{3}$'
check "each by its result" \
    says '^trimtab_run_duration_seconds_bucket\{result="failed",le="\+Inf"\} 0$'
if command -v promtool >/dev/null; then
    check "Prometheus takes the metrics without a complaint" [ -z "$(promtool check metrics <"$out" 2>&1)" ]
else
    check "promtool is there in CI" [ "${CI:-}" != true ]
fi

# The validator of the description comes with what the test of AWS needs. A copy of the tests alone,
# as an ordinary user runs it, holds the answers to the description with Debian's jsonschema.
if [ -x "$here/dev.d/moto.sh" ]; then
    python=$("$here/dev.d/moto.sh" 2>"$err") || {
        python=python3
        skip "there is no openapi-spec-validator, so the description itself is not checked"
    }
else
    python=python3
fi
if "$python" -c 'import jsonschema' 2>"$err"; then
    "$python" "$here/tests/e2e/openapi.py" "http://127.0.0.1:$port" viewer-token operator-token 2 1 ||
        failures=$((failures + 1))
else
    skip "there is no jsonschema for python3, so the answers are not held to the description"
fi

# Without tokens everybody on this host may read, but no page elsewhere whose name leads here.
check "a token is needed" named /api/v1/runs localhost 401
cp "$config" "$place/with-tokens"
check "until there are none any more, and who was in the middle of asking is answered" asks_meanwhile_once
check "nobody needs one then" named /api/v1/runs "localhost:$port" 200
check "an address is as good" named / "127.0.0.1:$port" 200
check "that of IPv6, too" named / "[::1]:$port" 200
for host in elsewhere.example "elsewhere.example:$port" 127.0.0.1.elsewhere.example; do
    check "$host reads no page" named / "$host" 403
    check "and not by the API" named /api/v1/runs "$host" 403
    check "and is told the way out" says 'web\.tokens'
done
check "whether it lives is no secret" named /healthz elsewhere.example 200

# However the address is spelled.
if [ -e /proc/net/if_inet6 ]; then
    sed -i 's/port: 0/&\n  address: "::ffff:127.0.0.1"/' "$config"
    kill -HUP "$daemon"
    check "the page moves" eventually 10 moved
    check "elsewhere.example reads it nowhere" named / elsewhere.example 403
else
    skip "this host has no IPv6"
fi
end_serve
finish
