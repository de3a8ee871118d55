#!/usr/bin/env bash
# What the world did is told apart from what Git has changed since the last apply; and what a push
# would change is told before.
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

# classes: each class with its subjects and actions, as drift --json tells.
classes() {
    tt drift --json
    query '" ".join(sorted("%s:%s:%s" % (s["class"], s["subject"].split("/", 2)[2], s["action"])
                    for s in d["drift"]))' <"$out"
}

is() {
    local seen

    seen=$(classes)
    [ "$seen" = "$1" ] || {
        printf '  sees: %s\n' "$seen"
        return 1
    }
}

commit_example
tt drift
check "before the first apply everything is missing" exits 2
check "and said to be" says '^missing'
tt apply --auto-approve
check "the first apply" exits 0
tt drift
check "then there is no drift" exits 0

# A change in Git alone is ours, whatever it asks for.
first=$(git -C "$repo" rev-parse HEAD)
edit 's/count: 3/count: 4/'
check "a server more in Git is ours, told once" is "ours:web/3:create-server"
tt drift
check "which is drift" exits 2
check "with what is desired and what was observed" says 'server: desired in here/local, zone [abc], observed none'
tt drift --rev "$first"
check "measured from the commit before there is none" exits 0

tt diff "$first"
check "diff tells what the push changes" exits 0
check "in words" says 'Service/quickstart/web/3: . create web-3 in zone'
tt diff HEAD "$first" --json
check "and the other way round" says_json \
    '[[s["subject"] for s in d[k]] for k in ("added", "removed")]' \
    "[[], ['Service/quickstart/web/3', 'Service/quickstart/web/3']]"
tt diff "$first" "$first"
check "no difference is said, too" says '^No difference'
edit 's/count: 4/zones: [nowhere], count: 4/'
tt diff HEAD^ HEAD
check "a problem that a push brings is told" says '^error.no-such-zone'
check "and such a push ends with exit 1" exits 1
tt diff HEAD HEAD
check "one that keeps it, too" exits 1
check "which says why" says '^as before: error.no-such-zone'
tt diff HEAD HEAD --json
check "in JSON as well" says_json \
    '[[p["code"] for p in d[k]] for k in ("problems", "standing", "resolved")]' \
    "[[], ['no-such-zone'], []]"
tt diff HEAD HEAD^
check "and that the next one solves it" says '^no longer: error.no-such-zone'
check "which is no error" exits 0
edit 's/zones: .nowhere., count: 4/count: 0/'
tt diff "$first" HEAD
check "a push whose steps a guard would hold ends with exit 3" exits 3
check "which says why" says '^warning.guard-held'
check "and which steps" says 'delete web-2 .*, surplus: .* .held.$'
tt diff "$first" HEAD --json
check "in JSON as well" says_json \
    '{(s["action"], s["held"]) for s in d["added"] if s["action"] == "delete-server"}' \
    "{('delete-server', True)}"
tt diff HEAD HEAD
check "one that leaves them held, too" exits 3
check "and says why as well" says '^as before: warning.guard-held'
tt diff HEAD HEAD --json
check "and in JSON" says_json '[p["code"] for p in d["standing"]]' "['guard-held']"
edit 's/spec:/spec/'
tt diff HEAD^ HEAD
check "a push of specs that are wrong ends with exit 1" exits 1
check "and a place" says 'fleet.yaml:[0-9]+'
git -C "$repo" revert --no-edit HEAD >"$place/revert"
edit 's/count: 0/count: 4/'
tt diff nonsense
check "what is no revision is an error" exits 1
check "that names it" says 'nonsense'

# What somebody did meanwhile is not.
machine=$(status 'd["deployments"][0]["services"][0]["servers"][1]["id"]')
pid=$(processes | while read -r pid; do
    grep -lsF "$machine" "/proc/$pid/cmdline" >/dev/null && echo "$pid"
done | xargs)
# shellcheck disable=SC2086
kill -KILL $pid
tt drift --json
check "a server that somebody ended is not ours" says_json \
    'sorted({(s["class"] == "ours", s["subject"].rsplit("/", 1)[1]) for s in d["drift"]})' \
    "[(False, '1'), (True, '3')]"
check "each finding is told once" says_json \
    'len(d["drift"]) - len({(s["class"], s["subject"], s["because"], str(s["differs"])) for s in d["drift"]})' 0
tt apply --auto-approve
check "an apply of both" exits 0
tt drift
check "leaves no drift" exits 0

# Hands on the balancer's own pool: one of ours is taken out, one of somebody else's put in.
edge=$(find "$state/local" -path '*/machines/*/enstratus/bin' -prune -printf '%h\n' | sed 's|\(.*/machines/[^/]*\)/.*|\1|' | sort -u)
by_hand() { # SCRIPT ARGUMENT...
    TRIMTAB_ROOT=$edge/root TRIMTAB_ADDRESS=$(query 'd["address"]' <"$edge/meta.json") \
        "$edge/root/enstratus/bin/$1" "${@:2}"
}
member=$(status 'd["deployments"][0]["services"][0]["servers"][2]["address"]')
by_hand stopProxy "$member" quickstart.web 8000
by_hand startProxy their.app NONE NONE "$member" 127.9.9.9 8000
tt drift
check "hands on a pool are drift" exits 2
check "one of ours that left is changed" says '^changed: somebody changed it'
check "with its slot" says '^  Service/quickstart/web/2: .* is not a member of edge'
check "with both values" says '^      member of edge: desired in-service, observed none'
check "somebody else's is foreign" says "^foreign: not ours, where only ours should be"
check "at its balancer" says '^  LoadBalancer/quickstart/edge: 127.9.9.9:8000 of their.app is not wanted at edge'
check "with its address" says '^      member of edge: desired none, observed 127.9.9.9:8000'
tt drift --json
check "as JSON that ends the same" exits 2
check "and tells the same" says_json \
    'sorted((s["class"], s["subject"], w["desired"], w["observed"]) for s in d["drift"] for w in s["differs"])' \
    "[('changed', 'Service/quickstart/web/2', 'in-service', 'none'), ('foreign', 'LoadBalancer/quickstart/edge', 'none', '127.9.9.9:8000')]"
tt apply --auto-approve
check "an apply takes both back" exits 0
check "by what the pool says" [ "$(by_hand listProxy | cut -f 1 | sort | uniq -c | tr -s ' ')" = ' 4 quickstart.web' ]
tt drift
check "and leaves no drift" exits 0

# A machine that was changed by hand differs from what was applied: nobody's change in Git.
edit 's/count: 4/count: 2/'
check "fewer in Git is ours" [ "$(classes | tr ' ' '\n' | cut -d: -f1 | sort -u)" = ours ]
edit 's/count: 2/count: 4/'
check "taken back there is nothing" is ""
rm -f "$state"/store.db*
edit 's/count: 4/count: 3/'
tt drift --json
check "without a store the causes alone tell" says_json '{s["class"] for s in d["drift"]}' "{'ours'}"
stop_everything
finish
