#!/usr/bin/env bash
# The double's answers have the shape of recorded real ones (recorded/).
set -uo pipefail
# shellcheck source=tests/clouds/cloudstack/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

start_double
python3 "$here/tests/clouds/cloudstack/recorded.py" "$double_port" || failures=1
finish
