#!/usr/bin/env bash
# A plan that a guard holds waits: approved in the terminal, exactly it is carried out, and history
# says who let it pass; an outdated one, one that was approved before and one of nothing are refused.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

has_servers() {
    [ "$(status 'len(d["deployments"][0]["services"][0]["servers"])')" = "$1" ]
}

mkdir -p "$repo"
tt approve 1
check "before there is a store, there is no run" says 'there is no run 1: none is recorded'
cat >"$repo/zoo.yaml" <<'END'
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: zoo}
spec: {}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: zoo
  server: {template: t}
  port: 80
  placements: [{account: cloud, region: r, count: 1}]
END
commit_sim 6
tt apply --auto-approve
check "six servers are made" has_servers 6
commit_sim 2
tt apply --auto-approve
check "that four go is held" exits 3
check "and who applies is told how to go on" says 'waits for trimtab approve 2'
tt approve seven
check "what is no number is refused" says 'seven is no number of a run'
tt approve 9
check "so is a run that never was" says 'there is no run 9'
tt approve 1
check "and one that is not held" says 'run 1 has no plan that waits for approval: it is done'
tt approve 2
check "where nobody can answer, nothing is done" exits 1
check "and six servers stay" has_servers 6
tt approve 2 --save "$place/kept"
check "what is kept of it is about its deployment alone" \
    [ "$(query '[each["name"] for each in d["deployments"]]' <"$place/kept/picture.json")" = "['shop']" ]
check "with what is to be watched of it" [ -f "$place/kept/watch.json" ]
tt approve 2 --auto-approve --by 'Ann Other' --json
check "approved, it is carried out" exits 0
check "two servers are left" has_servers 2
tt show 2 --json
check "history says who approved" says_json 'd["approved"]["by"], d["approved"]["run"]' "('Ann Other', 3)"
tt show 3
check "and what was carried out" says 'carries out the held plan of run 2'
check "by a run that is done" says '^Run 3: approve of .*, done'
tt show 2
check "as text, too" says 'approved by Ann Other at .*: run 3'
tt approve 2 --auto-approve
check "a second time is refused" says 'run 2 was approved by Ann Other at'
check "with an error" exits 1

# Outdated by a commit, and by the world.
commit_sim 6
tt apply --auto-approve
commit_sim 1
tt apply --auto-approve
check "another plan is held" exits 3
commit_sim 2
tt approve 5 --auto-approve
check "a newer commit makes it void" says 'the plan of run 5 was made for [0-9a-f]{12}, and refs/heads/main is at'
git -C "$repo" reset -q --hard HEAD~1
python3 - "$state/sim/cloud.json" <<'END_OF_PYTHON'
import json, sys

path = sys.argv[1]
cloud = json.load(open(path))


def find(node):
    """The list of servers, wherever it is."""
    if isinstance(node, dict):
        if isinstance(node.get("servers"), list) and node["servers"]:
            return node["servers"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            found = find(each)
            if found:
                return found
    return None


del find(cloud)[0]
json.dump(cloud, open(path, "w"))
END_OF_PYTHON
tt approve 5 --auto-approve
check "so does a server that went meanwhile" says 'the world has moved since the plan was made'
check "and nothing is done" has_servers 5
tt show 5 --json
check "and it is still not approved" says_json 'd["approved"]' None

# Two at once: one of them carries it out.
commit_sim 6
tt apply --auto-approve
commit_sim 3
tt apply --auto-approve
run=$(grep -o 'approve [0-9]*' "$out" | cut -d' ' -f2)
for who in one two; do
    (cd "$repo" && exec timeout 60 "$trimtab" approve "$run" --auto-approve --by "$who") >"$place/$who" 2>&1 &
done
wait
check "of two who approve at once, one does" [ "$(cat "$place/one" "$place/two" | grep -c 'Apply: 3 done')" -eq 1 ]
check "the other is told" grep -qE 'approved by|is locked|moved since|by run|locked' "$place/one" "$place/two"
check "three are left" has_servers 3

tt approve --help
check "help names the way" says -- '--by NAME'
finish
