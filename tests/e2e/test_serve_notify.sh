#!/usr/bin/env bash
# People and programs are told what the daemon meets: signed events, a Slack-compatible target and a
# command, each of what it asks for; none is lost while its target is away and the configuration is
# read again, and no secret is told.
# shellcheck disable=SC2317 # what check and eventually call
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"

export SECRET='the secret of events' SLACK_URL
told=$place/told       # to the targets over HTTP
commanded=$place/tells # to the command
down=$place/down
world=$state/sim/cloud.json

# write_config CHECK
write_config() {
    cat >"$config" <<END_OF_CONFIG
repositories: [{name: fleet, url: "file://$bare", poll: 500ms}]
runs: {check: $1, backoff: 500ms, longestBackoff: 1s}
web: {port: 0}
notifications:
  - {type: http, url: "http://127.0.0.1:$sink/events", secret: {env: SECRET}}
  - {type: slack, urlEnv: SLACK_URL, events: [held, drift]}
  - {type: command, command: [$place/tell, --now], events: [failed]}
END_OF_CONFIG
}

# event TYPE TEXT: a signed one of this type came, with this text.
event() {
    grep -E '^/events good application/cloudevents\+json ' "$told" | grep -F "\"trimtab.$1\"" | grep -qE -- "$2"
}

slack() {
    grep -qE "^/a-hidden-path none application/json \{\"text\": ?\"[^\"]*$1" "$told"
}

refused() {
    [ "$(grep -c '^/events refused' "$told")" -ge "$1" ]
}

answers() {
    curl -sf --noproxy '*' -m 5 -o "$out" "http://127.0.0.1:$port$1"
}

followed() {
    grep -c 'at [0-9a-f]*: 1 deployment' "$log"
}

followed_again() {
    [ "$(followed)" -gt "$before" ]
}

knows_sink() {
    sink=$(sed -n 's/^port //p' "$told")
    [ -n "$sink" ]
}

push() {
    edit "$1"
    git -C "$repo" push -q "$bare" main
}

printf '#!/bin/sh\n[ $# = 1 ] && cat >>%s\n' "$commanded" >"$place/tell"
chmod +x "$place/tell"
: >"$commanded"
python3 "$here/tests/e2e/sink.py" "$down" >"$told" &
target=$!
check "the target listens" eventually 10 knows_sink
SLACK_URL=http://127.0.0.1:$sink/a-hidden-path

commit_sim_fleet 4
write_config 1s
serve
check "what was pushed is applied" eventually 30 logged 'apply of [0-9a-f]+: done'

# A machine goes: a check sees it, and only reports.
python3 - "$world" <<'END_OF_PROGRAM'
import json, sys
world = json.load(open(sys.argv[1]))
servers = world["accounts"][0]["regions"][0]["servers"]
servers.remove(next(each for each in servers if each["name"].startswith("shop-web")))
open(sys.argv[1], "w").write(json.dumps(world))
END_OF_PROGRAM
check "drift is told, signed" eventually 20 event drift 'the world differed from Git'
check "and in words" eventually 10 slack 'the world differed from Git'

# A wrong configuration is no reason to lose the right one.
printf 'log: pigeon\n' >>"$config"
kill -HUP "$daemon"
check "a wrong configuration is told with its place" eventually 10 logged 'serve.yaml:[0-9]+:[0-9]+'
check "and leaves everything as it was" eventually 10 logged 'the configuration stays as it was'
check "the page, too" answers /healthz

# The target is away while the daemon reads its configuration again: for fewer tries than a notifier
# has, however long that takes.
echo 2 >"$down"
push 's/count: 4/count: 1/'
check "a held plan is told to who is away" eventually 30 refused 1
write_config 1h
before=$(followed)
kill -HUP "$daemon"
check "a right one is read" eventually 20 followed_again
check "what waited is told afterwards" eventually 30 event plan.held 'is held'
check "and in words" eventually 10 slack 'fleet/shop: the plan of run [0-9]+ is held'
rm "$down"

# A cloud that cannot be read.
cp "$world" "$place/world.kept"
printf 'no cloud' >"$world"
push 's/count: 1/count: 2/'
check "a failure is told" eventually 30 event run.failed 'failed: '
check "to the command, too" eventually 10 grep -q '"trimtab.run.failed"' "$commanded"
check "who did not ask for it is not told" [ -z "$(grep 'a-hidden-path.*failed: ' "$told")" ]
check "nothing is signed wrongly" [ -z "$(grep ' bad ' "$told")" ]
check "no secret is told or logged" [ -z "$(grep -E 'the secret of events|a-hidden-path' "$log" "$commanded")" ]
cp "$place/world.kept" "$world"
answers /metrics
check "they are counted" says '^trimtab_notifications_total\{result="sent"\} [5-9]'
check "and none as lost" says '^trimtab_notifications_total\{result="failed"\} 0$'

# Whoever is told no more loses what waits for it, and that is said.
: >"$down"
before=$(grep -c '^/events refused' "$told")
check "the cloud can be read again" eventually 30 logged "apply of $(git -C "$repo" rev-parse --short=12 HEAD): done"
printf 'no cloud' >"$world"
push 's/count: 2/count: 3/'
check "a target is away again" eventually 30 refused $((before + 1))
sed -i '/type: http/d' "$config"
kill -HUP "$daemon"
check "what a removed target was not told is logged" \
    eventually 20 logged '[0-9]+ notifications? (was|were) not delivered before its notifier ended'
end_serve
kill "$target"
wait "$target" 2>/dev/null
finish
