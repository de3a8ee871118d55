#!/usr/bin/env bash
# What was done is told later: history and show, of runs that ended well, failed, were interrupted
# or killed; and what is kept. What it was planned from is recorded, and replay plans it again.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

commit_example
tt history
check "without a store there is no history" says 'No run is recorded'
check "and that is no error" exits 0
tt show 1
check "nor a run to show" exits 1

tt apply --auto-approve
check "apply makes everything" exits 0
export TRIMTAB_TRIGGER='nightly job'
edit 's/count: 3/count: 4/'
tt apply --auto-approve
check "a second apply" exits 0
unset TRIMTAB_TRIGGER
tt apply --auto-approve
check "an apply with nothing to do" exits 0

tt history --json
check "is no run" says_json '[r["run"] for r in d["runs"]]' '[2, 1]'
check "history says how they ended" says_json '{r["result"] for r in d["runs"]}' "{'done'}"
check "and who asked" says_json '[r["trigger"] for r in d["runs"]]' "['nightly job', 'command line']"
check "and the commit" says_json 'd["runs"][0]["revision"]' "$(git -C "$repo" rev-parse HEAD)"
check "and what was done" says_json 'd["runs"][1]["done"]' 7
tt history -n 1
check "as text, the last one" says '^ +2 .* done '
check "is the only one" [ "$(grep -c ' done ' "$out")" -eq 1 ]
tt show 2 --json
check "show has the steps" says_json '[(s["action"], s["state"]) for s in d["steps"]]' \
    "[('create-server', 'done'), ('enroll', 'done')]"
check "with the machine that was made" says_json 'd["steps"][0]["server"][:2]' 'm-'
check "and times" says_json 'all(s["milliseconds"] >= 0 and s["ended"] for s in d["steps"])' True
tt show 2
check "as text, too" says 's1 .* done +. create web-3'
tt show 77
check "a run that never was is an error" exits 1
tt show seven
check "what is no number is one, too" says 'is no number of a run'

# Recordings: of runs, and of plans that nobody carried out.
scenarios=$place/scenarios
mkdir -p "$scenarios"
build=$1
same_bytes() { cmp "$1" "$out"; }
scenarios_pass() { TT_SCENARIOS=$scenarios "$build/test_scenarios" >"$out" 2>&1; }
tt replay 2 --json
check "what a run was planned from gives its plan again" exits 0
check "byte for byte" same_bytes "$state/recordings/2/expected/plan.json"
tt replay 1
check "also for people" same_bytes "$state/recordings/1/expected/plan.txt"
tt history --json
check "history says where recordings are" \
    says_json 'd["runs"][1]["recording"]' "$state/recordings/1"
tt show 1
check "and so does show" says 'recorded in .*: trimtab replay 1$'
edit 's/count: 4/count: 2/'
tt plan --json
cp "$out" "$place/plan.json"
tt observe --out "$place/world.json"
tt plan --world "$place/world.json" --target Service/web -v
check "a plan on a snapshot is recorded as well" says 'recorded: trimtab replay p3'
tt replay p3
check "with its options" says 'delete web-3'
tt replay p2 --json
check "a plan gives the same bytes again" same_bytes "$place/plan.json"
tt history --plans --json
check "plans are listed apart, with what had nothing to do" \
    says_json '[(p["plan"], p["command"], p["result"]) for p in d["plans"]]' \
    "[('p3', 'plan', 'changes'), ('p2', 'plan', 'changes'), ('p1', 'apply', 'none')]"
cp -r "$state/recordings/2" "$scenarios/grown-by-one"
cp -r "$state/recordings/p3" "$scenarios/shrinks-by-two"
# The optimised program comes without the test programs; the build with them comes by here, too.
if [ -x "$build/test_scenarios" ]; then
    check "recordings are scenarios as they stand" scenarios_pass
fi
edit 's/count: 2/count: 4/'
rm -rf "$state/recordings/1"
tt replay 1
check "a recording that is gone is told from one that never was" says 'recording of run 1 is gone'
tt replay 77
check "as is a run that never was" says 'run 77 is not recorded'
sed -i 's/web-3/web-9/' "$state/recordings/2/expected/plan.json"
sed -i 's/"slot": 3/"slot": 9/' "$state/recordings/2/expected/plan.json"
tt replay 2 -q
check "another plan than the recorded one is an error" exits 1
check "that names the place" says 'Line [0-9]+ of expected/plan.json was: "slot": 9'
chmod 500 "$state/recordings"
tt plan
check "a plan that cannot be recorded is a plan all the same" exits 0
chmod 700 "$state/recordings"

# A failure, and a run that is killed.
edit 's/count: 4/count: 5/; s/template: python-web/template: no-such-thing/'
tt apply --auto-approve
check "what cannot be made fails" exits 1
sed -i 's/hello from/hi from/' "$repo/server.py"
edit 's/template: no-such-thing/template: python-web/'
(cd "$repo" && exec "$trimtab" apply --auto-approve) >"$out" 2>"$err" </dev/null &
pid=$!
for _ in $(seq 500); do
    grep -q ': done' "$out" && break
    sleep 0.02
done
told=$(grep -c ': done' "$out")
sleep 0.2
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
tt history --json
check "the killed run is told as such" says_json 'd["runs"][0]["result"]' interrupted
check "with what it had done" says_json "d['runs'][0]['done'] >= $told > 0" True
run=$(query 'd["runs"][0]["run"]' <"$out")
done_steps=$(query 'd["runs"][0]["done"]' <"$out")
tt show "$run" --json
check "step by step" says_json '[s["state"] for s in d["steps"]].count("done")' "$done_steps"
check "and when" says_json 'all(s["ended"] for s in d["steps"] if s["state"] == "done")' True
tt apply --auto-approve
check "the next apply goes on" exits 0
check "five servers, none twice" only_slots "0 1 2 3 4"

tt history --keep 2 --json
check "only what is wanted is kept" says_json 'len(d["runs"])' 2
stop_everything
finish
