#!/usr/bin/env bash
# explain tells where each server is and why, what binds it and which steps follow; graph draws the
# fleet and the plan. On the worlds of scenarios: no cloud is asked.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
mkdir -p "$state"

# on SCENARIO COMMAND...: the program on its specs and world.
on() {
    local scenario=$here/tests/scenarios/$1

    shift
    rm -rf "$repo"
    cp -r "$scenario/desired" "$repo"
    tt "$@" --worktree --world "$scenario/world.json"
}

on data-center-two-balancers-swap explain Service/web
check "a service: its placements and what allows which zones" says 'balancer right allows b, c'
check "what binds them together" says 'together that leaves b; counts differ by one at most'
check "its limits" says 'at most 1 more machines than wanted \(maxSurge\)'
check "where a server is, and why it goes" says 'is replaced because zone-violation: .* outside the allowed zones b'
check "why one stays" says 'it stays: it fills its slot in an allowed zone with what the spec asks for'
check "where it is a member" says 'left: out-of-service'
check "what waits for what" says '^      waits for s2, s3, s4$'
check "what would follow from which change" says 'balancers: servers are enrolled or withdrawn'
on data-center-two-balancers-swap explain Service/shop/web/1
check "a slot alone" [ "$(grep -c '^  slot' "$out")" -eq 1 ]
on server-missing explain web-1
check "a slot as the plan names it, though it has no server yet" says 'slot 1: a new one in zone'
on steady explain Service/web/9
check "a slot that nobody has is said to be empty" says 'slot 9: it is empty'
on steady explain web-9
check "and the plan names none such" exits 1
on steady explain Service/web/99999999999
check "a number that no slot has is no slot" exits 1
on data-center-two-balancers-swap explain i-2
check "a server by its id" says 'slot 2: shop-web-2 \(i-2\)'
on data-center-two-balancers-swap explain s9
check "a step: what it waits for and what waits for it" says 'waited for by s10, s11, s12, s13, s14'
on scale-down explain s2
check "on which server it acts" says 'in cloud/east.*, server i-4$'
on data-center-two-balancers-swap explain LoadBalancer/right
check "a balancer: its zones, now and to be" says 'it balances to a, c now'
check "who is behind it" says 'web: 2 now, never below 2'
check "what would follow from its change" says 'zones: they are set in the cloud'
on data-center-two-balancers-impaired explain Service/web/0
check "a blocked server stays for that reason" says 'an error blocks its service'
check "and no step is said to be as Git asks" says 'none: see what stands in the way'
on unseen-balancer explain Service/web/1
check "a failed one behind what was not seen stays for that reason" says 'it is behind a balancer that cannot be changed'
check "and is not said to be as Git asks, either" says 'none: see what stands in the way'
on depends-on explain Service/web
check "what it depends on" says 'db comes first \(dependsOn\)'
on outdated-in-impaired-zone-stays explain Service/web
check "an outdated one in an impaired zone, too" says 'it is outdated \(.*\), and its zone is impaired'
on deployment-orphaned explain Service/old/app
check "what left Git is told as that" says 'what left Git is left alone'
on vm-static-failed explain LoadBalancer/edge
check "a failed machine that is not replaced is not as Git asks" says 'none: see what stands in the way'
on slot-mark-lost explain Service/web/1
check "who lost the mark of its slot is told at the slot it gets" says 'gets that of slot 1$'
on slot-mark-lost explain i-1
check "by its id, too" says 'gets that of slot 1$'
check "and the servers beside it are not told" [ "$(grep -cE 'i-0|i-2' "$out")" -eq 0 ]
on no-public-address-others-join explain Service/web/2
check "a problem of a slot is told with it" says 'error.no-public-address'
on no-public-address-others-join explain Service/web/3
check "and not with another one" [ "$(grep -c 'no-public-address' "$out")" -eq 0 ]
on balancer-failed-with-address explain LoadBalancer/edge
check "a failed machine: why it goes" says 'it is removed because failed'
check "its address and its limit" says 'replaced 0 times within the last hour, of at most'
on stopped-leaves-what-is-not-ours explain m-5
check "a machine that is not ours is what it is to us" says 'it is the machine of LoadBalancer/shop/fixed'
on steady explain Service/nope
check "what there is not is an error" exits 1
check "that says what can be given" says 'a server.s id or name, a slot \(web-0\) or a step \(s1\) of the plan'

on data-center-two-balancers-swap graph
check "the fleet as dot: balancers, services, zones, servers" says 'label="LoadBalancer left'
on data-center-two-balancers-swap graph --format mermaid --steps
check "the steps as Mermaid" says '^flowchart LR'
check "with their edges" says 'n0 --> n1'
on data-center-two-balancers-swap graph --json
check "the fleet as JSON: each edge leads to a node" says_json \
    'd["format"], all(e[k] < len(d["nodes"]) for e in d["edges"] for k in ("from", "to"))' \
    "('trimtab.graph/v1', True)"
on deployment-orphaned graph --json
check "what left Git is drawn with its servers" says_json \
    '[n["label"].splitlines() for n in d["nodes"] if n["look"] == "gone"]' "[['Service old/app', 'not in Git any more']]"
on prune-false-balancer graph --json
check "and so is a balancer, with its machine" says_json \
    '[n["label"].splitlines() for n in d["nodes"] if n["look"] == "gone"]' \
    "[['LoadBalancer shop/edge', 'not in Git any more']]"
on data-center-two-balancers-swap explain i-2 --json
check "an explanation as JSON" says_json 'd["format"], d["subject"], d["lines"][0]' \
    "('trimtab.explain/v1', 'i-2', 'Service/shop/web')"
on data-center-two-balancers-swap graph --format png
check "another format is refused by name" says 'dot, mermaid or svg, not png'
if command -v dot >/dev/null; then
    on data-center-two-balancers-swap graph --format svg --steps --out "$place/plan.svg"
    check "an SVG through Graphviz" grep -q '</svg>' "$place/plan.svg"
else
    skip "Graphviz is not installed"
fi
mkdir "$place/bin"
ln -s "$(command -v timeout)" "$place/bin/timeout"
PATH=$place/bin tt graph --format svg --worktree --world "$here/tests/scenarios/steady/world.json"
check "without Graphviz the way out is told" says 'install graphviz, or use --format dot'
check "and it is an error" exits 1

# Whoever starts trimtab may ignore the end of children, and the program inherits that.
printf '#!/bin/sh\nexit 3\n' >"$place/bin/dot"
cat >"$place/careless" <<END
#!$(command -v python3)
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv("$trimtab", ["$trimtab"] + sys.argv[1:])
END
chmod +x "$place/bin/dot" "$place/careless"
PATH=$place/bin:$PATH trimtab=$place/careless \
    tt graph --format svg --worktree --world "$here/tests/scenarios/steady/world.json"
check "that Graphviz failed is seen though the end of children is ignored" exits 1
check "and said" says 'dot failed'
finish
