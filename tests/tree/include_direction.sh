#!/usr/bin/env bash
# Holds every #include to its direction: base <- model <- {specs, providers} <- reconciler <- serve.
# Of the reconciler only the command serve includes serve/, and that none of the commands.
# Specs and providers never include each other, nothing includes a concrete provider but that
# provider, reconciler/main.c and the tests, and the pure planner sees the model alone.
# The check first proves on a planted tree that it finds each kind of violation.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)

# check_tree ROOT: prints each violation; fails when there is one.
check_tree() {
    (
        cd "$1"
        find base model specs providers reconciler serve -name '*.[ch]' | sort |
            xargs -r grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' /dev/null
    ) | awk -F: '
    # The part of the tree that a path belongs to: "base", "providers", "providers/local" ...
    function part(path, pieces, n) {
        n = split(path, pieces, "/")
        if (pieces[1] == "providers" && n > 2)
            return "providers/" pieces[2]
        if (pieces[1] == "reconciler" && (pieces[2] == "planner" || path == "reconciler/planner.h"))
            return "planner"
        return pieces[1]
    }
    function concrete(p) {
        return p ~ /^providers\// && p !~ /^providers\/(http|proxies|shell)$/
    }
    function allowed(file, from, to, included_path) {
        if (from == to || to == "base")
            return 1
        if (from == "base")
            return 0
        if (to == "model")
            return 1
        if (from == "model" || from == "specs" || from == "planner")
            return 0
        if (from ~ /^providers/)
            return to ~ /^providers/ && !concrete(to) && (from != "providers" || to == "providers")
        if (to == "serve")
            return file == "reconciler/commands/cmd_serve.c"
        if (from == "serve" && included_path ~ /^reconciler\/commands\//)
            return 0
        if (concrete(to))
            return file == "reconciler/main.c"
        return 1
    }
    {
        file = $1
        split($0, quoted, "\"")
        included = quoted[2]
        if (included !~ /\//)
            verdict = "names no folder"
        else if (!allowed(file, part(file), part(included), included))
            verdict = "goes the wrong way"
        else
            next
        printf "%s:%s: #include \"%s\" %s\n", file, $2, included, verdict
        bad = 1
    }
    END { exit bad }'
}

# plant FILE INCLUDED: the check must accept the planted tree before, and find this include in it.
plant() {
    local tree

    tree=$(mktemp -d)
    mkdir -p "$tree"/{base,model,specs,providers,reconciler,serve} "$tree/$(dirname "$1")"
    printf '#include "base/str.h"\n' >"$tree/base/arena.c"
    if ! check_tree "$tree" >/dev/null; then
        echo "include_direction: a clean tree is refused"
        exit 1
    fi
    printf '#include <stdio.h>\n  # include "%s"\n' "$2" >"$tree/$1"
    if check_tree "$tree" >/dev/null; then
        echo "include_direction: $1 may include $2, and must not"
        exit 1
    fi
    rm -rf "$tree"
}

plant base/a.c model/world.h
plant base/a.h reconciler/store.h
plant model/a.c specs/specs.h
plant specs/a.c providers/provider.h
plant specs/a.c reconciler/planner.h
plant providers/a.c specs/specs.h
plant providers/a.c providers/local/local.h
plant providers/a.c reconciler/store.h
plant providers/sim/a.c providers/local/local.h
plant providers/shell/a.c providers/local/local.h
plant reconciler/a.c providers/sim/sim.h
plant reconciler/commands/a.c providers/local/local.h
plant reconciler/planner/a.c providers/provider.h
plant reconciler/planner/a.c reconciler/store.h
plant reconciler/a.c serve/serve.h
plant serve/a.c providers/local/local.h
plant serve/a.c reconciler/commands/session.h
plant model/a.c words.h

check_tree "$top"
echo "ok - every include goes from base towards reconciler"
