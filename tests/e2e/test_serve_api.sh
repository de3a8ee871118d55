#!/usr/bin/env bash
# The daemon's API and its numbers, as programs read them: the description is true, Prometheus takes
# the metrics.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"

get() {
    curl -sS --noproxy '*' -m 20 -H 'Authorization: Bearer viewer-token' "http://127.0.0.1:$port$1"
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
if command -v promtool >/dev/null; then
    check "Prometheus takes the metrics without a complaint" [ -z "$(promtool check metrics <"$out" 2>&1)" ]
else
    check "promtool is there in CI" [ "${CI:-}" != true ]
fi

# The validator comes with what the test of AWS needs; a copy of the tests alone has neither.
python=$("$here/dev.d/moto.sh" 2>/dev/null) || python=
if [ -n "$python" ]; then
    "$python" "$here/tests/e2e/openapi.py" "http://127.0.0.1:$port" viewer-token operator-token 2 1 ||
        failures=$((failures + 1))
fi
end_serve
finish
