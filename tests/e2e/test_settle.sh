#!/usr/bin/env bash
# Before it plans, apply waits for machines of an earlier run to boot: for those of what it applies,
# and for nobody else's, as those may belong to an apply that is under way beside it. In a simulated
# cloud, whose machines boot when its file says so.
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

commit_sim 1
cat >>"$repo/fleet.yaml" <<'YAML'
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: blog}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: pages}
spec:
  deployment: blog
  server: {template: t}
  port: 80
  placements: [{account: cloud, region: r, count: 1}]
YAML
commit "a second deployment"
tt apply --auto-approve
check "the first apply" exits 0

# boots SECONDS: the machine of blog boots, for so long from now.
boots() {
    python3 - "$state/sim/cloud.json" "$1" <<'END'
import datetime, json, sys, time
path, seconds = sys.argv[1], float(sys.argv[2])
cloud = json.load(open(path))
for server in cloud["accounts"][0]["regions"][0]["servers"]:
    if server["name"] == "blog-pages-0":
        now = datetime.datetime.now(datetime.timezone.utc)
        server.update(state="pending", createdAt=now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        cloud["sim"]["servers"][server["id"]]["runningAt"] = int((time.time() + seconds) * 1000)
json.dump(cloud, open(path, "w"))
END
}

says_nothing_of_waiting() {
    ! says 'waiting for'
}

boots 3600
edit 's/count: 1/count: 2/'
code=0
(cd "$repo" && exec timeout -k 5 60 "$trimtab" apply --auto-approve --target Deployment/shop) \
    >"$out" 2>"$err" </dev/null || code=$?
check "an apply of one deployment does not wait for another's" exits 0
check "nor speaks of it" says_nothing_of_waiting
check "and does its own" says 's1.*done'

boots 3
tt apply --auto-approve
check "an apply of both waits" says 'waiting for 1 machine of an earlier run to boot'
check "and goes on" exits 0

# One that was asked for a moment ago and is not to be seen yet.
python3 - "$state/store.db" <<'END'
import sqlite3, sys, time
with sqlite3.connect(sys.argv[1]) as store:
    store.execute("""INSERT INTO journal(run, step, at, action, subject, deployment, account, region,
        incarnation, token, request, because, open) VALUES(1, 0, ?, 'create-server',
        'Service/blog/pages/7', 'blog', 'cloud', 'r', 'late', 'late', 'late', 'missing', 1)""",
                  (int(time.time() * 1000),))
END
tt apply --auto-approve --target Deployment/shop
check "nor does it wait for what another's run asked for" says_nothing_of_waiting
tt apply --auto-approve
check "as an apply of both does" says 'waiting for 1 machine of an earlier run to boot'
finish
