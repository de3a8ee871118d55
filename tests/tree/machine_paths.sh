#!/usr/bin/env bash
# No file names a folder of the machine it was written on, nor leaves a mark of unfinished work.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Written apart, so that this file does not find itself.
homes="(^|[^A-Za-z0-9_.~-])/(wor""k|far""m|roo""t|hom""e/[a-z]+)/"
unfinished="(TO""DO|FIX""ME|XX""X)"
failed=0

files() {
    find . -type f ! -path './.git' ! -path './.git/*' ! -path './build*' ! -path './LICENSE' \
        ! -path './tests/fuzz/corpus/*' -print0
}

if files | xargs -0 grep -nIE "$homes"; then
    echo "not ok - no file names a folder of one machine"
    failed=1
fi
if files | xargs -0 grep -nIE "\b$unfinished\b"; then
    echo "not ok - no file says that it is unfinished"
    failed=1
fi
[ "$failed" -eq 0 ] || exit 1
echo "ok - no file names a folder of one machine"
echo "ok - no file says that it is unfinished"
