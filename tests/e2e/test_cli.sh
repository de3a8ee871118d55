#!/usr/bin/env bash
# The command line as people and scripts meet it: options and their refusals, help, completion,
# JSON, colours, the question before apply, Ctrl-C. All on the simulated cloud.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

mkdir -p "$repo"
git -C "$repo" init -q -b main
cat >"$repo/fleet.yaml" <<'END'
apiVersion: trimtab/v1
kind: Fleet
metadata: {name: acme}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: cloud}
spec: {provider: sim, endpoint: "file://cloud.json", regions: [north]}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: shop}
spec: {state: running}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: shop
  server: {template: web-1, size: small}
  placements: [{account: cloud, region: north, count: 2}]
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: back}
spec: {state: running}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: db}
spec:
  deployment: back
  server: {template: db-1, size: small}
  placements: [{account: cloud, region: north, count: 1}]
END

# cloud BOOT: the simulated cloud begins empty, and its machines take so long to boot.
cloud() {
    rm -rf "$state"
    cat >"$repo/cloud.json" <<END
{"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z",
 "sim": {"options": {"boot": "$1"}},
 "accounts": [{"name": "cloud", "provider": "sim", "capabilities": ["cloud-balancer"], "regions": [
   {"name": "north", "status": "observed", "error": null,
    "zones": [{"name": "a", "state": "available"}, {"name": "b", "state": "available"}],
    "servers": [], "balancers": [], "pools": [], "addresses": []}]}]}
END
}

# terminal [EXPECTED ANSWER]... -- ARGUMENT...: as tt, on a terminal.
terminal() {
    local -a script=()

    while [ "$1" != -- ]; do
        script+=("$1")
        shift
    done
    shift
    code=0
    : >"$err"
    (cd "$repo" && exec timeout -k 5 100 "$here/tests/e2e/terminal.py" "${script[@]}" -- \
        "$trimtab" "$@") >"$out" 2>&1 </dev/null || code=$?
}

# begin ARGUMENT...: as tt, in the background; waits until it tells of a step.
begin() {
    (cd "$repo" && exec "$trimtab" "$@") >"$out" 2>"$err" </dev/null &
    pid=$!
    for _ in $(seq 200); do
        grep -q '\.\.\.$' "$out" && break
        sleep 0.05
    done
}

# interrupt: Ctrl-C for what begin began.
interrupt() {
    kill -INT "$pid"
}

end() {
    code=0
    wait "$pid" || code=$?
}

is_silent() {
    [ ! -s "$out" ] && [ ! -s "$err" ]
}

has_color() {
    grep -q $'\033\\[' "$out"
}

has_no_color() {
    ! has_color
}

# --- words and options ---------------------------------------------------------------------------

cloud 0s
commit first
tt
check "without a command: exit 1" exits 1
check "and help, with the commands" says '^  apply '
tt --help
check "--help: exit 0" exits 0
tt plna
check "an unknown command: exit 1" exits 1
check "with the one that was meant" says 'did you mean plan'
tt help plna
check "help for an unknown command: exit 1" exits 1
tt help apply
check "help for a command" says 'usage: trimtab apply \[OPTIONS\] \[PLANFILE\]'
tt plan --detailed-exitcod
check "an unknown option: exit 1" exits 1
check "with the one that was meant, too" says 'no option --detailed-exitcod: did you mean --detailed-exitcode\?'
tt plan -wrold=x
check "and without its value" says 'no option --wrold: did you mean --world\?'
tt plan --rev
check "an option without its value" says '--rev needs a value: --rev REV'
tt plan --rev --json
check "which the next option is not" says '--rev needs a value: --rev REV'
tt plan --json=yes
check "a flag with a value" says '--json takes no value'
tt plan --allow-destroy many
check "a number that is none" says '--allow-destroy takes a number from 1 to 1000000, not many'
tt plan extra
check "an argument too many" says 'plan does not take the argument extra'
tt explain
check "an argument too few" says 'explain needs SUBJECT'
tt apply --world x --auto-approve
check "apply takes no snapshot" says 'apply does not take --world: .*trimtab plan --world'
tt plan --target shop
check "a target that names nothing: exit 1" exits 1
check "with the way out" says '--target shop names nothing: give Deployment/NAME'
tt drift --parallelism 3 --auto-approve
check "common options are taken where they do nothing" exits 2
tt -C "$repo" --no-color plan -detailed-exitcode
check "options may stand before the command" exits 2
tt --wrong plan
check "unknown ones may not" exits 1
tt version
check "the version" says '^trimtab [0-9]+\.[0-9]+'
tt --version
check "as an option, too" says '^trimtab [0-9]+\.[0-9]+'

# --- help and completion come from the table that parses -------------------------------------------

# complete_word WORD...: what bash offers for the last WORD after trimtab.
complete_word() {
    # shellcheck disable=SC2016 # the inner bash expands it
    bash -c '. "$1"
        shift
        COMP_WORDS=(trimtab "$@") COMP_CWORD=$#
        _trimtab
        printf "%s\n" "${COMPREPLY[@]}"' - "$place/completion" "$@"
}

