#!/usr/bin/env bash
# The daemon's web server beside people who mean no good: never a crash, never an effect without a
# token, and everybody else is served. TRIMTAB_HOSTILE=100000 sends so many mutated requests,
# TRIMTAB_SEED others than the usual ones.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"

ulimit -n 4096 2>/dev/null || true
commit_sim_fleet 2
write_serve_config 1h 1h
serve
check "the first commit is applied" eventually 30 logged 'apply of [0-9a-f]+: done'

runs_said() {
    grep -cE ' of [0-9a-f]{12}: |asks for|approves' "$log"
}

descriptors() {
    find "/proc/$daemon/fd" -mindepth 1 | wc -l
}

few_descriptors() {
    [ "$(descriptors)" -le $((before_descriptors + 10)) ]
}

before=$(runs_said)
before_descriptors=$(descriptors)
python3 "$here/tests/e2e/hostile.py" "127.0.0.1:$port" "${TRIMTAB_HOSTILE:-3000}" hook-secret \
    "${TRIMTAB_SEED:-1}" || failures=$((failures + 1))
check "it still runs" kill -0 "$daemon"
check "nothing was started" [ "$(runs_said)" -eq "$before" ]
check "no connection stays open ($before_descriptors descriptors before)" eventually 10 few_descriptors
check "no secret is in what it said" \
    [ -z "$(grep -E 'hook-secret|operator-token|viewer-token' "$log")" ]
check "nothing went wrong inside" [ -z "$(grep -E 'ERROR: |runtime error' "$log")" ]
end_serve
finish
