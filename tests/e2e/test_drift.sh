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
check "a server more in Git is ours" is "ours:web/3:create-server ours:web/3:enroll"
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
tt diff HEAD HEAD^
check "and that the next one solves it" says '^no longer: error.no-such-zone'
edit 's/zones: .nowhere., count: 4/count: 4/'
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
tt apply --auto-approve
check "an apply of both" exits 0
tt drift
check "leaves no drift" exits 0

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