tt completion bash
cp "$out" "$place/completion"
commands=$(complete_word "")
check "completion knows the commands" [ "$(grep -cE '^(plan|apply|drift|status)$' <<<"$commands")" = 4 ]
wrong=
for command in $commands; do
    tt "$command" --help
    exits 0 || wrong+=" $command"
    while read -r option; do
        complete_word "$command" "$option" | grep -qxe "$option" || wrong+=" $command:$option"
    done < <(sed -n 's/^  \(-[-a-zA-Z]*\).*/\1/p' "$out")
done
check "every command has help, and what it lists is completed:$wrong" [ -z "$wrong" ]
tt completion zsh
check "for zsh" says '#compdef trimtab'
tt completion fish
check "for fish" says '^complete -c trimtab'
tt completion tcsh
check "for no other shell" exits 1

# --- looking changes nothing -----------------------------------------------------------------------

rm -rf "$state"
tt plan
tt drift
tt status
tt unlock shop
check "what is not locked needs no unlocking" exits 0
check "looking makes no store" [ ! -e "$state/store.db" ]
tt observe --out "$place/world.json"
rm -rf "$state"
for command in plan drift status offers "explain Service/web" graph validate observe; do
    # shellcheck disable=SC2086 # the subject is a word of its own
    tt $command --world "$place/world.json"
    exits 0 || exits 2 || check "$command reads a snapshot" false
done
check "of all that, the plan alone is recorded" [ "$(cd "$state" && find . -maxdepth 2)" = "$(printf '%s\n' . ./recordings ./recordings/p1)" ]
(cd "$repo" && TRIMTAB_STATE_DIR=/proc/none exec "$trimtab" plan --world "$place/world.json") >"$out" 2>"$err"
code=$?
check "a snapshot needs no state folder" exits 0
check "but says what is missing then" says 'is not recorded: cannot make the folder /proc/none'
(cd "$repo" && TRIMTAB_STATE_DIR='' XDG_STATE_HOME=$place/xdg exec "$trimtab" apply --auto-approve) >"$out" 2>&1
check "XDG_STATE_HOME holds the state" [ -e "$place/xdg/trimtab/store.db" ]
(cd "$repo" && TRIMTAB_STATE_DIR='' XDG_STATE_HOME='' HOME=$place/home exec "$trimtab" apply --auto-approve) >"$out" 2>&1
check "or ~/.local/state" [ -e "$place/home/.local/state/trimtab/store.db" ]
tt apply --auto-approve --state "$place/other"
check "or --state" [ -e "$place/other/store.db" ]

# --- wrong specs -----------------------------------------------------------------------------------

cp "$repo/fleet.yaml" "$place/good.yaml"
sed -i 's/count: 2/cuont: 2/' "$repo/fleet.yaml"
tt plan --worktree --json
check "wrong specs: exit 1" exits 1
check "as a plan with the result error" says_json 'd["result"]' error
check "every problem has its place" says_json \
    '[(p["severity"], p["file"], p["line"] > 0, p["column"] > 0) for p in d["problems"]][0]' \
    "('error', 'fleet.yaml', True, True)"
check "and its code" says_json '"unknown-key" in [p["code"] for p in d["problems"]]' True
check "there are no steps" says_json '(d["steps"], d["floors"], set(d["summary"].values()))' "([], [], {0})"
tt validate --worktree --json
check "validate: exit 1" exits 1
check "it lists them" says_json '"unknown-key" in [p["code"] for p in d]' True
tt validate --worktree
check "or shows the place" says 'fleet.yaml:[0-9]+:[0-9]+: error\[unknown-key\]'
tt drift --worktree
check "drift with wrong specs is an error, not drift" exits 1
cp "$place/good.yaml" "$repo/fleet.yaml"
tt validate
check "right specs are valid" exits 0

# --- colours and quiet -----------------------------------------------------------------------------

export TERM=xterm
unset NO_COLOR
tt plan
check "no colours in a pipe" has_no_color
terminal -- plan
check "colours on a terminal" has_color
terminal -- plan --no-color
check "unless they are not wanted" has_no_color
export NO_COLOR=1
terminal -- plan
check "by NO_COLOR neither" has_no_color
tt plan -q --detailed-exitcode
check "-q says nothing" is_silent
check "and still tells by the exit code" exits 2
tt plan -v
check "-v names the calls" says 'cloud observe .* ms'

# --- approval --------------------------------------------------------------------------------------

cloud 0s
tt apply
check "without a terminal nobody approves: exit 1" exits 1
check "and it says what to do" says 'give --auto-approve'
terminal "accepted: " 'y\n' -- apply
check "y is not yes" exits 1
check "nothing was changed" says 'Nothing was changed'
terminal "accepted: " '\x03' -- apply
check "Ctrl-C is no answer either" exits 1
check "and ends the question" says 'Nothing was changed'
terminal "accepted: " 'no\n' -- apply -q
check "nobody approves what is not shown" says 'Plan: 3 to add'
tt plan --detailed-exitcode
check "everything is still to be done" exits 2
terminal "accepted: " 'yes\n' -- apply
check "yes is" exits 0
check "the plan was shown" says 'Plan: 3 to add, 0 to change, 0 to destroy\.'
check "and what was done" says 'Apply: 3 done, 0 failed, 0 not tried, 0 held\.'
tt apply --auto-approve
check "again: nothing to do" says 'No changes\. What runs is what Git asks for\.'

