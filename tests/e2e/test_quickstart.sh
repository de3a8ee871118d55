#!/usr/bin/env bash
# The life of examples/quickstart: from nothing to three servers behind HAProxy, a killed balancer,
# a killed server, five servers, two, a new version of the program, nothing.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

machine_of() {
    status "[m for b in d['deployments'][0]['balancers'] if b['name'] == '$1' for m in [b['machine']]][0]"
}

supervisor_of() {
    cut -d' ' -f1 "$state/local/here/local/machines/$1/pid"
}

commit_example
tt validate
check "the example is valid" exits 0

tt plan --detailed-exitcode
check "there is something to do" exits 2
check "the plan ends as hands know it" says 'Plan: 4 to add, 3 to change, 0 to destroy\.'
check "a plan changes nothing" no_machines
tt apply
check "without a person nothing is applied" exits 1
check "and it says what to do" says 'auto-approve'
check "nothing was made" no_machines

tt apply --auto-approve
check "apply makes everything" exits 0
check "a second plan is empty" is_settled
check "there are three slots" has_slots "0 1 2"
check "in three zones" [ "$(status 'sorted(s["zone"] for s in d["deployments"][0]["services"][0]["servers"])')" = "['a', 'b', 'c']" ]
check "requests reach all three" answers_from 12 3
tt apply --auto-approve
check "applying again does nothing" exits 0

old=$(machine_of edge)
kill -KILL "$(supervisor_of "$old")"
tt drift
check "a killed balancer is drift" exits 2
check "drift names the balancer" says 'LoadBalancer.*edge|edge'
tt apply --auto-approve
check "apply replaces the balancer" exits 0
check "it is another machine" [ "$(machine_of edge)" != "$old" ]
check "the old one is gone" [ ! -e "$state/local/here/local/machines/$old" ]
check "requests reach all three again" answers_from 12 3
check "nothing else is left to do" is_settled

victim=$(status '[s["id"] for s in d["deployments"][0]["services"][0]["servers"] if s["slot"] == 1][0]')
kill -KILL "$(supervisor_of "$victim")"
tt apply --auto-approve
check "apply replaces a killed server" exits 0
check "in its slot" has_slots "0 1 2"
check "requests reach all three with it" answers_from 12 3

edit 's/count: 3/count: 5/'
tt apply --auto-approve
check "a commit scales to five" exits 0
check "five answer" answers_from 20 5
edit 's/count: 5/count: 2/'
tt apply --auto-approve
check "a commit scales to two" exits 0
check "two answer" answers_from 8 2
check "no machine is left over" [ "$(machines | wc -l)" -eq 3 ]

before=$(status 'sorted(s["id"] for s in d["deployments"][0]["services"][0]["servers"])')
sed -i 's/hello from/greetings from/' "$repo/server.py"
commit "another greeting"
tt apply --auto-approve
check "a new program is rolled out" exits 0
check "on new machines" [ "$(status 'sorted(s["id"] for s in d["deployments"][0]["services"][0]["servers"])')" != "$before" ]
check "it answers" grep -q greetings <<<"$(curl -sS --max-time 5 "$(balancer_url)/")"
check "and nothing is left to do" is_settled

low=$([ "$(id -u)" -eq 0 ] && echo 80 || echo 10080) # as docs/local.md says
[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ] || low=80
edit 's/{port: 8080, protocol: http}/&, {port: 80, protocol: http}/'
tt apply --auto-approve
check "a low port is listened on" exits 0
url=$(balancer_url)
check "it is served at port $low" grep -q greetings <<<"$(curl -sS --max-time 5 "${url%8080}$low/")"
check "and nothing is left to do" is_settled

stop_everything
check "a stopped deployment stays stopped" is_settled
finish
