# shellcheck shell=bash
# What the subcommands of ./dev share: words to the person, packages, locks, building a preset.

say() {
    printf '%s\n' "$*"
}

die() {
    printf './dev: %s\n' "$*" >&2
    exit 1
}

no_arguments() {
    [ $# -eq 0 ] || die "unexpected argument $1 (see --help)"
}

# give_way: what computes beside tests, which mostly wait, takes what they leave.
give_way() {
    renice -n 19 "$BASHPID" >/dev/null
}

cores() {
    nproc 2>/dev/null || echo 2
}

# packages PURPOSE...: the names in packages.txt for these purposes.
packages() {
    local name purpose wanted

    while read -r name purpose; do
        for wanted in "$@"; do
            [ "$purpose" = "$wanted" ] && printf '%s\n' "$name"
        done
    done < <(grep -v '^#' dev.d/packages.txt)
}

# missing PACKAGE...: those that are not installed.
missing() {
    local name state

    for name in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null || true)
        [ "${state% }" = ii ] || printf '%s\n' "$name"
    done
}

# as_root COMMAND...: runs it as root, when there is a way without a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@" </dev/null
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@" </dev/null
    fi
}

can_be_root() {
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# hold_services, release_services: Debian asks this script whether an installed service may start.
hold_services() {
    held=no
    [ ! -e /usr/sbin/policy-rc.d ] || return 0
    held=yes
    as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d'
}

release_services() {
    [ "$held" = no ] || as_root rm -f /usr/sbin/policy-rc.d
    held=no
}

# need PURPOSE...: makes sure that the packages for these purposes are installed.
need() {
    local lacking install
    local -a wanted

    if ! command -v dpkg-query >/dev/null; then
        say "./dev: this is no Debian: please have these yourself: $(packages "$@" | xargs)" >&2
        return
    fi
    mapfile -t wanted < <(packages "$@")
    lacking=$(missing "${wanted[@]}" | xargs)
    [ -n "$lacking" ] || return 0
    install="apt-get install -y --no-install-recommends $lacking"
    if ! can_be_root; then
        die "these packages are missing: $lacking
As root, run:
    apt-get update && $install"
    fi
    say "installing $lacking"
    # No service starts on this host: tests start what they need by themselves.
    hold_services
    trap release_services EXIT
    # The lists of a new machine are empty and those of an old one out of date: then update first.
    # shellcheck disable=SC2086
    if ! as_root apt-get -qq -o DPkg::Lock::Timeout=600 ${install#apt-get} >/dev/null 2>&1; then
        as_root apt-get -qq -o DPkg::Lock::Timeout=600 update ||
            die "apt-get update failed"
        as_root apt-get -qq -o DPkg::Lock::Timeout=600 ${install#apt-get} >/dev/null ||
            die "the packages could not be installed: $install"
    fi
    release_services
    trap - EXIT
    lacking=$(missing "${wanted[@]}" | xargs)
    [ -z "$lacking" ] || die "still missing after the installation: $lacking"
}

# with_lock FOLDER COMMAND...: one at a time for each build folder; the others wait.
with_lock() {
    local folder=$1 code=0
    local lock

    shift
    mkdir -p "$folder"
    exec {lock}>"$folder/.lock"
    if ! flock -n "$lock"; then
        say "waiting for another ./dev that uses $folder" >&2
        flock "$lock"
    fi
    "$@" || code=$?
    exec {lock}>&-
    return "$code"
}

# build_preset PRESET FOLDER [TARGET...]: configures and builds; the log is shown when it fails.
build_preset() {
    with_lock "$2" build_in "$@"
}

build_in() {
    local preset=$1 folder=$2
    local log="$2/dev-build.log"

    shift 2
    say "building $folder"
    if ! { cmake --preset "$preset" && cmake --build "$folder" -j "$(cores)" ${1:+--target "$@"}; } \
        >"$log" 2>&1; then
        grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" >&2 || true
        die "$folder does not build"
    fi
}

# sources: every C file and header; scripts: every shell script, by its first line.
sources() {
    find base model specs providers reconciler serve tests bench -name '*.[ch]' 2>/dev/null | sort
}

scripts() {
    {
        echo dev
        find .ci dev.d base model specs providers reconciler serve tests bench examples -type f \
            ! -path '*/corpus/*' 2>/dev/null
    } | while read -r file; do
        case $file in
        *.sh)
            printf '%s\n' "$file"
            ;;
        *)
            if head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE '^#!.*[/ ](ba|da)?sh( |$)'; then
                printf '%s\n' "$file"
            fi
            ;;
        esac
    done | sort -u
}
