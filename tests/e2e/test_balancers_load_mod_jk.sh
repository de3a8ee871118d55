#!/usr/bin/env bash
# Members of a mod_jk balancer change under load: 3 servers become 6, all are replaced by a new
# version, 2 are left; every request of wrk, with kept connections and with one for each, must be
# answered. TRIMTAB_ROUNDS: how often.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/load_lib.sh
. "$(dirname "$0")/load_lib.sh"

here_wrk
software=mod_jk
commit_example
cp "$here/tests/providers/support/ajp_server.py" "$repo/server.py"
edit "s/software: haproxy/software: mod_jk/; s/health: {http: .*}, interval/health: {tcp: {}, interval/
      s/drain: 5s/drain: 3s/; s/state: running/&\n  guard: {maxDestroy: 90%}/"
tt apply --auto-approve
check "$software: apply makes everything" exits 0
url=$(balancer_url)
check "$software: requests are answered" curl -sf -o "$place/body" "$url/"
rest_begins 2
load kept
load new -H 'Connection: close'
for round in $(seq "${TRIMTAB_ROUNDS:-1}"); do
    change "three become six" 's/ count: [0-9]*/ count: 6/'
    printf '\n# version %s\n' "$round" >>"$repo/server.py"
    change "two are left" 's/count: 6/count: 2/'
    change "all are replaced" "s/drain: .*/drain: $((round % 2 + 3))s/"
done
load_ends
check "$software: no request on a kept connection failed" none_failed kept
check "$software: no request on a new connection failed" none_failed new
check "$software: nothing else is left to do" is_settled
edit 's/state: running/state: stopped/'
tt apply --auto-approve
check "$software: it stops" exits 0
finish