# --- JSON ------------------------------------------------------------------------------------------

# says_lines EXPRESSION VALUE: as says_json, with d the list of all lines.
says_lines() {
    [ "$(python3 -c 'import json, sys
d = [json.loads(line) for line in sys.stdin]
print(eval(sys.argv[1]))' "$1" <"$out")" = "$2" ]
}

cloud 0s
tt apply --auto-approve --json
check "apply --json" exits 0
check "every line has a type" says_lines 'all("type" in line for line in d)' True
check "each step is planned" says_lines '[l["step"] for l in d if l["type"] == "planned_change"]' "['s1', 's2', 's3']"
check "begun" says_lines 'sorted(l["step"] for l in d if l["type"] == "apply_start")' "['s1', 's2', 's3']"
check "and completed" says_lines 'sorted(l["step"] for l in d if l["type"] == "apply_complete")' "['s1', 's2', 's3']"
check "the last line sums up" says_lines '(d[-1]["type"], d[-1]["operation"], d[-1]["done"], d[-1]["failed"])' "('change_summary', 'apply', 3, 0)"
tt status --json
check "status as JSON" says_json '[(e["name"], s["name"], s["wanted"], s["healthy"]) for e in d["deployments"] for s in e["services"]]' "[('back', 'db', 1, 1), ('shop', 'web', 2, 2)]"
tt status
check "status in words" says 'Service web: 2 wanted, 2 running, 2 healthy'
tt offers --json
check "offers as JSON" says_json 'd["offers"][0]["types"]' "['vm-dynamic', 'vm-static']"

# --- targets and saved plans -----------------------------------------------------------------------

cloud 0s
tt apply --auto-approve --target Service/back/db
check "a target alone is applied" says 'Apply: 1 done'
tt plan --target Deployment/shop --out "$place/shop.json"
sed -i 's/count: 1/count: 3/' "$repo/fleet.yaml"
tt apply --auto-approve --worktree --target Service/db
check "something else changes meanwhile" says 'Apply: 2 done'
tt apply "$place/shop.json" --auto-approve
check "a saved plan is good while what it touches stands still" exits 0
check "and does nothing else" says 'Apply: 2 done'
cp "$place/good.yaml" "$repo/fleet.yaml"
tt apply "$place/shop.json" --auto-approve
check "it is refused when that has moved" exits 1
check "naming the step" says 'the world has moved since the plan was made: "\+ create web-0'
tt plan --json --out "$place/both.json"
check "--out and --json agree" cmp -s "$out" "$place/both.json"

# --- Ctrl-C ----------------------------------------------------------------------------------------

cloud 3s
cat >>"$repo/fleet.yaml" <<'END'
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: api}
spec:
  deployment: shop
  server: {template: api-1, size: small}
  placements: [{account: cloud, region: north, count: 1}]
  dependsOn: [web]
END
commit "one that waits for another"
begin apply --auto-approve --target Deployment/shop
interrupt
sleep 0.5
interrupt
end
check "a stopped run: exit 1" exits 1
check "it said that it stops" says 'stopping: no new step is started'
check "and that it finishes what runs" says 'still finishing'
check "what waited was not tried" says 'create api-0 in zone [ab]: not tried: left out: the run was stopped'
check "and what is left is told" says 'Apply: 2 done, 0 failed, 1 not tried, 0 held\. Run trimtab apply again'
tt apply --auto-approve
check "the next run goes on" exits 0
check "and nothing is left" is_settled
cloud 2s
terminal "web-0 in zone a: " '\x03' -- apply --auto-approve --target Service/web
check "on a terminal, too, it says that it stops" says 'trimtab: stopping'
check "beside the lines that show the time" says 's1 \+ create web-0 in zone a: [0-9]+ s'

# --- drift -----------------------------------------------------------------------------------------

cloud 0s
tt apply --auto-approve
tt observe --out "$place/world.json"
python3 - "$place/world.json" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
servers = d["accounts"][0]["regions"][0]["servers"]
by_name = {s["name"]: s for s in servers}
by_name["shop-web-0"]["state"] = "failed"
servers.remove(by_name["back-db-0"])
json.dump(d, open(sys.argv[1], "w"))
END
tt drift --world "$place/world.json"
check "drift: exit 2" exits 2
check "what failed" says '^failed: '
check "what is missing" says '^missing: '
tt drift --world "$place/world.json" --json
check "drift as JSON" says_json 'sorted({(e["class"], e["subject"]) for e in d["drift"]})' \
    "[('failed', 'Service/shop/web/0'), ('missing', 'Service/back/db/0')]"
finish
