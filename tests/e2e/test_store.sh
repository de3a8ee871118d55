#!/usr/bin/env bash
# The store holds history, never the truth: it may be deleted or be broken. A full disk under the
# state folder is a clear error, and what follows repairs everything.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

fill() {
    dd if=/dev/zero of="$state/filler" bs=4096 2>/dev/null
    dd if=/dev/zero of="$state/filler2" bs=1 count=4096 2>/dev/null
}

# A real full disk where this may be mounted, else a limit on what may be written.
mkdir -p "$state"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=6m,mode=700 none "$state" 2>/dev/null; then
    full_disk=tmpfs
else
    full_disk=limit
fi
printf 'a full disk is made by %s\n' "$full_disk"
commit_example

tt apply --auto-approve
check "apply makes everything" exits 0
find "$state" -maxdepth 1 -name 'store.db*' -delete
check "without its store nothing is to be done" is_settled
edit 's/count: 3/count: 4/'
tt apply --auto-approve
check "without its store apply goes on" exits 0
check "there are four servers, none twice" only_slots "0 1 2 3"

printf 'this is no database, but it was written over one' >"$state/store.db"
rm -f "$state"/store.db-*
tt apply --auto-approve
check "a broken store is an error" exits 1
check "that names the file" says 'store\.db'
check "and the way out" says 'apply --without-store'
edit 's/count: 4/count: 5/'
tt apply --auto-approve --without-store
check "which goes on" exits 0
check "and says where the broken one is kept" says 'kept as .*store\.db\.damaged-'
check "as it was" grep -rq 'this is no database' "$state" --include='store.db.damaged-*'
tt history
check "with a new history" says 'done'

# Damaged where only the memory of earlier runs is: limits and guards would not know what was done.
python3 - "$state/store.db" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
size = db.execute("PRAGMA page_size").fetchone()[0]
page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'servers'").fetchone()[0]
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
db.close()
with open(sys.argv[1], "r+b") as file:
    file.seek((page - 1) * size)
    file.write(b"\xa5" * size)
END
edit 's/count: 5/count: 6/'
tt plan
check "without its memory there is a plan" exits 0
check "which says so" says 'going on without the memory of earlier runs'
tt apply --auto-approve
check "but nothing is carried out unasked" exits 1
check "with the reason" says 'nothing was begun, because what earlier runs left cannot be read'
check "and the way out" says 'apply --without-store'
check "nothing was made" only_slots "0 1 2 3 4"
tt apply --auto-approve --without-store
check "which goes on" exits 0
check "and makes it" only_slots "0 1 2 3 4 5"
edit 's/count: 6/count: 5/'
tt apply --auto-approve
check "afterwards nothing need be said" exits 0

rm -f "$state"/store.db*
mkdir "$state/store.db"
tt apply --auto-approve
check "a store that cannot be opened is an error" exits 1
check "that names it" says 'store\.db'
check "and how to go on" says 'with --without-store the run goes on without it'
edit 's/count: 5/count: 4/'
tt apply --auto-approve --without-store
check "the run goes on without it when asked" exits 0
check "and says what that means" says 'no lock keeps others out'
rmdir "$state/store.db"
check "and all is done" is_settled

# Full: no folder, no journal, no pid file can be written.
edit 's/count: 4/count: 6/'
if [ "$full_disk" = tmpfs ]; then
    fill
    tt apply --auto-approve
    check "a full disk is an error" exits 1
    check "that says so" says 'No space left|full'
    rm -f "$state"/filler*
else
    code=0
    (
        cd "$repo" || exit 1
        ulimit -f 0
        trap '' XFSZ
        exec "$trimtab" apply --auto-approve
    ) 2>&1 </dev/null | cat >"$out"
    code=${PIPESTATUS[0]}
    check "a disk that takes nothing is an error" exits 1
    check "that says so" says 'File too large|No space left|full|disk'
fi
check "nothing that serves was touched" answers_from 16 4
tt apply --auto-approve
check "with room again apply goes on" exits 0
check "six servers, none twice" only_slots "0 1 2 3 4 5"
check "and nothing is left to do" is_settled
stop_everything
finish
