#!/usr/bin/env bash
# The daemon's web server beside people who mean no good: never a crash, never an effect without a
# token, and everybody else is served. TRIMTAB_HOSTILE=100000 sends so many mutated requests,
# TRIMTAB_SEED others than the usual ones.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

bare=$place/fleet.git
config=$place/serve.yaml
log=$place/log

digest() {
    printf %s "$1" | sha256sum | cut -d' ' -f1
}

export HOOK_SECRET=hook-secret
ulimit -n 4096 2>/dev/null || true
commit_example
sed -i 's/state: running/state: stopped/' "$repo/fleet.yaml" # nothing of it is to run
commit stopped
git init -q --bare -b main "$bare"
git -C "$repo" push -q "$bare" main
cat >"$config" <<END
repositories:
  - name: fleet
    url: file://$bare
    poll: 1h
    webhook: {form: github, secret: {env: HOOK_SECRET}}
runs: {check: 1h}
web:
  port: 0
  tokens:
    - {name: ann, sha256: $(digest operator-token), role: operator}
    - {name: bob, sha256: $(digest viewer-token)}
END
"$trimtab" serve --config "$config" 2>"$log" </dev/null &
daemon=$!

is_up() {
    port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$log" | head -n 1)
    grep -q 'apply of' "$log"
}

runs_said() {
    grep -cE ' of [0-9a-f]{12}: |asks for|approves' "$log"
}

descriptors() {
    find "/proc/$daemon/fd" -mindepth 1 | wc -l
}

few_descriptors() {
    [ "$(descriptors)" -le $((before_descriptors + 10)) ]
}

for _ in $(seq 100); do
    is_up && break
    sleep 0.2
done
before=$(runs_said)
before_descriptors=$(descriptors)
python3 "$here/tests/e2e/hostile.py" "127.0.0.1:$port" "${TRIMTAB_HOSTILE:-3000}" hook-secret \
    "${TRIMTAB_SEED:-1}" || failures=$((failures + 1))
check "it still runs" kill -0 "$daemon"
check "nothing was started" [ "$(runs_said)" -eq "$before" ]
for _ in $(seq 50); do
    few_descriptors && break
    sleep 0.2
done
check "no connection stays open ($before_descriptors descriptors before)" few_descriptors
check "no secret is in what it said" \
    [ -z "$(grep -E 'hook-secret|operator-token|viewer-token' "$log")" ]
check "nothing went wrong inside" [ -z "$(grep -E 'ERROR: |runtime error' "$log")" ]
kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
check "SIGTERM ends it with 0" exits 0
[ "$failures" -eq 0 ] || sed 's/^/  log: /' "$log" | tail -n 40
finish
