#!/usr/bin/env bash
# Which software the agent takes a machine for: what is installed, Zeus before HAProxy before mod_jk,
# unless the machine itself says. Covers backend_name of providers/proxies/agent/proxy.lib.
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

machine=$place/machine
mkdir -p "$repo"
export TRIMTAB_ROOT=$machine

# takes EXPECTED SHELL INSTALLED: on a machine where this program, and no other, can be found.
takes() {
    # shellcheck disable=SC2016 # for the shell that is called
    [ "$("$2" -c '. "$0"
        installed=$1
        command() { [ "$2" = "$installed" ]; }
        backend_name' "$machine/enstratus/bin/proxy.lib" "$3")" = "$1" ]
}

for shell in dash bash; do
    rm -rf "$machine"
    mkdir "$machine"
    tt agent "$machine"
    check "$shell: HAProxy where it is installed" takes haproxy "$shell" haproxy
    check "$shell: else mod_jk" takes mod_jk "$shell" apache2
    mkdir -p "$machine/usr/local/zeus"
    check "$shell: Zeus before HAProxy" takes zeus "$shell" haproxy
    mkdir -p "$machine/enstratus/etc"
    echo mod_jk >"$machine/enstratus/etc/backend"
    check "$shell: the machine's own word before all" takes mod_jk "$shell" haproxy
done
finish
