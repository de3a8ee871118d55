# shellcheck shell=bash
# ./dev valgrind: end-to-end tests with every run of the program under valgrind.

help_valgrind() {
    cat <<'END'
usage: ./dev valgrind [SCRIPT...]

Runs end-to-end tests (default: test_world test_cli test_approve test_quickstart test_kill) with a
program that is valgrind around build-dev/trimtab. Fails when a script does, or when any of its runs
reads what was never written, touches memory that is not its own or loses a block.
END
}

# The tests take a folder for the program's: what they find in this one writes a log for each run.
# It runs a copy, so that a build meanwhile does no harm.
wrap_in_valgrind() {
    local folder=$1 valgrind

    valgrind=$(command -v valgrind)
    mkdir "$folder/program"
    cp build-dev/trimtab "$folder/program/trimtab"
    cat >"$folder/trimtab" <<END
#!/bin/sh
exec '$valgrind' -q --leak-check=full --errors-for-leak-kinds=definite,possible --error-exitcode=99 \\
    --child-silent-after-fork=yes --num-callers=25 --log-file='$folder/log.%p' \\
    '$folder/program/trimtab' "\$@"
END
    chmod 755 "$folder/trimtab"
}

# under_valgrind FOLDER NAME: one script; false when it fails, or valgrind reports anything.
under_valgrind() {
    local folder=$1 name=$2 result=0

    rm -f "$folder"/log.*
    if ! "tests/e2e/$name.sh" "$folder" >"$folder/out" 2>&1 </dev/null; then
        cat "$folder/out"
        say "$name failed"
        result=1
    fi
    # Lines of --PID-- tell of a system call that Debian 12's valgrind does not know (pidfd_open);
    # the program then sees a kernel without it. What it finds is in lines of ==PID==.
    find "$folder" -name 'log.*' -exec sed -i '/^--[0-9]*--/d' {} +
    if [ -n "$(find "$folder" -name 'log.*' -size +0)" ]; then
        cat "$folder"/log.*
        say "$name: valgrind has something to report"
        result=1
    fi
    runs=$(find "$folder" -name 'log.*' | wc -l)
    if [ "$runs" -eq 0 ]; then
        say "$name: nothing was run under valgrind"
        result=1
    fi
    return "$result"
}

dev_valgrind() {
    local folder name failed=0 all=0 runs=0 scripts=(test_world test_cli test_approve test_quickstart test_kill)

    need build test valgrind
    [ $# -eq 0 ] || scripts=("$@")
    for name in "${scripts[@]}"; do
        [ -x "tests/e2e/$name.sh" ] || die "there is no tests/e2e/$name.sh"
    done
    build_preset dev build-dev trimtab
    folder=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    wrap_in_valgrind "$folder"
    for name in "${scripts[@]}"; do
        if under_valgrind "$folder" "$name"; then
            say "$name: $runs runs, all clean"
        else
            failed=$((failed + 1))
        fi
        all=$((all + runs))
    done
    say "valgrind: ${#scripts[@]} scripts, $all runs, $failed failed"
    [ "$failed" -eq 0 ]
}
