#!/usr/bin/env bash
# Every source file opens with a comment that says its one job.
set -euo pipefail
cd "$(dirname "$0")/../.."

silent=$(find base model specs providers reconciler serve tests bench -name '*.[ch]' |
    while read -r file; do
        [ "$(head -c 2 "$file")" = "/*" ] || printf '%s opens without a comment\n' "$file"
    done)
if [ -n "$silent" ]; then
    printf '%s\n' "$silent" "not ok - every source file says its job first"
    exit 1
fi
echo "ok - every source file says its job first"
