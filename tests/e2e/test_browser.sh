#!/usr/bin/env bash
# The daemon's pages in a real browser, on a simulated cloud: clicks, a run as it goes, drift, a held
# plan's approval, a keyboard, light and dark, and no JavaScript.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"

python=/usr/bin/python3 # Debian's, which has Debian's selenium

if [ ! -x /usr/bin/chromium ] || [ ! -x /usr/bin/chromedriver ] ||
    ! $python -c 'import selenium' 2>/dev/null; then
    skip "chromium, chromium-driver and python3-selenium are needed"
    exit 77
fi

# command_of NAME SCRIPT: something that the browser's test has done.
command_of() {
    printf '#!/usr/bin/env bash\nset -eu\n%s\n' "$2" >"$place/$1"
    chmod +x "$place/$1"
}

push_command() {
    command_of "$1" "sed -i 's/count: [0-9]*}/count: $2}/' '$repo/fleet.yaml'
git -C '$repo' commit -qam '$2' && git -C '$repo' push -q '$bare' main"
}

commit_sim_fleet 3
push_command push-five 5
push_command push-one 1
command_of break-one "exec 9>'$state/sim/cloud.lock'
flock 9
sed -i '0,/\"web-1\"/s//\"old-template\"/' '$state/sim/cloud.json'"
write_serve_config 500ms 1s
serve
check "the first commit is applied" eventually 30 logged 'apply of [0-9a-f]+: done'
(cd "$place" && exec timeout -k 5 180 env HOME="$place" TMPDIR="$place" $python \
    "$here/tests/e2e/browser.py" "http://127.0.0.1:$port" "$place") || failures=$((failures + 1))
end_serve
finish
