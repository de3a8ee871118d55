#!/usr/bin/env bash
# A source file over 500 lines is two files that have not been separated yet.
set -euo pipefail
cd "$(dirname "$0")/../.."

long=$(find base model specs providers reconciler serve tests bench dev dev.d examples \
    -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name dev \) -exec wc -l {} + |
    awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }')
if [ -n "$long" ]; then
    printf '%s\n' "$long" "not ok - source files have at most 500 lines"
    exit 1
fi
echo "ok - source files have at most 500 lines"
